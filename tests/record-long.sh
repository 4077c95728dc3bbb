#!/bin/sh
# record-long.sh SECONDS OUT.pcap: record several programs at work for so long, for a generator to learn from.
#
# Where record.sh has one of everything, this has much of what is ordinary: eight users and three machines, each going on by
# itself from beginning to end, with pauses and sizes drawn from long-tailed distributions, so that the last fifth of the
# capture is of the kind of what came before.
#
#     client -- (r0) router (r1) -- wire -- server        the capture is taken on r0
#
# Users look up names (dnsmasq, dig) and fetch pages and what is on them (nginx, curl), type into shells and copy files
# (OpenSSH); machines ask for their status, ping, measure their throughput (iperf3), and try ports that are closed or silent.
# IPv4 and IPv6; one packet in 200 is lost.
#
# Needs root, and the packages that record.sh names, but socat. Three minutes gave 14,477 packets of 517 flows; no two
# recordings are the same.
set -eu

wire=$(dirname "$0")/record-wire.py
snaplen=128

say() { echo "record-long.sh: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 2 ] && [ "$1" -gt 0 ] 2>/dev/null || die "usage: tests/record-long.sh SECONDS OUT.pcap"
[ "$(id -u)" -eq 0 ] || die "must run as root: it makes network namespaces"
for program in nginx curl dnsmasq dig sshd ssh iperf3 nft tcpdump ip ping ethtool python3 sysctl unshare; do
	command -v $program >/dev/null || die "$program not found; the packages needed are named at the top of tests/record.sh"
done

# As in record.sh: the kernel cleans up whatever happens, and this machine's name cannot get into the capture.
if [ "${RECORD_INSIDE-}" != yes ]; then
	export RECORD_INSIDE=yes
	exec 3>"$2.part"
	trap 'rm -f "$2.part"' EXIT
	unshare --net --mount --uts --pid --fork --kill-child --mount-proc sh "$0" "$@" &
	trap 'kill -KILL $!; exit 130' INT TERM
	wait $!
	mv "$2.part" "$2"
	exit
fi
work=/run/record
for dir in /run /var/log /var/lib/nginx; do mount -t tmpfs none $dir; done
mkdir -p $work/www /run/netns /run/sshd
hostname recorder

client() { timeout 120 ip netns exec client "$@" >/dev/null 2>&1 || :; }
server() { ip netns exec server "$@"; }

# Lomax's distribution, of index 1.3: half of the draws are below 0.7 SCALE, one in 20 is above 9, no more than MOST.
drawn() {	# SCALE MOST
	od -An -N4 -tu4 /dev/urandom | awk -v scale=$1 -v most=$2 '{ x = scale * ((($1 + 1) / 4294967297) ^ (-1 / 1.3) - 1)
		print x < most ? x : most }'
}
whole() { drawn "$@" | cut -d. -f1; }
pause() { sleep $(drawn $1 120); }	# SCALE
one_in() { [ $(($(od -An -N2 -tu2 /dev/urandom) % $1)) -eq 0 ]; }

link() {	# NAMESPACE DEVICE NAMESPACE DEVICE: a veth pair without offloads
	ip link add $2 netns $1 type veth peer name $4 netns $3
	for end in "$1 $2" "$3 $4"; do
		ip netns exec ${end% *} ethtool -K ${end#* } tx off tso off gso off gro off >/dev/null
		ip -n ${end% *} link set ${end#* } up
	done
}

links() {
	for ns in client wire server; do ip netns add $ns; ip -n $ns link set lo up; done
	ip netns attach router $$	# this script itself
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip netns exec wire sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	link router r0 client eth0
	link router r1 wire near
	link wire far server eth0
	ip netns exec wire python3 "$wire" near far 0.005 '' &
}

address() {	# NAMESPACE DEVICE IPV4 IPV6
	ip -n $1 address add $3 dev $2
	ip -n $1 address add $4 dev $2
}

addresses() {
	for i in $(seq 2 12); do address client eth0 10.0.1.$i/24 fd00:1::$i/64; done
	for i in 1 2 3 4; do address server eth0 192.0.2.$i/24 2001:db8:2::$i/64; done
	address router r0 10.0.1.1/24 fd00:1::1/64
	address router r1 192.0.2.254/24 2001:db8:2::fe/64
	for gateway in 10.0.1.1 fd00:1::1; do ip -n client route add default via $gateway; done
	for gateway in 192.0.2.254 2001:db8:2::fe; do ip -n server route add default via $gateway; done
	nft -f - <<-'END'
		table inet path {
			chain forward {
				type filter hook forward priority 0
				tcp dport 81 drop
				numgen random mod 200 < 1 drop
			}
		}
	END
	sleep 2	# until the addresses are known to be no duplicates
}

servers() {
	for i in $(seq 0 199); do head -c $((300 + $(whole 4000 1500000))) /dev/zero >$work/www/$i; done
	cat >$work/nginx.conf <<-END
		daemon off; user root; pid $work/nginx.pid; error_log $work/nginx.log; events { }
		http { access_log off; keepalive_timeout 20; server { root $work/www; listen 80; listen [::]:80; } }
	END
	server nginx -e $work/nginx.log -c $work/nginx.conf &
	server dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts \
		--log-facility=$work/dnsmasq.log --local=/test/ \
		--address=/example.test/192.0.2.1 --address=/example.test/2001:db8:2::1 &
	for key in host user; do ssh-keygen -q -t ed25519 -N '' -C '' -f $work/$key; done
	server "$(command -v sshd)" -D -f /dev/null -h $work/host -E $work/sshd.log \
		-o UsePAM=no -o StrictModes=no -o AuthorizedKeysFile=$work/user.pub &
	server iperf3 -s >$work/iperf3.log 2>&1 &
	sleep 2
}

# What a user or machine does once; HOST is the last number of its address.
ends() {	# HOST: leaves its own address in $from, a server's in $to and in $url
	n=$(($(od -An -N1 -tu1 /dev/urandom) % 4 + 1))
	if one_in 3; then from=fd00:1::$1 to=2001:db8:2::$n url="[$to]"; else from=10.0.1.$1 to=192.0.2.$n url=$to; fi
}

look_up() {
	ends $1
	client dig +tries=2 +timeout=2 -b $from @$to $(head -c 2 /dev/urandom | od -An -tu2 | tr -d ' ').example.test $2
}

page() {	# the page, then what is on it, over one to four connections at once
	look_up $1 A
	one_in 2 && look_up $1 AAAA
	ends $1
	client curl -s -m 60 --interface $from "http://$url/$(($(whole 20 199)))"
	for connection in $(seq $((1 + $(whole 0.8 3)))); do
		first=$(whole 30 180)
		client curl -s -m 60 --interface $from "http://$url/[$first-$((first + $(whole 2 12)))]" &
	done
	wait
}

shell() {
	ends $1
	(for command in $(seq $((1 + $(whole 3 30)))); do pause 1; echo "seq $(whole 40 4000)"; done; echo exit) |
		client ssh -F none -b $from -i $work/user -o IdentityAgent=none -o BatchMode=yes \
			-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no $to -tt sh
}

copy() {
	ends $1
	head -c $((1000 + $(whole 20000 1000000))) /dev/zero |
		client ssh -F none -b $from -i $work/user -o IdentityAgent=none -o BatchMode=yes \
			-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no $to 'cat >/dev/null'
}

user() { while :; do page $1; one_in 8 && shell $1; one_in 12 && copy $1; pause 6; done; }

status() { while :; do ends $1; client curl -s -m 10 --interface $from "http://$url/7"; sleep 10; done; }

watch() {
	while :; do
		ends $1
		client ping -I $from -c $((1 + $(whole 2 20))) $to
		one_in 4 && client curl -s -m 5 --interface $from http://$url:$(one_in 2 && echo 83 || echo 81)/
		pause 8
	done
}

throughput() {
	while :; do
		pause 40
		ends $1
		client iperf3 -B $from -c $to -n $((50000 + $(whole 100000 1000000))) $(one_in 2 && echo -R)
	done
}

links
addresses
servers
timeout -s INT $1 tcpdump -i r0 -s $snaplen -B 8192 -U -w - >&3 2>$work/tcpdump.log &
tcpdump=$!
for host in 2 3 4 5 6 7 8 9; do user $host & done
status 10 &
watch 11 &
throughput 12 &
wait $tcpdump || [ $? -eq 124 ] || die "tcpdump: $(cat $work/tcpdump.log)"
say "$(grep captured $work/tcpdump.log); $(grep 'dropped by kernel' $work/tcpdump.log)"

#!/bin/sh
# record.sh OUT.pcap: record the capture that TraceCodec ships for its demo and tests.
#
# Real programs talk over real TCP stacks in network namespaces; nothing leaves them:
#
#     client -- (r0) router (r1) -- wire -- server        the capture is taken on r0
#
# nginx and curl, dnsmasq and dig, OpenSSH, iperf3, ping, socat; IPv4 and IPv6; losses, reordering, an outage, refused
# and silent ports, zero windows, resets, keep-alives, Fast Open, ECN, urgent data, fragments, path-MTU and other ICMP
# errors, VLAN and QinQ tags, segmentation offload.
#
# Needs root, about a minute, and of Debian's packages: nginx-light curl dnsmasq-base bind9-dnsutils openssh-server
# openssh-client iperf3 nftables tcpdump iproute2 iputils-ping ethtool socat python3 procps util-linux.
set -eu

wire=$(dirname "$0")/record-wire.py
snaplen=128	# octets a packet: every header, and most of what an ICMP error quotes
least=15000	# packets; with fewer something did not run

say() { echo "record.sh: $*" >&2; }
die() { say "$*"; exit 1; }

[ $# -eq 1 ] || die "usage: tests/record.sh OUT.pcap"
[ "$(id -u)" -eq 0 ] || die "must run as root: it makes network namespaces"
for program in nginx curl dnsmasq dig sshd ssh iperf3 nft tcpdump ip ping ethtool socat python3 sysctl unshare; do
	command -v $program >/dev/null || die "$program not found; the packages needed are named at the top of $0"
done

# The rest runs with a network, mounts, processes and a host name of its own: the kernel cleans up whatever happens,
# two runs never meet, and this machine's name cannot get into the capture.
if [ "${RECORD_INSIDE-}" != yes ]; then
	export RECORD_INSIDE=yes
	exec 3>"$1.part"
	trap 'rm -f "$1.part"' EXIT
	unshare --net --mount --uts --pid --fork --kill-child --mount-proc sh "$0" "$1" &
	trap 'kill -KILL $!; exit 130' INT TERM
	wait $!
	mv "$1.part" "$1"
	exit
fi
work=/run/record
for dir in /run /var/log /var/lib/nginx; do mount -t tmpfs none $dir; done
mkdir -p $work/www /run/netns /run/sshd
hostname recorder

# A client that fails is traffic too, and nobody reads what it says.
client() { timeout 30 ip netns exec client "$@" >/dev/null 2>&1 || :; }
server() { ip netns exec server "$@"; }
together() { (for phase; do $phase & done; wait); }

link() {	# NAMESPACE DEVICE NAMESPACE DEVICE: a veth pair that sends what a cable would carry: no offloads
	ip link add $2 netns $1 type veth peer name $4 netns $3
	for end in "$1 $2" "$3 $4"; do
		ip netns exec ${end% *} ethtool -K ${end#* } tx off tso off gso off gro off >/dev/null
		ip -n ${end% *} link set ${end#* } up
	done
}

address() {	# NAMESPACE DEVICE IPV4 IPV6
	ip -n $1 address add $3 dev $2
	ip -n $1 address add $4 dev $2
}

links() {
	for ns in client wire server; do ip netns add $ns; ip -n $ns link set lo up; done
	ip netns attach router $$	# this script itself
	sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	server sysctl -qw net.ipv4.tcp_fastopen=2
	ip netns exec wire sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	link router r0 client eth0
	link router r1 wire near
	link wire far server eth0
	ip netns exec wire python3 "$wire" near far 0.005 '' &
}

capture() {	# leaves its process number in $tcpdump
	tcpdump -i r0 -s $snaplen -B 8192 --immediate-mode -U -w - >$work/capture 2>$work/tcpdump.log &
	tcpdump=$!
	until grep -qs listening $work/tcpdump.log; do sleep 0.1; done
}

addresses() {	# opposite orders: what a program speaks from by itself is the first IPv4 and the last IPv6 address
	for i in 2 3 4 5 6 7 8 9; do address client eth0 10.0.1.$i/24 fd00:1::$((11 - i))/64; done
	for i in 1 2 3 4; do address server eth0 192.0.2.$i/24 2001:db8:2::$((5 - i))/64; done
	address router r0 10.0.1.1/24 fd00:1::1/64
	address router r1 192.0.2.254/24 2001:db8:2::fe/64
	for gateway in 10.0.1.1 fd00:1::1; do ip -n client route add default via $gateway; done
	for gateway in 192.0.2.254 2001:db8:2::fe; do ip -n server route add default via $gateway; done
	address server lo 198.51.100.1/32 2001:db8:9::1/128	# behind a path of 1280 octets
	ip route add 198.51.100.1 via 192.0.2.1 mtu lock 1280
	ip route add 2001:db8:9::1 via 2001:db8:2::1 mtu lock 1280
	vlan 7 81000007
	vlan 8 88a8006481000008
	sleep 2	# until the addresses are known to be no duplicates
}

vlan() {	# N TAG: client and router as neighbours on a VLAN of their link, the way to 203.0.113.N and 2001:db8:b::N
	for end in "client eth0 2" "router r0 1"; do
		set -- $1 $2 $end
		link $3 v$1 $3 v$1-tag
		ip -n $3 link set v$1 mtu 1492	# room for two tags
		ip netns exec $3 sysctl -qw net.ipv6.conf.v$1-tag.disable_ipv6=1
		ip netns exec $3 python3 "$wire" v$1-tag $4 0 $2 &
		address $3 v$1 10.0.$1.$5/24 fd00:$1::$5/64
	done
	address server lo 203.0.113.$1/32 2001:db8:b::$1/128
	ip route add 203.0.113.$1 via 192.0.2.1
	ip route add 2001:db8:b::$1 via 2001:db8:2::1
	ip -n client route add 203.0.113.$1 via 10.0.$1.1
	ip -n client route add 2001:db8:b::$1 via fd00:$1::1
}

losses() {	# port 81 is silent, 82 forbidden; of what may bear a congestion mark one packet in 30 gets it
	nft -f - <<-'END'
		table inet path {
			chain outage { }
			chain forward {
				type filter hook forward priority 0
				jump outage
				tcp dport 81 drop
				tcp dport 82 reject
				ip ecn ect0 numgen random mod 30 < 1 ip ecn set ce
				ip6 ecn ect0 numgen random mod 30 < 1 ip6 ecn set ce
				numgen random mod 100 < 1 drop
			}
		}
	END
}

servers() {
	for size in 300 3000 20000 80000 800000 5000000; do head -c $size /dev/zero >$work/www/$size; done
	cat >$work/nginx.conf <<-END
		daemon off; user root; pid $work/nginx.pid; error_log $work/nginx.log; events { }
		http { access_log off; server { root $work/www; listen 80 fastopen=16; listen [::]:80 fastopen=16; } }
	END
	server nginx -e $work/nginx.log -c $work/nginx.conf &
	server dnsmasq --keep-in-foreground --conf-file=/dev/null --pid-file= --user=root --no-resolv --no-hosts \
		--log-facility=$work/dnsmasq.log --local=/test/ \
		--address=/example.test/192.0.2.1 --address=/example.test/2001:db8:2::1 \
		$(for i in 1 2 3 4 5; do printf -- '--txt-record=long.test,%0250d ' $i; done) &
	for key in host user; do ssh-keygen -q -t ed25519 -N '' -C '' -f $work/$key; done
	server "$(command -v sshd)" -D -f /dev/null -h $work/host -E $work/sshd.log \
		-o UsePAM=no -o StrictModes=no -o AuthorizedKeysFile=$work/user.pub &
	server iperf3 -s >$work/iperf3.log 2>&1 &
	server socat TCP6-LISTEN:7,fork,reuseaddr EXEC:cat &
	server socat TCP6-LISTEN:13,fork,reuseaddr SYSTEM:'seq 40' &	# closes first
	server socat TCP6-LISTEN:19,fork,reuseaddr SYSTEM:'head -c 200000 /dev/zero' 2>/dev/null &
	for port in 7 13 19 22 53 80 5201; do
		server socat -u OPEN:/dev/null TCP4:127.0.0.1:$port,retry=50,interval=0.1 2>/dev/null ||
			die "no server at port $port"
	done
}

get() {	# SERVER FILE [OPTION...]: {,} in FILE: several requests on one connection
	where=$1 what=$2; shift 2
	client curl -s -m 25 "$@" "http://$where/$what"
}

tcp() { client socat -t 3 - "TCP:$1"; }	# SERVER:PORT[,OPTION...]

browser() {	# HOST: what one user fetches, over IPv4 and IPv6 in turn
	for round in 1 2; do
		for file in 300 3000 '{300,3000,300,20000,300}' 300 20000 '{3000,3000,3000}' 80000 none '{300,300,300,300,300,300}'; do
			get 192.0.2.$(($1 % 4 + 1)) $file --interface 10.0.1.$1
			get "[2001:db8:2::$((($1 + round) % 4 + 1))]" $file --interface fd00:1::$1
		done
	done
}

web() { for host in 2 3 4 5 6 7 8 9; do browser $host & done; wait; }

downloads() {
	get 192.0.2.1 5000000 -m 0.1 &	# goes away in the middle of it
	get '[2001:db8:2::1]' 5000000 -m 0.1 &
	get 192.0.2.2 800000 &
	get '[2001:db8:2::2]' 800000 &
	get 192.0.2.3 80000 --limit-rate 20k &
	for at in 192.0.2.4 '[2001:db8:2::4]'; do	# the first fetches the cookie, the others send data in the SYN
		for size in 80000 3000 300; do get $at $size --tcp-fastopen; done
	done
	wait
}

small_path() { for at in 198.51.100.1 '[2001:db8:9::1]'; do get $at 300 -H Expect: -T $work/www/80000; done; }

names() {
	for i in $(seq 60); do echo "www$i.example.test A"; echo "www$i.example.test AAAA"; done >$work/names
	for at in 192.0.2.1 2001:db8:2::1; do
		client dig +tries=3 +timeout=1 @$at -f $work/names &
		client dig +tcp @$at www.example.test
		client dig +bufsize=512 @$at long.test TXT	# too long for it: again over TCP
		client dig +bufsize=4096 @$at long.test TXT
		client dig @$at nothing.test
		client dig +tries=2 +timeout=1 -p 54 @$at www.example.test	# port unreachable
	done
	wait
}

shell() {	# SERVER: a command, somebody typing, a file there and one back
	login="ssh -F none -i $work/user -o IdentityAgent=none -o BatchMode=yes
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no $1"
	client $login true
	(for i in 1 2 3 4 5 6 7 8; do sleep 0.3; echo "seq $i$i"; done; echo exit) | client $login -tt sh
	client $login 'cat >/dev/null' <$work/www/800000
	client $login "cat $work/www/80000"
}

throughput() {
	client iperf3 -c 192.0.2.1 -P 4 -n 1M
	client iperf3 -c 2001:db8:2::1 -R -P 2 -n 1M
	client iperf3 -c 192.0.2.2 -b 1M -t 3 -S 0x28	# rate limited, DSCP AF11
	client iperf3 -c 2001:db8:2::1 -u -b 1M -l 400 -t 3
	client iperf3 -c 192.0.2.1 -u -b 1M -l 4000 -t 2	# in fragments
}

pings() {
	for at in 192.0.2.1 2001:db8:2::1 192.0.2.3 fd00:1::1; do client ping -i 0.05 -c 60 $at & done
	for at in 192.0.2.2 2001:db8:2::2 198.51.100.1 2001:db8:9::1; do
		client ping -i 0.2 -c 4 -s 3000 -M dont $at	# in fragments
		client ping -i 0.2 -c 3 -s 1400 -M do $at	# too big for the small path
		client ping -c 2 -W 1 -t 1 $at	# time exceeded
	done
	for at in 192.0.2.99 172.16.0.1 2001:db8:2::99 2001:db8:ff::1; do client ping -c 1 -W 4 $at; done	# unreachable
	wait
}

closed() {	# nobody listens at 83 and 33434
	for at in 192.0.2.1 '[2001:db8:2::1]'; do
		for port in 83 82 81,connect-timeout=8 80,ttl=1,connect-timeout=2 83; do tcp $at:$port </dev/null & done
		for port in 33434,ttl=1 33434; do echo lost | client socat - UDP:$at:$port; done
	done
	wait
}

oddities() {
	for at in 192.0.2.1 '[2001:db8:2::1]'; do
		sleep 7 | tcp $at:7,keepalive,keepidle=1,keepintvl=1,keepcnt=5 &
		client socat -u TCP:$at:19,rcvbuf=4096 SYSTEM:'sleep 6; cat',pipes &	# zero window
		client socat -u TCP:$at:19,rcvbuf=4096,linger=0 SYSTEM:'sleep 2',pipes &	# and never reads on
		echo reset | tcp $at:7,linger=0 &
		seq 2000 | tcp $at:7 &	# half closed, the echo still comes
		for again in 1 2 3; do tcp $at:13,sourceport=40000,reuseaddr </dev/null; done &	# the same port again
	done
	client python3 -c 'import socket as s, time
c = s.create_connection(("192.0.2.1", 7))
for i in range(4): c.send(b"calm"); c.send(b"!", s.MSG_OOB); time.sleep(0.2)' &
	for port in 5000 5001 5002; do	# each calls the other until both meet: simultaneous opens
		tcp 192.0.2.1:$port,bind=10.0.1.2:$port,retry=60,interval=0.1 </dev/null &
		server timeout 9 socat -u OPEN:/dev/null TCP:10.0.1.2:$port,bind=192.0.2.1:$port,retry=60,interval=0.093 2>/dev/null &
	done
	for at in 10.0.1.255 255.255.255.255 239.1.2.3; do
		echo anybody | client socat - UDP-DATAGRAM:$at:4000,broadcast,bind=10.0.1.2
	done
	wait
}

tagged() {
	for at in 203.0.113.7 '[2001:db8:b::7]' 203.0.113.8 '[2001:db8:b::8]'; do
		get $at '{300,20000,300,3000}' &
		get $at 80000 &
	done
	for at in 203.0.113.7 2001:db8:b::8; do client ping -i 0.2 -c 5 $at; done
	wait
}

outage() {	# nothing gets through for three seconds: time-outs, each twice the last
	get 192.0.2.1 800000 --limit-rate 400k &
	get '[2001:db8:2::1]' 800000 --limit-rate 400k &
	sleep 0.7
	nft add rule inet path outage drop
	sleep 3
	nft flush chain inet path outage
	wait
}

stack() {	# SETTING...: fetches by a client with other settings of TCP, which stay
	for setting; do ip netns exec client sysctl -qw net.ipv4.tcp_$setting; done
	for at in 192.0.2.1 '[2001:db8:2::1]'; do get $at '{80000,80000}' & done
	wait
}

offload() {	# what the client sends is cut into segments, and gets its checksums, only after the capture
	ip netns exec client ethtool -K eth0 tx on tso on gso on >/dev/null
	for at in 192.0.2.1 2001:db8:2::1; do client iperf3 -c $at -n 3M; done
}

links
capture
addresses
losses
servers
together web downloads names small_path
together 'shell 192.0.2.1' 'shell 2001:db8:2::1' pings closed
together throughput oddities
together tagged outage
together 'stack ecn=1'
together 'stack ecn=2 timestamps=0 window_scaling=0'
together 'stack sack=0'
together 'stack timestamps=1 window_scaling=1 sack=1'	# as it was
together offload
sleep 1
kill $tcpdump
wait $tcpdump

packets=$(tcpdump -r $work/capture 2>/dev/null | wc -l)
[ $packets -ge $least ] || die "only $packets packets came together: nothing is written"
cat $work/capture >&3
say "$packets packets, $(wc -c <$work/capture) octets; $(grep 'dropped by kernel' $work/tcpdump.log)"

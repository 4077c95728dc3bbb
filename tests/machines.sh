#!/bin/bash
# machines.sh [--ports] [N [TRIAL ...]]: the lines of tracecodec(7), MANY MACHINES, on N captures (100) and two hosts, of which
# one fails on the way. Prints a line for each trial: ok or not ok, its name, what came of it. Without TRIAL it makes all.
#
#     here --- eth0, host1
#         \--- eth0, host2
#
# Each host has a network, processes and folders of its own, the programs in /usr/local/bin, and an sshd. They and this
# script are in namespaces, files too: nothing leaves these, and the kernel takes them away whatever happens.
#
# --ports: without namespaces, and for any user. The hosts are two sshd on ports of 127.0.0.1 and 127.0.0.2, each with a home
# directory and programs of its own, two runs at a time on each; there can be no trial silent.
#
# Exit 1 if a trial failed, 77 where there can be none. Needs of Debian's packages: openssh-server openssh-client parallel
# rsync procps python3; without --ports, root, iproute2 and util-linux.
set -u
cd "$(dirname "$0")/.." || exit 2

can_not() { echo "$*" >&2; exit 77; }
ports=
[ "${1-}" = --ports ] && { ports=yes; shift; }
n=${1:-100}
shift
for program in sshd ssh ssh-keygen parallel rsync; do
	command -v $program >/dev/null || can_not "$program is not installed"
done
if [ ! "$ports" ] && [ "${MACHINES_INSIDE-}" != yes ]; then
	[ "$(id -u)" -eq 0 ] || can_not "network namespaces need root"
	inside=(unshare --net --mount --pid --fork --kill-child --mount-proc)
	"${inside[@]}" true 2>/dev/null || can_not "no namespaces can be made here"
	MACHINES_INSIDE=yes "${inside[@]}" "$0" "$n" "$@" &
	trap 'kill -KILL $!; exit 130' INT TERM
	wait $!
	exit
fi

if [ "$ports" ]; then
	[ $# -gt 0 ] || set -- whole killed dies returns joined
	work=$(mktemp -d /tmp/machines.XXXXXX) || exit 2
	trap leave EXIT
	trap 'exit 130' INT TERM
else
	[ $# -gt 0 ] || set -- whole killed dies returns joined silent
	work=/run/machines
	mount -t tmpfs none /run
	mkdir -p $work /run/netns
fi
log=$work/log said=$work/said config=$work/config
cp -r bin man/tracecodec.7 tests/fixtures "$work"
PATH=$work/bin:$PATH
export HOME=$work/home PARALLEL_SSH="ssh -F $config"
mkdir -p ~/.parallel ~/captures/mon
touch ~/.parallel/will-cite
cd ~/captures || exit 2
ssh() { command ssh -F "$config" "$@"; }

# shown NAME: the lines of tracecodec(7) behind "example: NAME".
shown() { sed -n "/^\.\\\\\" example: $1\$/,/^\.Ed/p" $work/tracecodec.7 | sed '1,2d; $d; s/\\e/\\/g'; }

# --- hosts ---

# In namespaces the programs are where a login finds them, and the system's folders are the host's own.
own_namespaces() {
	cp "$work/$1" "$work/user.pub" "$own/run"
	echo "root:*:::::::" >"$own/run/shadow"	# nobody logs in whose account is locked
	mkdir "$own/run/sshd"
	exec ip netns exec "$1" unshare --mount --pid --fork --kill-child --mount-proc bash -euc '
		mount --bind "$2/bin" /usr/local/bin
		mount --bind "$2/home" "$3"
		mount --bind "$2/tmp" /tmp
		mount --bind "$2/run/shadow" /etc/shadow
		mount --bind "$2/run" /run
		cd /
		exec "$(command -v sshd)" -D -e -f /dev/null -h "/run/$1" -o UsePAM=no -o StrictModes=no \
			-o AuthorizedKeysFile=/run/user.pub -o MaxStartups=100' host "$1" "$own" "$(getent passwd 0 | cut -d: -f6)"
}

# Without them each session is led to the host's folders. PAM lets one in whose account is locked.
own_ports() {
	local pam=no
	[ "$(id -u)" -ne 0 ] || mkdir -p /run/sshd
	! grep -q "^$(id -un):!" /etc/shadow 2>/dev/null || pam=yes
	exec "$(command -v sshd)" -D -e -f /dev/null -h "$work/$1" -o UsePAM=$pam -o StrictModes=no \
		-o AuthorizedKeysFile="$work/user.pub" -o MaxStartups=100 -o PidFile=none \
		-o ListenAddress="$(setting "$1" hostname)" -o Port="$(setting "$1" port)" \
		-o SetEnv="HOME=$own/home" -o ForceCommand="cd; PATH=$own/bin:\$PATH exec sh -c \"\$SSH_ORIGINAL_COMMAND\""
}
setting() { ssh -G "$1" | sed -n "s/^$2 //p"; }

# start HOST: its folders, empty but for the system's and its programs, and its sshd.
start() {
	local own=$work/$1.own tries=0
	rm -rf "$own"
	mkdir -p "$own"/{home,tmp,run}
	cp -r "$work/bin" "$own"
	if [ "$ports" ]; then own_ports "$1"; else own_namespaces "$1"; fi >"$work/$1.log" 2>&1 &
	echo $! >"$work/$1.pid"
	disown
	until ssh "$1" true 2>/dev/null; do
		sleep 0.1
		[ $((++tries)) -lt 100 ] || { echo "not ok: $1 doesn't answer"; cat "$work/$1.log"; exit 1; }
	done
}

# alive HOST: its sshd, the children of it, and what they left behind, known by its home directory.
alive() {
	local all pid
	all=$(cat "$work/$1.pid")
	pid=$all
	while [ "$pid" ]; do
		pid=$(ps -o pid= --ppid "$(echo $pid | tr ' ' ,)")
		all="$all $pid"
	done
	echo $all $(grep -lsxz "HOME=$work/$1.own/home" /proc/[0-9]*/environ | cut -d/ -f3)
}

# die HOST: all of it, as if the power were cut. Stopped first, so that nothing begins another.
die() {
	local before='' all
	all=$(alive "$1")
	while [ "$all" != "$before" ]; do
		before=$all
		kill -STOP $all 2>/dev/null
		all=$(alive "$1")
	done
	kill -KILL $all 2>/dev/null
	while kill -0 "$(cat "$work/$1.pid")" 2>/dev/null; do sleep 0.05; done
}

leave() {
	local host
	for host in host1 host2; do
		[ ! -e "$work/$host.pid" ] || { ssh -O exit "$host"; die "$host"; } >/dev/null 2>&1
	done
	rm -rf "$work"
}

# wire HOST I: how it is reached.
wire() {
	if [ "$ports" ]; then
		printf '%s\n' "HostName 127.0.0.$2" \
			"Port $(/usr/bin/python3 -c "import socket; s = socket.create_server(('127.0.0.$2', 0)); print(s.getsockname()[1])")"
		return
	fi
	ip netns add "$1"
	ip link add "to-$1" type veth peer name eth0 netns "$1"
	ip address add "10.0.$2.1/24" dev "to-$1"
	ip link set "to-$1" up
	ip -n "$1" address add "10.0.$2.2/24" dev eth0
	ip -n "$1" link set eth0 up
	echo "HostName 10.0.$2.2"
}

hosts() {
	for key in user host1 host2; do ssh-keygen -q -t ed25519 -N '' -C '' -f "$work/$key"; done
	shown config | sed "s,~/.ssh,$work," >"$config"
	for i in 1 2; do
		printf '%s\n' "Host host$i" "$(wire host$i $i)" "HostKeyAlias host$i" "User $(id -un)" "BatchMode yes" \
			"UserKnownHostsFile $work/known_hosts" "IdentityFile $work/user" "IdentityAgent none" >>"$config"
		echo "host$i $(cat "$work/host$i.pub")" >>"$work/known_hosts"
		start host$i
	done
}

# --- the batch ---

# N captures, two of them with names that shells dislike, and one that breaks off; and what all are, joined and
# decoded: the last digit of a latent depends on what a pipe brings at once.
captures() {
	local edge=("$work"/fixtures/edge/{tcp,udp,ip,icmp}*.pcap) i
	for ((i = 0; i < n; i++)); do cp "${edge[i % ${#edge[@]}]}" mon/$i.pcap; done
	mv mon/0.pcap "it's \"one\".pcap"
	mv mon/1.pcap "mon/\$two & (2).pcap"
	head -c 1000 $work/fixtures/sample.pcap >mon/broken.pcap
	find . -name '*.pcap' ! -name broken.pcap -print0 | sort -z | xargs -0 -n 1 tc-lift -q | tc-enc -q >$work/good.lat
	{ cat $work/good.lat; tc-lift -q mon/broken.pcap | tc-enc -q; } >$work/all.lat 2>/dev/null
	for a in good all; do tc-dec -q $work/$a.lat >$work/$a.act 2>/dev/null; done
	[ -s $work/good.act ] || fault "nothing to compare with"
}

fault() { echo "$*"; exit 1; }

# batch NAME: the lines of the manual, which fail, for the broken capture. What they say, and parallel's log, stay.
batch() { PARALLEL="--joblog $log ${ports:+--jobs 2}" bash -c "$(shown "$1")" >$said 2>&1 && fault "exit 0 with a broken capture"; }

# named [PATTERN]: the broken capture is, with what went wrong.
named() { grep -qP "^\./mon/broken\.pcap\t${1-}" $said || fault "the broken capture isn't named"; }

outputs() { find . -name '*.act' | wc -l; }
octets() { stat -c %s all.lat 2>/dev/null || echo 0; }

# meanwhile MEASURE COUNT COMMAND...: the command, as soon as there are so many outputs or octets; caught_up: it was.
meanwhile() {
	{
		until [ "$($1)" -ge "$2" ]; do sleep 0.05; done
		"${@:3}"
	} >/dev/null 2>&1 &
	mischief=$!
}
caught_up() {
	kill $mischief 2>/dev/null && fault "all was done before host2 failed"
	wait $mischief
}

# done_by [HOST]: how many captures it did, by the log.
done_by() { awk -F'\t' -v host="${1-}" 'NR > 1 && !$7 && !$8 && (!host || $2 == host)' $log | wc -l; }
shares() { echo "host1 did $(done_by host1), host2 $(done_by host2)"; }

# complete: each capture but the broken one has its output, the very octets; there is nothing else, here and on HOST...
complete() {
	[ "$(outputs)" -eq "$n" ] || fault "$(outputs) outputs of $n"
	[ "$(find . -type f | wc -l)" -eq $((n + 1 + n)) ] || fault "files here that don't belong"
	find . -name '*.pcap' ! -name broken.pcap -print0 |
		xargs -0 -I {} sh -c 'tc-lift -q "$1" | cmp - "$1.act"' - {} >$work/cmp 2>&1 || fault "$(head -n 1 $work/cmp)"
	for host; do
		[ -z "$(ssh "$host" 'find . -name "*.pcap*"')" ] || fault "files left on $host"
	done
}

# again LOST: the same lines once more do what was lost, and the broken capture; nothing that was done.
again() {
	batch machines
	[ "$(wc -l <$log)" -eq $((1 + $1 + 1)) ] || fault "$1 were lost, and $(($(wc -l <$log) - 2)) are done again"
}

# --- trials: each prints what came of it ---

whole() {
	batch machines
	complete host1 host2
	named 'tc-lift: \./mon/broken\.pcap: after packet 8: '
	! grep -qvP '^\./mon/broken\.pcap\t' $said || fault "more is said than that"
	[ "$(done_by)" -eq "$n" ] || fault "$(done_by) of $n in the log"
	[ "$(done_by host1)" -gt 0 ] && [ "$(done_by host2)" -gt 0 ] || fault "a host did nothing"
	shares
	again 0
	complete host1 host2
}

# A batch that a host does not see the end of: all is in the log, and what is not there, in $lost.
lossy() {
	batch machines
	caught_up
	named
	[ "$(done_by)" -eq "$n" ] || fault "$(done_by) of $n in the log"
	lost=$((n - $(outputs)))
	echo "$(shares); lost on the way: $lost"
}

# A host dies while it is at work: from its second run on its tc-lift doesn't end.
killed() {
	local own=$work/host2.own at=2
	mv "$own/bin/tc-lift" "$own/bin/lift"
	printf '%s\n' '#!/bin/sh' 'echo >>~/runs' "[ \$(wc -l <~/runs) -lt $at ] || sleep 1000" 'exec "${0%tc-lift}lift" "$@"' \
		>"$own/bin/tc-lift"
	chmod +x "$own/bin/tc-lift"
	begun() { cat "$own/home/runs" | wc -l; }
	meanwhile begun $at die host2
	lossy
	[ "$(done_by host2)" -lt $at ] || fault "host2 did $(done_by host2)"
	again $lost
	complete host1
}
killed_mend() { start host2; }

# A host dies, and stays dead.
dies() {
	meanwhile outputs $((n / 4)) die host2
	lossy
	again $lost
	complete host1
}
dies_mend() { start host2; }

# A host falls silent, as if unplugged, and later speaks again. What was there stays there.
silent() {
	meanwhile outputs $((n / 4)) ip -n host2 link set eth0 down
	lossy
	ip -n host2 link set eth0 up
	until ssh host2 true 2>/dev/null; do sleep 0.1; done
	again $lost
	complete host1
}
silent_mend() { die host2; ip -n host2 link set eth0 up; start host2; }

# A host works, and gives nothing back: by the log all is well.
returns() {
	local own=$work/host2.own
	printf '%s\n' '#!/bin/sh' 'case $* in *--sender*) exit 1 ;; esac' 'exec /usr/bin/rsync "$@"' >"$own/bin/rsync"
	chmod +x "$own/bin/rsync"
	batch machines
	rm "$own/bin/rsync"
	lost=$((n - $(outputs)))
	[ "$(done_by)" -eq "$n" ] || fault "$(done_by) of $n in the log"
	[ $lost -gt 0 ] && [ $lost -eq "$(done_by host2)" ] || fault "$lost were lost, host2 did $(done_by host2)"
	echo "$(shares); lost on the way: $lost"
	again $lost
	complete host1 host2
}

# One stream of all captures, in their order, while a host dies; nothing of a try that is tried again is in it. The last
# try of the broken capture, the last one, may have found the dead host.
joined() {
	meanwhile octets $(($(wc -c <$work/all.lat) / 4)) die host2
	batch joined
	caught_up
	tc-dec -q all.lat >$work/again.act 2>/dev/null
	cmp -s $work/again.act $work/all.act || cmp $work/again.act $work/good.act >$work/cmp 2>&1 || fault "$(cat $work/cmp)"
	echo "$(shares); traces: $(tc-show all.lat 2>/dev/null | grep -c '^{"end"')"
}
joined_mend() { start host2; }

hosts
captures
failed=0
for trial; do
	find . -name '*.act*' -delete
	rm -f all.lat
	if result=$($trial); then
		echo "ok $trial: $result"
	else
		echo "not ok $trial:" $result
		sed 's/^/# /' $log $said $work/host?.log
		failed=1
	fi
	! command -v ${trial}_mend >/dev/null || ${trial}_mend
done
exit $failed

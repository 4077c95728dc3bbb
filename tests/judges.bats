# What tc-diff counts, against those whose names the counts bear: Wireshark and Zeek.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
}

# tshark lets segments without ACK flag acknowledge; bytes in flight and ack_rtt depend on it, and with
# it on the initial sequence number: tc-diff/analysis.c, time_acknowledgement().
@test "tcp.analysis of the sample is tshark's, packet by packet" {
	tests/analysis.py tests/fixtures/sample.pcap --skip bytes_in_flight,ack_rtt
}

@test "tcp.analysis of connections that do anything is tshark's, packet by packet" {
	python3 tests/fixtures/soup.py 1 400 >"$BATS_TEST_TMPDIR/soup.pcap"
	tests/analysis.py "$BATS_TEST_TMPDIR/soup.pcap" --skip ack_rtt
	# Enough of each to be judged by.
	[ "$(tshark -n -r "$BATS_TEST_TMPDIR/soup.pcap" -T fields -e tcp.analysis.fast_retransmission \
		-e tcp.analysis.zero_window_probe_ack 2>/dev/null | grep -c 1)" -gt 100 ]
}

@test "each of Zeek's thirteen states, from a capture of its own" {
	python3 tests/fixtures/states.py "$BATS_TEST_TMPDIR"
	n=0
	for f in "$BATS_TEST_TMPDIR"/state-*.pcap; do
		state=${f##*state-}
		output=$(build/tests/conn "$f")
		echo "$f: $output"
		[[ $output = *"	${state%.pcap}	"* ]]
		n=$((n + 1))
	done
	[ "$n" -eq 13 ]
}

# What the kernel says of the same packets: tests/conntrack.py, as root.
@test "what conntrack would call INVALID, and why" {
	load helper
	tmp=$BATS_TEST_TMPDIR
	judged() { craft a "$1"; tests/tracked.py "$tmp/a" | cut -d' ' -f2-; }
	is "$(judged '(lambda s: s.open() + [s.c("A", 100), s.s("A", 9)] + s.close())(S())')" "8 0"
	is "$(judged '(lambda s: [s.c("S"), s.c("A", 5), s.c("FA")])(S())')" "3 2; 1 ACK while SYN sent; 1 FIN while SYN sent"
	is "$(judged '(lambda s: s.open() + [s.c("A", ack=1)])(S())')" "4 1; 1 acknowledges what was not sent"
	is "$(judged '(lambda s: s.open() + [s.c("A", 10, seq=200000)])(S())')" "4 1; 1 data beyond the window"
	is "$(judged '[S().c("FA")]')" "1 1; 1 FIN of no connection"
	is "$(judged '[S().c("SF")]')" "1 1; 1 flags that nobody sends together"
}

@test "the sample has as many conversations as tshark says" {
	tests/conversations.py tests/fixtures/sample.pcap
}

@test "what a mirror delivers twice is counted, what is sent again isn't" {
	mergecap -F pcap -w "$BATS_TEST_TMPDIR/twice.pcap" tests/fixtures/sample.pcap tests/fixtures/sample.pcap
	run bin/tc-diff --json "$BATS_TEST_TMPDIR/twice.pcap" tests/fixtures/sample.pcap
	[ "$(jq .a.packets <<<"$output")" -eq $((2 * $(jq .b.packets <<<"$output"))) ]
	[ "$(jq .a.duplicates <<<"$output")" -gt 10000 ]
	[ "$(jq .b.duplicates <<<"$output")" -eq 0 ]
}

@test "the checksums of datagrams in fragments are right to tshark, in whatever pieces and order" {
	tests/fragments.py 150 7
}

@test "a mirror's second copy is a duplicate whatever is around the datagram" {
	for copy in alike tagged padded; do
		f=tests/fixtures/edge/duplicates-of-datagram-$copy.pcap
		[ "$(bin/tc-diff --json $f $f | jq -c '[.a.duplicates, .a.packets]')" = '[2,4]' ]
	done
}

@test "a data offset that can't be gets no verdict, and counts for those behind, as to tshark" {
	for f in tests/fixtures/edge/tcp-offset-under-5-*.pcap; do
		tests/analysis.py "$f" --skip bytes_in_flight,ack_rtt
	done
}

@test "the fixed header of TCP is enough for conn_state and history" {
	bin/tc-lift -q -f 'tcp and ip' tests/fixtures/sample.pcap | bin/tc-compile >"$BATS_TEST_TMPDIR/a.pcap"
	editcap -s 54 "$BATS_TEST_TMPDIR/a.pcap" "$BATS_TEST_TMPDIR/b.pcap"
	bin/tc-diff --fail-on conn.state,conn.history "$BATS_TEST_TMPDIR/a.pcap" "$BATS_TEST_TMPDIR/b.pcap"
}

@test "a datagram in fragments whose checksum is wrong counts, one that is right doesn't" {
	sample=tests/fixtures/edge/fragments-in-order-tcp.pcap
	is_wrong() { bin/tc-diff --json "$1" "$1" | jq .a.legality.checksum; }
	[ "$(is_wrong $sample)" -eq 0 ]
	# One octet of a later fragment's payload, which IPv4's header checksum doesn't cover.
	cp $sample "$BATS_TEST_TMPDIR/bad.pcap"
	size=$(stat -c %s $sample)
	printf '\001' | dd of="$BATS_TEST_TMPDIR/bad.pcap" bs=1 seek=$((size - 200)) conv=notrunc status=none
	[ "$(is_wrong "$BATS_TEST_TMPDIR/bad.pcap")" -eq 1 ]
}

@test "make judge judges packets without a time, and names what it can't judge, and goes on" {
	mkdir "$BATS_TEST_TMPDIR/in"
	tests/pcapng.py --file little if other=8 simple packet=1500000 simple packet=2000000 >"$BATS_TEST_TMPDIR/in/1-simple"
	tests/pcapng.py --file little if packet=1 >"$BATS_TEST_TMPDIR/in/2-plain"
	cp Makefile "$BATS_TEST_TMPDIR/in/3-none"
	run tests/judge.py --folder "$BATS_TEST_TMPDIR/in"
	[ "$status" -eq 2 ]
	[[ ${lines[0]} = "3-none: "* ]]
	[ "${lines[1]}" = "3 captures, 2 same, 0 differ, 1 troubled" ]
	# Another time than that of the packet before it is a difference.
	bin/tc-lift "$BATS_TEST_TMPDIR/in/1-simple" | bin/tc-show | sed '4s/.*/{"dt":1000}/' | bin/tc-show --reverse |
		bin/tc-compile >"$BATS_TEST_TMPDIR/later.pcap"
	run tests/judge.py "$BATS_TEST_TMPDIR/in/1-simple" "$BATS_TEST_TMPDIR/later.pcap"
	[ "$status" -eq 1 ]
	[[ $output = "frame.time_epoch: "* ]]
}

@test "an output of tshark's that the judge doesn't know loses one capture, not the folder" {
	cd tests
	run python3 -c '
import judge
judge.judge = lambda *arguments: int("")
print(judge.round_trip("fixtures/edge/empty.pcap", "../bin", False)[3])'
	[[ $output = "not judged: ValueError"* ]]
}

@test "malformed.py names a capture that tshark can't read, and looks at the others" {
	run tests/malformed.py Makefile tests/fixtures/edge/one-packet-udp.pcap
	[ "$status" -eq 2 ]
	[[ ${lines[0]} = "Makefile: tshark: "* ]]
	[ "${lines[1]}" = "1 packets, 0 faults" ]
}

@test "a UDP checksum that conntrack's judge makes right is tc-compile's: as far as UDP's own length" {
	cd tests
	run python3 -c '
import subprocess, tempfile, conntrack
with tempfile.NamedTemporaryFile() as image:
    for name in "ip4", "ip6":
        path = f"fixtures/edge/udp-length-{name}.pcap"
        command = ["bash", "-c", "../bin/tc-lift -q $0 | ../bin/tc-compile -q --full", path]
        subprocess.run(command, stdout=image.file, check=True)
        for frame, _ in conntrack.records(image.name)[1]:
            datagram, n = frame[14:], 0
            found = conntrack.transport(datagram)
            at = found[1] + 4
            if 8 <= int.from_bytes(datagram[at:at + 2], "big") <= found[2] - found[1]:
                print(conntrack.mended(datagram[:at + 2] + b"\1\1" + datagram[at + 4:]) == datagram)
        image.file.truncate(0)
        image.file.seek(0)'
	[ "$status" -eq 0 ]
	[ "$(sort <<<"$output" | uniq -c | xargs)" = "8 True" ]
}

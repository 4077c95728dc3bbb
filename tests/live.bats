# The whole pipe while packets come; make check-scale has the wire, the rate and the bound on the time under way.

load helper

@test "packets written one by one come through the whole pipe, all while their sender waits; then a last one" {
	timeout 120 python3 - "$sample" 3000 1500 <<-'PY'
		import os, struct, subprocess, sys, threading, time
		path, n, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
		data = open(path, "rb").read()
		packets, at = [], 24
		while len(packets) <= n:
		    size = 16 + struct.unpack_from("<I", data, at + 8)[0]
		    packets.append(data[at:at + size])
		    at += size

		p = subprocess.Popen("tc-lift | tc-enc | tc-dec | tc-compile", shell=True, bufsize=0,
		                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		out = bytearray()
		def read():
		    while got := os.read(p.stdout.fileno(), 65536):
		        out.extend(got)
		reader = threading.Thread(target=read)
		reader.start()

		def arrive(count):
		    """The packets so far, of the lengths that they had, and no octet more; the sender is silent."""
		    wanted, end = 24 + sum(map(len, packets[:count])), time.monotonic() + 30
		    while len(out) < wanted and time.monotonic() < end:
		        time.sleep(0.005)
		    assert len(out) == wanted, f"{len(out)} octets of {wanted} came"

		p.stdin.write(data[:24])
		begun = time.monotonic()
		for i, packet in enumerate(packets[:n]):
		    time.sleep(max(0, begun + i / rate - time.monotonic()))
		    p.stdin.write(packet)
		arrive(n)
		p.stdin.write(packets[n])
		arrive(n + 1)
		p.stdin.close()
		reader.join()
		assert p.wait() == 0
		at = 24
		for packet in packets:
		    assert packet[8:16] == out[at + 8:at + 16], "captured and original length"
		    at += len(packet)
		assert at == len(out)
	PY
}

@test "a program that never waits for input passes on 1024 packets at the latest" {
	tc-lift -q "$sample" >"$tmp/act"
	tc-enc -q "$tmp/act" >"$tmp/lat"
	# Each write is a message of its own on such a socket.
	for line in "tc-lift -q $sample" "tc-dec $tmp/lat"; do
		python3 - $line <<-'PY'
			import msgpack, socket, subprocess, sys
			here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
			p = subprocess.Popen(sys.argv[1:], stdout=there)
			there.close()
			unpacker, counts = msgpack.Unpacker(), []
			while got := here.recv(1 << 20):
			    unpacker.feed(got)
			    counts.append(sum(isinstance(o, list) for o in unpacker))
			assert p.wait() == 0
			print(sys.argv[1], len(counts), "writes,", max(counts), "packets at most, of", sum(counts))
			assert sum(counts) > 20000 and max(counts) <= 1024
		PY
	done
}

@test "what the replay's arrivals are counted with reads all packets: GCC 12 made it one that writes where nobody can" {
	for kind in actions latents; do
		tc-lift -q "$sample" | if [ $kind = latents ]; then tc-enc -q; else cat; fi | arrivals $kind >"$tmp/pairs"
		is "$(stat -c %s "$tmp/pairs")" $((16 * $(packets "$sample")))
	done
}

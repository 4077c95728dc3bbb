# The same octets everywhere, or what of it is quick: tests/determinism.sh does the rest, make check-determinism runs it.

load helper

# The file holds the SHA-256 of the stream that each fixture is lifted to, and of the capture compiled from that, as
# they are on every machine. A hash changes where the format's version does, or where a fixture is added or made
# otherwise, or a mistake is mended in what is lifted or compiled; the commit says which, and why so many lines:
#   tests/outputs.sh DIR tests/fixtures/edge/*.pcap tests/fixtures/sample.pcap
#   (cd DIR && sha256sum *.act *.pcap) >tests/fixtures/golden.sha256
@test "streams and compiled captures of all fixtures are, to the octet, what they always were" {
	golden=$PWD/tests/fixtures/golden.sha256
	printf '%s\0' "$edge"/*.pcap "$sample" | xargs -0 -n 32 -P "$(nproc)" tests/outputs.sh "$tmp"
	cd "$tmp"
	sha256sum --check --quiet "$golden"
	is "$(wc -l <"$golden")" "$(find . -name '*.act' -o -name '*.pcap' | wc -l)"
}

# counted CAPTURE...: what tc-diff counts in each, as $out/NAME.counts; of large ones also the flows, and the connections as Zeek
# has them. Two fixtures have no packets, two are refused.
counted() {
	local small=tests/fixtures/edge/one-packet-udp.pcap f name
	for f; do
		name=${f##*/}
		{
			tc-diff --json "$f" $small | sed -E 's/.*"a":."name":"[^"]*",//; s/,"b":.*//'
			case $name in soup.pcap | sample.pcap) tc-diff --flows "$f" $small | grep -v ^B; conn "$f" ;; esac
		} >"$out/${name%.pcap}.counts" 2>/dev/null || true
	done
}

# A hash changes where a definition of tc-metrics(7) does, and with it metrics_version, where a fixture is added, or a mistake is
# mended:
#   COUNTS=DIR bats -f counts tests/determinism.bats; (cd DIR && sha256sum *.counts) >tests/fixtures/counts.sha256
@test "what tc-diff counts in all fixtures, the sample, and connections that do anything, is what it always was" {
	golden=$PWD/tests/fixtures/counts.sha256
	python3 tests/fixtures/soup.py 2 1000 >"$tmp/soup.pcap"
	export out=${COUNTS:-$tmp}
	export -f counted
	printf '%s\0' "$tmp/soup.pcap" "$sample" "$edge"/*.pcap | xargs -0 -n 32 -P "$(nproc)" bash -c 'counted "$@"' -
	cd "$out"
	sha256sum --check --quiet "$golden"
	is "$(wc -l <"$golden")" "$(find . -name '*.counts' | wc -l)"
}

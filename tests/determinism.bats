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

# Damage of every sort, in thousands. tests/fuzz/ has the fuzz targets, which want clang and time: make fuzz.

load helper

@test "streams, weights and captures with octets flipped, cut, repeated, inserted: noticed, and nothing whole is lost" {
	timeout -s KILL 300 mutations 5000 1 "$edge"/*.pcap
}

@test "the fuzz targets compile" {
	for f in tests/fuzz/*.c; do
		echo "$f"
		${CC:-cc} -std=gnu11 -Wall -Wextra -Werror -D_GNU_SOURCE -Icommon -I. -fsyntax-only "$f"
	done
}

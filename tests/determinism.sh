#!/bin/bash
# determinism.sh [DIR]: builds the programs with each compiler, at other levels, and for other machines, and holds what
# they make of the fixtures, and of the captures below DIR, against what those of bin/ make: every output of outputs.sh
# to the octet; the actions that come of latents, whichever of two builds encodes and the other decodes; what tc-gen
# generates from given models; tc-diff's numbers to nine digits. A line for each build; exit 1 unless all are the same. BUILDS: a regular expression for the
# names of those wanted.
# LIBRARIES: the Debian packages that the programs are made of; `make check-determinism` says which.
set -u
cd "$(dirname "$0")/.." || exit 2
top=$PWD/build/determinism
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT

# name, compiler, level, Debian's and GNU's name of the machine if it is another one
builds() {
	for level in -O0 -O3; do
		echo "gcc$level gcc $level"
		echo "clang$level clang $level"
		echo "gcc-m32$level gcc $level i386 i386"
		echo "clang-m32$level clang $level i386 i386"
	done
	for machine in "arm64 aarch64" "s390x s390x"; do
		echo "gcc-${machine% *}-O3 ${machine#* }-linux-gnu-gcc -O3 $machine"
		echo "clang-${machine% *}-O0 clang -O0 $machine"
	done
}

# Libraries of another machine, unpacked and not installed: those of several don't get on with one another. $root
libraries() {
	root=$top/$1
	[ -d "$root" ] && return
	echo "unpacking libraries of $1" >&2
	rm -rf "$root.part"
	# shellcheck disable=SC2086
	packages=$(echo libc6-dev "libgcc-$(gcc -dumpversion)-dev" $LIBRARIES | tr ' ' ,)
	# shellcheck disable=SC1091
	mmdebstrap --quiet --variant=extract --architectures="$1" --include="$packages" \
		"$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root.part" http://deb.debian.org/debian \
		>"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }
	# Links that begin at the root of that machine begin here.
	find "$root.part" -lname '/*' -print0 | while IFS= read -r -d '' link; do
		ln -sfn "$root$(readlink "$link")" "$link"
	done
	mv "$root.part" "$root"
}

# The programs in a folder of their own, $top/NAME/bin, and scripts that run them here, $top/NAME/run.
build() {
	local name=$1 cc=$2 level=$3 debian=${4-} gnu=${5-} dir=$top/$1 runner=exec
	mkdir -p "$dir/run"
	ln -sfn "$PWD"/{Makefile,common,weights,tests,tc-*} "$dir"
	if [ "$debian" ]; then
		libraries "$debian" || return
		local triplet=$gnu-linux-gnu blas=openblas-pthread
		if [ "$debian" = i386 ]; then
			cc="$cc -m32 -B$root/usr/lib/gcc/i686-linux-gnu/$(gcc -dumpversion)/"
			local loader=$root/lib/ld-linux.so.2
			# Where the kernel runs no 32 bits. As an Atom: what qemu is by default has 3DNow!, and OpenBLAS's kernel for that
			# crashes in it, on a product of 4 by 4.
			"$loader" --version >/dev/null 2>&1 || runner+=" qemu-i386 -cpu n270"
			runner+=" $loader --library-path $root/lib/$triplet"
			runner+=":$root/usr/lib/$triplet:$root/usr/lib/$triplet/$blas"
		else
			[ "$cc" = clang ] && cc="clang --target=$triplet"
			runner="exec qemu-$gnu -L $root -E LD_LIBRARY_PATH=/usr/lib/$triplet/$blas"
		fi
		cc+=" --sysroot=$root -isystem $root/usr/include/$triplet/$blas"
	fi
	make --no-print-directory -C "$dir" -j "$(nproc)" all CC="$cc" CFLAGS="$level -Werror" >"$work/log" 2>&1 ||
		{ cat "$work/log"; return 1; }
	for program in "$dir"/bin/tc-*; do
		printf '#!/bin/sh\n%s %s "$@"\n' "$runner" "$program" >"$dir/run/${program##*/}"
		chmod +x "$dir/run/${program##*/}"
	done
}

# sums PATH: the SHA-256 of every output of every capture.
sums() {
	rm -rf "$work/out"
	mkdir "$work/out"
	PATH=$1:$PATH xargs -0 -n 8 -P "$(nproc)" tests/outputs.sh "$work/out" <"$work/captures"
	(cd "$work/out" && find . -type f -printf '%P\0' | sort -z | xargs -0 sha256sum)
}

# codec ENCODER DECODER ACTIONS: latents of each type, as one build encodes them and another decodes them.
codec() {
	for type in f32 f16; do
		PATH=$1:$PATH tc-enc -q --latent-type $type <"$3" 2>/dev/null | PATH=$2:$PATH tc-dec -q 2>/dev/null | sha256sum
	done
}

# tc-diff's numbers, to nine digits.
distances() {
	PATH=$1:$PATH tc-diff --json tests/fixtures/sample.pcap tests/fixtures/edge/many-flows-tcp.pcap |
		python3 -c 'import json, sys
digits = lambda text: "%.9g" % float(text)
print(json.load(sys.stdin, parse_float=digits, parse_int=digits))'
}

# What tc-gen draws from the built-in model, and from one that this build learned: how that was learned depends on the machine.
generated() {
	PATH=$1:$PATH tc-gen --model builtin -n 3000 | sha256sum
	PATH=$1:$PATH tc-gen --model "$work/model" -n 3000 --seed 2 --hosts 2 --temperature 1.1 | sha256sum
}

# More than 2 GiB, most of it holes: offsets that 32 bits don't hold. Nothing of it where a machine is emulated.
make_large() {
	python3 -c 'import struct, sys
f = open(sys.argv[1], "wb")
f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 1 << 18, 1))
for second in range((1 << 13) + 9):
    f.write(struct.pack("<IIII", second, 0, 1 << 18, 1 << 18))
    f.seek(1 << 18, 1)
f.truncate()' "$work/large.pcap"
}
large() {
	PATH=$1:$PATH tc-lift -q "$work/large.pcap" | PATH=$1:$PATH tc-compile -q | sha256sum
}

{
	find tests/fixtures -name '*.pcap' -print0
	[ -z "${1-}" ] || find "$1" -type f -name '*.pcap' -print0
} | sort -z >"$work/captures"
[ "$(tr '\0' '\n' <"$work/captures" | sed 's|.*/||' | sort | uniq -d)" ] && { echo "two captures of one name"; exit 2; }
sums "$PWD/bin" >"$work/here.sums"
# Streams joined to one; of a part of the fixtures where a machine is emulated, since there the codec takes long.
find "$work/out" -name '*.act' -print0 | sort -z | xargs -0 cat >"$work/actions"
cat "$work"/out/{icmp,tcp}-*.act >"$work/some.actions"
for some in "" some.; do
	codec "$PWD/bin" "$PWD/bin" "$work/${some}actions" >"$work/here.${some}codec"
done
distances "$PWD/bin" >"$work/here.distances"
bin/tc-lift -q tests/fixtures/sample.pcap | bin/tc-gen -q --steps 30 --learn "$work/model"
make_large
large "$PWD/bin" >"$work/here.large"
generated "$PWD/bin" >"$work/here.generated"
count=$(tr -cd '\0' <"$work/captures" | wc -c)

# same WHAT NAME: standard input against what the programs of bin/ gave.
same() {
	if diff - "$work/here.$2" >"$work/diff"; then
		echo "$1 the same"
	else
		echo "$1 OTHERWISE:$(sed -n 's/^< [0-9a-f]* */ /p' "$work/diff" | head -n 9 | tr -d '\n')"
	fi
}

compare() {
	local run=$top/$1/run some=
	sums "$run" | same "$count captures" sums
	distances "$run" | same tc-diff distances
	generated "$run" | same tc-gen generated
	if grep -q qemu "$run/tc-lift"; then
		some=some.
	else
		large "$run" | same "2 GiB" large
	fi
	codec "$run" "$PWD/bin" "$work/${some}actions" | same "encodes to" "${some}codec"
	codec "$PWD/bin" "$run" "$work/${some}actions" | same "decodes to" "${some}codec"
}

bad=0 good=0
while read -r name rest; do
	echo "not built" >"$work/said"
	# shellcheck disable=SC2086
	if build "$name" $rest </dev/null && compare "$name" >"$work/said" && ! grep -q OTHERWISE "$work/said"; then
		good=$((good + 1))
	else
		bad=$((bad + 1))
	fi
	echo "$name: $(paste -sd, "$work/said" | sed 's/,/, /g')"
done < <(builds | grep -E -- "^(${BUILDS:-[^ ]*}) ")
echo "$good builds give the same, $bad do not"
[ $bad -eq 0 ] && [ $good -gt 0 ]

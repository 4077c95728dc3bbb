#!/bin/bash
# seeds.sh FOLDER [CAPTURES]: what the fuzz targets begin with, made of the fixtures and of the captures below a
# folder: FOLDER/TARGET/..., for each target. Files that are there already stay.
set -u
cd "$(dirname "$0")/../.." || exit 2
to=$1
captures=${2-}
mkdir -p "$to"/{lift,records,weights,compile,codec,diff}

# pair FORM A [B]: the input of the target diff.
pair() {
	local n hex
	n=$([ $# -eq 3 ] && stat -c %s "$2" || echo 4294967295)
	hex=$(printf '%02x%02x%02x%02x%02x' "$1" $((n & 255)) $((n >> 8 & 255)) $((n >> 16 & 255)) $((n >> 24 & 255)))
	printf '%b' "$(sed 's/../\\x&/g' <<<"$hex")"
	cat "${@:2}"
}

i=0 before=
while IFS= read -r -d '' f; do
	name=${f##*/tests/fixtures/}
	name=${name//[^A-Za-z0-9.-]/_}
	i=$((i + 1))
	[ -e "$to/lift/$name" ] && { before=$f; continue; }
	cp "$f" "$to/lift/$name"
	pair $((i % 8)) "$f" >"$to/diff/$name"
	[ $((i % 4)) -ne 0 ] || [ -z "$before" ] || pair $((i / 4 % 8)) "$before" "$f" >"$to/diff/2-$name"
	before=$f
	bin/tc-lift -q --cap 64 "$f" >"$to/compile/$name.act" 2>/dev/null || [ -s "$to/compile/$name.act" ] ||
		{ rm "$to/compile/$name.act"; continue; }
	pair $((i % 8)) "$f" "$to/compile/$name.act" >"$to/diff/a-$name"
	[ $((i % 6)) -ne 0 ] || bin/tc-enc -q --latent-type "$([ $((i % 12)) -eq 0 ] && echo f32 || echo f16)" --no-refine \
		"$to/compile/$name.act" >"$to/compile/$name.lat" 2>/dev/null
done < <(find "$PWD/tests/fixtures/edge" ${captures:+"$captures"} -type f -size -32k -print0 | sort -z)
cp -u "$to"/compile/* "$to/records/"
cp -u "$to"/compile/*.act "$to/codec/"
find "$to" -type f -empty -delete

# Networks of a few units.
[ ! -e "$to/weights/1" ] || exit 0
bin/tc-lift -q tests/fixtures/edge/tcp-plain-ip4.pcap >"$to/act"
for sizes in '1 1 1 1' '3 2 4 1'; do
	read -r latent encoder trunk detail <<<"$sizes"
	bin/tc-train --steps 1 --batch 16 --held 0 --threads 1 --latent "$latent" --encoder "$encoder" \
		--trunk "$trunk" --detail "$detail" -o "$to/weights/$latent" "$to/act" 2>/dev/null || exit
done
rm "$to/act"

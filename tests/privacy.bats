# Nothing of a capture is in what is made of it, but for what tracecodec(7) names: markers in each field and payload, and a
# search for them in all that the programs write.

load helper

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR/in out=$BATS_FILE_TMPDIR/out
	mkdir "$in" "$out"
	/usr/bin/python3 tests/privacy.py make "$in"
	for f in "$in"/*.pcap*; do
		b=$out/$(basename "$f")
		tc-lift -v "$f" >"$b.act" 2>"$b.err"
	done
	# Weights that saw the markers, and are so small that every packet needs a patch.
	cat "$out"/*.act | tc-train --latent 1 --encoder 1 --trunk 1 --detail 1 --batch 16 --threads 1 --steps 5 \
		-o "$out/weights" 2>"$out/train.err"
}

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return
	PATH=$PWD/bin:$PATH
	in=$BATS_FILE_TMPDIR/in out=$BATS_FILE_TMPDIR/out
	tmp=$BATS_TEST_TMPDIR
	set -o pipefail
}

clean() { /usr/bin/python3 tests/privacy.py search "$in/markers" "$@"; }

@test "the search finds each marker in the captures, and all are there" {
	run -1 clean "$in"/*.pcap*
	is "$(sed -E 's/^[^:]*: (.*) \([0-9a-f]*\), as .*/\1/' <<<"$output" | sort -u | wc -l)" \
		"$(jq '.markers | map(select(length >= 8)) | length' "$in/markers")"
}

@test "no marker is in a stream of actions, nor in what is said about it" {
	for f in "$out"/*.act; do tc-show "$f" >"$f.json" 2>"$f.show"; done
	[ "$(cat "$out"/*.json | wc -l)" -gt 150 ]
	clean "$out"/*.{act,err,json,show}
}

@test "what tracecodec(7) says is kept is there" {
	for f in "$out"/*.act; do tc-show "$f"; done >"$tmp/json"
	/usr/bin/python3 tests/privacy.py kept "$in/markers" "$tmp/json"
}

@test "no marker is in a compiled capture" {
	for f in "$out"/*.act; do
		tc-compile -v --full "$f" >"$f.full" 2>"$f.compile"
		tc-compile -q "$f" >"$f.again"
		tc-diff --flows "$f" "$f.again" >"$f.diff" 2>"$f.said" || [ $? -eq 1 ]
	done
	clean "$out"/*.{full,again,compile,diff,said}
}

@test "no marker is in latents of any type, nor in patches, nor in what they decode to" {
	for type in f32 f16; do
		cat "$out"/{tcp4,control,datagrams,alone}*.act | tc-enc -v --stats --latent-type $type >"$tmp/$type" 2>"$tmp/$type.err"
		tc-dec -v "$tmp/$type" >"$tmp/$type.act" 2>"$tmp/$type.dec"
	done
	cat "$out"/*.act | tc-enc -q --stats --no-refine --weights "$out/weights" >"$tmp/patched" 2>"$tmp/patched.err"
	[ "$(jq .patched "$tmp/patched.err")" -gt 50 ]
	tc-dec --weights "$out/weights" "$tmp/patched" >"$tmp/patched.act"
	tc-show "$tmp/patched" >"$tmp/patched.json"
	clean "$tmp"/*
}

@test "no marker is in weights that were trained on them, nor in what the training says" {
	clean "$out/weights" "$out/train.err"
}

@test "no marker is in what is said about captures that break off" {
	for f in "$in"/*.pcap*; do
		b=$(basename "$f")
		for n in 30 90 150 400; do
			head -c $n "$f" >"$tmp/capture"
			tc-lift "$tmp/capture" >"$tmp/$b.$n" 2>"$tmp/$b.$n.err" || true
			tc-compile "$tmp/$b.$n" >"$tmp/$b.$n.again" 2>"$tmp/$b.$n.compile" || true
		done
	done
	rm "$tmp/capture"
	[ "$(cat "$tmp"/*.err | wc -l)" -gt 20 ]
	clean "$tmp"/*
}

# Completions, in the shells themselves: every option of every program, what may stand behind it, and files.

load helper

# The options that --help names, as a reader finds them.
options() { { "$1" --help; echo --help; } | grep -oE -- '(^|[ [,])--[a-z][a-z-]*' | grep -oE -- '--.*' | sort -u; }

# beginnings: of each line, the shortest that no other line begins with; all of it, where there is none.
beginnings() {
	awk '{ line[NR] = $0 } END {
		for (i = 1; i <= NR; i++)
			for (n = 3; n <= length(line[i]); n++) {
				same = 0
				for (j = 1; j <= NR; j++)
					same += substr(line[j], 1, n) == substr(line[i], 1, n)
				if (same == 1 || n == length(line[i])) {
					print substr(line[i], 1, n)
					break
				}
			}
	}'
}

# completes SHELL: options, choices, files.
completes() {
	for tool in tc-*/; do
		tool=${tool%/}
		options $tool >"$tmp/options"
		[ "$(wc -l <"$tmp/options")" -ge 3 ]
		beginnings <"$tmp/options" | sed "s/^/$tool /" >>"$tmp/typed"
		sed 's/.*/<&>/' "$tmp/options" >>"$tmp/wanted"
	done
	grep -q '^tc-enc --st$' "$tmp/typed"
	while read -r typed wanted; do
		echo "${typed//_/ }" >>"$tmp/typed"
		echo "$wanted" >>"$tmp/wanted"
	done <<-'END'
		tc-enc_--latent-type_f1 <--latent-type><f16>
		tc-enc_--latent-type=f3 <--latent-type=f32>
		tc-lift_READ <README.md>
		tc-enc_-o_READ <-o><README.md>
		tc-compile_--map_READ <--map><README.md>
		tc-lift_--cap_READ <--cap><READ>
		tc-diff_--tolerance_READ <--tolerance><READ>
	END
	tests/completions.py "$1" "build/completions/$1" <"$tmp/typed" >"$tmp/said"
	diff "$tmp/wanted" "$tmp/said"
}

@test "bash" {
	completes bash
}

@test "zsh" {
	completes zsh
}

@test "fish" {
	completes fish
}

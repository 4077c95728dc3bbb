# completions.awk: a tool's --help on standard input as completions for a shell: -v shell=bash|zsh|fish -v tool=NAME.
# What an option takes is told from its name there: N, R, S, X and the like are numbers and words, which nobody can complete;
# a|b are the words themselves; all else are files. A list, which has "=" or "," in it, may be given again.

function quoted(text) {
	gsub(/'/, "'\\''", text)
	return "'" text "'"
}

# What comes behind "--name " in the synopsis, if it is a choice.
function choice(name, at, text) {
	if (!(at = index(synopsis, "--" name " ")))
		return ""
	text = substr(synopsis, at + length(name) + 3)
	sub(/[] ].*/, "", text)
	return text ~ /^[a-z0-9|]+$/ ? text : ""
}

# "files", "words", "" for no value, or the choices with blanks between.
function kind(i, words) {
	if (value[i] == "")
		return ""
	if (words = value[i] ~ /\|/ ? value[i] : choice(long[i])) {
		gsub(/\|/, " ", words)
		return words
	}
	return value[i] ~ /^([NRSX]|TIME|EXPR|LIST|TYPE|NAME)$|[=,]/ ? "words" : "files"
}

# One option after another from the line, which is left with what is said of them.
/^ +-/ {
	line = $0
	sub(/^ +/, "", line)
	first = n + 1
	while (match(line, /^(-[a-zA-Z], )?--[a-z0-9-]+( [^ ]+)?/)) {
		option = substr(line, 1, RLENGTH)
		line = substr(line, RLENGTH + 1)
		n++
		if (option ~ /^-[a-zA-Z],/) {
			short[n] = substr(option, 2, 1)
			option = substr(option, 5)
		}
		long[n] = substr(option, 3)
		if (at = index(long[n], " ")) {
			value[n] = substr(long[n], at + 1)
			long[n] = substr(long[n], 1, at - 1)
			if (line ~ /^ -/)
				sub(/,$/, "", value[n])
		}
		sub(/^ -/, "-", line)
	}
	sub(/^ +/, "", line)
	for (i = first; i <= n; i++)
		said[i] = line
	next
}

n == 0 {
	synopsis = synopsis " " $0
	next
}

# The line before goes on.
{
	sub(/^ +/, "")
	for (i = first; i <= n; i++)
		said[i] = said[i] (said[i] == "" ? "" : " ") $0
}

function names(i, separator) {
	return (short[i] == "" ? "" : "-" short[i] separator) "--" long[i]
}

function bash_case(which, action, i, all) {
	for (i = 1; i <= n; i++)
		if (kind(i) == which)
			all = all (all == "" ? "" : "|") names(i, "|")
	if (all != "")
		printf "\t%s) %sreturn ;;\n", all, action
}

function bash(i, all) {
	for (i = 1; i <= n; i++)
		all = all (all == "" ? "" : " ") names(i, " ")
	name = tool
	gsub(/-/, "_", name)
	printf "# %s for bash, made of its --help.\n_%s()\n{\n", tool, name
	print "\tlocal at=$COMP_CWORD cur=${COMP_WORDS[COMP_CWORD]}"
	print "\tCOMPREPLY=()"
	print "\t# --option=value is three words."
	print "\tif [ \"$cur\" = = ]; then cur=; elif [ \"${COMP_WORDS[at - 1]}\" = = ]; then at=$((at - 1)); fi"
	print "\tcase ${COMP_WORDS[at - 1]} in"
	bash_case("words", "compopt +o default; ")
	bash_case("files", "")
	for (i = 1; i <= n; i++)
		if (kind(i) !~ /^(words|files)?$/)
			printf "\t%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", names(i, "|"), kind(i)
	print "\tesac"
	printf "\t[[ $cur != -* ]] || COMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n", all
	printf "}\ncomplete -o default -F _%s %s\n", name, tool
}

# What _arguments takes for itself in a description.
function zsh_said(text) {
	gsub(/[\\:]|\[|\]/, "\\\\&", text)
	return text
}

function zsh(i, k, but, end) {
	printf "#compdef %s\n# Made of its --help.\n_arguments -s -S : \\\n", tool
	for (i = 1; i <= n; i++) {
		k = kind(i)
		but = long[i] ~ /^(help|version)$/ ? "(- *)" : value[i] ~ /^LIST$|[=,]/ ? "*" : "(" names(i, " ") ")"
		end = "[" zsh_said(said[i]) "]"
		if (k != "")
			end = end ":" zsh_said(value[i]) ":" (k == "files" ? "_files" : k == "words" ? " " : "(" k ")")
		if (short[i] != "")
			printf "\t%s \\\n", quoted(but "-" short[i] (k == "" ? "" : "+") end)
		printf "\t%s \\\n", quoted(but "--" long[i] (k == "" ? "" : "=") end)
	}
	print "\t'*: :_files'"
}

function fish(i, k) {
	printf "# %s for fish, made of its --help.\n", tool
	for (i = 1; i <= n; i++) {
		k = kind(i)
		gsub(/[\\']/, "\\\\&", said[i])
		printf "complete -c %s%s -l %s%s -d '%s'\n", tool, short[i] == "" ? "" : " -s " short[i], long[i],
			k == "" ? "" : k == "files" ? " -r -F" : k == "words" ? " -x" : " -x -a '" k "'", said[i]
	}
}

END {
	if (n == 0) {
		print "completions.awk: no options" >"/dev/stderr"
		exit 1
	}
	if (shell == "bash")
		bash()
	else if (shell == "zsh")
		zsh()
	else
		fish()
}

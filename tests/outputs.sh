#!/bin/bash
# outputs.sh OUT CAPTURE ...: what the programs in the path make of each capture, as files in the folder OUT: its
# stream (NAME.act), the capture compiled from that (.pcap), the stream of this (.again), the first as JSON
# (.json), the stream of that (.reverse), and what each program said, with its exit status (.said).
set -u
out=$1
shift
for capture; do
	to=$out/$(basename "${capture%.pcap}")
	{
		tc-lift "$capture" >"$to.act"
		echo "lift $?"
		tc-compile <"$to.act" >"$to.pcap"
		echo "compile $?"
		tc-lift <"$to.pcap" >"$to.again"
		echo "again $?"
		tc-show <"$to.act" >"$to.json"
		echo "show $?"
		tc-show --reverse <"$to.json" >"$to.reverse"
		echo "reverse $?"
	} 2>&1 | grep -v 'goes on unconfined' >"$to.said" # as where a kernel is emulated
done

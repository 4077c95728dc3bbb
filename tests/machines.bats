# The small form of machines.sh, for any user; make check-scale has the large one.

load helper

@test "two hosts, one killed at work: the batch completes, nothing is lost and nothing done twice" {
	run -0 timeout 120 tests/machines.sh --ports 12 killed 3>&-
	[[ $output = "ok killed: host1 did 1"[12]", host2 "[01]"; "* ]]
}

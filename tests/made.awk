# made.awk -v seed=N -v flows=N: made-up traffic as tc-show prints it, of one kind from beginning to end: look-ups and pages of
# one client at two servers. What a generator learns of it and what it gives can be held against another seed's.

function uniform(a, b) { return a + (b - a) * rand() }
function packet(fields) { printf "%d %s\n", time * 1e6, fields | sort }
function acknowledged(octets, way) {	# a segment and its acknowledgement
	packet(flow ",\"len\":" octets ",\"flags\":24" (way ? ",\"dir\":1" : ""))
	time += way ? uniform(0.00004, 0.0001) : uniform(0.018, 0.022)
	packet(flow (way ? "" : ",\"dir\":1"))
}
function look_up() {
	packet(flow ",\"len\":" int(uniform(30, 50)) ",\"ttl\":64,\"open\":1,\"proto\":17,\"orig_p\":" port ",\"resp_p\":53" hosts)
	time += uniform(0.002, 0.006)
	packet(flow ",\"dir\":1,\"len\":" int(uniform(60, 120)) ",\"ttl\":63")
}
function page() {
	packet(flow ",\"flags\":2,\"win\":64240,\"ttl\":64,\"open\":1,\"orig_p\":" port ",\"resp_p\":80,\"opts\":[2]" hosts)
	time += uniform(0.018, 0.022)
	packet(flow ",\"dir\":1,\"flags\":18,\"win\":65160,\"ttl\":63,\"opts\":[2]")
	time += uniform(0.00004, 0.0001)
	packet(flow)
	for (asked = int(uniform(1, 5)); asked > 0; asked--) {
		time += uniform(0.0005, 0.002)
		acknowledged(200, 0)
		for (segments = int(uniform(1, 8)); segments > 0; segments--) {
			time += uniform(0.0001, 0.0004)
			acknowledged(segments > 1 ? 1448 : int(uniform(100, 1400)), 1)
		}
		time += uniform(0.2, 1)
	}
	packet(flow ",\"flags\":17")
	time += uniform(0.018, 0.022)
	packet(flow ",\"dir\":1,\"flags\":17")
	time += uniform(0.00004, 0.0001)
	packet(flow)
}
BEGIN {
	srand(seed)
	sort = "sort -n -k 1,1 | awk '{ printf \"{\\\"t\\\":%.0f,\\\"dt\\\":%.0f,%s}\\n\", $1 * 1000, ($1 - was) * 1000, $2; was = $1 }'"
	print "{\"magic\":\"tracecodec\",\"kind\":\"actions\",\"version\":1,\"resolution\":\"us\",\"start\":\"1700000000.000000000\"," \
	      "\"link\":1,\"snaplen\":128,\"cap\":65536,\"idle_tcp\":300,\"idle_udp\":60,\"idle_other\":60}"
	fflush()
	for (i = 0; i < flows; i++) {
		opened += -0.5 * log(1 - rand())
		time = opened
		flow = "\"flow\":" i
		port = int(uniform(32768, 61000))
		hosts = i % 2 ? ",\"orig_h\":0,\"resp_h\":" (i > 1 ? "2" : "[2,1]") : ",\"orig_h\":" (i ? "0" : "[0,0]") ",\"resp_h\":" (i ? "1" : "[1,1]")
		if (i % 2)
			page()
		else
			look_up()
	}
	close(sort)
	print "{\"end\":\"whole\"}"
}

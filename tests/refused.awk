# refused.awk -v seed=N: made-up traffic as tc-show prints it, of a client that nobody lets in: datagrams that are answered by errors
# of ICMP, which quote them whole, and connections whose packets come twice each, RSTs too.

function open(proto, port) {
	printf "{\"dt\":%d,\"flow\":%d,\"open\":1,\"proto\":%d,\"orig_p\":%d,\"resp_p\":%d", 5e6 + int(rand() * 5000) * 1000, 1 + i % 50,
	       proto, 20000 + i, port
	printf i ? ",\"orig_h\":0,\"resp_h\":1" : ",\"orig_h\":[0,0],\"resp_h\":[1,0],\"src_mac\":[0,0],\"dst_mac\":[1,0]"
}
function more(fields) { printf "{\"dt\":50000,\"flow\":%d,%s}\n", 1 + i % 50, fields }
BEGIN {
	srand(seed)
	print "{\"magic\":\"tracecodec\",\"kind\":\"actions\",\"version\":1,\"resolution\":\"us\",\"start\":\"1700000000.000000000\"," \
	      "\"link\":1,\"snaplen\":128,\"cap\":65536,\"idle_tcp\":300,\"idle_udp\":60,\"idle_other\":60}"
	for (i = 0; i < 400; i++) {
		if (i % 2) {
			open(6, 80)
			print ",\"flags\":2,\"win\":1024,\"ttl\":64}"
			more("\"flags\":2,\"seq\":-1")
			more("\"dir\":1,\"flags\":20,\"ttl\":64")
			more("\"dir\":1,\"flags\":20")
			continue
		}
		len = 20 + int(rand() * 4) * 10
		open(17, 9)
		printf ",\"len\":%d,\"ttl\":64}\n", len
		printf "{\"dt\":50000,\"flow\":0%s,\"len\":%d,\"quote\":[%d,0,0,64,0,5,%d,0,0,0,0,%d,0]}\n",
		       i ? "" : ",\"open\":1,\"proto\":1,\"orig_h\":1,\"resp_h\":0,\"type\":3,\"code\":3,\"ttl\":64", len + 28, 1 + i % 50, len + 28,
		       len + 8
	}
	print "{\"end\":\"whole\"}"
}

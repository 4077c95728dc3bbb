# tc-diff --html: one page, whole or not at all, that needs nothing else and says what --json says.

load helper

# page A B: the page of two traces, $tmp/page, and what --json says of them, $tmp/json.
page() { tc-diff --json --html "$tmp/page" "$@" >"$tmp/json" || [ $? -eq 1 ]; }

# A page is XML too, so that one parser without mercy holds it; what it would load, and whether it is small.
sound() {
	python3 - "$1" <<-'END'
		import re, sys, xml.etree.ElementTree as xml
		text = open(sys.argv[1], encoding="utf-8", newline="").read()
		assert len(text.encode()) < 1_000_000, len(text)
		root = xml.fromstring(text)
		tags = {e.tag.split("}")[1] for e in root.iter()}
		assert not tags & {"script", "link", "img", "image", "use", "iframe", "object", "embed", "form", "base"}, tags
		for e in root.iter():
		    for name, value in e.attrib.items():
		        assert not re.fullmatch("(.*})?(on.*|src|href|srcset|data|style)", name), name
		        assert "url(" not in value, value
		assert set(re.findall(r"url\([^)]*\)|@import|@font-face", text)) <= {"url(#hatch)"}
		assert set(re.findall(r"[a-z]+://[^\"]*", text)) <= {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}
		ids = [e.get("id") for e in root.iter() if e.get("id")]
		assert len(ids) == len(set(ids))
	END
}

# numbers: metrics by name with value, floor and tolerance, of the page and of --json.
numbers_of_page() {
	python3 - "$tmp/page" <<-'END'
		import sys, xml.etree.ElementTree as xml
		for row in xml.parse(sys.argv[1]).getroot().iter("{http://www.w3.org/1999/xhtml}tr"):
		    if "." in (row.get("id") or "") or row.get("id") == "c2st":
		        cells = [c.get("data-value") for c in row]
		        print(row.get("id"), *(None if v is None else float(v) for v in cells[2:5]))
	END
}
numbers_of_json() {
	python3 - "$tmp/json" <<-'END'
		import json, sys
		for name, m in json.load(open(sys.argv[1]))["metrics"].items():
		    print(name, *(None if m[k] is None else float(m[k]) for k in ("value", "floor", "tolerance")))
	END
}

@test "the page of the sample is sound, and its numbers are those of --json" {
	python3 tests/distort.py drop "$sample" "$tmp/drop.pcap" 2>/dev/null
	page --tolerance time.iat=5 "$sample" "$tmp/drop.pcap"
	sound "$tmp/page"
	numbers_of_page | sort >"$tmp/numbers"
	numbers_of_json | sort | diff - "$tmp/numbers"
	[ "$(wc -l <"$tmp/numbers")" -ge 38 ]
	[ "$(grep -c '<svg' "$tmp/page")" -ge 20 ]
}

@test "any pair of traces has a sound page" {
	for a in arp-request-reply icmp-echo-ip4 duplicates fragments-interleaved-ip6; do
		page "$edge/$a.pcap" "$sample"
		sound "$tmp/page"
		page "$edge/$a.pcap" "$edge/$a.pcap"
		sound "$tmp/page"
	done
	run -1 grep -E '[^a-z](nan|inf)[^a-z]' "$tmp/page"
}

@test "the same traces make the same page, whatever form the report has" {
	tc-diff --html "$tmp/1" "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	tc-diff --flows --html "$tmp/2" "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	cmp "$tmp/1" "$tmp/2"
}

@test "a name in the page is text, and well-formed, whatever octets it has" {
	for name in '<script>alert(1)</script>' 'a&b;"c'"'" $'\xff\xc0\xaf\xed\xa0\x80\x01\xef\xbf\xbf' 'naïve – 日本'; do
		cp "$edge/duplicates.pcap" "$tmp/${name//\//_}"
		page "$tmp/${name//\//_}" "$edge/duplicates.pcap"
		sound "$tmp/page"
	done
	grep -q 'naïve – 日本</bdi>' "$tmp/page"
}

@test "each octet that is no UTF-8 is U+FFFD, as in --json" {
	cp "$edge/duplicates.pcap" "$tmp/"$'\xff\xc0\xaf\xe0\x80\xaf\xf4\x90\x80\x80\xed\xa0\x80'
	page "$tmp/"$'\xff\xc0\xaf\xe0\x80\xaf\xf4\x90\x80\x80\xed\xa0\x80' "$edge/duplicates.pcap"
	is "$(sed -n 's:^<p><b>A</b> <bdi>\(.*\)</bdi></p>$:\1:p' "$tmp/page")" "$(jq -r .a.name "$tmp/json")"
}

@test "the page appears whole or not at all" {
	head -c 1000 "$sample" >"$tmp/cut.pcap"
	echo before >"$tmp/page"
	run -2 tc-diff --html "$tmp/page" "$tmp/cut.pcap" "$sample"
	is "$(cat "$tmp/page")" before
	run -2 bash -c "ulimit -f 20; tc-diff --html '$tmp/page' '$edge/duplicates.pcap' '$edge/duplicates.pcap'"
	is "$(cat "$tmp/page")" before
	is "$(cd "$tmp" && echo *)" "cut.pcap page"
	run -2 --separate-stderr tc-diff --html /dev/full "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	[[ $stderr = *"/dev/full: No space left on device" ]]
}

@test "the page is none of the traces, nor standard output twice" {
	cp "$edge/duplicates.pcap" "$tmp/a.pcap"
	run -2 tc-diff --html "$tmp/a.pcap" "$tmp/a.pcap" "$edge/duplicates.pcap"
	cmp "$tmp/a.pcap" "$edge/duplicates.pcap"
	misused tc-diff --html - "$tmp/a.pcap" "$edge/duplicates.pcap"
}

@test "the page says what the verdict is by" {
	tc-diff --html "$tmp/page" --reference "$sample" "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	grep -q "times what C&#39;s distance from A allows" "$tmp/page"
	tc-diff --html "$tmp/page" --exact "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	grep -q '<p class="answer">B is as A.</p>' "$tmp/page"
}

@test "each metric and unit is explained in a sentence of the page" {
	page "$edge/duplicates.pcap" "$edge/duplicates.pcap"
	tc-diff --tsv "$edge/duplicates.pcap" "$edge/duplicates.pcap" | tail -n +2 | while IFS=$'\t' read -r name _ _ _ unit _; do
		sed -n "/<h3>Units/,\$s:<dt>$unit</dt>.*:&:p" "$tmp/page" | grep -q . || { echo "$unit is not explained"; exit 1; }
		sed -n "s:^<tr[^>]* id=\"$name\">.*<td>\([^<]*\)</td></tr>$:\1:p" "$tmp/page" | grep -q '\.$' ||
			{ echo "$name is not explained"; exit 1; }
	done
}

#!/usr/bin/env python3
"""check.py OUT PAGE.html ...: pages of tc-diff --html in a browser, without a network.

Each is shown wide and narrow, light and dark, and as paper. Nothing overlaps and nothing is cut: no text lies over another
one, or outside of its plot or of the page; the page doesn't scroll sideways; no text is smaller than 11 px. Screenshots
go to OUT. Exit status 1 where something is wrong, which is named. At last a page is spoilt in each of these ways, and that
must be found.
"""

import base64
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND"]
WIDTHS = (1280, 400, 360)
LEAST = 11  # px

# What is wrong, as a list of lines. A box is that of the glyphs' line, which is higher than they are: half of what is over
# the size of the font is taken off above and below.
FIND = r"""
const wrong = [], texts = [], page = document.documentElement;
const shown = t => t.trim().replace(/\s+/g, ' ').slice(0, 50);
if (page.scrollWidth > page.clientWidth) wrong.push(`the page scrolls sideways: ${page.scrollWidth} of ${page.clientWidth} px`);
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
	if (!node.data.trim()) continue;
	const parent = node.parentElement, svg = parent.closest('svg'), range = document.createRange();
	range.selectNodeContents(node);
	const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
	const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
	if (size < LEAST - 0.05) wrong.push(`${size.toFixed(1)} px: "${shown(node.data)}"`);
	const rects = svg ? [parent.getBoundingClientRect()] : range.getClientRects();
	const scroller = parent.closest('.scroll');
	const frame = (svg || scroller || page).getBoundingClientRect();
	for (const r of rects) {
		const turned = svg && parent.closest('[transform]');
		const over = Math.max(0, ((turned ? r.width : r.height) - size) / 2);
		const b = {text: shown(node.data), node: parent, left: r.left + (turned ? over : 0), right: r.right - (turned ? over : 0),
			top: r.top + (turned ? 0 : over), bottom: r.bottom - (turned ? 0 : over)};
		if (b.right - b.left < 0.5) continue;
		texts.push(b);
		const right = scroller && !svg ? frame.left - scroller.scrollLeft + scroller.scrollWidth : frame.right;
		if (b.left < frame.left - 0.5 || b.right > right + 0.5 || (svg && (b.top < frame.top - 0.5 || b.bottom > frame.bottom + 0.5)))
			wrong.push(`outside: "${b.text}" ${[b.left, b.right, b.top, b.bottom].map(Math.round)} of ${[frame.left, right, frame.top, frame.bottom].map(Math.round)}`);
	}
}
texts.sort((a, b) => a.top - b.top);
for (let i = 0; i < texts.length; i++)
	for (let k = i + 1; k < texts.length && texts[k].top < texts[i].bottom - 1; k++)
		if (texts[i].left < texts[k].right - 1 && texts[k].left < texts[i].right - 1)
			wrong.push(`"${texts[i].text}" lies over "${texts[k].text}"`);
for (const e of document.querySelectorAll('body *'))
	if (!e.closest('svg') && !e.classList.contains('scroll') && e.scrollWidth > e.clientWidth + 1 &&
	    getComputedStyle(e).display !== 'inline' && !e.closest('.scroll'))
		wrong.push(`cut: <${e.tagName.toLowerCase()} class="${e.className}"> holds ${e.scrollWidth} of ${e.clientWidth} px`);
if (texts.length < 100) wrong.push(`only ${texts.length} texts`);
return [texts.length, wrong];
""".replace("LEAST", str(LEAST))

# Ways to spoil a page, and how what is found must begin.
SPOIL = [
    ("const t = document.querySelectorAll('figure text'); t[1].setAttribute('x', t[0].getAttribute('x'));"
     "t[1].setAttribute('y', t[0].getAttribute('y')); t[1].setAttribute('class', t[0].getAttribute('class'))", "lies over"),
    ("document.querySelector('figure text').setAttribute('x', -20)", "outside"),
    ("document.querySelector('figure text').style.fontSize = '8px'", "8."),
    ("document.querySelector('h1').style.whiteSpace = 'nowrap'; document.querySelector('h1').append('x'.repeat(400))", "sideways"),
]


class Browser:
    """A session of chromedriver."""

    def __init__(self, folder):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        self.base = f"http://127.0.0.1:{port}/session"
        self.driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        options = {"args": CHROMIUM + [f"--user-data-dir={folder}"]}
        try:
            for _ in range(100):
                try:
                    made = self.call("", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
                    break
                except (urllib.error.URLError, ConnectionError):
                    time.sleep(0.1)
            else:
                sys.exit("chromedriver doesn't answer")
        except BaseException:
            self.driver.kill()
            raise
        self.base += "/" + made["sessionId"]

    def call(self, path, body, method="POST"):
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as e:
            sys.exit(f"chromedriver: {json.load(e)['value']['message'].splitlines()[0]}")

    def devtools(self, command, **params):
        return self.call("/goog/cdp/execute", {"cmd": command, "params": params})

    def script(self, text):
        return self.call("/execute/sync", {"script": text, "args": []})

    def show(self, page, width, scheme="light", media="screen"):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.devtools("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("/url", {"url": page.resolve().as_uri()})

    def picture(self, to):
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.devtools("Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "scale": 1})
        to.write_bytes(base64.b64decode(shot["data"]))

    def end(self):
        try:
            self.call("", None, "DELETE")
        finally:
            self.driver.terminate()
            self.driver.wait()


def check(browser, page, out):
    """How many things are wrong."""
    count = 0
    shows = [(w, s, "screen") for w in WIDTHS for s in ("light", "dark")] + [(720, "light", "print")]
    for width, scheme, media in shows:
        name = f"{page.stem}-{width}-{scheme if media == 'screen' else media}"
        browser.show(page, width, scheme, media)
        browser.picture(out / f"{name}.png")
        texts, wrong = browser.script(FIND)
        if media == "print":  # its small type is no screen's
            wrong = [w for w in wrong if " px: " not in w]
        print(f"{name}: {texts} texts, {len(wrong)} wrong")
        for line in wrong[:20]:
            print(f"  {line}")
        count += len(wrong)
    return count


def spoilt(browser, page):
    """How many spoilt pages pass."""
    missed = 0
    for how, expected in SPOIL:
        browser.show(page, 400)
        browser.script(how)
        if not any(expected in line for line in browser.script(FIND)[1]):
            print(f"not found: {expected}")
            missed += 1
    print(f"spoilt pages: {len(SPOIL) - missed} of {len(SPOIL)} found")
    return missed


def main():
    out, *pages = map(pathlib.Path, sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        try:
            wrong = sum(check(browser, page, out) for page in pages) + spoilt(browser, pages[0])
        finally:
            browser.end()
    print(f"screenshots: {out}")
    return wrong > 0


if __name__ == "__main__":
    sys.exit(main())

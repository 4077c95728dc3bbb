#!/usr/bin/env python3
"""picture.py PAGE.html OUT.png: the beginning of a page of tc-diff --html as a picture: the verdict, and some of the plots."""

import pathlib
import sys
import tempfile

from check import Browser

WIDTH = 1000
# The plots that are kept, by the beginnings of their captions; everything else behind the verdict goes.
KEEP = r"""
const kept = ['inter-arrival time', 'packet size', 'flow duration', 'active flows'], plots = document.querySelector('.plots');
plots.replaceChildren(...[...document.querySelectorAll('figure')].filter(f => kept.some(k => f.textContent.startsWith(k))));
for (const e of document.querySelectorAll('.verdict ~ *')) if (e != plots) e.remove();
plots.style.marginTop = '24px';
"""


def main():
    page, out = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        try:
            browser.show(page, WIDTH)
            browser.script(KEEP)
            browser.picture(out)
        finally:
            browser.end()


if __name__ == "__main__":
    main()

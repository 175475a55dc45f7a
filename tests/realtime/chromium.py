"""Follows a run in Chromium, as a process of its own: playwright's event loop and Django's database share no thread.

    python -m tests.realtime.chromium SITE WANTED [PAGE]

The page is one of *SITE*, which serves the client's modules; *WANTED* is JSON of what `watching.mjs` is called with, and
JSON of what it gives is printed. With *PAGE*, HTML, that is shown instead, behind the fragment *WANTED*, until it has
something in `#outputs`; what is printed is its text.
"""

from __future__ import annotations

import json
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

WATCHING = Path(__file__).parent / "following/watching.mjs"
RUN = """async (wanted) => {
  const [client, { watch }] = await Promise.all([import("/static/realtime/flowmaestro.js"), import("/watching.mjs")]);
  return watch(client, wanted);
}"""
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-features=LocalNetworkAccessChecks",  # of a page that a test made up, to servers of this machine
)

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None or find_spec("playwright") is None, reason="no Chromium, or no playwright, here"
)


def main(site: str, wanted: str, html: str = "") -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- skipped where there is none

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        script = WATCHING.read_text(encoding="utf-8")
        page.route(f"{site}/watching.mjs", lambda route: route.fulfill(body=script, content_type="text/javascript"))
        page.route(
            f"{site}/page", lambda route: route.fulfill(body=html or "<!doctype html>", content_type="text/html")
        )
        page.goto(f"{site}/page#{wanted}" if html else f"{site}/page")
        if html:
            page.wait_for_function("document.querySelector('#outputs').textContent")
            sys.stdout.write(page.inner_text("body"))
        else:
            sys.stdout.write(json.dumps(page.evaluate(RUN, json.loads(wanted))))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

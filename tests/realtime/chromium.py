"""Follows a run in Chromium, as a process of its own: playwright's event loop and Django's database share no thread.

    python -m tests.realtime.chromium SITE WANTED

The page is one of *SITE*, which serves the client's modules; *WANTED* is JSON of what `watching.mjs` is called with, and
JSON of what it gives is printed.
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
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")

needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None or find_spec("playwright") is None, reason="no Chromium, or no playwright, here"
)


def main(site: str, wanted: str) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 -- skipped where there is none

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        script = WATCHING.read_text(encoding="utf-8")
        page.route(f"{site}/watching.mjs", lambda route: route.fulfill(body=script, content_type="text/javascript"))
        # Any document that the site serves itself: from one that a test made up Chromium lets nothing reach local ports.
        page.goto(f"{site}/static/realtime/mark.svg")
        sys.stdout.write(json.dumps(page.evaluate(RUN, json.loads(wanted))))
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A page as somebody has it before them: what it shows, what it was told, and what its browser complained about."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

SHOTS: Final = os.environ.get("SHOTS", "")  # a folder; empty: no pictures are taken

# What the page's client hands to the page once it has folded it, for a look from outside.
RECORDER: Final = """
window.heard = [];
window.statuses = [];
window.longTasks = []; // milliseconds
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) window.longTasks.push(duration);
}).observe({ type: "longtask", buffered: true });
const dispatch = EventTarget.prototype.dispatchEvent;
EventTarget.prototype.dispatchEvent = function (event) {
  if (event.type === "change" && event.detail?.type) window.heard.push(structuredClone(event.detail));
  return dispatch.call(this, event);
};
new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (target.matches(".card")) window.statuses.push([target.dataset.node, target.dataset.status]);
  }
}).observe(document, { subtree: true, attributeFilter: ["data-status"] });
"""
_OF_A_LOST_NETWORK: Final = re.compile(r"WebSocket connection to|net::ERR_")


class Window:
    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.complaints: list[str] = []
        self._is_offline = False
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def open(self, path: str) -> None:
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"

    def open_run(self, execution_id: str) -> None:
        self.open(f"/executions/{execution_id}/live")

    @contextmanager
    def offline(self) -> Iterator[None]:
        """A time in which the browser may complain of the network."""
        self._is_offline = True
        yield
        self.page.wait_for_timeout(100)  # for what it still has to say
        self._is_offline = False

    # ---- what the live page shows
    def card(self, node_id: str) -> Locator:
        return self.page.locator(f'.card[data-node="{node_id}"]')

    def row(self, node_id: str) -> Locator:
        return self.page.locator(f'#rows > li[data-node="{node_id}"]')

    def expect_run(self, status: str, *, seconds: float = 30) -> None:
        expect(self.page.locator("body")).to_have_attribute("data-status", status, timeout=seconds * 1000)

    def expect_node(self, node_id: str, status: str, *, seconds: float = 30) -> None:
        expect(self.card(node_id)).to_have_attribute("data-status", status, timeout=seconds * 1000)

    def statuses(self) -> dict[str, str]:
        """Of the cards, by node."""
        found: list[tuple[str, str]] = self.page.locator(".card").evaluate_all(
            "cards => cards.map((card) => [card.dataset.node, card.dataset.status])"
        )
        return dict(found)

    def history(self) -> dict[str, list[str]]:
        """Each status that a card was given, in order, by node."""
        found: dict[str, list[str]] = {}
        for node, status in self.page.evaluate("window.statuses"):
            before = found.setdefault(node, [])
            if not before or before[-1] != status:
                before.append(status)
        return found

    # ---- what it was told
    def heard(self) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = self.page.evaluate("window.heard")
        return frames

    def events(self) -> list[dict[str, Any]]:
        """Numbered ones, as often as they were folded."""
        return [frame for frame in self.heard() if "data" in frame]

    def text(self, stream: str) -> str:
        """What streamed, put together by offsets; what came twice or left a gap fails."""
        text = ""
        for frame in self.heard():
            if frame["type"] == "snapshot" and stream in frame["streams"]:
                whole = frame["streams"][stream]["text"]
                assert whole.startswith(text) or text.startswith(whole), (text, whole)
                text = max(text, whole, key=len)
            elif frame["type"] == "node:token" and frame["stream"] == stream:
                assert frame["offset"] == len(text), (frame, text)
                text += frame["text"]
        return text

    def sideways(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    # ---- pictures
    def shoot(self, name: str, *, whole: bool = False) -> None:
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=whole)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self._is_offline and _OF_A_LOST_NETWORK.search(message.text):
            return
        self.complaints.append(f"{self.page.url}: {message.text}")

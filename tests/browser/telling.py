"""What a page was told of a run, against what is stored of it."""

from __future__ import annotations

from tests.browser.site import Site
from tests.browser.window import Window


def assert_nothing_is_missing_or_doubled(site: Site, window: Window, run: str) -> None:
    """The page folded what is stored, from its first number on, each once and in order."""
    folded = [(frame["seq"], frame["type"], frame.get("node_id"), frame.get("scope")) for frame in window.events()]
    stored = [(each["seq"], each["type"], each.get("node_id"), each.get("scope")) for each in site.events(run)]
    assert folded
    assert folded == stored[-len(folded) :]
    assert window.statuses().items() >= site.statuses(run).items()

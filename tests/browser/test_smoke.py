"""That a page works at all; the rest is `make browser`."""

from __future__ import annotations

from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import line


def test_run_lights_up_in_the_order_of_its_nodes(site: Site, window: Window) -> None:
    """Each card at work, then through, and the page says what the API says."""
    run = site.start(line())
    window.open_run(run)

    window.expect_run("completed")

    seen = window.history()
    assert window.statuses() == site.statuses(run) == dict.fromkeys(("start", "a", "b", "c"), "completed")
    assert [seen["b"][-2:], seen["c"][-2:]] == [["running", "completed"]] * 2
    began = [frame["node_id"] for frame in window.events() if frame["type"] == "node:started"]
    assert began == [node for node in ("start", "a", "b", "c") if node in began]

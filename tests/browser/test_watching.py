"""What people see of a run that goes on, whatever happens to their network."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.cable import Cable
from tests.browser.conftest import Open
from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import story

pytestmark = pytest.mark.browser
REPLY = "reply/"  # its stream


def assert_nothing_is_missing_or_doubled(site: Site, window: Window, run: str) -> None:
    """The page folded what is stored, from its first number on, each once and in order."""
    folded = [(frame["seq"], frame["type"], frame.get("node_id"), frame.get("scope")) for frame in window.events()]
    stored = [(each["seq"], each["type"], each.get("node_id"), each.get("scope")) for each in site.events(run)]
    assert folded
    assert folded == stored[-len(folded) :]
    assert window.statuses().items() >= site.statuses(run).items()


def answer_of(site: Site, run: str) -> str:
    return str(site.get(f"/executions/{run}/nodes/reply")["output"]["text"])


def test_text_is_read_while_it_is_written(site: Site, window: Window) -> None:
    """It grows before one's eyes, and in the end is what the node gave."""
    run = site.start(story())
    window.open_run(run)

    detail = window.row("reply").locator(".detail")
    expect(detail).to_contain_text("Dear Marta Nowak")
    window.expect_node("reply", "running")
    short = len(window.text(REPLY))
    window.shoot("running")
    window.expect_run("completed")

    assert 0 < short < len(answer_of(site, run))
    assert answer_of(site, run).startswith(window.text(REPLY))
    window.shoot("completed")
    assert_nothing_is_missing_or_doubled(site, window, run)


def test_run_whose_network_is_lost_goes_on_where_it_was(site: Site, open_window: Open, cable: Cable) -> None:
    """The cable is pulled in the middle of an answer, and plugged in again before its end."""
    run = site.start(story())
    window = open_window(cable.url)
    window.open_run(run)
    expect(window.row("reply").locator(".detail")).to_contain_text("Dear Marta")

    with window.offline():
        cable.pull()
        expect(window.page.locator("#connection")).to_have_attribute("data-state", "retrying")
        before = len(window.events())
        window.page.wait_for_timeout(500)
        assert len(window.events()) == before
        cable.plug()
        expect(window.page.locator("#connection")).to_have_attribute("data-state", "open")
    window.expect_run("completed")

    assert_nothing_is_missing_or_doubled(site, window, run)
    assert answer_of(site, run).startswith(window.text(REPLY))


def test_run_whose_connection_is_cut_every_moment_is_seen_to_its_end(
    site: Site, open_window: Open, cable: Cable
) -> None:
    """As by a proxy that thinks little of sockets."""
    run = site.start(story())
    window = open_window(cable.url)
    window.open_run(run)

    with window.offline():
        for _ in range(60):
            window.page.wait_for_timeout(300)
            cable.cut()
            if window.page.locator("body").get_attribute("data-status") == "completed":
                break
        window.expect_run("completed")

    assert cable.accepted > 5
    assert_nothing_is_missing_or_doubled(site, window, run)


def test_run_that_ended_while_the_browser_was_offline_is_shown_whole(site: Site, window: Window) -> None:
    """Chromium's own switch: the machine is in a tunnel."""
    run = site.start(story())
    window.open_run(run)
    expect(window.row("reply").locator(".detail")).to_contain_text("Dear")

    with window.offline():
        window.page.context.set_offline(True)
        site.wait_for(run)
        window.page.context.set_offline(False)
        window.expect_run("completed")

    assert_nothing_is_missing_or_doubled(site, window, run)


def test_whoever_comes_late_sees_the_text_from_its_beginning(site: Site, open_window: Open) -> None:
    """Two windows, one run: the second is told what was written before it came."""
    run = site.start(story())
    first = open_window()
    first.open_run(run)
    expect(first.row("reply").locator(".detail")).to_contain_text("Dear Marta Nowak")
    late = open_window()
    late.open_run(run)

    expect(late.row("reply").locator(".detail")).to_contain_text("Dear Marta Nowak")
    window_texts: list[Any] = []
    for window in (first, late):
        window.expect_run("completed")
        window_texts.append(window.text(REPLY))
        assert_nothing_is_missing_or_doubled(site, window, run)

    assert all(answer_of(site, run).startswith(text) for text in window_texts)

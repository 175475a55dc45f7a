"""What people see of a run that goes on, whatever happens to their network."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.author import FIRST, LETTER
from tests.browser.cable import Cable
from tests.browser.conftest import Open
from tests.browser.site import Site
from tests.browser.telling import assert_nothing_is_missing_or_doubled
from tests.browser.window import Window
from tests.browser.workflows import story

pytestmark = pytest.mark.browser
REPLY = "reply/"  # its stream


def begin(site: Site, window: Window) -> str:
    """A run that is seen to be in the middle of a letter; the author is held."""
    run = site.start(story())
    window.open_run(run)
    expect(window.row("reply").locator(".detail")).to_contain_text(FIRST)
    return run


def assert_letter_was_read(site: Site, window: Window, run: str) -> None:
    """The page was told how it begins, and at most how it ends: the rest comes with the event of the node."""
    assert site.get(f"/executions/{run}/nodes/reply")["output"]["text"] == LETTER
    assert LETTER.startswith(window.text(REPLY))
    assert window.text(REPLY).startswith(FIRST)


def connection(window: Window) -> Locator:
    return window.page.locator("#connection")


def test_text_is_read_while_it_is_written(site: Site, window: Window) -> None:
    """It grows before one's eyes, and in the end is what the node gave."""
    with site.author.held():
        run = begin(site, window)
        assert (window.text(REPLY), window.statuses()["reply"]) == (FIRST, "running")
    window.expect_run("completed")

    assert len(window.text(REPLY)) > len(FIRST)
    assert_letter_was_read(site, window, run)
    assert_nothing_is_missing_or_doubled(site, window, run)


def test_run_whose_network_is_lost_goes_on_where_it_was(site: Site, open_window: Open, cable: Cable) -> None:
    """The cable is pulled in the middle of a letter, which is written on meanwhile, and plugged in again."""
    window = open_window(cable.url)
    with window.offline():
        with site.author.held():
            run = begin(site, window)
            cable.pull()
            expect(connection(window)).to_have_attribute("data-state", "retrying")
            before = len(window.events())
        window.page.wait_for_timeout(500)
        assert len(window.events()) == before
        cable.plug()
        window.expect_run("completed")

    assert_letter_was_read(site, window, run)
    assert_nothing_is_missing_or_doubled(site, window, run)


def test_run_whose_connection_is_cut_again_and_again_is_seen_to_its_end(
    site: Site, open_window: Open, cable: Cable
) -> None:
    """As by a proxy that thinks little of sockets."""
    window = open_window(cable.url)
    with window.offline():
        with site.author.held():
            run = begin(site, window)
            for _ in range(5):
                cable.cut()
                expect(connection(window)).to_have_attribute("data-state", "retrying")
                expect(connection(window)).to_have_attribute("data-state", "open")
        cable.cut()
        window.expect_run("completed")

    assert_letter_was_read(site, window, run)
    assert_nothing_is_missing_or_doubled(site, window, run)


def test_run_that_ended_while_the_browser_was_offline_is_shown_whole(site: Site, window: Window) -> None:
    """Chromium's own switch: the machine is in a tunnel."""
    with window.offline():
        with site.author.held():
            run = begin(site, window)
            window.page.context.set_offline(True)
        site.wait_for(run)
        window.page.context.set_offline(False)
        window.expect_run("completed")

    assert_nothing_is_missing_or_doubled(site, window, run)


def test_whoever_comes_late_sees_the_text_from_its_beginning(site: Site, open_window: Open) -> None:
    """Two windows, one run: the second is told what was written before it came."""
    first, late = open_window(), open_window()
    with site.author.held():
        run = begin(site, first)
        late.open_run(run)
        expect(late.row("reply").locator(".detail")).to_contain_text(FIRST)

    for window in (first, late):
        window.expect_run("completed")
        assert_letter_was_read(site, window, run)
        assert_nothing_is_missing_or_doubled(site, window, run)

"""Without a mouse: everything is reached by Tab, and done by Enter, Space and Escape."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import asking, handled, long

pytestmark = pytest.mark.browser
MOST_STEPS = 60


def tab_to(window: Window, selector: str) -> None:
    """By Tab alone; each place on the way is one that can be seen to have the focus."""
    for _ in range(MOST_STEPS):
        window.page.keyboard.press("Tab")
        focused = window.page.locator(":focus")
        if focused.count():
            assert focused.evaluate("one => one.matches(':focus-visible')")
        if window.page.locator(f":is({selector}):focus").count():
            return
    raise AssertionError(f"{selector} is not within {MOST_STEPS} steps")


def test_first_step_skips_the_graph(site: Site, window: Window) -> None:
    """Who hears the page need not pass every node of a large drawing."""
    run = site.start(handled())
    site.wait_for(run)
    window.open_run(run)

    window.page.keyboard.press("Tab")
    expect(window.page.locator(".skip")).to_be_focused()
    window.page.keyboard.press("Enter")
    window.page.keyboard.press("Tab")

    assert window.page.locator("#timeline :focus").count() == 1


def test_node_is_looked_at(site: Site, window: Window) -> None:
    """By its card, and by its line in the list."""
    run = site.start(handled())
    site.wait_for(run)
    window.open_run(run)

    tab_to(window, '.card[data-node="stock"]')
    window.page.keyboard.press("Enter")
    expect(window.row("stock").locator(".detail")).to_be_visible()
    expect(window.row("stock").locator(".detail")).to_contain_text("boom")
    tab_to(window, '#rows > li[data-node="a"] > button')
    window.page.keyboard.press("Enter")

    expect(window.row("a").locator(".detail")).to_be_visible()


def test_question_is_answered(site: Site, window: Window) -> None:
    """Enter in the field is the answer, and the focus is not lost with the form."""
    run = site.start(asking())
    window.open_run(run)
    expect(window.page.get_by_role("form", name="How many may go back?")).to_be_visible()

    tab_to(window, "#rows form input")
    window.page.keyboard.type("99")
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#rows form input")).to_have_attribute("aria-invalid", "true")
    expect(window.page.locator("#rows form input")).to_be_focused()
    window.page.keyboard.press("ControlOrMeta+a")
    window.page.keyboard.type("4")
    window.page.keyboard.press("Enter")
    window.expect_run("completed")

    assert site.run(run)["outputs"] == {"n": 4}


def test_run_is_cancelled_after_thinking_again(site: Site, window: Window) -> None:
    """Escape leaves it alone and goes back to where one was; the second time it is meant."""
    run = site.start(long())
    window.open_run(run)
    window.expect_node("a", "running")

    tab_to(window, "#action-cancel")
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("dialog")).to_be_visible()
    window.page.keyboard.press("Escape")
    expect(window.page.get_by_role("dialog")).to_be_hidden()
    expect(window.page.locator("#action-cancel")).to_be_focused()
    assert site.run(run)["status"] == "running"
    window.page.keyboard.press("Space")
    tab_to(window, "dialog .danger")
    window.page.keyboard.press("Enter")

    window.expect_run("cancelled")


def test_news_is_spoken(site: Site, window: Window) -> None:
    """The status of the run is a live region, and every card says its own in words."""
    run = site.start(asking())
    window.open_run(run)
    window.expect_run("paused")

    expect(window.page.get_by_role("status").filter(has_text="Paused")).to_have_attribute("aria-live", "polite")
    for node in ("start", "ask"):
        expect(window.card(node)).to_have_accessible_name(re.compile("completed|waiting"))

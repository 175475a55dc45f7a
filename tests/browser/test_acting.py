"""What people do to a run from its page."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.looks import LOOKS
from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import asking, failing, long, paced

pytestmark = pytest.mark.browser
ON_BOTH = pytest.mark.parametrize("look", ["light", "phone"])


@ON_BOTH
def test_question_is_answered_by_its_form(site: Site, open_window: Open, look: str) -> None:
    """What does not fit is said beside the field; what fits lets the run go on."""
    window = open_window(**LOOKS[look])
    run = site.start(asking())
    window.open_run(run)
    form = window.page.get_by_role("form", name="How many may go back?")
    field = form.get_by_role("textbox")

    field.fill("many")
    form.get_by_role("button", name="Answer").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    window.shoot(f"paused-wrong-{look}")
    field.fill("11")
    form.get_by_role("button", name="Answer").click()
    expect(form.locator(".wrong").filter(has_text="10")).to_be_visible()
    field.fill("7")
    form.get_by_role("button", name="Answer").click()
    window.expect_run("completed")

    assert site.run(run)["outputs"] == {"n": 7}
    assert window.statuses() == site.statuses(run)


def test_question_that_somebody_else_answers_leaves_the_page(site: Site, window: Window) -> None:
    """Two people have it open; the form of the slower one goes away."""
    run = site.start(asking())
    window.open_run(run)
    form = window.page.get_by_role("form", name="How many may go back?")
    expect(form).to_be_visible()

    site.post(f"/executions/{run}/resume", {"node_id": "ask", "input": 3})

    window.expect_run("completed")
    expect(form).to_have_count(0)


@ON_BOTH
def test_run_is_cancelled_for_a_reason(site: Site, open_window: Open, look: str) -> None:
    """Only after a second look: what is lost, is."""
    window = open_window(**LOOKS[look])
    run = site.start(long())
    window.open_run(run)
    window.expect_node("a", "running")

    act(window, "Cancel")
    dialog = window.page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("It was the wrong order")
    window.shoot(f"cancelling-{look}")
    dialog.get_by_role("button", name="Cancel the run").click()
    window.expect_run("cancelled")

    assert site.run(run)["status"] == "cancelled"
    assert "It was the wrong order" in str(site.events(run)[-1]["data"])


def test_run_is_paused_and_let_go_on(site: Site, window: Window) -> None:
    """What is at work finishes; nothing else begins until it may."""
    run = site.start(paced())
    window.open_run(run)
    window.expect_node("a", "running")

    act(window, "Pause")
    window.expect_run("paused")
    window.shoot("held")
    held = site.statuses(run)
    act(window, "Go on")
    window.expect_run("completed")

    assert (held["a"], held["d"]) == ("completed", "pending")
    assert set(window.statuses().values()) == {"completed"}


def test_run_that_failed_is_retried_where_it_broke_off(site: Site, window: Window) -> None:
    """The page of the new run opens; what completed in the old one is kept."""
    run = site.start(failing(site.supplier.url))
    window.open_run(run)
    window.expect_run("failed")
    expect(window.page.locator("#result-message")).to_be_visible()

    with site.supplier.well():
        act(window, re.compile("^Retry"))
        window.page.wait_for_url(lambda address: run not in address)
        window.expect_run("completed")

    again = window.page.url.split("/executions/")[1].split("/")[0]
    assert site.run(again)["rerun_of"] == run
    assert {frame["node_id"] for frame in site.events(again) if frame["type"] == "node:started"} == {
        "fetch",
        "b",
        "out",
    }
    expect(window.row("a").get_by_text("kept")).to_be_visible()


def test_run_is_begun_again_at_one_of_its_nodes(site: Site, window: Window) -> None:
    """What comes before it is kept, what follows runs again."""
    run = site.start(paced(ms=1))
    site.wait_for(run)
    window.open_run(run)

    window.card("c").click()
    window.page.get_by_role("button", name="Begin again from here").click()
    window.page.get_by_role("dialog").get_by_role("button", name="Begin again").click()
    window.page.wait_for_url(lambda address: run not in address)
    window.expect_run("completed")

    again = window.page.url.split("/executions/")[1].split("/")[0]
    assert site.run(again)["rerun_from"] == "c"
    assert {frame["node_id"] for frame in site.events(again) if frame["type"] == "node:started"} == {"c", "d"}


def act(window: Window, name: str | re.Pattern[str]) -> None:
    window.page.locator("#actions").get_by_role("button", name=name).click()

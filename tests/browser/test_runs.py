"""The list of runs."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.access import faults
from tests.browser.conftest import Open
from tests.browser.looks import LOOKS
from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import failing, long, paced

pytestmark = pytest.mark.browser


def line(window: Window, run: str) -> Locator:
    return window.page.locator(f'tr[data-run="{run}"]')


def test_run_that_begins_and_ends_is_seen_in_the_list(site: Site, window: Window) -> None:
    """Without loading the page again."""
    window.open("/runs/")
    expect(window.page.locator("#connection")).to_have_attribute("data-state", "open")

    run = site.start(paced(ms=300))

    expect(line(window, run)).to_have_attribute("data-status", "running")
    expect(line(window, run)).to_have_attribute("data-status", "completed")


def test_list_is_narrowed_by_status_and_by_words(site: Site, window: Window) -> None:
    """And the address can be sent to somebody."""
    failed, other = site.start(failing(site.supplier.url), tags=["narrow"]), site.start(paced(ms=1), tags=["narrow"])
    for run in (failed, other):
        site.wait_for(run)
    window.open("/runs/")

    window.page.get_by_role("navigation", name="Status").get_by_role("link", name="Failed").click()
    expect(line(window, failed)).to_be_visible()
    expect(line(window, other)).to_have_count(0)
    window.page.get_by_role("navigation", name="Status").get_by_role("link", name="All").click()
    window.page.get_by_role("searchbox").fill(other)
    window.page.get_by_role("searchbox").press("Enter")
    expect(line(window, other)).to_be_visible()
    expect(line(window, failed)).to_have_count(0)
    window.page.reload()

    expect(window.page.locator("tr[data-run]")).to_have_count(1)


def test_several_runs_are_cancelled_at_once(site: Site, window: Window) -> None:
    """Those that are chosen, after a second look, and no others."""
    first = site.start(long(), tags=["bulk"])
    workflow = site.run(first)["workflow_id"]
    second, spared = (site.again(workflow, tags=["bulk"]) for _ in range(2))
    window.open("/runs/?tag=bulk")
    for run in (first, second):
        line(window, run).get_by_role("checkbox").check()
    window.shoot("runs-chosen")

    window.page.get_by_role("toolbar").get_by_role("button", name="Cancel").click()
    window.page.get_by_role("dialog").get_by_role("button", name=re.compile("^Cancel")).click()

    for run in (first, second):
        assert site.wait_for(run) == "cancelled"
        expect(line(window, run)).to_have_attribute("data-status", "cancelled")
    assert site.run(spared)["status"] == "running"
    site.post(f"/executions/{spared}/cancel")


@pytest.mark.parametrize("look", LOOKS)
def test_list_has_no_faults_for_those_who_see_little(site: Site, open_window: Open, look: str) -> None:
    """With runs in many states, with one that is chosen, and without any."""
    for run in (site.start(failing(site.supplier.url)), site.start(paced(ms=1), tags=["quick"])):
        site.wait_for(run)
    window = open_window(**LOOKS[look])

    window.open("/runs/?tag=there-is-none")
    found = faults(window.page)
    window.shoot(f"runs-none-{look}", whole=look == "phone")
    window.open("/runs/")
    found += faults(window.page)
    window.shoot(f"runs-{look}", whole=look == "phone")
    window.page.locator("tr[data-run] input[type=checkbox]").first.check()
    found += faults(window.page)

    assert found == []
    assert window.sideways() <= 0

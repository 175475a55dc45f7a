"""Two runs side by side."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.access import faults
from tests.browser.conftest import Open
from tests.browser.looks import LOOKS
from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import failing

pytestmark = pytest.mark.browser


def pair(site: Site) -> tuple[str, str]:
    """One that failed, and one of the same workflow that did not."""
    failed = site.start(failing(site.supplier.url), tags=["pair"])
    site.wait_for(failed)
    with site.supplier.well():
        other = site.again(site.run(failed)["workflow_id"], tags=["pair"])
        site.wait_for(other)
    return failed, other


def test_two_runs_are_chosen_in_the_list_and_compared(site: Site, window: Window) -> None:
    """What differs is there to be read."""
    runs = pair(site)
    window.open("/runs/?tag=pair")
    for run in runs:
        window.page.locator(f'tr[data-run="{run}"]').get_by_role("checkbox").check()

    window.page.get_by_role("toolbar").get_by_role("button", name="Compare").click()
    window.page.wait_for_url(re.compile("compare"))

    expect(window.page.locator("main")).to_contain_text("Ask the supplier")
    expect(window.page.locator("main")).to_contain_text(re.compile("failed", re.IGNORECASE))


@pytest.mark.parametrize("look", LOOKS)
def test_comparison_has_no_faults_for_those_who_see_little(site: Site, open_window: Open, look: str) -> None:
    """Nor is it wider than the window: on a phone what is wide scrolls in its own place."""
    one, other = pair(site)
    window = open_window(**LOOKS[look])

    window.open(f"/runs/compare?a={one}&b={other}")
    window.shoot(f"compare-{look}", whole=look == "phone")

    assert faults(window.page) == []
    assert window.sideways() <= 0

"""The pages' policy is kept to; every other test fails, too, when the browser complains in it of anything."""

from __future__ import annotations

import pytest

from tests.browser.site import Site
from tests.browser.window import Window
from tests.browser.workflows import paced

pytestmark = pytest.mark.browser

INLINE = """() => {
  const script = document.createElement("script");
  script.textContent = "window.wasRun = true";
  document.body.append(script);
  document.body.setAttribute("style", "color: red");
}"""


@pytest.mark.parametrize("page", ["live", "runs"])
def test_what_is_written_into_a_page_does_not_run(site: Site, window: Window, page: str) -> None:
    """And whoever watches the console is told: the other tests would notice."""
    run = site.start(paced(ms=1))
    site.wait_for(run)
    window.open(f"/executions/{run}/live" if page == "live" else "/runs/")
    assert window.complaints == []

    window.page.evaluate(INLINE)
    window.page.wait_for_timeout(200)

    noted, window.complaints = window.complaints, []
    assert window.page.evaluate("window.wasRun") is None
    assert len([one for one in noted if "Content Security Policy" in one]) == 2


def test_names_of_a_workflow_are_text(site: Site, window: Window) -> None:
    """Whoever draws one may call its nodes what he likes."""
    nasty = '<img src=x onerror="window.wasRun = true"></script><script>window.wasRun = true</script>'
    drawing = paced(ms=1)
    drawing["name"] = nasty
    drawing["nodes"]["a"]["name"] = nasty
    drawing["nodes"]["a"]["config"]["value"] = {"<b>": nasty}
    run = site.start(drawing, tags=["<i>tag"])
    site.wait_for(run)

    for path in (f"/executions/{run}/live#a", "/runs/"):
        window.open(path)
        window.page.wait_for_timeout(200)
        assert nasty in window.page.inner_text("body")
        assert window.page.evaluate("window.wasRun") is None

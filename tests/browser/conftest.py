from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

pytest.importorskip("playwright", reason="playwright is not installed")

from django.core.management import call_command
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.cable import Cable, cable_to
from tests.browser.site import PASSWORD, Site, open_site
from tests.browser.window import RECORDER, Window

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ALL = os.environ.get("FLOWMAESTRO_BROWSER") == "all"  # `make browser`; else only what says that a page works at all
FLAGS = ("--no-sandbox", "--disable-gpu")
PATIENCE_MS = 15_000  # for what a page is to do next; the machine may be busy

Open: TypeAlias = Callable[..., Window]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if ALL:
        return
    slow = [item for item in items if item.get_closest_marker("browser")]
    config.hook.pytest_deselected(items=slow)
    items[:] = [item for item in items if item not in slow]


def _scope(fixture_name: str, config: pytest.Config) -> str:
    """Beside the rest of the suite neither workers nor a browser may be left running for other tests."""
    return "session" if ALL else "module"


@pytest.fixture(scope=_scope)
def site(django_db_setup: None, django_db_blocker: Any) -> Iterator[Site]:
    with django_db_blocker.unblock():
        with open_site() as site:
            yield site
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def db() -> None:
    """By its name pytest-django knows that the test database is needed; tests ask the site, over HTTP."""


@pytest.fixture(scope=_scope)
def browser(site: Site) -> Iterator[Browser]:
    """Opened after the site and closed before it: its event loop lives in our thread, where Django asks nothing then."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope=_scope)
def login(browser: Browser, site: Site) -> Any:
    """The cookies of somebody who has logged in by the form."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/admin/login/")
    page.fill("#id_username", site.user)
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_url(f"{site.url}/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def open_window(db: None, browser: Browser, site: Site, login: Any) -> Iterator[Open]:
    """Windows of somebody who is logged in; at the end none may have complained, of our policy or anything else."""
    contexts: list[BrowserContext] = []
    windows: list[Window] = []

    def open_window(url: str = site.url, **look: Any) -> Window:
        look = {"viewport": {"width": 1440, "height": 900}, **look}
        context = browser.new_context(storage_state=login, **look)
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(RECORDER)
        contexts.append(context)
        windows.append(Window(context.new_page(), url))
        return windows[-1]

    yield open_window
    complaints = [complaint for window in windows for complaint in window.complaints]
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def window(open_window: Open) -> Window:
    return open_window()


@pytest.fixture
def cable(site: Site) -> Iterator[Cable]:
    with cable_to(site.port) as cable:
        yield cable

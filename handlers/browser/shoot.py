"""What runs in a process of its own: start the browser, show the page, take its picture."""

from __future__ import annotations

import os
from contextlib import suppress
from io import BytesIO
from typing import Any, Final

from PIL import Image
from playwright.sync_api import Error, Page, Request, Route, sync_playwright
from playwright.sync_api import TimeoutError as Overdue

from handlers.errors import ConfigError, InputError, NodeTimeout, Unreachable

LONGEST_PAGE: Final = 16_384  # pixels; beyond, Chromium repeats what it has drawn
MOST_PIXELS: Final = 80_000_000
_QUIET_MS: Final = 3_000  # longest wait for the network to fall silent: some pages never do
_SCHEMES: Final = ("http://", "https://", "data:", "blob:")
_FLAGS: Final = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--no-pings",
    "--js-flags=--max-old-space-size=512",
    # Whatever would go past the proxy: names that it resolves itself, and media that look for a way of their own.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
)


def shoot(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"finalUrl", "title", "status", "refused", "width", "height", "isCut"}`, and the picture.

    *refused*: the proxy, and not the page, has answered. Raises InputError, Unreachable, NodeTimeout, ConfigError.
    """
    del content
    os.environ["HOME"] = os.environ["TMPDIR"] = argument["folder"]
    proxy = argument["proxy"]
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=argument["executable"],
                headless=True,
                args=[*_FLAGS],
                proxy={"server": proxy["server"], "username": proxy["user"], "password": proxy["password"]},
                chromium_sandbox=argument["sandbox"],
                timeout=argument["timeout"],
            )
        except Error as error:
            raise ConfigError(
                f"The browser does not start where the workers run: {_told(error)}", code="browser_failed"
            ) from error
        context = browser.new_context(
            viewport={"width": argument["width"], "height": argument["height"]},
            device_scale_factor=argument["scale"],
            color_scheme="dark" if argument["dark"] else "light",
            accept_downloads=False,
            service_workers="block",
        )
        context.set_default_timeout(argument["timeout"])
        context.route("**/*", _only_web)
        page = context.new_page()
        told = _show(page, argument)
        if told["refused"]:
            return told, b""
        picture, is_cut = _picture(page, argument)
        browser.close()
    width, height = Image.open(BytesIO(picture)).size
    if argument["format"] == "webp":
        written = BytesIO()
        Image.open(BytesIO(picture)).convert("RGB").save(written, "WEBP", quality=argument["quality"])
        picture = written.getvalue()
    return {**told, "width": width, "height": height, "isCut": is_cut}, picture


def _only_web(route: Route) -> None:
    if route.request.url.startswith(_SCHEMES):
        route.continue_()
    else:
        route.abort("blockedbyclient")


def _show(page: Page, argument: dict[str, Any]) -> dict[str, Any]:
    failed: list[Request] = []
    page.on("requestfailed", lambda request: failed.append(request))  # noqa: PLW0108 -- it wants to mark what it calls
    page.on("dialog", lambda dialog: dialog.dismiss())
    try:
        response = page.goto(argument["url"], wait_until="load")
    except Overdue as error:
        raise NodeTimeout(f"The page was not there within {argument['timeout'] / 1000:g} s.") from error
    except Error as error:
        if any(request.is_navigation_request() and "TUNNEL" in (request.failure or "") for request in failed):
            return {"refused": True}
        raise Unreachable(f"The page cannot be shown: {_told(error)}") from error
    refused = response is not None and argument["refusedHeader"].lower() in response.headers
    if not refused:
        with suppress(Overdue):
            page.wait_for_load_state("networkidle", timeout=min(_QUIET_MS, argument["timeout"]))
        page.wait_for_timeout(argument["delay"])
    return {
        "finalUrl": page.url,
        "title": page.title()[:1_000],
        "status": response.status if response else None,
        "refused": refused,
    }


def _picture(page: Page, argument: dict[str, Any]) -> tuple[bytes, bool]:
    """And whether there is more of the page than is on it."""
    options: dict[str, Any] = {"type": "jpeg" if argument["format"] == "jpeg" else "png", "animations": "disabled"}
    if argument["format"] == "jpeg":
        options["quality"] = argument["quality"]
    if argument["selector"]:
        return _of_element(page, argument, options), False
    if not argument["fullPage"]:
        return page.screenshot(**options), False
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    width, height = max(int(size[0]), argument["width"]), max(int(size[1]), argument["height"])
    longest = min(LONGEST_PAGE / argument["scale"], MOST_PIXELS / (width * argument["scale"] ** 2))
    if height <= longest:
        return page.screenshot(full_page=True, **options), False
    clip: Any = {"x": 0, "y": 0, "width": argument["width"], "height": int(longest)}
    return page.screenshot(full_page=True, clip=clip, **options), True


def _of_element(page: Page, argument: dict[str, Any], options: dict[str, Any]) -> bytes:
    try:
        element = page.locator(argument["selector"]).first
        element.wait_for(state="visible")
        box = element.bounding_box() or {"width": 0, "height": 0}
        if box["width"] * box["height"] * argument["scale"] ** 2 > MOST_PIXELS:
            raise InputError("The element of the selector is too large for a picture.", code="too_complex")
        return element.screenshot(**options)
    except Overdue as error:
        raise InputError(
            f"selector: the page shows nothing that {argument['selector']!r} is for.", code="selector_missing"
        ) from error
    except Error as error:
        raise InputError(f"selector: {argument['selector']!r} cannot be read: {_told(error)}") from error


def _told(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]

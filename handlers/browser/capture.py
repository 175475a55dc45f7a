"""One picture of one page."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal

from handlers import processes
from handlers.browser.proxy import REFUSED_HEADER, EgressProxy
from handlers.errors import ConfigError, NodeTimeout, Unreachable
from handlers.ports import Lent
from handlers.processes import Bounds

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TARGET: Final = "handlers.browser.shoot:shoot"
_START_SECONDS: Final = 20  # for the browser to come and go, besides the page
# Of each of its processes. Addresses are not bounded: the browser's engine reserves a terabyte and uses little of it.
_DATA_BYTES: Final = 4 * 1024**3
_FILE_BYTES: Final = 512 * 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the picture is to be of."""

    url: str
    width: int  # of the window, in pixels
    height: int
    scale: float
    full_page: bool
    selector: str | None
    dark: bool
    delay_ms: int
    format: Literal["png", "jpeg", "webp"]
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """What came of it."""

    content: bytes
    final_url: str
    title: str
    status: int | None
    width: int  # of the picture, in pixels
    height: int
    is_cut: bool  # the page is longer than a picture may be


def take(wish: Wish, proxy: EgressProxy, *, seconds: float, lent: Lent) -> Shot:
    """The picture. *seconds* are for the page; killed when nobody wants it any more.

    Raises ConfigError with code `browser_missing` or `browser_failed`, EgressRefused, Unreachable, NodeTimeout, and
    InputError with code `selector_missing` or `too_complex`.
    """
    program = _program()
    bounds = Bounds(
        seconds=seconds + wish.delay_ms / 1000 + _START_SECONDS,
        data_bytes=_DATA_BYTES,
        file_bytes=_FILE_BYTES,
        reply_bytes=100 * 1024**2,
    )
    with TemporaryDirectory(prefix="flowmaestro-browser-", ignore_cleanup_errors=True) as folder:
        argument: dict[str, Any] = {
            "url": wish.url,
            "width": wish.width,
            "height": wish.height,
            "scale": wish.scale,
            "fullPage": wish.full_page,
            "selector": wish.selector,
            "dark": wish.dark,
            "delay": wish.delay_ms,
            "format": wish.format,
            "quality": wish.quality,
            "timeout": seconds * 1000,
            "folder": folder,
            "executable": program,
            # Chromium's own sandbox, which it does not have for root.
            "sandbox": os.getuid() != 0,
            "proxy": {"server": proxy.server, "user": proxy.user, "password": proxy.password},
            "refusedHeader": REFUSED_HEADER,
        }
        told: Any
        try:
            told, content = processes.compute(_TARGET, argument, bounds=bounds, lent=lent)
        except (Unreachable, NodeTimeout):
            if proxy.refused:
                raise proxy.refused[0] from None
            raise
    if told["refused"]:
        raise proxy.refused[0] if proxy.refused else Unreachable("The page's server cannot be reached.")
    return Shot(
        content=content,
        final_url=told["finalUrl"],
        title=told["title"],
        status=told["status"],
        width=told["width"],
        height=told["height"],
        is_cut=told["isCut"],
    )


def find_missing() -> str | None:
    """What is not installed here of what it takes; None when pictures can be taken."""
    if not any(map(shutil.which, PROGRAMS)):
        return "Chromium"
    return None if find_spec("playwright") else "the Python package playwright"


def _program() -> str:
    if (missing := find_missing()) is not None:
        raise ConfigError(
            f"Pictures of pages are taken by a browser: {missing} is not installed where the workers run."
            " Whoever runs them installs Chromium (on Debian and Ubuntu the package chromium), and the extra `browser`"
            " of this distribution.",
            code="browser_missing",
        )
    return next(filter(None, map(shutil.which, PROGRAMS)))

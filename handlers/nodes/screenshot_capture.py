"""A picture of a web page."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from handlers import browser, made_files
from handlers.base import Effect, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.made_files import FileData
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.web import WebUrl

AT_ONCE: Final = 4  # browsers of all workers: each takes half a gigabyte


class ScreenshotCaptureConfig(NodeConfig):
    url: WebUrl = Field(min_length=1, description="With http:// or https://.")
    full_page: bool = Field(False, description="All of it, and not only what fits into the window.")
    width: int = Field(1280, ge=320, le=3840, description="Of the window, in pixels.")
    height: int = Field(720, ge=240, le=2160, description="Of the window, in pixels.")
    device_scale: float = Field(1, ge=0.5, le=3, description="Pixels of the picture to one of the page.")
    format: Literal["png", "jpeg", "webp"] = "png"
    quality: int = Field(80, ge=1, le=100, description="Of jpeg and webp.")
    delay: int = Field(0, ge=0, le=30_000, description="Milliseconds to wait once the page has been loaded.")
    selector: str | None = Field(None, description="CSS: only the first element that it is for.")
    dark_mode: bool = Field(False, description="As the page looks to who prefers it dark.")
    timeout: int = Field(30_000, ge=1_000, le=120_000, description="Milliseconds for the page to be loaded.")
    filename: str = Field("screenshot", min_length=1, description="With a / in it, a path in the workspace.")


class ScreenshotCaptureData(FileData):
    url: str
    final_url: str = Field(description="Where redirects led to.")
    title: str
    status: int | None
    width: int = Field(description="Of the picture, in pixels.")
    height: int = Field(description="Of the picture, in pixels.")
    format: Literal["png", "jpeg", "webp"]
    is_cut: bool = Field(description="Whether the page is longer than a picture may be.")


@node_type("screenshotCapture", category="outputs", title="Take a screenshot", effect=Effect.EFFECT, lane=Lane.CPU)
class ScreenshotCapture(NodeHandler[ScreenshotCaptureConfig]):
    """Take a picture of a web page with Chromium, and store it in the workspace.

    Output: `{"path", "name", "size", "contentType", "url", "finalUrl", "title", "status", "width", "height", "format",
    "isCut"}`. The file is in a folder of this visit of the node, `runs/<run>/…/<filename>`, where another attempt
    replaces it; a `filename` with a `/` is a path in the workspace. A page longer than 16,384 pixels, or 80 million in
    all, is cut (`isCut`). Its status is told and not judged: a page that says 404 has a picture, too.

    The browser goes where nodes may go and nowhere else (`egress_refused`): the page, where it redirects to, its
    frames, scripts, pictures and sockets. It opens no files of the machine, stores no downloads, and remembers nothing.
    Errors: `browser_missing` when Chromium or playwright is not installed where the workers run, `browser_failed`,
    `selector_missing`, `unreachable` and `timeout`, which are tried again, and `too_complex`.
    """

    Config = ScreenshotCaptureConfig
    Output = ScreenshotCaptureData

    def run(self, node: NodeInput[ScreenshotCaptureConfig], lent: Lent) -> NodeOutput:
        config = node.config
        wish = browser.Wish(
            url=config.url,
            width=config.width,
            height=config.height,
            scale=config.device_scale,
            full_page=config.full_page,
            selector=config.selector or None,
            dark=config.dark_mode,
            delay_ms=config.delay,
            format=config.format,
            quality=config.quality,
        )
        with lent.limits.slot("screenshots", at_once=AT_ONCE, per_minute=None):
            seconds = min(config.timeout / 1000, lent.remaining())
            with browser.egress_proxy(seconds=seconds + config.delay / 1000 + 30) as proxy:
                shot = browser.take(wish, proxy, seconds=seconds, lent=lent)
        stored = made_files.keep_as(config.format, node, lent, shot.content, filename=config.filename)
        return NodeOutput(
            data={
                **stored.to_json(),
                "url": config.url,
                "finalUrl": shot.final_url,
                "title": shot.title,
                "status": shot.status,
                "width": shot.width,
                "height": shot.height,
                "format": config.format,
                "isCut": shot.is_cut,
            }
        )

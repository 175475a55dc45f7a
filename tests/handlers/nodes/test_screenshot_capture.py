from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from threading import Timer
from time import monotonic, sleep
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from handlers import Cancelled, ConfigError, InputError, Unreachable
from handlers.browser import capture
from handlers.errors import EgressRefused
from tests.handlers.fakes import RecordingLent, attempt, run
from tests.handlers.policies import allowing
from tests.handlers.servers import Received, Reply, Server, http_server

needs_browser = pytest.mark.skipif(
    not any(map(shutil.which, capture.PROGRAMS)) or find_spec("playwright") is None,
    reason="Chromium or playwright is not installed",
)
PAGE = b"""<html><head><title>A page</title><style>
body { margin: 0; background: #0000ff } @media (prefers-color-scheme: dark) { body { background: #000000 } }
#box { width: 50px; height: 40px; background: #ff0000 } #late { width: 9px; height: 9px; background: #00ff00 }
</style></head><body><div id="box"></div><div style="height: 2000px"></div>
<script>setTimeout(() => document.body.prepend(Object.assign(document.createElement('div'), {id: 'late'})), 300)</script>
</body></html>"""


def serve(received: Received) -> Reply:
    match received.path:
        case "/to-private":
            return Reply(status=302, headers={"Location": "https://10.1.2.3/secret"})
        case "/to-file":
            return Reply(status=302, headers={"Location": "file:///etc/passwd"})
        case "/missing":
            return Reply(status=404, headers={"Content-Type": "text/html"}, body=PAGE)
        case "/hungry":
            return Reply(headers={"Content-Type": "text/html"}, body=HUNGRY)
        case "/endless":
            return Reply(headers={"Content-Type": "text/html"}, body=b"<script>for (;;) {}</script>")
    return Reply(headers={"Content-Type": "text/html"}, body=PAGE)


HUNGRY = b"""<title>Hungry</title><img src="http://10.1.2.3/a.png"><iframe src="file:///etc/passwd"></iframe>
<iframe src="http://169.254.169.254/latest/meta-data/"></iframe><link rel="stylesheet" href="https://10.1.2.4/b.css">
<script>
const told = [];
const tell = (name, fine) => { told.push(name + '=' + fine); document.title = told.sort().join(' ') };
fetch('http://10.1.2.3/c').then(r => tell('fetch', r.ok), () => tell('fetch', false));
fetch('file:///etc/passwd').then(() => tell('file', true), () => tell('file', false));
const socket = new WebSocket('ws://10.1.2.3/d');
socket.onopen = () => tell('socket', true); socket.onerror = () => tell('socket', false);
</script>"""


@pytest.fixture
def server(default_policy: None) -> Iterator[Server]:
    """The only machine that nodes may connect to."""
    with http_server(answer=serve) as running, allowing(running.url.removeprefix("http://")):
        yield running


def take(server: Server, path: str = "/", lent: RecordingLent | None = None, **config: Any) -> tuple[Any, Image.Image]:
    lent = lent or RecordingLent(seconds=100)
    output = run("screenshotCapture", {"url": f"{server.url}{path}", **config}, lent=lent)
    picture = Image.open(BytesIO(lent.files.stored[output.data["path"]][0]))
    assert picture.size == (output.data["width"], output.data["height"])
    return output.data, picture


@needs_browser
class TestPictures:
    def test_page_is_shown_as_its_window_is(self, server: Server) -> None:
        """Its status is told and not judged."""
        data, picture = take(server, "/missing", width=400, height=300, delay=600)

        assert picture.size == (400, 300)
        assert picture.format == "PNG"
        assert picture.getpixel((300, 200))[:3] == (0, 0, 255)
        assert picture.getpixel((4, 4))[:3] == (0, 255, 0)  # it came late, and was waited for
        assert (data["status"], data["title"], data["finalUrl"]) == (404, "A page", f"{server.url}/missing")
        assert (data["name"], data["contentType"], data["isCut"]) == ("screenshot.png", "image/png", False)

    def test_page_is_shown_whole_and_dark(self, server: Server) -> None:
        _, picture = take(server, width=400, height=300, fullPage=True, darkMode=True, format="webp", deviceScale=2)

        assert picture.format == "WEBP"
        assert picture.width == 800
        assert picture.height >= 4000
        assert max(picture.convert("RGB").getpixel((600, 3000))) < 20

    def test_element_is_shown_alone(self, server: Server) -> None:
        _, picture = take(server, selector="#box", format="jpeg")

        assert (picture.format, picture.size) == ("JPEG", (50, 40))

    def test_selector_that_is_for_nothing_is_named(self, server: Server) -> None:
        with pytest.raises(InputError, match="#none") as refusal:
            take(server, selector="#none", timeout=1500)

        assert refusal.value.code == "selector_missing"


@needs_browser
class TestEgress:
    def test_private_address_is_refused(self, server: Server) -> None:
        with pytest.raises(EgressRefused, match="not on the public internet"):
            run("screenshotCapture", {"url": "http://169.254.169.254/"}, lent=RecordingLent(seconds=100))

    def test_redirect_to_a_private_address_is_refused(self, server: Server) -> None:
        with pytest.raises(EgressRefused, match=r"10\.1\.2\.3:443"):
            take(server, "/to-private")

    def test_redirect_to_a_file_shows_nothing(self, server: Server) -> None:
        with pytest.raises(Unreachable):
            take(server, "/to-file")

    def test_nothing_within_a_page_goes_elsewhere(self, server: Server) -> None:
        """Frames, pictures, styles, scripts, sockets: what is refused is not there, and the page has its picture."""
        data, _ = take(server, "/hungry", delay=1500)

        assert data["title"] == "fetch=false file=false socket=false"


@needs_browser
def test_picture_nobody_wants_any_more_ends_with_its_browser(server: Server) -> None:
    """A page that computes without end holds nothing up, and none of the browser's processes stays."""
    lent = RecordingLent(seconds=100)
    timer = Timer(4.0, lent.cancel)
    timer.start()

    with pytest.raises(Cancelled):
        take(server, "/endless", lent)

    ends = monotonic() + 20
    while _browsers() and monotonic() < ends:
        sleep(0.1)
    assert _browsers() == []


def _browsers() -> list[str]:
    """Processes of browsers that nodes have started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if "flowmaestro-browser-" in command:
            found.append(command)
    return found


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "data:text/html,x",
        "javascript:x",
        "chrome://settings",
        "about:blank",
        "view-source:http://x",
    ],
)
def test_url_of_another_scheme_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        attempt("screenshotCapture", {"url": url})


def test_browser_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "PROGRAMS", ("no-such-browser",))

    with pytest.raises(ConfigError, match="package chromium") as refusal:
        run("screenshotCapture", {"url": "http://example.com"})

    assert refusal.value.code == "browser_missing"

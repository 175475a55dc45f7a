from __future__ import annotations

import shutil
import struct
import zlib
from io import BytesIO
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont
from pydantic import ValidationError

from handlers import Cancelled, ConfigError, InputError, ocr
from handlers.documents import images, layout
from tests.handlers.documents import made
from tests.handlers.fakes import RecordingLent, attempt, run

needs_tesseract = pytest.mark.skipif(shutil.which(ocr.PROGRAM) is None, reason="tesseract is not installed")
OPTIONS = {"what": "'a'", "grayscale": True, "denoise": False, "deskew": False, "threshold": False}


def picture(*lines: str, angle: float = 0, ink: int = 0, paper: int = 255, form: str = "PNG", mode: str = "L") -> bytes:
    font = ImageFont.truetype(str(layout._font_folder() / "DejaVuSans.ttf"), 28)
    drawn = Image.new("L", (700, 60 + 50 * len(lines)), paper)
    for number, line in enumerate(lines):
        ImageDraw.Draw(drawn).text((40, 30 + 50 * number), line, fill=ink, font=font)
    written = BytesIO()
    drawn.rotate(angle, expand=True, fillcolor=paper).convert(mode).save(written, form)
    return written.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is very large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def read(content: bytes, lent: RecordingLent | None = None, name: str = "a.png", **config: Any) -> Any:
    lent = lent or RecordingLent(seconds=60)
    lent.files.write(name, content)
    return run("ocrExtraction", {"image": name, **config}, lent=lent).data


def prepared(content: bytes, **options: Any) -> tuple[Any, list[Image.Image]]:
    """What is made ready here, and not in a process of its own."""
    answer, joined = images.prepare({**OPTIONS, **options}, content)
    found, start = [], 0
    for page in answer["pages"]:
        found.append(Image.open(BytesIO(joined[start : start + page["bytes"]])))
        start += page["bytes"]
    return answer["pages"], found


@needs_tesseract
class TestReading:
    def test_text_of_a_picture_is_read_with_how_sure_it_is(self) -> None:
        data = read(picture("Invoice 4711", "Total 12.50"))

        assert data["text"].split("\n") == ["Invoice 4711", "Total 12.50"]
        assert data["confidence"] > 70
        assert (data["wordCount"], data["pageCount"], data["words"], data["content"]) == (4, 1, [], data["text"])
        assert (data["pages"][0]["width"], data["pages"][0]["height"]) == (700, 160)

    def test_words_have_their_places(self) -> None:
        words = read(picture("Invoice 4711"), outputFormat="json")["words"]

        assert [(word["text"], word["page"]) for word in words] == [("Invoice", 1), ("4711", 1)]
        assert words[0]["bbox"]["x"] < words[1]["bbox"]["x"]

    @pytest.mark.parametrize(("form", "part"), [("hocr", "ocrx_word"), ("tsv", "conf\ttext")])
    def test_content_is_of_the_format_that_is_asked_for(self, form: str, part: str) -> None:
        assert part in read(picture("Invoice"), outputFormat=form)["content"]

    def test_words_it_is_not_sure_of_are_left_out(self) -> None:
        data = read(picture("Invoice"), confidenceThreshold=100)

        assert (data["text"], data["wordCount"], data["confidence"]) == ("", 0, None)

    def test_page_that_lies_askew_is_turned(self) -> None:
        lines = ["The quick brown fox", "jumps over the lazy dog", "and runs away again"]

        data = read(picture(*lines, angle=5), preprocessing={"deskew": True})

        assert abs(data["pages"][0]["angle"] + 5) <= 1
        assert "brown fox" in data["text"]

    def test_scanned_document_is_read_page_by_page(self) -> None:
        document = FPDF()
        for text in ("First page", "Second page"):
            document.add_page()
            document.image(BytesIO(picture(text, form="JPEG")), w=180)

        data = read(bytes(document.output()), name="scan.pdf")

        assert [page["text"] for page in data["pages"]] == ["First page", "Second page"]
        assert data["text"] == "First page\n\nSecond page"

    def test_language_that_is_not_installed_is_named_with_those_that_are(self) -> None:
        with pytest.raises(ConfigError, match=r"'xyz' is not installed.*eng") as refusal:
            read(picture("x"), languages=["xyz"])

        assert refusal.value.code == "ocr_language_missing"

    def test_languages_are_those_installed_if_nobody_knows(self) -> None:
        assert "eng" in read(picture("Invoice"), language="auto")["languages"]

    def test_reading_that_nobody_wants_any_more_ends_at_once(self) -> None:
        """A page of noise takes tesseract many seconds."""
        noise = BytesIO()
        Image.effect_noise((3000, 3000), 200).save(noise, "PNG")
        lent = RecordingLent(seconds=100)
        timer = Timer(0.5, lent.cancel)
        timer.start()
        started = monotonic()

        with pytest.raises(Cancelled):
            read(noise.getvalue(), lent)

        assert monotonic() - started < 60


def test_program_that_is_not_installed_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PROGRAM", "no-such-tesseract")

    with pytest.raises(ConfigError, match="tesseract-ocr") as refusal:
        read(picture("x"))

    assert refusal.value.code == "ocr_missing"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (bomb(50_001, 1_000), "too_complex"),
        (bomb(200_000, 200_000), "too_complex"),
        (b"nonsense", "unreadable_document"),
        (b"", "unreadable_document"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unreadable_document"),
        (b"%!PS\n(x) run", "unreadable_document"),  # which Pillow would hand to Ghostscript
        (made.pdf("Only text."), "no_picture"),
        (made.pdf(*["x"] * (images.MOST_PAGES + 1)), "too_complex"),
    ],
    ids=["bomb", "huge bomb", "nonsense", "nothing", "svg", "postscript", "pdf of text", "long pdf"],
)
def test_picture_that_cannot_be_read_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(content)

    assert refusal.value.code == code


@pytest.mark.parametrize("languages", [["eng", "--tessdata-dir"], "-l", ["../eng"], ["eng;x"], ["a"] * 7])
def test_languages_that_are_none_are_refused(languages: Any) -> None:
    with pytest.raises(ValidationError):
        attempt("ocrExtraction", {"image": "a", "languages": languages})


@pytest.mark.parametrize(
    ("languages", "read_as"),
    [("eng+deu", ("eng", "deu")), ("eng, deu", ("eng", "deu")), (["chi_sim"], ("chi_sim",)), ("", ("eng",))],
)
def test_languages_are_understood_as_they_are_written(languages: Any, read_as: Any) -> None:
    assert attempt("ocrExtraction", {"image": "a", "languages": languages}).config.languages == read_as


class TestPreparing:
    def test_pages_of_a_tiff_are_all_made_ready(self) -> None:
        first, *others = (Image.new("L", (10 + number, 20), 200) for number in range(3))
        written = BytesIO()
        first.save(written, "TIFF", save_all=True, append_images=others)

        about, ready = prepared(written.getvalue())

        assert [page["width"] for page in about] == [10, 11, 12]
        assert [page.size for page in ready] == [(10, 20), (11, 20), (12, 20)]

    @pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "1", "CMYK", "LA"])
    def test_picture_of_any_mode_is_made_grey(self, mode: str) -> None:
        form = "TIFF" if mode == "CMYK" else "PNG"

        _, [ready] = prepared(picture("x", mode=mode, form=form))

        assert ready.mode == "L"
        assert ready.getpixel((1, 1)) > 250

    def test_stained_paper_becomes_black_and_white(self) -> None:
        _, [ready] = prepared(picture("Invoice", ink=90, paper=150), threshold=True)

        assert {colour for _, colour in ready.getcolors()} == {0, 255}

    def test_picture_is_turned_as_its_camera_says(self) -> None:
        tags = Image.Exif()
        tags[0x0112] = 6  # a quarter turn
        written = BytesIO()
        Image.new("L", (30, 10)).save(written, "JPEG", exif=tags)

        _, [ready] = prepared(written.getvalue())

        assert ready.size == (10, 30)

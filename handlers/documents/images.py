"""Pictures of text, made ready to be read: those of a file, and of the pages of a scanned PDF."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageFilter, ImageOps
from pypdf import PdfReader

from handlers.documents.failures import reading, too_complex
from handlers.errors import InputError

MOST_PIXELS: Final = 50_000_000  # of one picture: A4 at 600 dpi has 35 million
MOST_PAGES: Final = 20
_FORMATS: Final = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF", "PPM")
_DESKEW_SIZE: Final = 800  # pixels, of the small picture in which lines are looked for
_DESKEW_STEPS: Final = [step / 2 for step in range(-14, 15)]  # degrees
_LEAST_SKEW: Final = 0.4  # degrees

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def prepare(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """`{"pages": [{"bytes", "width", "height", "angle"}]}`, and the pages' PNG files one behind the other.

    *argument*: `what` it is called, `grayscale`, `denoise`, `deskew`, `threshold`. *angle* is by how many degrees a
    page was turned to be straight.
    """
    what = argument["what"]
    pages, made = [], bytearray()
    with reading(what), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            for picture in _pictures(content, what):
                ready, angle = _ready(picture, argument)
                written = BytesIO()
                ready.save(written, "PNG", compress_level=1)
                pages.append({"bytes": written.tell(), "width": ready.width, "height": ready.height, "angle": angle})
                made += written.getvalue()
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise _too_large(what) from error
    if not pages:
        raise InputError(f"{what} has no pictures of text. If it has text, pdfExtract reads that.", code="no_picture")
    return {"pages": pages}, bytes(made)


def _pictures(content: bytes, what: str) -> Iterator[Image.Image]:
    """Page by page."""
    if not content.startswith(b"%PDF-"):
        with Image.open(BytesIO(content), formats=_FORMATS) as opened:
            _check_pixels(opened, what)
            count = getattr(opened, "n_frames", 1) if opened.format == "TIFF" else 1
            if count > MOST_PAGES:
                raise too_complex(f"{what} has {count:,} pages; up to {MOST_PAGES} are read.")
            for number in range(count):
                opened.seek(number)
                _check_pixels(opened, what)
                yield ImageOps.exif_transpose(opened.copy())
        return
    reader = PdfReader(BytesIO(content))
    if len(reader.pages) > MOST_PAGES:
        raise too_complex(f"{what} has {len(reader.pages):,} pages; up to {MOST_PAGES} are read at a time.")
    for page in reader.pages:
        scans = [found.image for found in page.images if found.image is not None]
        if scans:
            yield max(scans, key=lambda scan: scan.width * scan.height)


def _check_pixels(picture: Image.Image, what: str) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large(what)


def _too_large(what: str) -> InputError:
    return too_complex(f"{what} has a picture of more than {MOST_PIXELS:,} pixels.")


def _ready(picture: Image.Image, argument: dict[str, Any]) -> tuple[Image.Image, float]:
    if "A" in picture.getbands() or "transparency" in picture.info:
        solid = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", solid.size, "white"), solid)
    wants_grey = argument["grayscale"] or argument["threshold"] or argument["deskew"]
    picture = picture.convert("L" if wants_grey else "RGB")
    if argument["denoise"]:
        picture = picture.filter(ImageFilter.MedianFilter(3))
    angle = _skew(picture) if argument["deskew"] else 0.0
    if abs(angle) >= _LEAST_SKEW:
        picture = picture.rotate(angle, resample=Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    if argument["threshold"]:
        level = _otsu(picture.histogram())
        picture = picture.point([255 if value > level else 0 for value in range(256)])
    return picture, angle


def _skew(picture: Image.Image) -> float:
    """By how much to turn *picture*: at the right angle, lines of text and the gaps between them differ most."""
    small = picture.copy()
    small.thumbnail((_DESKEW_SIZE, _DESKEW_SIZE))

    def contrast(angle: float) -> float:
        turned = small.rotate(angle, resample=Image.Resampling.BILINEAR, fillcolor=255)
        rows = turned.resize((1, turned.height), Image.Resampling.BOX).tobytes()
        mean = sum(rows) / len(rows)
        return sum((row - mean) ** 2 for row in rows)

    return max(_DESKEW_STEPS, key=lambda angle: (contrast(angle), -abs(angle)))


def _otsu(histogram: list[int]) -> int:
    """The grey that parts dark from light best. Source: N. Otsu, IEEE Trans. SMC 9(1), 1979."""
    total, whole = sum(histogram), sum(value * count for value, count in enumerate(histogram))
    best, level, dark, dark_sum = -1.0, 127, 0, 0
    for value, count in enumerate(histogram):
        dark += count
        dark_sum += value * count
        if not dark or dark == total:
            continue
        between = (whole * dark / total - dark_sum) ** 2 / (dark * (total - dark))
        if between > best:
            best, level = between, value
    return level

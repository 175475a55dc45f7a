"""Text in pictures, by the program tesseract where it is installed."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from handlers import processes
from handlers.base import JSONObject
from handlers.errors import ConfigError, InputError
from handlers.ports import Lent
from handlers.processes import Bounds, Fate, Finished

PROGRAM: Final = "tesseract"
LANGUAGE: Final = r"^[A-Za-z][A-Za-z_]*(/[A-Za-z_]+)?$"  # also what keeps it from being an option
_BOUNDS: Final = Bounds(
    seconds=120, cpu_seconds=120, address_bytes=2 * 1024**3, log_bytes=32 * 1024**2, file_bytes=64 * 1024**2
)
_NO_PROGRAM: Final = 127
_LANGUAGE_MISSING: Final = re.compile(r"Failed loading language '([^']*)'")
_SHOWN: Final = 300  # characters of what it complains about
_WORD_LEVEL: Final = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word of a page, and where it is, in pixels."""

    text: str
    confidence: float  # 0 to 100
    line: tuple[int, int, int]  # block, paragraph, line
    left: int
    top: int
    width: int
    height: int

    def to_json(self) -> JSONObject:
        return {
            "text": self.text,
            "confidence": self.confidence,
            "bbox": {"x": self.left, "y": self.top, "width": self.width, "height": self.height},
        }


def installed_languages(lent: Lent) -> list[str]:
    """Which languages can be read here. Raises ConfigError with code `ocr_missing`."""
    told = _run(["--list-langs"], b"", lent).stdout.decode(errors="replace").splitlines()
    return sorted(line.strip() for line in told[1:] if line.strip() and line.strip() != "osd")


def read(picture: bytes, *, languages: Sequence[str], mode: int, output: str, lent: Lent) -> str:
    """What tesseract makes of *picture*, a PNG: `tsv`, `hocr`, or with *mode* 0 its `osd`, the way up and the script.

    Raises ConfigError with code `ocr_missing` or `ocr_language_missing`, InputError for a picture it cannot read.
    """
    command = ["-", "-", *(["-l", "+".join(languages)] if mode else []), "--psm", str(mode)]
    finished = _run([*command, *([output] if mode else [])], picture, lent)
    if finished.is_cut:
        raise InputError("There is more text in the picture than is read at a time.", code="too_complex")
    return finished.stdout.decode(errors="replace")


def words_of(tsv: str, *, threshold: float) -> list[Word]:
    """The words of tesseract's table that it is at least *threshold* sure of."""
    return [word for word in _words(tsv) if word.confidence >= threshold]


def text_of_words(words: Sequence[Word]) -> str:
    """Line by line, an empty line between paragraphs."""
    paragraphs = [
        "\n".join(" ".join(word.text for word in line) for _, line in groupby(group, key=lambda word: word.line))
        for _, group in groupby(words, key=lambda word: word.line[:2])
    ]
    return "\n\n".join(paragraphs)


def _words(tsv: str) -> Iterator[Word]:
    for row in csv.DictReader(tsv.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        text = (row.get("text") or "").strip()
        if row.get("level") == _WORD_LEVEL and text:
            yield Word(
                text=text,
                confidence=round(float(row["conf"]), 1),
                line=(int(row["block_num"]), int(row["par_num"]), int(row["line_num"])),
                left=int(row["left"]),
                top=int(row["top"]),
                width=int(row["width"]),
                height=int(row["height"]),
            )


def _run(arguments: Sequence[str], picture: bytes, lent: Lent) -> Finished:
    env = {**processes.ENVIRONMENT, "OMP_THREAD_LIMIT": "1"}  # a worker runs several of these at a time
    if folder := os.environ.get("TESSDATA_PREFIX"):  # where the operator keeps more languages
        env["TESSDATA_PREFIX"] = folder
    finished = processes.run([PROGRAM, *arguments], stdin=picture, bounds=_BOUNDS, lent=lent, env=env)
    if finished.fate is not Fate.EXITED:
        raise InputError(f"Reading the picture took longer than {_BOUNDS.seconds:g} s.", code="too_complex")
    if finished.status == _NO_PROGRAM:
        raise ConfigError(
            "Text in pictures is read by the program tesseract, which is not installed where the workers run. Whoever"
            " runs them installs it (on Debian and Ubuntu the package tesseract-ocr).",
            code="ocr_missing",
        )
    if finished.status:
        raise _failure(finished.stderr.decode(errors="replace"), lent)
    return finished


def _failure(told: str, lent: Lent) -> ConfigError | InputError:
    if missing := _LANGUAGE_MISSING.search(told):
        known = ", ".join(installed_languages(lent))
        return ConfigError(
            f"languages: {missing[1]!r} is not installed for tesseract; installed are {known}.",
            code="ocr_language_missing",
        )
    return InputError(
        f"tesseract cannot read the picture: {' '.join(told.split())[:_SHOWN]}", code="unreadable_document"
    )

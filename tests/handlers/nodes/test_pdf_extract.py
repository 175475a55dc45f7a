from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from handlers import InputError
from handlers.registry import check_config
from tests.handlers.documents import made
from tests.handlers.fakes import CATALOGUE, RecordingLent, attempt, run


@pytest.fixture
def lent() -> RecordingLent:
    lent = RecordingLent()
    lent.files.write("a.pdf", made.pdf())
    lent.files.write("locked.pdf", made.pdf("Secret.", password="open sesame"))
    return lent


def read(lent: RecordingLent, **config: Any) -> Any:
    return run("pdfExtract", {"path": "a.pdf", **config}, lent=lent).data


@pytest.mark.parametrize(
    ("config", "text", "pages"),
    [
        ({}, "Page one.\n\nPage two.\n\nPage three.", []),
        ({"pageStart": 2}, "Page two.\n\nPage three.", []),
        (
            {"specificPages": "1, 3-3", "outputFormat": "markdown"},
            "## Page 1\n\nPage one.\n\n## Page 3\n\nPage three.",
            [],
        ),
        ({"specificPages": [2], "outputFormat": "json"}, "Page two.", [{"number": 2, "text": "Page two."}]),
        ({"extractText": False}, "", []),
    ],
)
def test_pdf_extract_gives_the_pages_asked_for(lent: RecordingLent, config: Any, text: str, pages: Any) -> None:
    data = read(lent, **config)

    assert (data["text"], data["pages"], data["pageCount"]) == (text, pages, 3)
    assert data["metadata"]["title"] == "A report"


def test_pdf_extract_leaves_the_metadata_out_if_asked(lent: RecordingLent) -> None:
    assert read(lent, extractMetadata=False)["metadata"] == {}


def test_pdf_extract_opens_what_has_a_password_and_hides_it(lent: RecordingLent) -> None:
    data = read(lent, path="locked.pdf", password="open sesame")

    assert data["text"] == "Secret."
    assert lent.hidden == {"open sesame"}


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"path": "none.pdf"}, "file_missing"),
        ({"path": None}, "file_missing"),
        ({"path": "locked.pdf"}, "password_needed"),
        ({"path": {"name": "a.pdf", "text": "none"}}, "unreadable_document"),
        ({"pageStart": 4}, "no_such_page"),
    ],
)
def test_pdf_extract_says_why_it_cannot(lent: RecordingLent, config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(lent, **config)

    assert refusal.value.code == code


@pytest.mark.parametrize("pages", ["1-", "a", "2-99999999", "1--2", [1.5]])
def test_pdf_extract_refuses_pages_that_are_none(pages: Any) -> None:
    with pytest.raises(ValidationError):
        attempt("pdfExtract", {"path": "a.pdf", "specificPages": pages})


def test_pdf_extract_takes_the_names_of_existing_workflows(lent: RecordingLent) -> None:
    assert run("pdfExtract", {"file": {"files": [{"path": "a.pdf"}]}}, lent=lent).data["pageCount"] == 3


def test_pdf_extract_finds_an_end_before_its_start() -> None:
    wrong = check_config(CATALOGUE["pdfExtract"], {"path": "a.pdf", "pageStart": 3, "pageEnd": 2})

    assert [field for field, _ in wrong] == ["pageEnd"]

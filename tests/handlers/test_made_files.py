from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers import InputError
from handlers.made_files import keep_as
from tests.handlers.fakes import EXECUTION, RecordingLent, attempt


def node(**changes: Any) -> Any:
    return replace(attempt("trigger", {}), **changes)


def made(lent: RecordingLent, filename: str, **changes: Any) -> str:
    stored = keep_as("pdf", node(**changes), lent, b"x", filename=filename)
    return stored.path


def test_file_made_goes_to_the_folder_of_its_visit() -> None:
    """Another attempt replaces it, and no other visit does."""
    lent = RecordingLent()

    paths = [made(lent, "report", attempt=number) for number in (1, 2)]
    others = {made(lent, "report", scope="loop[1]"), made(lent, "report", node_id="other")}

    assert len({*paths, *others}) == 3
    assert paths[0] == f"runs/{EXECUTION}/node/report.pdf"


def test_file_made_with_a_path_goes_there() -> None:
    assert made(RecordingLent(), "/out/Report.PDF") == "out/Report.PDF"


@pytest.mark.parametrize("filename", ["../report", "a/../b", "..\\x", "a\0"])
def test_file_made_leads_nowhere_else(filename: str) -> None:
    with pytest.raises(InputError) as refusal:
        made(RecordingLent(), filename)

    assert refusal.value.code == "invalid_path"

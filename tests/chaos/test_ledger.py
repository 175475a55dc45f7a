from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos import ledger
from workflows.ids import uuid7


def test_ledger_has_the_attempts_of_each_visit_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger"))
    run = uuid7()
    top, inside = ledger.Visit(run, "", "a"), ledger.Visit(run, "loop[0]", "a")

    ledger.note_begun(top, 1)
    ledger.note_begun(inside, 2)
    ledger.note_doubled("message")
    ledger.note_begun(top, 3)

    assert ledger.attempts(tmp_path / "ledger") == {top: [1, 3], inside: [2]}
    assert ledger.doubled(tmp_path / "ledger") == 1


def test_lines_of_many_writers_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ledger.PLACE, str(tmp_path / "ledger"))
    visits = [ledger.Visit(uuid7(), "", "a") for _ in range(200)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda visit: ledger.note_begun(visit, 1), visits))

    assert ledger.attempts(tmp_path / "ledger") == {visit: [1] for visit in visits}


def test_nothing_is_noted_where_no_ledger_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the process of the tests."""
    monkeypatch.delenv(ledger.PLACE, raising=False)
    monkeypatch.chdir(tmp_path)

    ledger.note_begun(ledger.Visit(uuid7(), "", "a"), 1)

    assert list(tmp_path.iterdir()) == []

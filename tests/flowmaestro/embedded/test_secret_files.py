from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flowmaestro.embedded import secret_key
from flowmaestro.embedded.secret_files import read_secret, write_secret


def test_secret_key_asked_for_by_many_at_once_is_one_and_private(tmp_path: Path) -> None:
    """Web and workers start together on a fresh home and must sign alike."""
    home = tmp_path / "home"

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(home), range(32)))

    assert len(keys) == 1
    assert [path.name for path in home.iterdir()] == ["secret-key"]
    assert (home / "secret-key").stat().st_mode & 0o777 == 0o600


def test_write_secret_over_an_open_file_makes_it_private(tmp_path: Path) -> None:
    """The new file is never the old one with its permissions."""
    path = tmp_path / "key"
    path.write_text("old")
    path.chmod(0o644)

    write_secret(path, "new")

    assert (read_secret(path), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


def test_read_secret_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """Whoever asks decides what that means."""
    assert read_secret(tmp_path / "none") == ""

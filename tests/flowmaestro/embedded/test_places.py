from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from flowmaestro.embedded import places, socket_dir
from flowmaestro.embedded.accounts import Account, account
from flowmaestro.embedded.errors import EmbeddedError
from flowmaestro.embedded.places import homes_of_public_data, named_data, open_socket_dir, prepare_data

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root keeps data outside the home")


def test_data_of_an_ordinary_user_lies_in_the_home(tmp_path: Path) -> None:
    """Removing the home removes it."""
    assert prepare_data(tmp_path, Account()) == tmp_path / "postgres"


@needs_root
def test_data_of_root_lies_behind_a_link_that_stays_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looked for twice it is found, also before initdb has made it; a moved home takes its link along."""
    monkeypatch.setattr(places, "PUBLIC", tmp_path / "public")
    home, moved = tmp_path / "home", tmp_path / "moved"
    home.mkdir()

    first = prepare_data(home, account())
    second = prepare_data(home, account())
    home.rename(moved)
    third = prepare_data(moved, account())

    assert first == second == third == named_data(moved)
    assert first.parent.parent == tmp_path / "public"
    assert homes_of_public_data() == [(first.parent, moved)]


@needs_root
def test_data_of_root_after_the_home_was_removed_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new home is empty, whatever its path was used for before."""
    monkeypatch.setattr(places, "PUBLIC", tmp_path / "public")
    home = tmp_path / "home"
    home.mkdir()
    first = prepare_data(home, account())
    shutil.rmtree(home)
    home.mkdir()

    assert prepare_data(home, account()) != first


@needs_root
def test_data_of_somebody_else_is_refused(tmp_path: Path) -> None:
    """Root does not run the cluster that a user made in their home."""
    data = tmp_path / "postgres"
    data.mkdir()
    os.chown(data, 4242, 4242)

    with pytest.raises(EmbeddedError) as caught:
        prepare_data(tmp_path, account())

    assert str(caught.value) == (
        f"{data} belongs to another user: run FlowMaestro as that user, or name another FLOWMAESTRO_HOME."
    )


@needs_root
def test_socket_dir_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
    """Its name can be guessed, and whoever owns the folder could answer as our server."""
    path = socket_dir(tmp_path)
    path.mkdir()
    os.chown(path, 4242, 4242)

    with pytest.raises(EmbeddedError) as caught:
        open_socket_dir(tmp_path, account())

    assert str(caught.value) == f"{path} belongs to somebody else. Remove it, or set TMPDIR to a folder of your own."
    path.rmdir()


def test_socket_dir_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """A link may lead to a folder that others can enter."""
    path = socket_dir(tmp_path)
    path.symlink_to(tmp_path)

    with pytest.raises(EmbeddedError):
        open_socket_dir(tmp_path, Account())

    path.unlink()


def test_socket_dir_that_was_open_is_closed(tmp_path: Path) -> None:
    """Whoever may enter it needs no password."""
    path = socket_dir(tmp_path)
    path.mkdir()
    path.chmod(0o755)

    assert open_socket_dir(tmp_path, Account()).stat().st_mode & 0o777 == 0o700

    path.rmdir()

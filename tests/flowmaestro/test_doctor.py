from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from pytest_django.fixtures import Settings

from flowmaestro.doctor import Finding, Level, examine
from flowmaestro.embedded import places
from flowmaestro.embedded.accounts import account
from flowmaestro.embedded.places import prepare_data
from handlers import ocr
from tests.executions.storages import with_outputs_in
from tests.factories import CredentialFactory, VariableFactory, WorkspaceFactory

pytestmark = pytest.mark.django_db


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def found(home: Path, subject: str) -> list[Finding]:
    """What is said of *subject*, without a look at any server."""
    return [finding for finding in examine(home) if finding.subject == subject]


@pytest.fixture(autouse=True)
def _without_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite's own servers are running; those of a home are met in management/test_stack.py."""
    for name in ("FLOWMAESTRO_EMBEDDED_POSTGRES", "FLOWMAESTRO_EMBEDDED_REDIS"):
        monkeypatch.setattr(f"django.conf.settings.{name}", False)


def test_examine_of_a_secret_that_others_can_read_fails(tmp_path: Path) -> None:
    """The key of a machine opens everything that is on it."""
    key = tmp_path / "api-key"
    key.write_text("fm_live_x")
    key.chmod(0o640)

    assert found(tmp_path, "secrets") == [
        Finding(level=Level.FAIL, subject="secrets", told=f"{key} can be read by others.", mend=f"chmod 600 {key}")
    ]


@pytest.mark.parametrize(
    ("free", "level", "told"),
    [
        (2 * 1024**3, Level.OK, ", 2 GB free"),
        (1024**3, Level.OK, ", 1 GB free"),  # just enough
        (1024**3 - 1, Level.WARN, " has 1023 MB left."),
    ],
)
def test_examine_of_the_home_warns_before_it_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level, told: str
) -> None:
    """PostgreSQL stops when the disk is full."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10 * 1024**3, 0, free))

    assert [(finding.level, finding.told) for finding in found(tmp_path, "home")] == [(level, f"{tmp_path}{told}")]


@pytest.mark.parametrize(
    ("environment", "level", "told"),
    [
        ({"OPENAI_API_KEY": "k"}, Level.OK, "OPENAI_API_KEY is set, for OpenAI"),
        (
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://model/v1"},
            Level.OK,
            "OPENAI_API_KEY is set, for http://model/v1",
        ),
        (
            {},  # workflows without language models need none
            Level.WARN,
            "OPENAI_API_KEY is not set: nodes of type llm fail, except in the demo, which has a stand-in.",
        ),
    ],
)
def test_examine_of_the_language_model_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], level: Level, told: str
) -> None:
    """The key itself is never shown."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert [(finding.level, finding.told) for finding in found(tmp_path, "language model")] == [(level, told)]


def test_examine_of_blob_storage_uses_it_and_leaves_nothing(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "blobs"
    settings.STORAGES = with_outputs_in("workflows.durable_files.DurableFiles", location=str(folder))

    (finding,) = found(tmp_path, "large outputs")

    assert finding.level is Level.OK
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_examine_of_blob_storage_that_cannot_be_written_fails(tmp_path: Path, settings: Settings) -> None:
    """Found before the first large output waits for it."""
    (tmp_path / "blobs").write_text("no folder")
    settings.STORAGES = with_outputs_in("workflows.durable_files.DurableFiles", location=str(tmp_path / "blobs"))

    (finding,) = found(tmp_path, "large outputs")

    assert (finding.level, "FLOWMAESTRO_BLOB_OPTIONS" in finding.mend) == (Level.FAIL, True)


@pytest.mark.parametrize(("is_folder", "level"), [(True, Level.OK), (False, Level.FAIL)])
def test_examine_of_the_storage_of_files_uses_it_and_leaves_nothing(
    tmp_path: Path, settings: Settings, is_folder: bool, level: Level
) -> None:
    """Found before the first file is lost on the way."""
    folder = tmp_path / "files"
    if not is_folder:
        folder.write_text("no folder")
    options = {"BACKEND": "workflows.durable_files.DurableFiles", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "files": options}

    (finding,) = found(tmp_path, "files")

    assert (finding.level, "FLOWMAESTRO_FILE_OPTIONS" in finding.mend) == (level, not is_folder)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_examine_of_programs_says_which_types_are_refused_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody needs them who has no such nodes."""
    monkeypatch.setattr(ocr, "PROGRAM", "no-such-program")

    (finding,) = found(tmp_path, "ocrExtraction")

    told = "tesseract is not installed: nodes of this type are refused"
    assert (finding.level, finding.told) == (Level.OK, told)


def test_examine_of_what_answers_is_ok(tmp_path: Path) -> None:
    """The suite's own database and Redis are as they should be."""
    findings = {finding.subject: finding.level for finding in examine(tmp_path)}

    assert {subject: findings[subject] for subject in ("PostgreSQL", "migrations", "Redis", "stack")} == dict.fromkeys(
        ("PostgreSQL", "migrations", "Redis", "stack"), Level.OK
    )


@pytest.mark.parametrize("key", ["the same", "another"])
def test_examine_of_stored_secrets_decrypts_them_all(tmp_path: Path, settings: Settings, key: str) -> None:
    """Variables and credentials; which they are is told, and nothing of what they say."""
    settings.SECRET_KEY = "the same"
    workspace = WorkspaceFactory()
    VariableFactory(workspace=workspace, name="TOKEN", value="tok-5f1c9e", secret=True)
    VariableFactory(workspace=workspace, name="REGION")
    CredentialFactory(workspace=workspace, name="Shop")
    settings.SECRET_KEY = key

    [finding] = found(tmp_path, "stored secrets")

    of = f"(of workspace {workspace.pk})"
    expected = {
        "the same": (Level.OK, "2, and all can be decrypted"),
        "another": (Level.FAIL, f"2 cannot be decrypted: Shop {of}, TOKEN {of}"),
    }
    assert (finding.level, finding.told) == expected[key]


def test_examine_of_a_redis_that_is_away_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the address that was tried, so that a typing mistake shows."""
    monkeypatch.setattr("django.conf.settings.REDIS_URL", "redis://127.0.0.1:1/0")

    (finding,) = found(tmp_path, "Redis")

    assert (finding.level, finding.mend) == (Level.FAIL, "Look at REDIS_URL.")
    assert "127.0.0.1:1" in finding.told


@pytest.mark.skipif(os.getuid() != 0, reason="only root keeps data outside the home")
def test_examine_names_the_data_of_removed_homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not removed by itself: the home may only have been moved."""
    monkeypatch.setattr(places, "PUBLIC", tmp_path / "public")
    removed, kept = tmp_path / "removed", tmp_path / "kept"
    folders = []
    for home in (removed, kept):
        home.mkdir()
        folders.append(prepare_data(home, account()).parent)
    shutil.rmtree(removed)

    assert [(finding.told, finding.mend) for finding in found(kept, "left-over data")] == [
        (
            f"{folders[0]} belonged to {removed}, which does not link to it any more.",
            f"Unless that home was moved: rm -r {folders[0]}",
        )
    ]


class TestCode:
    """The sandbox itself is met in tests/handlers/sandbox."""

    def test_examine_where_it_is_switched_off_tries_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delattr("handlers.sandbox.find_fault")

        assert [finding.level for finding in found(tmp_path, "code")] == [Level.OK]

    def test_examine_tells_what_each_language_lacks(
        self, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.FLOWMAESTRO_CODE = True
        monkeypatch.setattr("handlers.sandbox.find_fault", {"javascript": "There is no node."}.get)

        told = [(finding.level, finding.told) for finding in found(tmp_path, "code")]

        assert told == [
            (Level.WARN, "javascript: There is no node."),
            (Level.OK, "runs in its sandbox: python"),
        ]

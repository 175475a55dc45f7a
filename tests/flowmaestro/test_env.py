from __future__ import annotations

from pathlib import Path

import pytest

from flowmaestro.env import BadEnvironment, env, env_bool, env_int, env_list, env_object


def test_env_unset_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be set."""
    monkeypatch.delenv("FM_TEST", raising=False)

    assert (env("FM_TEST"), env("FM_TEST", "x")) == ("", "x")


def test_env_with_a_file_reads_it_without_its_newline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Container platforms hand in secrets as files; the file wins over the variable."""
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setenv("FM_TEST", "other")
    monkeypatch.setenv("FM_TEST_FILE", str(secret))

    assert env("FM_TEST") == "s3cret"


def test_env_with_a_missing_file_names_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A secret that cannot be read is never taken for an empty one."""
    path = tmp_path / "none"
    monkeypatch.setenv("FM_TEST_FILE", str(path))

    with pytest.raises(BadEnvironment) as caught:
        env("FM_TEST")

    assert str(caught.value) == f"FM_TEST_FILE: cannot read {str(path)!r}: No such file or directory"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("true", True),
        ("YES", True),  # case is no matter
        ("on", True),
        ("0", False),
        ("false", False),
        ("no", False),
        (" off ", False),  # nor is space around it
        ("", False),  # set to nothing means off
    ],
)
def test_env_bool_reads_the_usual_words(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    """People write booleans in several ways."""
    monkeypatch.setenv("FM_TEST", text)

    assert env_bool("FM_TEST", default=not value) is value


def test_env_bool_of_another_word_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typo in a safety switch must not turn it off."""
    monkeypatch.setenv("FM_TEST", "ture")

    with pytest.raises(BadEnvironment) as caught:
        env_bool("FM_TEST", default=True)

    assert str(caught.value) == "FM_TEST='ture' is neither true nor false; use 1 or 0."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("many", "FM_TEST='many' is not a whole number."),
        ("1.5", "FM_TEST='1.5' is not a whole number."),  # not cut
        ("0", "FM_TEST=0 is below 1."),
    ],
)
def test_env_int_that_cannot_be_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str, complaint: str) -> None:
    """The complaint names what to mend."""
    monkeypatch.setenv("FM_TEST", text)

    with pytest.raises(BadEnvironment) as caught:
        env_int("FM_TEST", 5, at_least=1)

    assert str(caught.value) == complaint


def test_env_int_unset_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default passes the same checks."""
    monkeypatch.delenv("FM_TEST", raising=False)

    assert env_int("FM_TEST", 5) == 5


def test_env_list_drops_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trailing comma is not an empty host."""
    monkeypatch.setenv("FM_TEST", "a, b,,c,")

    assert env_list("FM_TEST") == ["a", "b", "c"]


@pytest.mark.parametrize(("text", "value"), [("", {}), ('{"location": "/srv", "n": 1}', {"location": "/srv", "n": 1})])
def test_env_object_is_json(monkeypatch: pytest.MonkeyPatch, text: str, value: dict[str, object]) -> None:
    """Set to nothing, it is empty."""
    monkeypatch.setenv("FM_TEST", text)

    assert env_object("FM_TEST") == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("location=/srv", "FM_TEST is not JSON: Expecting value: line 1 column 1 (char 0)"),
        ('["/srv"]', 'FM_TEST is no JSON object; write {"option": "value"}.'),
    ],
)
def test_env_object_that_is_none_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str, complaint: str) -> None:
    """What it holds may be secret, and is not repeated."""
    monkeypatch.setenv("FM_TEST", text)

    with pytest.raises(BadEnvironment) as caught:
        env_object("FM_TEST")

    assert str(caught.value) == complaint

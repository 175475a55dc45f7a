from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.paths import clean_path
from handlers.run_files import LONGEST_NAME, file_name, path_in_run
from tests.handlers.fakes import EXECUTION, attempt


def test_path_in_run_is_that_of_the_visit() -> None:
    """Every attempt of it writes the same file, another iteration another."""
    node = attempt("trigger", {})
    inside = replace(node, scope="loop1[3]/par2[0]", attempt=2)

    assert path_in_run(node, "a.txt") == f"runs/{EXECUTION}/node/a.txt"
    assert path_in_run(inside, "a.txt") == f"runs/{EXECUTION}/loop1[3]/par2[0]/node/a.txt"


@pytest.mark.parametrize("node_id", ["a/b", "a ", "..", "x" * 300, "a\0b", "\ud800", "C:", "a\\b"])
def test_path_in_run_of_any_node_is_one(node_id: str) -> None:
    """And no other node's."""
    node = replace(attempt("trigger", {}), node_id=node_id)

    path = path_in_run(node, "a.txt")

    assert clean_path(path) == path
    assert path.count("/") == 3
    assert path != path_in_run(replace(node, node_id=f"{node_id}-"), "a.txt")


@pytest.mark.parametrize(
    ("suggested", "content_type", "name"),
    [
        ("report.pdf", "", "report.pdf"),
        ("Grüße 2.txt", "", "Grüße 2.txt"),
        ("report", "application/pdf", "report.pdf"),
        ("report", "application/pdf; version=1", "report.pdf"),
        ("report", "no/such", "report"),
        (None, "image/png", "download.png"),
        ("", "", "download"),
        ("/etc/passwd", "", "passwd"),
        ("../../etc/passwd", "", "passwd"),
        ("..\\..\\boot.ini", "", "boot.ini"),
        ("%2e%2e%2fpasswd", "", "passwd"),
        ("%252e%252e%252fpasswd", "", "passwd"),
        ("..", "", "download"),
        ("...", "image/png", "download.png"),
        (".bashrc", "", "bashrc"),
        ("a\r\nSet-Cookie: b.txt", "", "a_Set-Cookie_ b.txt"),
        ("a\0.txt", "", "a_.txt"),
        ("‮txt.exe", "", "txt.exe"),  # noqa: PLE2502 -- turns the direction of what follows
        ("ａ／．．／b.txt", "", "b.txt"),  # noqa: RUF001 -- full-width, which are folded
        ("x" * 500 + ".txt", "", "x" * (LONGEST_NAME - 4) + ".txt"),
        ("a." + "b" * 500, "", "a." + "b" * 19),
    ],
)
def test_file_name_from_outside_is_a_harmless_name(suggested: str | None, content_type: str, name: str) -> None:
    """It stays in the folder it is put into, whoever reads it."""
    assert file_name(suggested, content_type=content_type) == name
    assert clean_path(name) == name

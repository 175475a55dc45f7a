"""The client for outsiders, run by Node where there is one: what each file of `following/` says of it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.realtime.javascript import needs_node

pytestmark = needs_node

FILES = sorted((Path(__file__).parent / "following").glob("*.test.mjs"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".test.mjs"))
def test_client_does_what_its_tests_say(file: Path) -> None:
    """Each `test` in it is a sentence; the first that is not so is shown."""
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(file)], capture_output=True, text=True, check=False, timeout=60
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# fail 0\n" in done.stdout
    assert "\n# pass 0\n" not in done.stdout

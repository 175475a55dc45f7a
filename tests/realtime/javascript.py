"""The page's own modules, run by Node where there is one."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import realtime

MODULES = Path(realtime.__file__).parent / "static/realtime"
HARNESS = Path(__file__).parent / "javascript.mjs"

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no Node here to run the page's script")


@cache
def modules() -> str:
    """The modules in a folder that says they are modules: Node asks for that, browsers do not."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    shutil.copytree(MODULES, folder, dirs_exist_ok=True)
    (Path(folder) / "package.json").write_text('{"type": "module"}')
    return folder


def javascript(call: str, value: Any) -> Any:
    done = subprocess.run(
        ["node", str(HARNESS), modules()],
        input=json.dumps({"call": call, "with": value}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def folded(frames: list[dict[str, Any]]) -> Any:
    """The state of who heard these *frames*."""
    (state,) = javascript("folds", [frames])
    return state

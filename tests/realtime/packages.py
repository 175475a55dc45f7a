"""Packages of npm that only tests want: installed once into a folder of this machine, where npm can.

`FLOWMAESTRO_NODE_MODULES` names another folder that has them in `node_modules`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import gettempdir

import pytest

PACKAGES = {
    "react": "19.3.1",
    "react-test-renderer": "19.3.1",
    "typescript": "5.9.3",
    "@types/react": "19.3.0",
}


@cache
def _folder() -> Path | None:
    if named := os.environ.get("FLOWMAESTRO_NODE_MODULES"):
        return Path(named)
    if shutil.which("npm") is None:
        return None
    folder = Path(gettempdir()) / f"flowmaestro-node-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("w") as lock:  # pytest-xdist: the other process waits, and finds them
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "installed").exists():
            (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": PACKAGES}))
            command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0"]
            try:
                subprocess.run(command, cwd=folder, capture_output=True, check=True, timeout=60)
            except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
                return None
            (folder / "installed").touch()
    return folder


def packages() -> Path:
    """The folder; skips the test where there is none."""
    folder = _folder()
    if folder is None:
        pytest.skip("npm cannot install React and TypeScript here")
    return folder

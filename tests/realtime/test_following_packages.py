"""The client with what others bring: React draws by its hook, TypeScript reads its types."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.realtime.javascript import MODULES, needs_node
from tests.realtime.packages import packages
from tests.test_readme import block

pytestmark = needs_node

FOLLOWING = Path(__file__).parent / "following"
# What a project that is strict sets, but for parameters without a type of their own.
STRICT = {
    "strict": True,
    "noImplicitAny": False,
    "checkJs": True,
    "noEmit": True,
    "target": "es2022",
    "module": "nodenext",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": [],
}


def linked(folder: Path) -> Path:
    """*folder* with the packages beside what is written into it."""
    (folder / "node_modules").symlink_to(packages() / "node_modules")
    shutil.copytree(MODULES, folder / "client")
    return folder


def test_component_of_the_readme_is_drawn_by_react(tmp_path: Path) -> None:
    """Mounted once and twice, as StrictMode does; React itself finds nothing to complain of."""
    folder = linked(tmp_path)
    snippet = block("js", after="For React, where").replace("/static/realtime/", "./client/")
    (folder / "component.mjs").write_text(snippet, encoding="utf-8")
    shutil.copytree(FOLLOWING, folder / "following")
    test = (folder / "following/react.real.mjs").rename(folder / "following/react.test.mjs")

    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(test)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "FLOWMAESTRO_NODE_MODULES": str(folder)},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 2\n" in done.stdout


def test_types_of_the_client_hold(tmp_path: Path) -> None:
    """Those in its comments, as an editor reads them for whoever imports it."""
    folder = linked(tmp_path)
    files = ["client/flowmaestro.js", "client/react.js"]
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": STRICT, "files": files}))

    done = subprocess.run(
        ["node", "node_modules/typescript/bin/tsc", "-p", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert (done.stdout, done.returncode) == ("", 0)

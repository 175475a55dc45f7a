from __future__ import annotations

import ast
import sys
from pathlib import Path

JUDGE = Path(__file__).with_name("judge")


def test_judge_imports_itself_the_standard_library_and_the_client_alone() -> None:
    """It runs where nothing of ours is installed, and judges by nothing of ours."""
    known = sys.stdlib_module_names | {"flowmaestro"} | {path.stem for path in JUDGE.glob("*.py")}

    assert {module for path in JUDGE.glob("*.py") for module in imported(path)} - known == set()


def imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}

from __future__ import annotations

from pathlib import Path

import pytest

from flowmaestro.supervisor import ChildSpec
from tests.flowmaestro.supervisor.children import REPOSITORY, SLEEPER, MakeChild


@pytest.fixture
def make_child(tmp_path: Path) -> MakeChild:
    """Writes a module and gives the spec that runs it."""

    def make(name: str, code: str = SLEEPER, *, drain_seconds: float = 5.0) -> ChildSpec:
        module = f"fake_{name}"
        (tmp_path / f"{module}.py").write_text(code)
        return ChildSpec(
            name=name,
            module=module,
            environment={"PYTHONPATH": f"{tmp_path}:{REPOSITORY}"},
            log=tmp_path / "logs" / f"{name}.log",
            drain_seconds=drain_seconds,
        )

    return make

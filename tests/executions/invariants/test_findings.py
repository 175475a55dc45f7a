from __future__ import annotations

import pytest

from executions.invariants import Finding, Invariant
from workflows.ids import uuid7


@pytest.mark.parametrize("code", Invariant)
def test_everything_that_can_be_wrong_has_a_remedy(code: Invariant) -> None:
    finding = Finding(code=code, execution_id=uuid7(), wrong="It is wrong.")

    assert finding.mend.endswith(".")

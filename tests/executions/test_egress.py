from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings

from handlers.network.egress import current_policy, read_policy

STARTS = "import django; django.setup()"


def test_policy_of_the_process_is_that_of_the_settings() -> None:
    """Handlers know no settings: they are told."""
    assert current_policy() == read_policy(settings.FLOWMAESTRO_EGRESS_ALLOW)


@pytest.mark.parametrize("entry", ["http://db.test"])
def test_process_with_a_policy_that_cannot_be_read_does_not_start(entry: str) -> None:
    """Rather than go on without a guard, or with another than was meant."""
    ended = subprocess.run(
        [sys.executable, "-c", STARTS],
        check=False,
        timeout=60,
        capture_output=True,
        env={**os.environ, "FLOWMAESTRO_EGRESS_ALLOW": entry},
    )

    assert ended.returncode == 1
    assert f"FLOWMAESTRO_EGRESS_ALLOW: {entry!r}" in ended.stderr.decode()

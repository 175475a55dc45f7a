from __future__ import annotations

import pytest

from tests.doors import Api
from tests.factories import WorkspaceFactory


@pytest.fixture
def api(db: None) -> Api:
    """A script with a key of one workspace."""
    return Api(WorkspaceFactory())


@pytest.fixture
def stranger(db: None) -> Api:
    """The same, of another workspace."""
    return Api(WorkspaceFactory())

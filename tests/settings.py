"""The site's settings, with our own keys in Redis, the node types of the tests, and less patience."""

import json
import os
from tempfile import gettempdir

# Each process that pytest-xdist starts has keys and files of its own, which the workers of its tests inherit; it is
# itself a child of a process that has some.
_process = os.environ.get("PYTEST_XDIST_WORKER", "alone")
if os.environ.get("FMTEST_PROCESS") != _process:
    _mine = f"fmtest-{os.getpid()}"
    os.environ["FMTEST_PROCESS"] = _process
    os.environ["FLOWMAESTRO_REDIS_PREFIX"] = f"{_mine}:"
    for _kind in ("BLOB", "FILE"):  # removed by tests.conftest
        os.environ[f"FLOWMAESTRO_{_kind}_OPTIONS"] = json.dumps({"location": f"{gettempdir()}/{_mine}-{_kind}".lower()})
os.environ.setdefault("FLOWMAESTRO_NODE_HANDLERS", "tests.nodes")
os.environ.setdefault("FLOWMAESTRO_LEASE_SECONDS", "2")
os.environ.setdefault("FLOWMAESTRO_SWEEP_MS", "300")
os.environ.setdefault("FLOWMAESTRO_EGRESS_ALLOW", "127.0.0.0/8,::1")  # the servers that tests let nodes talk to

from flowmaestro.settings import *  # noqa: E402, F403

FLOWMAESTRO_FAULTS = os.environ.get("FLOWMAESTRO_FAULTS", "")

"""The site's settings, with our own keys in Redis, the node types of the tests, and less patience."""

import json
import os
from tempfile import gettempdir

os.environ.setdefault("FLOWMAESTRO_REDIS_PREFIX", f"fmtest-{os.getpid()}:")  # the workers of a test inherit it
os.environ.setdefault("FLOWMAESTRO_NODE_HANDLERS", "tests.nodes")
os.environ.setdefault("FLOWMAESTRO_LEASE_SECONDS", "2")
os.environ.setdefault("FLOWMAESTRO_SWEEP_MS", "300")
os.environ.setdefault("FLOWMAESTRO_EGRESS_ALLOW", "127.0.0.0/8,::1")  # the servers that tests let nodes talk to
# Removed by tests.conftest.
os.environ.setdefault(
    "FLOWMAESTRO_BLOB_OPTIONS", json.dumps({"location": f"{gettempdir()}/fmtest-{os.getpid()}-blobs"})
)
os.environ.setdefault(
    "FLOWMAESTRO_FILE_OPTIONS", json.dumps({"location": f"{gettempdir()}/fmtest-{os.getpid()}-files"})
)

from flowmaestro.settings import *  # noqa: F403

FLOWMAESTRO_FAULTS = os.environ.get("FLOWMAESTRO_FAULTS", "")

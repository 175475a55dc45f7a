"""The command lines and environments of the children that make up the stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from django.conf import settings

from flowmaestro.embedded.places import log_file
from flowmaestro.supervisor.children import ChildSpec
from flowmaestro.supervisor.ports import HOST
from flowmaestro.worker import WorkerOptions, pool_environment

# It may finish what it runs, and then has a moment to hand over the rest and go.
WORKER_DRAIN_SECONDS: Final = settings.FLOWMAESTRO_DRAIN.total_seconds() + 5
WEB_POOL: Final = 16  # database connections; as many requests can be inside a query at once


def web(home: Path, *, listener: int) -> ChildSpec:
    """The web process, serving the listening socket of the descriptor *listener*."""
    return ChildSpec(
        name="web",
        module="daphne",
        arguments=(
            f"--fd={listener}",
            "--verbosity=0",  # no line per request; warnings and errors are logged
            "--no-server-name",
            "--websocket_timeout=-1",  # a run may be watched for days
            "flowmaestro.asgi:application",
        ),
        environment={
            "FLOWMAESTRO_HOME": str(home),
            **pool_environment(WEB_POOL),
            # Only this machine reaches the listener, by this name; a proxy in front passes on those that are set.
            "ALLOWED_HOSTS": ",".join(dict.fromkeys([*settings.ALLOWED_HOSTS, HOST])),
        },
        log=log_file(home, "web"),
        descriptors=(listener,),
    )


def worker(home: Path, number: int, environment: Mapping[str, str]) -> ChildSpec:
    options = WorkerOptions(concurrency=settings.FLOWMAESTRO_CONCURRENCY, name=f"worker-{number}-{os.getpid()}")
    return ChildSpec(
        name=f"worker-{number}",
        module="celery",
        arguments=options.arguments,
        environment={"FLOWMAESTRO_HOME": str(home), **options.environment, **environment},
        log=log_file(home, f"worker-{number}"),
        drain_seconds=WORKER_DRAIN_SECONDS,
    )


def standin(home: Path, *, port: int) -> ChildSpec:
    """The stand-in for a language model and a stock service, which the demo talks to."""
    return ChildSpec(
        name="stand-in", module="flowmaestro.standin", arguments=(f"--port={port}",), log=log_file(home, "standin")
    )


def has_model() -> bool:
    """Whether our environment names a language model, which the workers inherit."""
    return bool(os.environ.get("OPENAI_API_KEY"))


def standin_environment(url: str | None) -> dict[str, str]:
    """What lets workers call the stand-in at *url*, and use it as their language model unless they have a real one."""
    if url is None:
        return {}
    allowed = ",".join([*settings.FLOWMAESTRO_EGRESS_ALLOW, url.removeprefix("http://")])
    # Like a key, for it is hidden wherever a run tells it.
    model = {} if has_model() else {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "key-of-nobody"}
    return {"FLOWMAESTRO_EGRESS_ALLOW": allowed, **model}

"""Has the published client do what its users do, sync and async, and says in a line what each step has seen.

    python -Es judge URL GREETING LATE PAUSING LATE_URL      # FLOWMAESTRO_CLIENT_KEY: the key

GREETING, LATE and PAUSING are ids of workflows; LATE_URL is a server that answers GET /SECONDS when these are over. This
folder runs where only the client is installed, and imports nothing of ours. Agents, threads, triggers, knowledge bases
and webhooks are asked for once there are any.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.metadata
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

from cases import Case, opened
from shapes import Unexpected, expect
from steps import STEPS

import flowmaestro

PUBLISHED = "0.1.0"
CLIENTS = {"sync": flowmaestro.FlowMaestroClient, "async": flowmaestro.AsyncFlowMaestroClient}


async def main() -> int:
    """Exit code: 0 when every step went well with both clients."""
    url, greeting, late, pausing, late_url = sys.argv[1:]
    key = os.environ["FLOWMAESTRO_CLIENT_KEY"]
    say(published())
    went_well: list[bool] = []
    for name, kind in CLIENTS.items():
        async with AsyncExitStack() as stack:
            client = await opened(stack, kind(api_key=key, base_url=url))
            workflows = {"greeting": greeting, "late": late, "pausing": pausing}
            case = Case(kind=kind, client=client, url=url, key=key, late_url=late_url, **workflows)
            went_well += [await goes_well(step, case, name) for step in STEPS]
    say(f"{sum(went_well)} of {len(went_well)} steps went well.")
    return 0 if all(went_well) else 1


def published() -> str:
    """What the client is, once it is shown to be the published one, to the byte. Raises Unexpected."""
    distribution = importlib.metadata.distribution("flowmaestro")
    expect("version", distribution.version, PUBLISHED)
    files = [file for file in distribution.files or [] if file.hash and file.suffix == ".py"]
    for file in files:
        digest = hashlib.new(file.hash.mode, file.locate().read_bytes()).digest()
        expect(f"hash of {file}", base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), file.hash.value)
    return f"flowmaestro {distribution.version}, {len(files)} modules as they were published"


async def goes_well(step: Callable[[Case], Awaitable[str]], case: Case, name: str) -> bool:
    subject = f"{name:<6}{step.__name__.replace('_', ' '):<27}"
    try:
        say(f"{subject}{await step(case)}")
    except (Unexpected, flowmaestro.FlowMaestroError) as error:
        say(f"{subject}FAILED: {type(error).__name__}: {error}")
    except Exception:  # noqa: BLE001 -- the other steps have something to tell nevertheless
        say(f"{subject}FAILED:\n{traceback.format_exc()}")
    else:
        return True
    return False


def say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except Unexpected as error:
        sys.exit(f"This is not the published client: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

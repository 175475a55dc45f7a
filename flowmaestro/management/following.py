"""A run that is followed by a command: its progress on the error output, its outputs on the other, for a pipe."""

from __future__ import annotations

import json

from django.core.management.base import OutputWrapper
from rich.console import Console

from flowmaestro.management.here import Here
from flowmaestro.terminal import on_pause, view_for, watch
from flowmaestro.terminal.exits import EXIT_CODES
from handlers import JSONObject


def follow_to_end(stack: Here, started: JSONObject, *, output: OutputWrapper, errors: OutputWrapper) -> int:
    """The exit code of the run that was *started*, or joined, once it is over or is left paused.

    Raises ApiError, FollowError.
    """
    console = Console(stderr=True)
    asks = on_pause(stack.client, started, console, key_path=stack.key_path)
    run = watch(stack.client, started, view_for(console), asks)
    if run.outputs_omitted is not None:
        nodes = f"{stack.url}/api/v1/executions/{started['execution_id']}/nodes"
        errors.write(f"The outputs have {run.outputs_omitted:,} characters; read them node by node: {nodes}")
    output.write(json.dumps(run.outputs, indent=2, ensure_ascii=False))
    return EXIT_CODES[run.status]

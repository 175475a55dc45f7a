"""One of the two clients and what it is used on. `answer` and `each` make the two look the same."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from shapes import check_execution, check_type

import flowmaestro
from flowmaestro import types

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One of the two clients, and what it is to be used on."""

    kind: type[Any]
    client: Any
    url: str
    key: str
    greeting: str
    late: str
    pausing: str
    late_url: str

    async def other(self, stack: AsyncExitStack, **more: Any) -> Any:
        """Another client of the same kind, until *stack* is closed."""
        return await opened(stack, self.kind(**{"api_key": self.key, "base_url": self.url, **more}))

    async def greet(self, client: Any = None, **inputs: Any) -> str:
        """The id of a run that was started."""
        started = await answer((client or self.client).workflows.execute(self.greeting, inputs=inputs))
        check_type(started["data"], types.ExecuteWorkflowResponse, "execute")
        return str(started["data"]["execution_id"])

    async def call_late(self, seconds: float) -> str:
        """The id of a run that was started and waits for an answer."""
        inputs = {"url": f"{self.late_url}/{seconds}"}
        started = await answer(self.client.workflows.execute(self.late, inputs=inputs))
        return str(started["data"]["execution_id"])

    async def pause(self, seconds: float) -> str:
        """The id of a run that was started and will be paused for so long."""
        started = await answer(self.client.workflows.execute(self.pausing, inputs={"seconds": seconds}))
        return str(started["data"]["execution_id"])

    async def end_of(self, execution_id: str) -> Any:
        wait = self.client.executions.wait_for_completion
        execution = await answer(wait(execution_id, poll_interval=0.1, timeout=PATIENCE_SECONDS))
        check_execution(execution)
        return execution


async def answer(given: Any) -> Any:
    """What a method of either client gives back."""
    return await given if inspect.isawaitable(given) else given


async def each(events: Any) -> AsyncIterator[Any]:
    """The events of either client."""
    if isinstance(events, AsyncIterator):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event


async def opened(stack: AsyncExitStack, client: Any) -> Any:
    if isinstance(client, flowmaestro.AsyncFlowMaestroClient):
        return await stack.enter_async_context(client)
    return stack.enter_context(client)

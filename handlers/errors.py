"""Why a node failed, told by whose move it is.

    HandlerError
    ├── ConfigError        the author's: the configuration cannot run            not retried
    │   └── EgressRefused  it leads where nodes may not connect to               not retried
    ├── InputError         the author's: the data does not fit the node          not retried
    ├── ProviderError      the other side's: a service failed                    retried when it may pass
    │   ├── RateLimited    it asked us to slow down                              retried
    │   └── Unreachable    no answer at all: connection, name, time              retried
    ├── NodeTimeout        the attempt took longer than its limit                retried
    └── Cancelled          nobody wants the result any more                      never

Anything else a handler raises is ours: a bug, reported as `internal_error` and not retried.

An error may bring the node's `output` along: a 503 is worth another attempt, yet once there is none left it is an
answer like any other. Whoever decides on attempts then completes the node with that output instead of failing it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a child of `handlers.processes` raises these, and must not wait until pydantic is there
    from handlers.base import JSONObject, NodeOutput


class HandlerError(Exception):
    """The node failed."""

    code = "node_failed"
    retryable = False

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        details: JSONObject | None = None,
        output: NodeOutput | None = None,
    ) -> None:
        super().__init__(message or self.__doc__)
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        self.retry_after = retry_after  # seconds; None when nobody said
        self.details = details or {}
        self.output = output  # what the node completes with when no further attempt is made; None: it fails


class ConfigError(HandlerError):
    """The node's configuration cannot run."""

    code = "invalid_config"


class EgressRefused(ConfigError):
    """Nodes may not connect there."""

    code = "egress_refused"


class InputError(HandlerError):
    """The data does not fit what the node does with it."""

    code = "invalid_input"


class ProviderError(HandlerError):
    """The service the node called failed."""

    code = "provider_error"

    def __init__(self, message: str | None = None, *, status: int | None = None, **more: object) -> None:
        super().__init__(message, **more)  # type: ignore[arg-type]  # checked at the base
        self.status = status  # HTTP status, when there was an answer


class RateLimited(ProviderError):
    """The service asked us to slow down."""

    code = "rate_limited"
    retryable = True


class Unreachable(ProviderError):
    """The service did not answer."""

    code = "unreachable"
    retryable = True


class NodeTimeout(HandlerError):
    """The attempt took longer than its time limit."""

    code = "timeout"
    retryable = True


class Cancelled(HandlerError):
    """The run no longer wants this attempt."""

    code = "cancelled"


# Source: the statuses a client may repeat a request after (RFC 9110, 15.5 and 15.6; RFC 8470 for 425).
RETRYABLE_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 529})

from __future__ import annotations

import pytest

from handlers import NodeOutput
from handlers.errors import (
    Cancelled,
    ConfigError,
    HandlerError,
    InputError,
    NodeTimeout,
    ProviderError,
    RateLimited,
    Unreachable,
)


@pytest.mark.parametrize(
    ("kind", "code", "retryable", "message"),
    [
        (HandlerError, "node_failed", False, "The node failed."),
        (ConfigError, "invalid_config", False, "The node's configuration cannot run."),
        (InputError, "invalid_input", False, "The data does not fit what the node does with it."),
        (ProviderError, "provider_error", False, "The service the node called failed."),
        (RateLimited, "rate_limited", True, "The service asked us to slow down."),
        (Unreachable, "unreachable", True, "The service did not answer."),
        (NodeTimeout, "timeout", True, "The attempt took longer than its time limit."),
        (Cancelled, "cancelled", False, "The run no longer wants this attempt."),
    ],
)
def test_handler_error_without_arguments_says_what_it_is(
    kind: type[HandlerError], code: str, retryable: bool, message: str
) -> None:
    """Codes are API: error ports branch on them."""
    error = kind()

    assert (error.code, error.retryable, str(error)) == (code, retryable, message)
    assert (error.retry_after, error.details, error.output) == (None, {}, None)


def test_handler_error_with_arguments_carries_them() -> None:
    """What one failure knows better than its class."""
    output = NodeOutput(data={"status": 503})

    error = ProviderError(
        "busy", status=503, code="busy", retryable=True, retry_after=2.5, details={"a": 1}, output=output
    )

    assert (str(error), error.status, error.code, error.retryable) == ("busy", 503, "busy", True)
    assert (error.retry_after, error.details, error.output) == (2.5, {"a": 1}, output)
    assert (ProviderError.code, ProviderError.retryable) == ("provider_error", False)

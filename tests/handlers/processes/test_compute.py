from __future__ import annotations

from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from handlers import Cancelled, ConfigError, HandlerError, InputError, ProviderError, RateLimited
from handlers.processes import Bounds, ChildFailed, compute
from tests.handlers.fakes import RecordingLent

MB = 1024**2
BOUNDS = Bounds(seconds=20, address_bytes=512 * MB)
TARGETS = "tests.handlers.processes.targets"


def call(name: str, argument: Any = None, content: bytes = b"", *, bounds: Bounds = BOUNDS) -> tuple[Any, bytes]:
    return compute(f"{TARGETS}:{name}", argument, content, bounds=bounds, lent=RecordingLent())


def test_a_value_and_bytes_go_there_and_come_back() -> None:
    assert call("double", "é\n", b"\x00\n\xff") == ({"twice": "é\né\n"}, b"\x00\n\xff\x00\n\xff")


def test_content_larger_than_any_pipe_passes_both_ways() -> None:
    content = bytes(range(256)) * 20_000

    answer, made = call("double", 1, content)

    assert answer == {"twice": 2}
    assert made == content * 2


def test_what_a_library_prints_is_no_part_of_the_answer() -> None:
    assert call("prints", '{"answer": 42}') == (None, b"")


def test_a_child_loads_no_more_than_its_function_needs() -> None:
    """What the front door of `handlers` imports takes ten times as long as to start an interpreter."""
    assert call("modules", ["handlers.errors", "pydantic", "handlers.base", "django"]) == (["handlers.errors"], b"")


@pytest.mark.parametrize(
    ("named", "kind", "attributes"),
    [
        ("config", ConfigError, {"code": "no_mode", "details": {"field": "mode"}, "retryable": False}),
        ("limited", RateLimited, {"code": "rate_limited", "retry_after": 7.5, "status": 429, "retryable": True}),
        ("provider", ProviderError, {"code": "provider_error", "status": 410, "retryable": False}),
        ("choosy", InputError, {"code": "choosy"}),  # its own class is not known here
    ],
)
def test_errors_cross_as_themselves(named: str, kind: type[HandlerError], attributes: dict[str, Any]) -> None:
    with pytest.raises(HandlerError) as caught:
        call("raises", named)

    assert type(caught.value) is kind
    assert {name: getattr(caught.value, name) for name in attributes} == attributes


@pytest.mark.parametrize(("name", "argument"), [("raises", "bug"), ("answers_nonsense", None), ("missing", None)])
def test_a_bug_in_the_function_is_no_fault_of_the_data(name: str, argument: Any) -> None:
    with pytest.raises(ChildFailed, match=r"Traceback"):
        call(name, argument)


@pytest.mark.parametrize(
    ("name", "argument", "bounds", "reason"),
    [
        ("hoards", 600 * MB, BOUNDS, "memory"),
        ("sleeps", 20, Bounds(seconds=0.3), "longer than 0.3 s"),
        ("spins", None, Bounds(seconds=20, cpu_seconds=1), "longer"),
        ("crashes", None, BOUNDS, "nested"),
        ("digs", None, BOUNDS, "nested"),
        ("floods", 3 * MB, Bounds(seconds=20, reply_bytes=1 * MB), "more than 1 MB"),
    ],
)
def test_what_goes_beyond_its_bounds_is_too_complex(name: str, argument: Any, bounds: Bounds, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        call(name, argument, bounds=bounds)

    assert caught.value.code == "too_complex"


def test_a_cancelled_child_is_killed() -> None:
    lent = RecordingLent()
    Timer(0.3, lent.cancel).start()

    with pytest.raises(Cancelled):
        compute(f"{TARGETS}:sleeps", 60, bounds=Bounds(seconds=60), lent=lent)


def test_the_child_is_a_file_beside_the_package() -> None:
    """It is started by its path: a wheel without it would compute nothing."""
    assert (Path(compute.__code__.co_filename).parent / "child.py").is_file()

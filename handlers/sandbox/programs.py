"""A program's way through the sandbox: from its text to what came of it."""

from __future__ import annotations

import json
import math
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

from handlers import processes
from handlers.base import JSONValue
from handlers.errors import ConfigError, HandlerError, InputError, NodeTimeout
from handlers.ports import Lent
from handlers.processes import Bounds, Fate, Finished
from handlers.sandbox import bubblewrap, runtimes, seccomp
from handlers.sandbox.outcome import Outcome
from handlers.sandbox.runtimes import Runtime
from handlers.values import read_json

LANGUAGES: Final[Mapping[str, Callable[..., Runtime | None]]] = {
    "python": runtimes.python,
    "javascript": runtimes.javascript,
}
MAX_RESULT_BYTES: Final = 10 * 1024**2
_MAX_PRINTED_BYTES: Final = 64 * 1024  # of each stream; the rest is dropped
_TRIAL_SECONDS: Final = 10.0
_START_SECONDS: Final = 5.0  # for namespaces and the interpreter, beside the program's own time
_READY: Final = b"ready\n"
_INTERPRETERS: Final = {"python": "Python (python3)", "javascript": "Node.js (node)"}
_TOLD: Final = 2_000  # characters of what the sandbox says when it does not come up


class _Switch:
    is_on = False


def allow(allowed: bool) -> None:  # noqa: FBT001 -- allow(True)
    """Let programs be run in this process, or not. Not, until this is called."""
    _Switch.is_on = allowed


def run(
    language: str, code: str, inputs: Mapping[str, JSONValue], *, seconds: float, memory_mb: int, lent: Lent
) -> Outcome:
    """Run *code* with *inputs* as its global names. What it prints is logged, whatever comes of it.

    Raises ConfigError (`code_disabled`, `sandbox_missing`) when nothing was run; NodeTimeout; and InputError:
    `code_failed` with `details` for what the program raised, `code_memory`, `result_invalid`, `result_too_large`.
    """
    if not _Switch.is_on:
        raise ConfigError(
            "Code nodes are switched off on this site; FLOWMAESTRO_CODE=1 in the environment of the workers lets them"
            " run.",
            code="code_disabled",
        )
    return _run(language, code, inputs, seconds=seconds, memory_mb=memory_mb, lent=lent)


def find_fault(language: str) -> str | None:
    """Why no program of *language* can run on this machine, whether they are allowed or not; None when they can."""
    try:
        _run(language, "result = 1", {}, seconds=_TRIAL_SECONDS, memory_mb=64, lent=cast("Lent", _Nobody()))
    except HandlerError as error:
        return str(error)
    return None


class _Nobody:
    """Whom a trial is for: lends no more than a process takes."""

    def check_cancelled(self) -> None:
        pass

    def on_cancel(self, stop: Callable[[], None]) -> None:
        pass

    def remaining(self) -> float:
        return math.inf

    def log(self, level: str, message: str) -> None:
        pass


def _run(
    language: str, code: str, inputs: Mapping[str, JSONValue], *, seconds: float, memory_mb: int, lent: Lent
) -> Outcome:
    program, runtime = _prepared(language, seconds, memory_mb)
    order = json.dumps({"code": code, "inputs": dict(inputs)}).encode()
    with _filter() as filter_fd:
        finished = processes.run(
            bubblewrap.wrap(program, runtime, filter_fd=filter_fd),
            bounds=Bounds(seconds=seconds + _START_SECONDS, reply_bytes=MAX_RESULT_BYTES, log_bytes=_MAX_PRINTED_BYTES),
            lent=lent,
            stdin=order,
            env={},
            cwd=Path("/"),  # which anybody may enter, as opposed to ours
            user=bubblewrap.outside_user(),
            pass_fds=(filter_fd,),
        )
    if finished.fate is not Fate.OVERDUE and not finished.reply.startswith(_READY):
        said = finished.stderr.decode(errors="replace").strip()[:_TOLD] or f"status {finished.status}"
        raise ConfigError(
            f"The sandbox for code cannot start on this worker: {said}. It needs bubblewrap 0.7 or newer and"
            " unprivileged user namespaces, which containers and some systems switch off.",
            code="sandbox_missing",
        )
    stdout, stderr = _logged(finished, lent)
    try:
        result = _result_of(finished, seconds=seconds, memory_mb=memory_mb)
    except HandlerError as error:
        error.details = {**error.details, "stdout": stdout, "stderr": stderr}
        raise
    return Outcome(result=result, stdout=stdout, stderr=stderr, is_cut=finished.is_cut, seconds=finished.seconds)


def _prepared(language: str, seconds: float, memory_mb: int) -> tuple[str, Runtime]:
    program = bubblewrap.find()
    if program is None:
        raise ConfigError("Code runs in bubblewrap only, and this worker has no `bwrap`.", code="sandbox_missing")
    runtime = LANGUAGES[language](seconds=seconds, memory_mb=memory_mb)
    if runtime is None:
        raise ConfigError(f"This worker has no {_INTERPRETERS[language]} to run code with.", code="sandbox_missing")
    return program, runtime


@contextmanager
def _filter() -> Iterator[int]:
    """A descriptor to read the filter of system calls from."""
    made = seccomp.program()
    if made is None:
        raise ConfigError("Code runs on x86_64 and aarch64 only; this worker is neither.", code="sandbox_missing")
    descriptor = os.memfd_create("seccomp")
    try:
        os.write(descriptor, made)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _logged(finished: Finished, lent: Lent) -> tuple[str, str]:
    printed = []
    for level, content in (("info", finished.stdout), ("warning", finished.stderr)):
        text = content.decode(errors="replace")
        if text.strip():
            lent.log(level, text.rstrip())  # as a whole: a secret of several lines is hidden in none of them
        printed.append(text)
    if finished.is_cut:
        lent.log("warning", f"Of what it printed, {_MAX_PRINTED_BYTES // 1024} KB are kept.")
    return printed[0], printed[1]


def _result_of(finished: Finished, *, seconds: float, memory_mb: int) -> JSONValue:
    if finished.fate is Fate.OVERDUE or finished.ended_by(signal.SIGXCPU):
        raise NodeTimeout(f"The code ran longer than {seconds:g} s (timeout).", retryable=False)
    if finished.fate is Fate.FLOODED:
        raise InputError(
            f"The result of the code has more than {MAX_RESULT_BYTES // 1024**2} MB.", code="result_too_large"
        )
    match told := _read(finished.reply.removeprefix(_READY)):
        case {"result": result}:
            return result  # type: ignore[no-any-return]
        case {"unfit": reason}:
            raise InputError(f"The result of the code is not JSON: {reason}.", code="result_invalid")
        case {"error": name, "message": message, "trace": trace}:
            raise InputError(f"{name}: {message}", code="code_failed", details={"exitCode": 1, "traceback": trace})
        case {"exit": status}:
            raise _exited(status if isinstance(status, int) else 1 if status else 0)
    if "memory" in told or finished.ended_by(signal.SIGABRT) or finished.ended_by(signal.SIGTRAP):
        raise InputError(f"The code needs more than {memory_mb} MB of memory.", code="code_memory")
    raise _exited(finished.status)


def _read(reply: bytes) -> dict[str, Any]:
    """What the program's side said. It is the program that speaks, so that anything may stand there."""
    if not reply:
        return {}
    try:
        told = read_json(reply)
    except ValueError as error:
        raise InputError(f"The result of the code cannot be read: {error}.", code="result_invalid") from error
    return told if isinstance(told, dict) else {}


def _exited(status: int) -> InputError:
    return InputError(
        f"The code ended with status {status}, before it had a result.",
        code="code_failed",
        details={"exitCode": status},
    )

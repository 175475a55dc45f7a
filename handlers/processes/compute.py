"""A function of ours in an interpreter of its own."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Final

from handlers import errors
from handlers.base import JSONObject, JSONValue
from handlers.errors import HandlerError, InputError
from handlers.ports import Lent
from handlers.processes.bounds import Bounds
from handlers.processes.runner import ENVIRONMENT, Fate, Finished, run

TOO_COMPLEX: Final = "too_complex"
_CHILD: Final = Path(__file__).with_name("child.py")
# A library that draws in C may start a thread for each core, each with its share of the address space.
_ENVIRONMENT: Final = {**ENVIRONMENT, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}


class ChildFailed(Exception):
    """The function raised what no handler may raise, or its answer was none. The message has its traceback."""


def compute(
    target: str, argument: JSONValue, content: bytes = b"", *, bounds: Bounds, lent: Lent
) -> tuple[JSONValue, bytes]:
    """What the function *target*, as `module:name`, returns for *argument* and *content*: a JSON value and bytes.

    The child imports that module and nothing else of ours but what it imports in its turn: the fewer, the faster.
    Raises the HandlerErrors that the function raises, InputError with code `too_complex` when the child went beyond
    *bounds* or died, and what `processes.run` raises.
    """
    order = {"target": target, "path": [str(Path(path).absolute()) for path in sys.path], "argument": argument}
    finished = run(
        [sys.executable, "-I", "-S", "-X", "utf8", str(_CHILD)],
        stdin=json.dumps(order).encode() + b"\n" + content,
        bounds=bounds,
        lent=lent,
        env=_ENVIRONMENT,
    )
    line, separator, made = finished.reply.partition(b"\n")
    if finished.fate is not Fate.EXITED or finished.status or not separator:
        raise _too_complex(finished, bounds)
    told = json.loads(line)
    if "error" in told:
        raise _rebuilt(told["error"])
    if "bug" in told:
        raise ChildFailed(told["bug"])
    return told["answer"], made


def _too_complex(finished: Finished, bounds: Bounds) -> InputError:
    if finished.fate is Fate.OVERDUE or finished.ended_by(signal.SIGXCPU):
        reason = f"it took longer than {bounds.seconds:g} s"
    elif finished.fate is Fate.FLOODED:
        reason = f"it came to more than {bounds.reply_bytes / 1024**2:g} MB"
    else:
        reason = "it needed more memory than it may have, or was nested too deeply"
    return InputError(f"The data is too much to work on: {reason}.", code=TOO_COMPLEX)


def _rebuilt(told: JSONObject) -> HandlerError:
    kind: type[HandlerError] = getattr(errors, str(told["kind"]))
    more = {name: told[name] for name in ("code", "retryable", "retry_after", "details")}
    if issubclass(kind, errors.ProviderError):
        more["status"] = told["status"]
    return kind(str(told["message"]), **more)  # type: ignore[arg-type]  # as the child took it apart

"""What runs in the child of `compute`: reads an order, calls a function, replies.

Started as a file and not as a module: the package's front door imports what takes ten times as long as the rest.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

_ERRORS = "handlers.errors"


def main() -> None:
    with os.fdopen(os.dup(0), "r+b", buffering=0) as channel:
        order, content = _receive(channel)
        sys.path[:] = order["path"]
        _open_package()
        head, made = _answer(order["target"], order["argument"], content)
        reply = memoryview(json.dumps(head).encode() + b"\n" + made)
        while reply:
            reply = reply[channel.write(reply) :]


def _receive(channel: Any) -> tuple[dict[str, Any], bytes]:
    order, _, content = channel.readall().partition(b"\n")
    return json.loads(order), content


def _open_package() -> None:
    """Let modules of `handlers` be imported without `handlers` itself, whose front door opens on all there is."""
    package = ModuleType("handlers")
    package.__path__ = [str(Path(__file__).resolve().parents[1])]
    sys.modules["handlers"] = package


def _answer(target: str, argument: Any, content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        answer, made = _function(target)(argument, content)
        json.dumps(answer)  # here, where what is wrong with it can still be told
    except (MemoryError, RecursionError):
        os._exit(1)
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is told on the other side
        return _told(error), b""
    return {"answer": answer}, made


def _function(target: str) -> Callable[[Any, bytes], tuple[Any, bytes]]:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def _told(error: Exception) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == _ERRORS]
    if not kinds:
        return {"bug": "".join(traceback.format_exception(error))}
    names = ("code", "retryable", "retry_after", "details", "status")
    return {"error": {"kind": kinds[0], "message": str(error), **{name: getattr(error, name, None) for name in names}}}


if __name__ == "__main__":
    main()

"""What runs a program of Python inside the sandbox. Reads an order from standard input, and replies there.

Handed to an interpreter as text: it finds nothing of ours beside it, and may be older than ours.
"""

from __future__ import annotations

import json
import linecache
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

NAME = "<code>"
LONGEST = 8000  # characters of what is told of an error
# The program may change all of these.
dumps, write, leave, streams = json.dumps, os.write, os._exit, (sys.stdout, sys.stderr)


def main() -> None:
    channel = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    send(channel, "ready\n")
    order = json.loads(receive(channel))
    reply = attempt(order["code"], order["inputs"])
    for stream in streams:
        with suppress(Exception):
            stream.flush()
    send(channel, reply)
    leave(0)  # whatever threads it has left behind


def attempt(code: str, inputs: dict[str, Any]) -> str:
    try:
        value = run(code, inputs)
    except MemoryError:
        return '{"memory": true}'
    except SystemExit as error:
        return dumps({"exit": error.code if isinstance(error.code, int) else int(error.code is not None)})
    except BaseException as error:  # noqa: BLE001 -- the program's
        told = {"error": type(error).__name__, "message": tell(error)[:LONGEST], "trace": trace(error)[-LONGEST:]}
        return dumps(told)
    try:
        return '{"result": ' + dumps(value, allow_nan=False) + "}"
    except MemoryError:
        return '{"memory": true}'
    except Exception as error:  # noqa: BLE001 -- objects of the program may raise what they like
        return dumps({"unfit": tell(error)[:LONGEST]})


def run(code: str, inputs: dict[str, Any]) -> Any:
    names = {"__name__": "__main__", "__builtins__": __builtins__, "inputs": inputs, "variables": inputs, **inputs}
    linecache.cache[NAME] = (len(code), None, code.splitlines(keepends=True), NAME)  # for its lines in the traceback
    exec(compile(code, NAME, "exec", dont_inherit=True), names)  # noqa: S102 -- what the sandbox is for
    value = names.get("result")
    main = names.get("main")
    if "result" not in names and callable(main):
        value = main(inputs)
    return wait(value) if hasattr(value, "__await__") else value


def wait(awaitable: Any) -> Any:
    import asyncio  # noqa: PLC0415 -- few programs need it

    async def until_done() -> Any:
        return await awaitable

    return asyncio.run(until_done())


def tell(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 -- of the program's own class
        return ""


def trace(error: BaseException) -> str:
    """From the first line of the program on; ours above it are left out."""
    place = error.__traceback__
    while place is not None and place.tb_frame.f_code.co_filename != NAME:
        place = place.tb_next
    try:
        return "".join(traceback.format_exception(type(error), error, place))
    except Exception:  # noqa: BLE001 -- of the program's own class
        return ""


def receive(channel: int) -> bytes:
    parts = []
    while part := os.read(channel, 65536):
        parts.append(part)
    return b"".join(parts)


def send(channel: int, text: str) -> None:
    data = text.encode()
    while data:
        data = data[write(channel, data) :]


if __name__ == "__main__":
    main()

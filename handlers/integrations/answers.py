"""What a service answered, and what stands where in it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx2

from handlers.base import JSONValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: httpx2.Headers
    data: JSONValue  # JSON read, other text as text, of an operation that asks for bytes nothing
    content: bytes = b""  # of an operation that asks for bytes


def pick(data: JSONValue, path: str) -> JSONValue:
    """What stands at *path* in *data*: keys and indexes parted by dots, "" for all of it; None where nothing does."""
    for part in path.split(".") if path else ():
        match data:
            case dict():
                data = data.get(part)
            case list() if part.isdigit() and int(part) < len(data):
                data = data[int(part)]
            case _:
                return None
    return data

"""JSON kept exactly as it came."""

from __future__ import annotations

import json
import re
from typing import Any

from django.db import models
from psycopg.types.json import Json

_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False)
quoted = json.encoder.encode_basestring  # a text as JSON, non-ASCII characters as they are
_HALF = re.compile("[\0\ud800-\udfff]")


def dumps(value: object) -> str:
    """Compact JSON text that PostgreSQL can store. Raises ValueError for what is not JSON: NaN and the infinities."""
    text = _COMPACT.encode(value)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, from a peer's "\\ud800": only its escape is text
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text


def dumps_text(value: Any) -> str:
    """The same for JSON whose strings become text columns, or are unescaped on their way into one.

    PostgreSQL's text holds neither NUL nor half a surrogate pair: each is replaced by U+FFFD.
    """
    text = dumps(value)
    return dumps(storable(value)) if "\\u0000" in text or "\\ud" in text.lower() else text


def storable(value: Any) -> Any:
    """*value* as it is read back from what `dumps_text` wrote."""
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


class PlainJSONField(models.JSONField):
    """PostgreSQL `json`, not `jsonb`: the order of keys, 1.0 and the escape of NUL survive; nothing looks inside."""

    def db_type(self, connection: Any) -> str:
        del connection
        return "json"

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        del connection, prepared
        return None if value is None else Json(value, dumps=dumps)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        del expression, connection
        return value  # psycopg has read it already; for JSONField, which is jsonb, Django keeps it from doing so

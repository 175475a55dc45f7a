"""XML as values. Fit for text of strangers: no entities, no other documents, bounded length and depth."""

from __future__ import annotations

from typing import Final
from xml.parsers.expat import ExpatError

import xmltodict

from handlers.base import JSONValue
from handlers.errors import InputError
from handlers.values import encodable, is_shallow

MAX_LENGTH: Final = 1_000_000  # characters; half a second's work at the most (measured)
MAX_DEPTH: Final = 150  # with a list or an object for each level, no more than an output may have


def read_xml(text: str) -> JSONValue:
    """The value of a document: an object with the root's name as its key.

    An element is its text; with attributes or children, an object of these by name, and `_` for its text. Children of
    one name, and an attribute of the same, are a list; an element with nothing in it is empty text. Raises InputError.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(f"XML of up to {MAX_LENGTH:,} characters is read; this has {len(text):,}.", code="too_large")
    try:
        value: JSONValue = xmltodict.parse(
            encodable(text), encoding="utf-8", attr_prefix="", cdata_key="_", postprocessor=_filled
        )
    except ExpatError as error:
        raise InputError(f"Invalid XML: {error}.", code="invalid_xml") from error
    except ValueError as error:
        # Small entities can stand for gigabytes. Source: CWE-776, "XML entity expansion".
        raise InputError("Invalid XML: a document that declares entities is not read.", code="invalid_xml") from error
    if not is_shallow(value, most=MAX_DEPTH):
        raise InputError(f"The XML has more than {MAX_DEPTH} levels of elements.", code="too_complex")
    return value


def _filled(path: object, key: str, value: JSONValue) -> tuple[str, JSONValue]:
    del path
    return key, "" if value is None else value

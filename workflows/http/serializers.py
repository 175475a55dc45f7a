"""Pieces that serializers of bodies are made of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

MOST_TAGS: Final = 20
LONGEST_TAG: Final = 64  # characters; the column's width


class Body(serializers.Serializer[Any]):
    """A JSON object somebody sent. An explicit null counts as absent, and a key we do not know is refused.

    Refused, because a misspelt optional key would otherwise be lost without a word.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return super().to_internal_value(data)
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown = [name for name in data if name not in known]
        sentence = f"Unknown field. Known fields: {', '.join(known) or 'none'}."
        wrong: dict[str, Any] = {name: [sentence] for name in unknown}
        try:
            value = super().to_internal_value({name: given for name, given in data.items() if given is not None})
        except serializers.ValidationError as invalid:
            wrong |= cast("dict[str, Any]", invalid.detail)
        if wrong:
            raise serializers.ValidationError(wrong)
        return value


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JSONObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object of any content."""

    default_error_messages = {"not_an_object": "Expected a JSON object, got {kind}."}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("not_an_object", kind=_KINDS.get(type(data), "null"))
        return data

    def to_representation(self, value: Any) -> Any:
        return value


@extend_schema_field({"type": ["object", "array", "string", "number", "boolean", "null"]})
class JSONValueField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON value, as it is. In a body, null counts as absent, as everywhere."""

    def to_internal_value(self, data: Any) -> Any:
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class EnumField(serializers.ChoiceField):
    """One of the values of *members*, which the API's description names after the class."""

    def __init__(self, members: type[StrEnum], **options: Any) -> None:
        self.members = members
        super().__init__([member.value for member in members], **options)


class TagsField(serializers.ListField):
    """Short labels; one given twice counts once."""

    child = serializers.CharField(max_length=LONGEST_TAG)

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_TAGS, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


_KINDS: Final = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}

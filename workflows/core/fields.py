"""Reading one field of a drawing: its value where it has the right kind, else an issue and None."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, TypeVar

from handlers import JSONObject
from workflows.core.closest import closest
from workflows.core.errors import Issue
from workflows.core.expressions import describe

ChoiceT = TypeVar("ChoiceT", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Fields of one object in the drawing. Null counts as left out everywhere: editors write it for an empty field."""

    drawn: Mapping[str, Any]
    issues: list[Issue]  # where flaws go
    prefix: str = ""  # of field names: `settings.`
    code: str = "INVALID_CONFIG"
    node_id: str | None = None
    edge_id: str | None = None

    def text(self, name: str, *, code: str | None = None, most: int | None = None) -> str | None:
        """*most* counts characters; with it, an empty text is refused too."""
        value = self.drawn.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.flaw(name, f"must be text, not {describe(value)}", code=code)
            return None
        if most is not None and not 0 < len(value) <= most:
            self.flaw(name, f"must have 1 to {most} characters, not {len(value)}", code=code)
            return None
        return value

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        value = self.number(name, least=least, most=most)
        if value is None or not float(value).is_integer():
            if value is not None:
                self.flaw(name, "must be a whole number")
            return None
        return int(value)

    def number(self, name: str, *, least: float, most: float) -> float | None:
        value = self.drawn.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.flaw(name, f"must be a number, not {describe(value)}")
            return None
        if not least <= value <= most:  # nor is NaN; and to ask whether a large integer is finite overflows
            self.flaw(name, f"must be from {least} to {most}, not {value}")
            return None
        return value

    def flag(self, name: str) -> bool:
        value = self.drawn.get(name)
        if value is not None and not isinstance(value, bool):
            self.flaw(name, f"must be true or false, not {describe(value)}")
        return value is True

    def choice(self, name: str, choices: type[ChoiceT]) -> ChoiceT | None:
        written = self.text(name)
        if written is None:
            return None
        known = [str(choice) for choice in choices]
        if written not in known:
            meant = closest(written, known)
            self.flaw(name, f"must be one of {', '.join(known)}, not {written!r}", suggestion=meant)
            return None
        return choices(written)

    def mapping(self, name: str) -> JSONObject:
        value = self.drawn.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.flaw(name, f"must be an object, not {describe(value)}")
            return {}
        return value

    def group(self, name: str, *, keys: Collection[str] | None = None) -> Fields | None:
        """The fields of the object in field *name*; None when it was left out. Others than *keys* are flaws."""
        if self.drawn.get(name) is None:
            return None
        inner = replace(self, drawn=self.mapping(name), prefix=f"{self.prefix}{name}.")
        for key in inner.drawn:
            if keys is not None and key not in keys:
                inner.flaw(key, "means nothing here", suggestion=closest(key, keys))
        return inner

    def rest(self, known: Collection[str]) -> JSONObject:
        return {key: value for key, value in self.drawn.items() if key not in known}

    def flaw(self, name: str, sentence: str, *, code: str | None = None, suggestion: str | None = None) -> None:
        place = f"{self.prefix}{name}"
        owner = f"{self.node_id}: " if self.node_id is not None else f"edge {self.edge_id}: " if self.edge_id else ""
        self.issues.append(
            Issue(
                code=code or self.code,
                message=f"{owner}{place} {sentence}",
                node_id=self.node_id,
                edge_id=self.edge_id,
                field=place,
                suggestion=suggestion,
            )
        )

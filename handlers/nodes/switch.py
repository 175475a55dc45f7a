"""One question with many answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, TypeAlias

import re2
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from handlers.base import (
    Effect,
    FieldKind,
    JSONScalar,
    NodeConfig,
    NodeData,
    NodeHandler,
    NodeInput,
    NodeOutput,
    SelectPort,
)
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import encodable, number_of, text_of

DEFAULT = "default"
# What these handles mean is told for every node type; a case of that name could never be drawn.
FIXED_HANDLES = frozenset({"", "output", "source", "error", DEFAULT})
Scalar: TypeAlias = str | int | float | bool | None
MAX_CASE_LENGTH = 1_000  # characters; a pattern is compiled for every comparison


class Case(BaseModel):
    model_config = ConfigDict(frozen=True)

    value: Annotated[str, Field(max_length=MAX_CASE_LENGTH)] | int | float | bool | None = Field(
        description="What the expression is compared with; * stands for any text, ? for one sign."
    )
    label: str | None = None


class SwitchConfig(NodeConfig):
    expression: Any = Field(
        validation_alias=AliasChoices("expression", "switchVariable"),
        description="The value to decide by, usually a {{reference}}.",
    )
    # Raw: edges are drawn from the values, which therefore cannot depend on a run.
    cases: Annotated[list[Case], FieldKind.RAW] = Field(min_length=1)
    default_case: str | None = Field(None, description="The name of no match; a case's value: leave by that case then.")


class SwitchData(NodeData):
    matched_case: str | None = Field(description="The case that matched; without one what defaultCase says.")
    matched_value: str | None = Field(description="The case that matched, or null.")
    evaluated_expression: str | None = Field(description="What was compared.")


@node_type("switch", category="logic", title="Switch", effect=Effect.PURE)
class Switch(NodeHandler[SwitchConfig]):
    """Go the way of the first case that the value of `expression` matches, or by `default` when there is none.

    - A case with `*` (any text) or `?` (one character) is a pattern for the whole text, ignoring case.
    - Otherwise numbers are equal by value (`1.0` and `"1"`), text ignoring case, and null matches only the case null.

    An edge leaves by the case's value, by `case-<value>` or by `case-<index>`, counting from 0. `defaultCase` may name
    a case to take instead of `default`.

    Output: `{"matchedCase", "matchedValue", "evaluatedExpression"}`; without a match the second is null and the first
    what `defaultCase` says.
    """

    Config = SwitchConfig
    Output = SwitchData

    def run(self, node: NodeInput[SwitchConfig], lent: Lent) -> NodeOutput:
        del lent
        value = node.config.expression
        match = next((case for case in node.config.cases if _matches(value, case.value)), None)
        matched = node.config.default_case if match is None else text_of(match.value)
        known = {text_of(case.value) for case in node.config.cases}
        return NodeOutput(
            data={
                "matchedCase": matched,
                "matchedValue": None if match is None else text_of(match.value),
                "evaluatedExpression": None if value is None else text_of(value),
            },
            signal=SelectPort(port=matched if matched in known and matched is not None else DEFAULT),
        )

    @classmethod
    def ports(cls, config: Mapping[str, Any]) -> tuple[str, ...]:
        return (*dict.fromkeys(_case_names(config)), DEFAULT)

    @classmethod
    def port_for(cls, handle: str, config: Mapping[str, Any]) -> str | None:
        names = list(_case_names(config))
        if handle in (*names, DEFAULT):
            return handle
        if handle == config.get("defaultCase"):
            return DEFAULT
        tail = handle.removeprefix("case-")
        if tail == handle:
            return None
        if tail in names:
            return tail
        # Looked up as text: Python refuses to read a number of five thousand digits.
        return {str(index): name for index, name in enumerate(names)}.get(tail)

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        names = list(_case_names(config))
        wrong = []
        for name, times in Counter(names).items():
            field = f"cases.{names.index(name)}.value"
            if name in FIXED_HANDLES:
                wrong.append(
                    (field, f"{name!r} is the name of a handle that every switch has; call the case otherwise.")
                )
            if times > 1:
                wrong.append((field, f"{times} cases are called {name!r}; only the first can ever match."))
            if "{{" in name:
                wrong.append(
                    (field, "Edges leave by a case's value, so it is fixed; put the reference in `expression`.")
                )
        return wrong


def _case_names(config: Mapping[str, Any]) -> Iterator[str]:
    """The cases of a configuration as drawn, which may be anything; what is no case has no name."""
    cases = config.get("cases")
    for case in cases if isinstance(cases, list) else []:
        if isinstance(case, Mapping) and isinstance(case.get("value", ()), Scalar):
            yield text_of(case["value"])


def _matches(value: Any, case: JSONScalar) -> bool:
    if value is None or case is None:
        return value is case
    text, pattern = text_of(value), text_of(case)
    if "*" in pattern or "?" in pattern:
        return _fits(text, pattern)
    numbers = number_of(value), number_of(case)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return text.casefold() == pattern.casefold()


def _fits(text: str, pattern: str) -> bool:
    # RE2 is linear in the text; the standard library's engine takes minutes for a*a*a*a*b.
    signs = {"*": ".*", "?": "."}
    glob = "".join(signs.get(sign) or re2.escape(sign) for sign in encodable(pattern))
    return re2.compile(f"(?is){glob}").fullmatch(encodable(text)) is not None

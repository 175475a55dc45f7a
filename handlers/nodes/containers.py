"""What repeats: loops and parallels. The engine runs them; here is how they are told, and what their values mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AliasChoices, BeforeValidator, Field, field_validator, model_validator

from handlers.base import (
    ContainerKind,
    Deferred,
    Effect,
    Expression,
    FieldKind,
    JSONObject,
    JSONValue,
    NodeConfig,
    NodeHandler,
    NodeInput,
    NodeOutput,
)
from handlers.errors import HandlerError
from handlers.ports import Lent
from handlers.registry import node_type
from handlers.values import number_of, text_of

ITEMS_KEYS: Final = ("arrayPath", "collection", "items", "arraySource")
DEFAULT_ITERATIONS: Final = 1_000
MAX_ITERATIONS: Final = 10_000
DEFAULT_CONCURRENCY: Final = 20
_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII)
_SHOWN: Final = 100  # characters of a value in a message


class LoopType(StrEnum):
    COUNT = "count"
    FOR_EACH = "forEach"
    WHILE = "while"
    DO_WHILE = "doWhile"


_FixedName: TypeAlias = Annotated[str | None, FieldKind.RAW]


class ContainerConfig(NodeConfig):
    item_variable: _FixedName = Field(None, description="Another name of the item inside the body.")
    index_variable: _FixedName = Field(None, description="Another name of the index inside the body.")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, config: Any) -> Any:
        # An editor writes null for each of the fields that its form has and its author left empty.
        return (
            {key: value for key, value in config.items() if value is not None} if isinstance(config, dict) else config
        )

    @field_validator("item_variable", "index_variable")
    @classmethod
    def _is_a_name(cls, name: str | None) -> str | None:
        if name is not None and not _NAME.fullmatch(name):
            raise ValueError("A name is fixed: letters, digits, _ and $.")
        return name


class LoopConfig(ContainerConfig):
    loop_type: Annotated[LoopType, BeforeValidator(lambda told: "count" if told == "for" else told)] = Field(
        LoopType.COUNT, description="What decides how often the body runs; told by the keys when it is left out."
    )
    count: Any = Field(None, description="`count`: how often.")
    items: Expression = Field(
        None,
        validation_alias=AliasChoices(*ITEMS_KEYS),
        description="`forEach`: a list, or an object that is gone through by key; a reference or a path.",
    )
    condition: Deferred = Field(
        None, description="`while`, `doWhile`: an expression, tested before or after each iteration."
    )
    max_iterations: int = Field(
        DEFAULT_ITERATIONS, ge=1, le=MAX_ITERATIONS, description="Needing more than this fails the node."
    )


class ParallelConfig(ContainerConfig):
    mode: Literal["count", "collection"] = Field(description="What decides how many branches there are.")
    count: Any = Field(None, description="`count`: how many.")
    collection: Expression = Field(
        None, description="`collection`: a list, or an object that is gone through by key; a reference or a path."
    )
    max_concurrency: int = Field(DEFAULT_CONCURRENCY, ge=1, description="How many branches may run at once.")
    on_failure: Literal["stop", "continue"] = Field(
        "stop",
        description="`stop`: a failed branch fails the node. `continue`: it contributes its error to the results.",
    )


class Container(NodeHandler[Any]):
    """What loops and parallels have in common."""

    def run(self, node: NodeInput[Any], lent: Lent) -> NodeOutput:
        del lent
        raise NotImplementedError(f"{node.node_id} is a container: the engine opens its body, no handler runs it")


@node_type(
    "loop",
    category="logic",
    title="Loop",
    effect=Effect.PURE,
    aliases=("forEach", "while", "repeat"),
    container=ContainerKind.LOOP,
    retries=False,
)
class Loop(Container):
    """Run the nodes of the body, drawn from the handle `body`, once after the other, by `loopType`:

    - `count` (or `for`): `count` times, a whole number.
    - `forEach`: for each item of `arrayPath` (also called `collection`, `items`, `arraySource`): a list, or an object,
      whose items are `{"key", "value"}`, by key.
    - `while`: as long as `condition` holds, tested before each iteration. `doWhile`: tested after it.

    An iteration ends where a body node has no edge, or one back to the loop. Inside the body there are
    `{{loop.index}}` (from 0), `.iteration` (from 1), `.item`, `.total`, `.first`, `.last` and `.results`; loops further
    out are called by their id. A loop that needs more than `maxIterations` fails.

    Output: `{"iterations", "completed", "results"}`, the last a list of `{<body node id>: <output>}`.
    """

    Config = LoopConfig

    @classmethod
    def implied(cls, drawn_as: str, config: Mapping[str, Any]) -> JSONObject:
        told = config.get("loopType")
        if told is None:
            return {"loopType": _LOOP_TYPES_BY_ALIAS.get(drawn_as) or _loop_type_by_keys(config)}
        return {"loopType": LoopType.COUNT.value} if told == "for" else {}

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        match config.get("loopType") or _loop_type_by_keys(config):
            case LoopType.COUNT | "for":
                return _check_count(config)
            case LoopType.FOR_EACH:
                return _check_items(config, ITEMS_KEYS)
            case LoopType.WHILE | LoopType.DO_WHILE:
                return [("condition", "A condition is needed.")] if _is_blank(config.get("condition")) else []
        return []  # what is no loop type is told with the types of the fields


@node_type(
    "parallel",
    category="logic",
    title="Parallel",
    effect=Effect.PURE,
    container=ContainerKind.PARALLEL,
    retries=False,
)
class Parallel(Container):
    """Run the nodes of the body, drawn from the handle `body`, in branches side by side, by `mode`:

    - `count`: `count` branches, a whole number.
    - `collection`: a branch for each item of `collection`: a list, or an object, whose items are `{"key", "value"}`, by
      key.

    A branch ends where a body node has no edge, or one back to the parallel. At most `maxConcurrency` run at once.
    Inside the body there are `{{parallel.index}}` (from 0), `.currentItem`, `.branchId` and `.total`; parallels further
    out are called by their id. With `onFailure: continue` a failed branch contributes `{"error": …}` to the results.

    Output: `{"branches", "results"}`, the latter a list of `{<body node id>: <output>}` in the order of the branches.
    """

    Config = ParallelConfig

    @classmethod
    def check(cls, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        match config.get("mode"):
            case "count":
                return _check_count(config)
            case "collection":
                return _check_items(config, ("collection",))
        return []


def items_of(value: JSONValue) -> list[JSONValue]:
    """What a container goes through. Raises HandlerError for what is neither a list nor an object."""
    match value:
        case list():
            return value
        case dict():
            return [{"key": key, "value": value[key]} for key in sorted(value)]
    raise HandlerError(f"{_shown(value)} is neither a list nor an object", code="not_iterable")


def count_of(value: JSONValue) -> int:
    """How often. Raises HandlerError for what is no whole number from 0 on, or the text of one."""
    number = None if isinstance(value, bool) else number_of(value)
    # Of an integer with hundreds of digits there is no float to ask.
    is_whole = isinstance(number, int) or (number is not None and number.is_integer())
    if number is None or number < 0 or not is_whole:
        raise HandlerError(f"{_shown(value)} is no whole number from 0 on", code="invalid_count")
    return int(number)


_LOOP_TYPES_BY_ALIAS: Final = {
    "forEach": LoopType.FOR_EACH.value,
    "while": LoopType.WHILE.value,
    "repeat": LoopType.COUNT.value,
}


def _loop_type_by_keys(config: Mapping[str, Any]) -> str:
    if any(config.get(key) is not None for key in ITEMS_KEYS):
        return LoopType.FOR_EACH.value
    if config.get("count") is None and not _is_blank(config.get("condition")):
        return LoopType.WHILE.value
    return LoopType.COUNT.value


def _check_count(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    count = config.get("count")
    if _is_blank(count):
        return [("count", "A whole number, or a reference to one, is needed.")]
    return [] if "{{" in repr(count) else _told("count", lambda: count_of(count))


def _check_items(config: Mapping[str, Any], keys: tuple[str, ...]) -> list[tuple[str, str]]:
    key = next((key for key in keys if not _is_blank(config.get(key))), None)
    if key is None:
        return [(keys[0], "A list, or a reference to one, is needed.")]
    items = config[key]
    return [] if isinstance(items, str) else _told(key, lambda: items_of(items))


def _told(field: str, read: Callable[[], object]) -> list[tuple[str, str]]:
    try:
        read()
    except HandlerError as error:
        return [(field, f"{error}.")]
    return []


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _shown(value: JSONValue) -> str:
    text = text_of(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

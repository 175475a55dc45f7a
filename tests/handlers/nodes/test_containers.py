from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from handlers import ContainerKind, HandlerError
from handlers.base import FieldKind
from handlers.nodes.containers import LoopConfig, LoopType, ParallelConfig, count_of, items_of
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize("name", ["loop", "parallel"])
def test_container_that_is_run_says_whose_work_that_is(name: str) -> None:
    """Its body is opened by the engine; a container that reached a handler would silently do nothing."""
    with pytest.raises(NotImplementedError, match="node is a container: the engine opens its body"):
        run(name, {"mode": "count"})


def test_containers_have_a_body_and_are_not_retried() -> None:
    """A failed body is a failure of the container; to run it all again is nobody's wish."""
    kinds = {name: CATALOGUE[name].container for name in CATALOGUE if CATALOGUE[name].container is not None}

    assert kinds == {"loop": ContainerKind.LOOP, "parallel": ContainerKind.PARALLEL}
    assert {CATALOGUE[name].handles({}) for name in kinds} == {("output", "error", "body")}
    assert {CATALOGUE[name].retries for name in kinds} == {False}
    assert CATALOGUE["switch"].retries


@pytest.mark.parametrize(
    ("drawn_as", "config", "implied"),
    [
        ("forEach", {}, "forEach"),  # the alias says it
        ("while", {}, "while"),
        ("repeat", {}, "count"),
        ("while", {"items": [1]}, "while"),  # whatever else is there
        ("loop", {"collection": "{{x}}"}, "forEach"),  # by the keys
        ("loop", {"condition": "x < 1"}, "while"),
        ("loop", {"condition": "x < 1", "count": 2}, "count"),
        ("loop", {"loopType": None, "items": None, "condition": " "}, "count"),  # null and blank are left out
        ("forEach", {"loopType": "for"}, "count"),  # what is written counts, by its own name
        ("forEach", {"loopType": "doWhile"}, None),
        ("loop", {"loopType": "nonsense"}, None),  # left to be complained of
    ],
)
def test_loop_implies_its_type_where_it_is_not_written(
    drawn_as: str, config: dict[str, Any], implied: str | None
) -> None:
    """The existing templates tell it in three ways."""
    expected = {} if implied is None else {"loopType": implied}

    assert CATALOGUE["loop"].handler.implied(drawn_as, config) == expected


def test_other_types_imply_nothing() -> None:
    """Their aliases are names only."""
    assert CATALOGUE["if"].handler.implied("if", {"expression": "x"}) == {}


@pytest.mark.parametrize("key", ["arrayPath", "collection", "items", "arraySource"])
def test_loop_config_takes_items_by_every_alias(key: str) -> None:
    """The other keys of the form stand beside it as null."""
    config = LoopConfig.model_validate({"arrayPath": None, "loopType": "forEach", key: [1]})

    assert (config.items, config.loop_type) == ([1], LoopType.FOR_EACH)
    assert LoopConfig.field_kinds()[key] is FieldKind.EXPRESSION


def test_container_configs_have_their_defaults() -> None:
    """Those of the manual."""
    loop = LoopConfig.model_validate({"loopType": "for", "count": 3})
    parallel = ParallelConfig.model_validate({"mode": "count", "count": 3})

    assert (loop.loop_type, loop.max_iterations) == (LoopType.COUNT, 1000)
    assert (parallel.max_concurrency, parallel.on_failure) == (20, "stop")


@pytest.mark.parametrize(
    ("name", "config", "fields"),
    [
        ("loop", {"loopType": "count", "count": 3}, []),
        ("loop", {"count": "{{inputs.n}}"}, []),
        ("loop", {"count": "3"}, []),
        ("loop", {}, ["count"]),  # what its type needs
        ("loop", {"loopType": "for", "count": " "}, ["count"]),
        ("loop", {"loopType": "forEach"}, ["arrayPath"]),
        ("loop", {"loopType": "forEach", "items": "{{x}}"}, []),
        ("loop", {"loopType": "forEach", "items": "start.rows"}, []),
        ("loop", {"loopType": "while"}, ["condition"]),
        ("loop", {"loopType": "doWhile", "condition": ""}, ["condition"]),
        ("loop", {"count": -1}, ["count"]),  # what could never run
        ("loop", {"count": "three"}, ["count"]),
        ("loop", {"loopType": "forEach", "items": 5}, ["items"]),
        ("loop", {"loopType": "until", "count": 1}, ["loopType"]),
        ("loop", {"count": 1, "maxIterations": 10_001}, ["maxIterations"]),
        ("loop", {"count": 1, "maxIterations": 10_000}, []),
        ("loop", {"count": 1, "itemVariable": "{{x}}"}, ["itemVariable"]),
        ("parallel", {"mode": "count", "count": 0}, []),
        ("parallel", {"count": 2}, ["mode"]),
        ("parallel", {"mode": "count"}, ["count"]),
        ("parallel", {"mode": "collection", "collection": {}}, []),
        ("parallel", {"mode": "collection", "collection": ""}, ["collection"]),
        ("parallel", {"mode": "collection", "collection": [], "maxConcurrency": 0}, ["maxConcurrency"]),
        ("parallel", {"mode": "count", "count": 1, "onFailure": "ignore"}, ["onFailure"]),
    ],
)
def test_container_configuration_is_checked_as_drawn(name: str, config: dict[str, Any], fields: list[str]) -> None:
    """What is missing, and what no run could begin with."""
    assert [field for field, _ in check_config(CATALOGUE[name], config)] == fields


def test_items_of_a_list_and_of_an_object() -> None:
    """An object goes by key, since the database keeps no other order of it."""
    assert items_of([1, None]) == [1, None]
    assert items_of({"b": 1, "a": [2]}) == [{"key": "a", "value": [2]}, {"key": "b", "value": 1}]


@pytest.mark.parametrize("value", [None, "text", "[1]", 5, True])
def test_items_of_anything_else_fails(value: Any) -> None:
    """Text that looks like a list is text."""
    with pytest.raises(HandlerError, match="neither a list nor an object") as failed:
        items_of(value)

    assert failed.value.code == "not_iterable"


@pytest.mark.parametrize(("value", "count"), [(0, 0), (3, 3), ("3", 3), (" 12 ", 12), (2.0, 2), ("2.0", 2)])
def test_count_of_a_whole_number_is_that(value: Any, count: int) -> None:
    """Also as text, as forms hand it in."""
    assert count_of(value) == count


@pytest.mark.parametrize("value", [None, "", "three", -1, "-1", 1.5, "1.5", True, [], {}, float("inf"), "9" * 500])
def test_count_of_anything_else_fails(value: Any) -> None:
    """Never a guess, and never zero by mistake."""
    with pytest.raises(HandlerError, match="no whole number from 0 on") as failed:
        count_of(value)

    assert failed.value.code == "invalid_count"


@pytest.mark.parametrize("config", [{"maxIterations": 0}, {"maxIterations": "many"}])
def test_loop_config_with_an_impossible_limit_is_refused(config: dict[str, Any]) -> None:
    """What the engine resolves is checked again before the first iteration."""
    with pytest.raises(ValidationError):
        LoopConfig.model_validate(config)

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import containers, hotpath
from executions.changes import Changes, Fresh
from executions.models import Execution, Frame
from executions.plans import Prepared, prepared
from handlers import HandlerError
from tests.executions.accidents import fall_due
from tests.executions.runs import begin, outputs, reread, row, visit, visited
from tests.executions.scripted import Script, answers, in_turn, raises
from tests.factories import NodeRunFactory
from tests.fakes import Messages
from workflows.core.plan import ContainerKind
from workflows.fields import dumps

pytestmark = pytest.mark.django_db(transaction=True)


class TestChunks:
    def chunked(self, items: list[Any], total: int | None = None) -> list[tuple[int, Any]]:
        found = list(containers.chunks("loop", "par[0]", items, len(items) if total is None else total))
        assert {(chunk.node_id, chunk.scope) for chunk in found} == {("loop", "par[0]")}
        return [(chunk.first, json.loads(chunk.items)) for chunk in found]

    @pytest.mark.parametrize(
        ("count", "firsts"), [(1, [0]), (100, [0]), (101, [0, 100]), (250, [0, 100, 200]), (200, [0, 100])]
    )
    def test_items_come_in_hundreds(self, count: int, firsts: list[int]) -> None:
        found = self.chunked(list(range(count)))

        assert [first for first, _ in found] == firsts
        assert [item for _, items in found for item in items] == list(range(count))

    def test_wide_items_come_in_fewer(self) -> None:
        """A branch loads its own chunk: what is beside it must not be megabytes."""
        wide = "w" * 40_000

        found = self.chunked([wide, wide, "n", wide])

        assert [(first, len(items)) for first, items in found] == [(0, 2), (2, 2)]

    def test_container_without_items_still_says_how_often_it_runs(self) -> None:
        assert list(containers.chunks("loop", "", [], 7)) == [
            hotpath.Chunk(node_id="loop", scope="", first=0, total=7, items="[]")
        ]

    @pytest.mark.parametrize("item", [None, {"a": ["\0", "\ud800"]}, 10**400, 1.0])
    def test_item_is_kept_to_the_letter(self, item: Any) -> None:
        [chunk] = containers.chunks("loop", "", [item], 1)

        assert chunk.items == f"[{dumps(item)}]"


@pytest.mark.parametrize(
    ("rows", "results"),
    [
        ([("p[0]", "a", "1", None), ("p[1]", "b", "2", None)], [{"a": 1}, {"b": 2}]),
        ([("p[1]", "b", "2", None), ("p[1]", "a", "1", None)], [{}, {"a": 1, "b": 2}]),
        ([("p[0]", "a", "1", None), ("p[0]", "b", None, '"no"')], [{"error": "no"}, {}]),  # outputs so far do not count
        ([("p[0]", "b", None, '"b"'), ("p[0]", "a", None, '"a"')], [{"error": "a"}, {}]),  # whichever was faster
    ],
)
def test_results_are_put_together_by_scope_and_node(rows: Any, results: Any) -> None:
    assert [json.loads(text) for text in containers.assemble(["a", "b"], ["p[0]", "p[1]"], rows)] == results


@pytest.mark.parametrize(("index", "item"), [(0, "a"), (1, {"b": None}), (2, None), (150, 150), (9_999, None)])
def test_item_is_found_in_its_chunk(run: Execution, index: int, item: Any) -> None:
    items = ["a", {"b": None}, None, *range(3, 300)]
    for chunk in containers.chunks("loop", "par[1]", items, len(items)):
        Frame.objects.create(
            execution=run,
            node_id=chunk.node_id,
            scope=chunk.scope,
            first=chunk.first,
            total=chunk.total,
            items=json.loads(chunk.items),
        )

    assert containers.item_at(run.pk, "par[1]", "loop", index) == (item, 300)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ContainerKind.LOOP, '{"iterations":2,"completed":true,"results":[{},{"a":1}]}'),
        (ContainerKind.PARALLEL, '{"branches":2,"results":[{},{"a":1}]}'),
    ],
)
def test_output_says_how_often_and_what(kind: ContainerKind, text: str) -> None:
    assert containers.output(kind, ["{}", '{"a":1}']) == text


class TestGather:
    """Results are what is in the rows and, of the step under way, what is not in them yet."""

    @pytest.fixture
    def looping(self, messages: Messages) -> tuple[Execution, Prepared]:
        run = begin("start -> loop, loop:body -> a -> b -> inner, inner:body -> deep", types=typed(inner="loop"))
        return run, prepared(run.version_id)

    def ended(self, run: Execution, scope: str, node_id: str, **says: Any) -> None:
        told = {"status": "completed", "ended_at": run.created_at, "folded": True, **says}
        NodeRunFactory(execution=run, node_id=node_id, scope=scope, **told)

    def gathered(self, looping: tuple[Execution, Prepared], count: int, changes: Changes | None = None) -> list[Any]:
        run, plan = looping
        return [json.loads(text) for text in containers.gather(run.pk, plan, "", "loop", count, changes or Changes())]

    def test_stored_and_fresh_are_put_together(self, looping: tuple[Execution, Prepared]) -> None:
        self.ended(looping[0], "loop[0]", "a", output={"x": 1})
        self.ended(looping[0], "loop[1]", "a", output=None)
        changes = Changes(fresh={("loop[0]", "b"): Fresh("2", None), ("loop[2]", "a"): Fresh('"z"', None)})

        assert self.gathered(looping, 3, changes) == [{"a": {"x": 1}, "b": 2}, {}, {"a": "z"}]

    def test_nodes_that_did_not_run_have_no_key(self, looping: tuple[Execution, Prepared]) -> None:
        self.ended(looping[0], "loop[0]", "a", status="cancelled", output=None)

        assert self.gathered(looping, 2) == [{}, {}]

    def test_keys_come_in_plan_order(self, looping: tuple[Execution, Prepared]) -> None:
        """However the nodes ended."""
        changes = Changes(fresh={("loop[0]", node): Fresh("1", None) for node in ("inner", "b", "a")})

        assert [list(result) for result in self.gathered(looping, 1, changes)] == [["a", "b", "inner"]]

    def test_only_the_bodys_own_nodes_and_scopes_count(self, looping: tuple[Execution, Prepared]) -> None:
        run = looping[0]
        self.ended(run, "loop[0]/inner[0]", "deep", output=1)
        self.ended(run, "loop[2]", "a", output=1)
        self.ended(run, "loop[10]", "a", output=1)
        self.ended(run, "", "start2", output=1)
        changes = Changes(
            fresh={
                ("loop[0]/inner[1]", "deep"): Fresh("1", None),
                ("loop[3]", "a"): Fresh("1", None),
                ("other[0]/loop[0]", "a"): Fresh("1", None),
            }
        )

        assert self.gathered(looping, 2, changes) == [{}, {}]

    def test_unhandled_failure_is_the_result_of_its_branch(self, looping: tuple[Execution, Prepared]) -> None:
        self.ended(looping[0], "loop[0]", "a", output=1)
        self.ended(looping[0], "loop[0]", "b", status="failed", error={"code": "stored"}, output=None)
        self.ended(looping[0], "loop[1]", "a", status="failed", handled=True, error={}, output={"error": {}})
        changes = Changes(fresh={("loop[2]", "a"): Fresh("1", None), ("loop[2]", "b"): Fresh(None, '{"code":"fresh"}')})

        assert self.gathered(looping, 3, changes) == [
            {"error": {"code": "stored"}},
            {"a": {"error": {}}},
            {"error": {"code": "fresh"}},
        ]

    def test_thousands_are_read_in_parts(
        self, looping: tuple[Execution, Prepared], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(containers, "_AT_ONCE", 2)
        for index in range(5):
            self.ended(looping[0], f"loop[{index}]", "a", output=index)

        assert self.gathered(looping, 5) == [{"a": index} for index in range(5)]

    @pytest.mark.parametrize("text", ['"0123456789"', '"äöüß€"'])
    def test_results_may_have_so_many_bytes_and_no_more(
        self, looping: tuple[Execution, Prepared], settings: Settings, text: str
    ) -> None:
        """Two outputs of the same size, stored and fresh. They are not put together to see that it is too much."""
        self.ended(looping[0], "loop[0]", "a", output=json.loads(text))
        changes = Changes(fresh={("loop[1]", "a"): Fresh(text, None)})
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 2 * len(text.encode())

        assert len(self.gathered(looping, 2, changes)) == 2
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES -= 1
        with pytest.raises(HandlerError, match="larger than an output may be") as failed:
            self.gathered(looping, 2, changes)
        assert failed.value.code == "output_too_large"


class TestResultsOfARun:
    """Whichever way the nodes of a body came to run."""

    @pytest.mark.parametrize("container", ["loop", "par"])
    def test_results_are_keyed_by_node_in_order(
        self, messages: Messages, scripts: dict[str, Script], way: str, container: str
    ) -> None:
        scripts["a"] = lambda node, lent: answers({"in": node.scope})(node, lent)
        drawing = f"start -> {container} -> z, {container}:body -> a -> b"
        run = begin(drawing, types=typed(a=way), nodes={container: {"config": {"count": 3}}})

        messages.deliver_all()

        assert visit(run, container).output["results"] == [
            {"a": {"in": f"{container}[{index}]"}, "b": {"result": "b"}} for index in range(3)
        ]

    def test_failed_branch_contributes_its_error(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = lambda node, lent: (
            raises(HandlerError("no", code="odd")) if "[1]" in node.scope else answers(1)
        )(node, lent)
        run = begin(
            "start -> par -> z, par:body -> a -> b",
            types=typed(a=way),
            nodes={"par": {"config": {"count": 3, "onFailure": "continue"}}},
        )

        messages.deliver_all()

        first, second, third = visit(run, "par").output["results"]
        assert first == third == {"a": 1, "b": {"result": "b"}}
        assert (list(second), second["error"]["code"], second["error"]["node_id"]) == (["error"], "odd", "a")
        assert reread(run).status == "completed"

    def test_results_that_are_too_large_fail_the_container(
        self, messages: Messages, scripts: dict[str, Script], way: str, settings: Settings
    ) -> None:
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 1_000
        scripts["a"] = answers("x" * 400)
        nodes = {"loop": {"config": {"count": 3}}, "h": {"config": {"value": "{{loop.error.code}}"}}}
        run = begin("start -> loop -> z, loop:error -> h, loop:body -> a", types=typed(a=way), nodes=nodes)

        messages.deliver_all()

        assert outputs(run)["h"] == {"result": "output_too_large"}
        assert (row(run, "loop").status, reread(run).status) == ("failed", "completed")

    @pytest.mark.parametrize("container", ["loop", "par"])
    def test_output_of_the_container_has_the_limit_of_any_output(
        self, messages: Messages, settings: Settings, container: str
    ) -> None:
        """Also what the results are wrapped in counts."""
        settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 100
        nodes = {container: {"config": {"count": 60}}, "a": {"disabled": True}}
        run = begin(f"start -> {container}, {container}:body -> a", types=typed(a="test.echo"), nodes=nodes)

        messages.deliver_all()

        assert row(run, container).error["code"] == "output_too_large"

    def test_empty_results_are_empty(self, messages: Messages) -> None:
        run = begin("start -> loop -> par, par:body -> a", nodes={"par": {"config": {"count": 0}}})

        messages.deliver_all()

        assert outputs(run)["loop"] == {"iterations": 0, "completed": True, "results": []}
        assert outputs(run)["par"] == {"branches": 0, "results": []}


class TestContext:
    """What a body sees of the container around it, whichever way its nodes come to run."""

    CONFIG = {
        "value": [
            "{{loop.index}}",
            "{{loop.iteration}}",
            "{{loop.item.name}}",
            "{{loop.total}}",
            "{{loop.first}}",
            "{{loop.last}}",
            "{{each.name}}",
            "{{at}}",
        ]
    }

    def test_iteration_sees_its_item_and_where_it_is(self, messages: Messages, way: str) -> None:
        loop = {"loopType": "forEach", "arrayPath": "{{start.rows}}", "itemVariable": "each", "indexVariable": "at"}
        run = begin(
            "start -> loop, loop:body -> x -> a",
            types=typed(a=way, x="test.count"),
            nodes={"loop": {"config": loop}, "a": {"config": self.CONFIG}},
            inputs={"rows": [{"name": "Ada"}, {"name": "Bob"}]},
        )

        messages.deliver_all()

        seen = [result["a"]["result"] for result in visit(run, "loop").output["results"]]
        assert seen == [[0, 1, "Ada", 2, True, False, "Ada", 0], [1, 2, "Bob", 2, False, True, "Bob", 1]]

    def test_results_so_far_are_seen(self, messages: Messages, way: str) -> None:
        config = {"value": "{{loop.results}}"}
        run = begin(
            "start -> loop, loop:body -> x, loop:body -> a",
            types=typed(a=way, x="test.echo"),
            nodes={"a": {"config": config}, "loop": {"config": {"count": 3}}},
        )

        messages.deliver_all()

        x = {"result": "x"}
        first = {"a": {"result": []}, "x": x}
        second = {"a": {"result": [first]}, "x": x}
        assert visit(run, "loop").output["results"][2]["a"]["result"] == [first, second]

    def test_outer_container_is_seen_by_its_id(self, messages: Messages, way: str) -> None:
        nodes = {
            "outer": {"config": {"loopType": "forEach", "arrayPath": "{{start.rows}}"}},
            "par": {"config": {"mode": "collection", "collection": "{{outer.item}}"}},
            "a": {"config": {"value": "{{outer.index}}/{{par.index}}/{{parallel.currentItem}}/{{parallel.branchId}}"}},
        }
        run = begin(
            "start -> outer, outer:body -> par, par:body -> a",
            types=typed(a=way) | {"outer": "loop", "par": "parallel"},
            nodes=nodes,
            inputs={"rows": [["p", "q"], ["r"]]},
        )

        messages.deliver_all()

        told = [
            [branch["a"]["result"] for branch in result["par"]["results"]]
            for result in visit(run, "outer").output["results"]
        ]
        assert told == [["0/0/p/par[0]", "0/1/q/par[1]"], ["1/0/r/par[0]"]]

    def test_sibling_is_that_of_this_iteration(self, messages: Messages, way: str) -> None:
        """One that was skipped in it is empty, whatever it was in the one before."""
        nodes = {
            "loop": {"config": {"count": 2}},
            "if": {"config": {"conditionType": "expression", "expression": "loop.index == 0"}},
            "x": {"config": {"value": "x{{loop.index}}"}},
            "a": {"config": {"value": "[{{x.result}}{{y.result}}]"}},
        }
        drawing = "start -> loop, loop:body -> if, if:true -> x -> a, if:false -> y -> a"
        run = begin(drawing, types=typed(a=way, x="test.echo", y="test.echo") | {"if": "conditional"}, nodes=nodes)

        messages.deliver_all()

        assert [result["a"]["result"] for result in visit(run, "loop").output["results"]] == ["[x0]", "[y]"]

    def test_condition_sees_the_iteration_just_tested(self, messages: Messages, way: str) -> None:
        nodes = {"loop": {"config": {"loopType": "doWhile", "condition": "loop.index < 2 && var.go"}}}
        run = begin("start -> loop, loop:body -> a", types=typed(a=way), nodes=nodes, variables={"go": True})

        messages.deliver_all()

        assert visit(run, "loop").output["iterations"] == 3

    def test_attempt_after_another_sees_the_same(
        self, messages: Messages, scripts: dict[str, Script], way: str
    ) -> None:
        scripts["a"] = in_turn(
            raises(HandlerError("not yet", retryable=True)),
            lambda node, lent: answers(node.config.value)(node, lent),
        )
        nodes = {
            "loop": {"config": {"loopType": "forEach", "arrayPath": ["p"]}},
            "a": {"config": {"value": "{{loop.item}}"}, "retry": {"attempts": 2}},
        }
        run = begin("start -> loop, loop:body -> a", types=typed(a=way), nodes=nodes)

        messages.deliver_all()
        fall_due(messages, run)

        assert visited(run) == {"start": "completed", "loop": "completed", "loop[0]/a": "completed"}
        assert visit(run, "loop").output["results"] == [{"a": "p"}]


def typed(**types: str) -> dict[str, str]:
    return {"start": "trigger", "loop": "loop", "par": "parallel", **types}

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from executions.models import Execution, ExecutionState, NodeRun
from tests.factories import MemberFactory, UserFactory
from tests.realtime.runs import BEGAN, Run, plan_of
from workflows.core.plan import Plan
from workflows.models import Workflow, WorkflowVersion

MakeRun = Callable[..., Run]
FORKED = "ask-true>yes, ask-false>no, yes>end, no>end"


@pytest.fixture
def first(make_run: MakeRun) -> Run:
    """By way of yes."""
    run = make_run(plan_of("ask", "yes", "no", "end", edges=FORKED), name="Ask & <decide>")
    walk(run, "true", "yes", {"text": "Dear Ada, it is on its way."})
    return run


@pytest.fixture
def client(first: Run) -> Client:
    client = Client()
    client.force_login(MemberFactory(workspace_id=first.workspace_id, workspace=None, user__password=None).user)
    return client


def walk(run: Run, port: str, way: str, output: Any) -> None:
    run.begin("ask")
    run.finish("ask", {"ok": True}, port=port)
    run.begin(way)
    run.finish(way, output)
    run.begin("end")
    run.finish("end", {"n": 1})
    run.complete({"n": 1})


def another(make_run: MakeRun, run: Run, plan: Plan | None = None) -> Run:
    """Of the same workflow; of its next version, when there is a *plan*."""
    new = make_run(plan or run.plan, workspace=run.execution.workspace)
    workflow, version = run.execution.workflow, run.execution.version
    if plan is not None:
        version = WorkflowVersion.objects.create(workflow=workflow, number=2, definition={}, plan=plan.dump())
    Execution.objects.filter(pk=new.id).update(workflow=workflow, version=version)
    return new


def opened(client: Client, a: Run | UUID | str, b: Run | UUID | str) -> HttpResponse:
    return client.get("/runs/compare", {"a": str(getattr(a, "id", a)), "b": str(getattr(b, "id", b))})


def shown(client: Client, a: Run, b: Run) -> str:
    answer = opened(client, a, b)
    assert answer.status_code == 200
    return answer.content.decode()


def whos(html: str) -> dict[str, str]:
    return dict(re.findall(r'<li id="node-([^"]+)" data-who="([^"]+)"', html))


def ways(html: str) -> list[str]:
    return re.findall(r'<path class="way" data-who="([^"]+)"', html)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html[html.index("<main>") :]).split())


# ---- what it shows


def test_page_shows_which_way_each_went(client: Client, make_run: MakeRun, first: Run) -> None:
    """In the drawing, in the list, and in a sentence."""
    second = another(make_run, first)
    walk(second, "false", "no", {"text": "Sorry"})

    html = shown(client, first, second)

    assert "<h1>Ask &amp; &lt;decide&gt;</h1>" in html
    assert whos(html) == {"ask": "both", "yes": "first", "no": "second", "end": "both"}
    assert ways(html) == ["first", "second", "first", "second"]
    assert "Both completed. 1 node ran only in A, 1 node only in B. Every node gave back the same." in words(html)
    assert set(re.findall(r'<li id="node-([^"]+)" data-who="[^"]+" data-differs', html)) == {"ask", "yes", "no"}


def test_outputs_are_compared_place_by_place_and_texts_word_by_word(
    client: Client, make_run: MakeRun, first: Run
) -> None:
    """As text, whatever it is."""
    second = another(make_run, first)
    walk(second, "true", "yes", {"text": "Dear <b>Bob</b>, it is on its way.", "n": 2})

    html = shown(client, first, second)

    assert "Dear <del>Ada</del><ins>&lt;b&gt;Bob&lt;/b&gt;</ins>, it is on its way." in html
    assert "<code>n</code></dt>" in html
    assert "<ins>2</ins>" in html
    assert "The same nodes ran. 1 node gave back something else." in words(html)
    assert [*whos(html).values()] == ["both", "both", "neither", "both"]


def test_inputs_outputs_and_errors_of_the_runs_are_compared(client: Client, make_run: MakeRun, first: Run) -> None:
    second = another(make_run, first)
    second.begin("ask")
    second.tell("execution:failed", error={"message": "boom", "code": "error", "node_id": "ask"}, duration_ms=1)
    Execution.objects.filter(pk=second.id).update(inputs={"who": "Bob"})

    told = words(shown(client, first, second))

    assert "A completed, B failed." in told
    assert "Inputs who &quot;Bob&quot; Outputs" in told
    assert "Error The value itself null {&quot;message&quot;: &quot;boom&quot;" in told


def test_runs_of_two_versions_are_compared_by_their_nodes(client: Client, make_run: MakeRun, first: Run) -> None:
    """Drawn is the second one's version; what only the first has is in the list."""
    second = another(make_run, first, plan_of("ask", "yes", "sign", "end", edges="ask-true>yes, yes>sign, sign>end"))
    walk(second, "true", "yes", {"text": "Dear Ada, it is on its way."})

    html = shown(client, first, second)

    assert whos(html) == {"ask": "both", "yes": "both", "no": "neither", "sign": "neither", "end": "both"}
    assert ways(html) == ["both", "second", "neither"]
    assert "takes no part" in html
    assert "as in version 2" in html


def test_time_and_cost_of_a_node_are_those_of_all_its_visits(client: Client, make_run: MakeRun, first: Run) -> None:
    """Of a rerun only what it ran itself, since the rest was paid before."""
    second = another(make_run, first)
    walk(second, "true", "yes", {"text": "x"})
    usage = {"total_tokens": 9, "cost_usd": 0.25}
    NodeRun.objects.filter(execution=first.id, node_id="yes").update(usage=usage)
    row = NodeRun.objects.get(execution=first.id, node_id="yes")
    NodeRun.objects.create(
        execution=first.execution, node_id="yes", scope="loop[1]", node_type=row.node_type, lane=row.lane,
        status="completed", usage=usage, ready_at=BEGAN, started_at=row.started_at, ended_at=row.ended_at,
    )  # fmt: skip
    NodeRun.objects.filter(execution=second.id, node_id="yes").update(usage=usage, kept=True)

    told = words(shown(client, first, second))

    assert "A completed · 2× 2.0 s $0.5000 B completed kept" in told  # noqa: RUF001 -- times, no letter
    assert "B cost $0.5000 less." in told


def test_output_that_is_too_long_is_named(client: Client, make_run: MakeRun, first: Run) -> None:
    second = another(make_run, first)
    walk(second, "true", "yes", "x" * 30_000)

    assert "The output of B is too long to be compared here." in shown(client, first, second)


def test_run_is_like_itself(client: Client, first: Run) -> None:
    html = shown(client, first, first)

    assert "data-differs" not in html
    assert "Every node gave back the same. They took about as long." in words(html)


def test_run_that_nobody_has_driven_can_be_compared(client: Client, make_run: MakeRun, first: Run) -> None:
    second = another(make_run, first)
    assert ExecutionState.objects.get(pk=second.id).state is None

    assert "A completed, B is pending." in words(shown(client, first, second))


def test_page_costs_as_many_queries_for_four_nodes_as_for_one(
    client: Client, make_run: MakeRun, first: Run, django_assert_max_num_queries: Any
) -> None:
    """Those of two live pages, and one for each run's time and cost."""
    second = another(make_run, first)
    walk(second, "true", "yes", "x")
    shown(client, first, second)

    with django_assert_max_num_queries(15):
        shown(client, first, second)


# ---- who may see it


def test_who_is_not_logged_in_is_asked_to(first: Run) -> None:
    assert opened(Client(), first, first).status_code == 302


@pytest.mark.parametrize(
    ("names", "status", "title"),
    [
        (lambda run: (run, ""), 400, "Two runs, please"),
        (lambda run: ("nobody", run), 400, "Two runs, please"),
        (lambda run: (run, uuid4()), 404, "Run not found"),
    ],
)
def test_runs_that_are_not_named_or_not_there_are_refused_in_words(
    client: Client, first: Run, names: Any, status: int, title: str
) -> None:
    answer = opened(client, *names(first))

    assert (answer.status_code, f"<h1>{title}</h1>" in answer.content.decode()) == (status, True)


def test_run_of_another_workspace_is_as_if_absent(client: Client, make_run: MakeRun, first: Run) -> None:
    theirs = make_run()

    assert opened(client, first, theirs).content == opened(client, first, uuid4()).content


def test_runs_of_two_workflows_are_not_compared(client: Client, make_run: MakeRun, first: Run) -> None:
    """Nodes of one name would have nothing to do with one another."""
    other = make_run(workspace=first.execution.workspace)
    assert Workflow.objects.count() == 2

    answer = opened(client, first, other)

    assert (answer.status_code, "Runs of two workflows" in answer.content.decode()) == (400, True)


def test_page_is_open_to_administrators_of_the_site(first: Run) -> None:
    client = Client()
    client.force_login(UserFactory(password=None, is_superuser=True))

    assert opened(client, first, first).status_code == 200


def test_page_runs_no_script_at_all(client: Client, first: Run) -> None:
    """It is a document: nothing inline, and nothing from elsewhere."""
    answer = opened(client, first, first)

    html = answer.content.decode()
    assert answer.headers["Content-Security-Policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert re.findall(r"<script|\s(?:style|on[a-z]+)=", html) == []

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from executions import tickets
from executions.core import Parts
from executions.metadata import write_entry
from executions.models import Execution, NodeRun
from tests.graphs import draw
from tests.realtime.runs import Run, plan_of
from workflows.core import build_plan, parse_definition

MakeRun = Callable[..., Run]


def opened(run: Run, token: str | None = None, client: Client | None = None) -> HttpResponse:
    query = {} if token is None else {"token": token}
    return (client or Client()).get(f"/executions/{run.id}/live", query)


def shown(run: Run) -> str:
    answer = opened(run, tickets.issue(run.id, run.workspace_id))
    assert answer.status_code == 200
    return answer.content.decode()


def data_of(html: str) -> Any:
    return json.loads(re.search(r'<script id="run" type="application/json">(.*?)</script>', html, re.DOTALL)[1])


def statuses(html: str, kind: str) -> dict[str, str]:
    return dict(re.findall(rf'class="{kind}" data-node="([^"]+)" data-status="([^"]+)"', html))


# ---- what it shows


def test_page_shows_the_graph_with_its_statuses(make_run: MakeRun) -> None:
    """All of it without a script: a past run is a document."""
    plan = plan_of("ask", "yes", "no", "end", edges="ask-true>yes, ask-false>no, yes>end, no>end")
    run = make_run(plan, name="Ask & <decide>")
    run.begin("ask")
    run.finish("ask", {"ok": True}, port="true")
    run.begin("yes")

    html = shown(run)

    assert "<h1>Ask &amp; &lt;decide&gt;</h1>" in html
    assert statuses(html, "card") == {"ask": "completed", "yes": "running", "no": "pending", "end": "pending"}
    assert re.findall(r'class="line" data-look="([^"]+)"', html) == ["taken", "dead", "open", "open"]
    assert re.findall(r'<g class="label".*?>([a-z]+)</text>', html) == ["true", "false"]


def test_page_shows_a_body_right_after_its_container(make_run: MakeRun) -> None:
    """In the drawing below it in a frame, in the list behind it; an edge back leads up beside the cards."""
    drawing = "start -> far -> loop -> out, loop:body -> a -> par -> loop, par:body -> x -> par"
    plan = build_plan(parse_definition(draw(drawing, default="test.echo")))
    run = make_run(plan)
    run.begin("start")
    run.finish("start")

    html = shown(run)

    assert [*statuses(html, "card")] == ["start", "far", "loop", "a", "par", "x", "out"]
    assert [node["node_id"] for node in data_of(html)["nodes"]] == [*statuses(html, "card")]
    height = {
        node: float(top)
        for node, top in re.findall(r'class="card" data-node="([^"]+)".*?translate\([\d.]+ ([\d.]+)\)', html)
    }
    assert height["loop"] < height["a"] < height["par"] < height["x"]
    paths = re.findall(r'class="line".*?<path d="M[\d.]+ ([\d.]+)[CL].*? ([\d.]+)"', html)
    leads_down = {
        f"{source}-{target}": float(begin) < float(end)
        for (source, target, _, _), (begin, end) in zip(data_of(html)["edges"], paths, strict=True)
    }
    assert [edge for edge, down in leads_down.items() if not down] == ["par-loop", "x-par"]
    assert html.count('<rect class="frame"') == 2


def in_a_loop(make_run: MakeRun) -> Run:
    """Three iterations of five: a completed in two and failed in one, b ran in one."""
    run = make_run(build_plan(parse_definition(draw("start -> loop -> out, loop:body -> a -> b", default="test.echo"))))
    run.begin("start")
    run.finish("start")
    run.begin("loop", total=5)
    for index in range(3):
        scope = f"loop[{index}]"
        run.tell("node:progress", "loop", done=index)
        run.begin("a", scope=scope)
        if index == 1:
            run.tell("node:failed", "a", scope=scope, attempt=1, duration_ms=5, error={"message": "no"}, handled=True)
            run.tell("node:skipped", "b", scope=scope, reason="dead_path")
        else:
            run.finish("a", {"text": f"words of {index}"}, scope=scope)
    return run


def test_page_shows_the_newest_visit_and_counts_the_others(make_run: MakeRun) -> None:
    """One card, one row and one output for a node, however often it is visited."""
    run = in_a_loop(make_run)

    html = shown(run)

    assert statuses(html, "card") == {
        "start": "completed", "loop": "running", "a": "completed", "b": "skipped", "out": "pending",
    }  # fmt: skip
    tallies = re.findall(
        r'<g class="card" data-node="([^"]+)".*?<text class="tally"[^>]*>(.*?)</text>', html, re.DOTALL
    )
    assert {node: re.sub(r"<[^>]+>", " ", tally).split() for node, tally in tallies} == {
        "start": [], "loop": ["2/5"], "a": ["2✓", "1✕"], "b": [], "out": [],
    }  # fmt: skip
    nodes = {node["node_id"]: node for node in data_of(html)["nodes"]}
    assert [nodes[node]["scope"] for node in ("loop", "a", "b")] == ["", "loop[2]", "loop[1]"]
    assert nodes["a"]["output"] == {"text": "words of 2"}
    assert "words of 0" not in html  # nor by chance in what is signed


def test_page_says_when_an_attempt_is_due(run: Run) -> None:
    """It is ready, but not before that moment: it waits."""
    run.begin("first")
    run.tell(
        "node:retrying", "first", attempt=1, duration_ms=5, error={"message": "no"}, due_at="2026-05-04T12:01:00+00:00"
    )

    html = shown(run)

    assert statuses(html, "card")["first"] == "waiting"
    first = data_of(html)["nodes"][0]
    assert [first[name] for name in ("status", "attempt", "due_at")] == ["ready", 2, "2026-05-04T12:01:00+00:00"]


def test_page_lists_the_nodes_with_their_times(run: Run) -> None:
    """When each began after the run's start, and how long it took."""
    run.begin("first")
    run.finish("first")

    html = shown(run)

    rows = re.findall(
        r'<li data-node="([^"]+)".*?class="took">(.*?)</span><small class="began">(.*?)</small>', html, re.DOTALL
    )
    assert rows == [("first", "1.0 s", "+2.0 s"), ("second", "", "")]


def test_page_of_a_rerun_says_what_is_kept(run: Run) -> None:
    """It began before the run did: a moment of the run, or a bar in its time, it has none."""
    run.begin("first")
    run.finish("first")
    NodeRun.objects.filter(execution=run.id).update(kept=True)
    run.begin("second")

    html = shown(run)

    rows = re.findall(r'class="took">(.*?)</span><small class="began">(.*?)</small>.*?width="(.*?)%?"', html, re.DOTALL)
    assert [(took, began, width == "0") for took, began, width in rows] == [
        ("1.0 s", "kept", True),
        ("", "+4.0 s", False),
    ]
    assert [node["kept"] for node in data_of(html)["nodes"]] == [True, False]


@pytest.mark.parametrize(
    ("end", "title", "told"),
    [
        (lambda run: run.complete({"answer": "<b>42</b>"}), "Output", "&lt;b&gt;42&lt;/b&gt;"),
        (
            lambda run: run.tell(
                "execution:failed", error={"message": "boom <b>", "code": "error", "node_id": "first"}, duration_ms=1
            ),
            "Error",
            "boom &lt;b&gt;",
        ),
    ],
)
def test_page_of_a_past_run_shows_how_it_ended_and_needs_no_socket(
    run: Run, end: Callable[[Run], object], title: str, told: str
) -> None:
    """What somebody's workflow returned is text, never markup."""
    run.begin("first")
    end(run)

    html = shown(run)

    assert f"<h2>{title}</h2>" in html
    assert told in html
    assert "<b>" not in html
    assert data_of(html)["socket"] is None


def test_page_of_a_live_run_carries_what_its_script_starts_from(run: Run) -> None:
    """Every node as it stands, the edges, and how to go on from that number."""
    token = tickets.issue(run.id, run.workspace_id)
    run.begin("first")
    run.finish("first", {"text": "Hi"})

    data = data_of(opened(run, token).content.decode())

    first = next(node for node in data["nodes"] if node["node_id"] == "first")
    assert (data["status"], data["seq"]) == ("running", 3)
    assert (first["status"], first["output"], first["disabled"]) == ("completed", {"text": "Hi"}, False)
    assert data["edges"] == [["first", "second", "success", None]]
    assert data["socket"] == {
        "path": f"/ws/executions/{run.id}/",
        "token": token,
        "expires_at": tickets.check(token).expires_at.isoformat(),
    }


def test_page_names_the_size_of_an_output_that_is_too_long_for_it(run: Run) -> None:
    """A page of many nodes stays light: long outputs are fetched from the API."""
    run.begin("first")
    run.finish("first", "x" * 30_000)

    first = data_of(shown(run))["nodes"][0]

    assert (first.get("output"), first["output_omitted"]) == (None, 30_002)


def test_page_names_the_sizes_of_what_is_in_blob_storage(run: Run) -> None:
    """Of an output, and of the run's, in the words of the page's script."""
    run.begin("first")
    run.finish("first", None)
    NodeRun.objects.filter(execution=run.id, node_id="first").update(output=None, output_ref={"characters": 300_000})
    run.complete({})
    parts = Parts(nodes=("first",), named=False, characters=300_000, bytes=300_000)
    Execution.objects.filter(pk=run.id).update(outputs=None, outputs_ref=parts.dump())

    html = shown(run)

    first = data_of(html)["nodes"][0]
    assert (first.get("output"), first["output_omitted"]) == (None, 300_000)
    assert '<code id="result-text">300000 characters: fetch them from the API.</code>' in html


def test_page_cannot_be_broken_by_what_a_run_holds(run: Run) -> None:
    """An output that closes the script it is carried in would be a script of its own."""
    run.begin("first")
    run.finish("first", "</script><script>alert(1)</script>")

    html = shown(run)

    assert html.count("<script") == 2  # ours, and the data
    assert data_of(html)["nodes"][0]["output"] == "</script><script>alert(1)</script>"


# ---- what it forbids


def test_page_runs_nothing_but_our_own_files(run: Run) -> None:
    """No inline script or style, no other host, no frame around it; its address, which may hold a ticket, stays here."""
    answer = opened(run, tickets.issue(run.id, run.workspace_id))

    html = answer.content.decode()
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' ws://testserver; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert re.findall(r"\s(?:style|on[a-z]+)=", html) == []
    assert set(re.findall(r'(?:src|href)="([^"#]+)"', html)) == {
        "/static/realtime/live.js",
        "/static/realtime/live.css",
        "/static/realtime/controls.css",
        "/static/realtime/timeline.css",
        "/static/realtime/mark.svg",
    }


# ---- what it costs, and the rest


def test_page_shows_what_nodes_said_about_the_run(run: Run) -> None:
    """As text, whatever it is; and to the script that keeps it up to date."""
    before = shown(run)
    write_entry(run.id, "<b>rows</b>", '{"n": 1}')
    write_entry(run.id, "stage", '"half <i>way</i>"')

    html = shown(run)

    assert 'id="metadata" hidden' in before
    assert "<dt>&lt;b&gt;rows&lt;/b&gt;</dt><dd>{&quot;n&quot;:1}</dd>" in html
    assert "<dt>stage</dt><dd>half &lt;i&gt;way&lt;/i&gt;</dd>" in html
    assert data_of(html)["metadata"] == {"<b>rows</b>": {"n": 1}, "stage": "half <i>way</i>"}


def test_page_says_what_models_used_and_cost(run: Run) -> None:
    """Nothing where none was asked."""
    before = shown(run)
    run.begin("first")
    run.finish("first")
    usage = {"prompt_tokens": 900, "completion_tokens": 334, "total_tokens": 1234, "cost_usd": 0.0042}
    NodeRun.objects.filter(execution=run.id, node_id="first").update(usage=usage)

    html = shown(run)

    assert re.findall(r"<div hidden><dt>(Tokens|Cost)</dt>", before) == ["Tokens", "Cost"]
    assert re.findall(r'<div><dt>(Tokens|Cost)</dt><dd id="[a-z]+">(.*?)</dd>', html) == [
        ("Tokens", "1234"),
        ("Cost", "$0.0042"),
    ]
    assert data_of(html)["usage"] == {**usage, "unpriced_tokens": 0}


def test_page_is_only_read(run: Run) -> None:
    """There is nothing to post to it."""
    assert Client().post(f"/executions/{run.id}/live").status_code == 405


def test_page_of_a_loop_is_as_large_and_costs_as_much_as_one_iteration(
    make_run: MakeRun, django_assert_num_queries: Any
) -> None:
    """Two more iterations, three of ten thousand: nothing grows with them but figures."""
    run = in_a_loop(make_run)
    before = len(json.dumps(data_of(shown(run))))
    for index in (3, 4):
        run.begin("a", scope=f"loop[{index}]")
        run.finish("a", {"text": f"words of {index}"}, scope=f"loop[{index}]")

    token = tickets.issue(run.id, run.workspace_id)
    with django_assert_num_queries(9):
        html = opened(run, token).content.decode()

    assert len(json.dumps(data_of(html))) == before


def test_page_costs_few_queries(run: Run, django_assert_num_queries: Any) -> None:
    """The same for a run of a thousand nodes: run, state, rows, what was said of it, tokens, outputs; the plan is kept."""
    token = tickets.issue(run.id, run.workspace_id)
    opened(run, token)

    with django_assert_num_queries(6):
        opened(run, token)

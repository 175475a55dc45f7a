"""Every workflow of `examples/`, run to the end on real workers, with the demo's inputs and its stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from executions.core import RunStatus
from executions.core.statuses import WaitpointStatus
from executions.models import Execution, NodeRun, Waitpoint
from executions.services import start_execution
from executions.waitpoints import services
from flowmaestro.demo import EXAMPLES, read_orders
from flowmaestro.standin import ARTICLES, StandIn, serve
from flowmaestro.workflow_files import store_file
from handlers import JSONObject, JSONValue, PauseKind
from tests.factories import WorkspaceFactory
from tests.stack import workers_on_test_database
from tests.waiting import wait_for_end, wait_until
from workflows.models import Workflow, Workspace
from workflows.services import create_workflow, version_to_run

pytestmark = pytest.mark.stack

FOLDER = Path(__file__).parents[2] / "examples"
ORDERS = read_orders(FOLDER / "orders.csv")
SECONDS = 120  # for one example, on a machine that is busy with the rest of the suite


@pytest.fixture(scope="module")
def standin(django_db_setup: None, django_db_blocker: Any) -> Iterator[StandIn]:
    """With two workers that know it."""
    with serve(token_seconds=0) as standin, django_db_blocker.unblock():
        with workers_on_test_database(2, OPENAI_BASE_URL=f"{standin.url}/v1", OPENAI_API_KEY="key-of-nobody"):
            yield standin
        call_command("flush", interactive=False, verbosity=0)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return WorkspaceFactory()


def run(name: str, workspace: Workspace, inputs: JSONObject, **answers: JSONValue) -> Execution:
    """The run when it is over. What its nodes ask people is answered, in this order."""

    def store(definition: JSONObject) -> str:
        workflow, examined = create_workflow(workspace.pk, name=str(definition["name"]), definition=definition)
        assert [issue.to_json() for issue in examined.issues] == []
        return str(workflow.pk)

    workflow = Workflow.objects.get(pk=store_file(FOLDER / f"{name}.json", store))
    execution = start_execution(version_to_run(workflow), inputs=inputs)
    for node_id, answer in answers.items():
        open_now = Waitpoint.objects.filter(execution=execution, node_id=node_id, status=WaitpointStatus.OPEN)
        wait_until(open_now.exists, seconds=SECONDS)
        services.answer(open_now.get().pk, answer, by="somebody", kinds=[PauseKind.HUMAN])
    wait_for_end(execution, seconds=SECONDS)
    assert execution.error is None
    assert execution.status == RunStatus.COMPLETED
    return execution


def visits(execution: Execution, node_id: str) -> dict[str, NodeRun]:
    """By scope."""
    return {row.scope: row for row in NodeRun.objects.filter(execution=execution, node_id=node_id)}


def test_examples_are_all_run_here() -> None:
    """Whoever adds one shows that it runs."""
    assert (
        {path.stem for path in FOLDER.glob("*.json")}
        == EXAMPLES.keys()
        == {*("order-triage", "triage-all-orders", "stock-watch", "restock", "refund-approval")}
    )


def test_one_order_is_triaged(standin: StandIn, workspace: Workspace) -> None:
    execution = run("order-triage", workspace, EXAMPLES["order-triage"].inputs([ORDERS[1017]], standin.url))

    assert execution.outputs["decision"] == {
        "order": 1017,
        "next": {"step": "send", "from": "Rotterdam"},
        "care": "your account manager",
        "delivery": "parcel service, 4 days",
        "total": 731.0,
        "risk": 0,
    }
    assert execution.outputs["reply"].startswith("Dear Marta Nowak,")


def test_all_orders_are_triaged_side_by_side_and_one_that_cannot_be_goes_to_a_person(
    standin: StandIn, workspace: Workspace
) -> None:
    """Each in a run of its own, which names the branch that waits for it."""
    inputs = EXAMPLES["triage-all-orders"].inputs(list(ORDERS.values()), standin.url)
    illegible = {**ORDERS[1001].to_json(), "id": 999, "amount": "dear"}
    inputs["orders"].insert(3, illegible)  # type: ignore[union-attr]  # it is a list

    execution = run("triage-all-orders", workspace, inputs)

    report = execution.outputs["report"]
    children = Execution.objects.filter(parent=execution)
    assert execution.response == {"status": 202, "body": {"accepted": 41}}
    assert (report["orders"], sum(report["next"].values())) == (41, 40)
    assert [wrong["order"] for wrong in report["by_hand"]] == [999]
    assert report["held"] == sorted(report["held"]) == [1016, 1024, 1028, 1038]
    assert report["next"]["hold"] == 4
    assert sorted(children.values_list("parent_scope", flat=True)) == sorted(f"each[{place}]" for place in range(41))
    assert children.get(status=RunStatus.FAILED).parent_scope == "each[3]"


def test_stock_is_read_page_by_page_and_asked_again_while_it_is_busy(standin: StandIn, workspace: Workspace) -> None:
    """Of the three pages, the second wants to be asked twice."""
    execution = run("stock-watch", workspace, EXAMPLES["stock-watch"].inputs([], standin.url))

    pages = visits(execution, "page")
    assert execution.outputs == {
        "low": [
            {"sku": "CHR-ESY-02", "available": 0, "warehouse": "Leipzig"},
            {"sku": "LMP-ARC-01", "available": 1, "warehouse": "Leipzig"},
            {"sku": "RUG-WOL-07", "available": 3, "warehouse": "Gdansk"},
            {"sku": "SHF-PIN-03", "available": 7, "warehouse": "Gdansk"},
        ],
        "read": {"articles": len(ARTICLES), "complete": True, "because": None},
    }
    assert {scope: row.attempt for scope, row in pages.items()} == {"pages[0]": 1, "pages[1]": 2, "pages[2]": 1}
    assert [past["error"]["details"]["status"] for past in pages["pages[1]"].history] == [503]


def test_stock_that_cannot_be_read_is_told_as_such(standin: StandIn, workspace: Workspace) -> None:
    """The loop's error port: a list that looks complete and is not would be worse than none."""
    execution = run("stock-watch", workspace, {"stock_url": f"{standin.url}/nowhere", "least": 10})

    read = execution.outputs["read"]
    assert (execution.outputs["low"], read["articles"], read["complete"]) == ([], 0, False)
    assert "answered 404" in read["because"]


def test_articles_that_run_low_are_ordered_where_they_are_cheapest(standin: StandIn, workspace: Workspace) -> None:
    """Suppliers that do not have one are passed over, by the error port inside of both containers."""
    inputs = EXAMPLES["restock"].inputs([], standin.url)

    execution = run("restock", workspace, inputs)

    orders = execution.outputs["orders"]
    refused = {scope for scope, row in visits(execution, "offer").items() if row.handled}
    assert [(order["sku"], order["supplier"], order["pieces"]) for order in orders] == [
        ("CHR-ESY-02", "norden", 15),
        ("LMP-ARC-01", "baltica", 20),
        ("RUG-WOL-07", "adria", 15),
        ("SHF-PIN-03", "baltica", 10),
    ]
    assert execution.outputs["cost"] == sum(order["cost"] for order in orders) == 683_290
    assert execution.outputs["without_offer"] == []
    assert (
        refused
        == visits(execution, "no_offer").keys()
        == {*("each[0]/ask[2]", "each[1]/ask[2]", "each[2]/ask[0]", "each[3]/ask[0]")}
    )


@pytest.mark.parametrize(
    ("order", "answers", "refund"),
    [
        (1029, {"approval": True}, {"step": "paid back", "amount": 649.0}),
        (
            1029,
            {"approval": False, "reason": "The warranty is over."},
            {"step": "declined", "words": "The warranty is over."},
        ),
        (1032, {}, {"step": "paid back", "amount": 59.0}),  # a small one is not asked about
    ],
)
def test_refund_is_as_people_decide(
    standin: StandIn, workspace: Workspace, order: int, answers: dict[str, JSONValue], refund: JSONObject
) -> None:
    """Nothing is paid before the time to call it back is over."""
    inputs = EXAMPLES["refund-approval"].inputs([ORDERS[order]], standin.url)

    execution = run("refund-approval", workspace, {**inputs, "hold_back_seconds": 1}, **answers)

    assert {name: execution.outputs["refund"][name] for name in refund} == refund
    assert execution.outputs["refund"]["order"] == order
    held_back = visits(execution, "hold_back").values()
    assert [row.output["actualWaitDuration"] >= 1000 for row in held_back] == [True] * ("amount" in refund)


def test_refund_that_nobody_decides_about_is_passed_on(standin: StandIn, workspace: Workspace) -> None:
    """By the timeout of the question."""
    inputs = EXAMPLES["refund-approval"].inputs([ORDERS[1029]], standin.url)

    execution = run("refund-approval", workspace, {**inputs, "answer_within_ms": 300})

    assert execution.outputs["refund"]["step"] == "passed on"
    assert visits(execution, "approval")[""].port == "timeout"

from __future__ import annotations

import pytest

from executions import blobs, hotpath
from executions.models import Execution, NodeRun

pytestmark = pytest.mark.django_db(transaction=True)

NOBODY = 0  # a lease that was never given


def test_outputs_are_those_of_the_nodes_asked_for_in_their_scope(run: Execution) -> None:
    NodeRun.objects.filter(execution=run, node_id="a").update(scope="loop[0]", output="of a")

    asked = [("loop[0]", "a"), ("loop[0]", "start"), ("", "a"), ("", "start"), ("", "ghost")]
    assert hotpath.outputs(run.pk, asked) == {("loop[0]", "a"): '"of a"', ("", "start"): "{}"}


def test_outputs_that_are_blobs_are_fetched(run: Execution) -> None:
    blob = blobs.put('"of a"', workspace_id=run.workspace_id, execution_id=run.pk)
    NodeRun.objects.filter(execution=run, node_id="a").update(output_ref=blob.dump())

    assert hotpath.outputs(run.pk, [("", "a"), ("", "start")]) == {("", "a"): '"of a"', ("", "start"): "{}"}


def test_sizes_of_outputs_are_known_without_them(run: Execution) -> None:
    """Of those in their rows, and of blobs by what the row says of them."""
    NodeRun.objects.filter(execution=run, node_id="a").update(output="grüße")
    NodeRun.objects.filter(execution=run, node_id="b").update(output_ref={"characters": 7, "bytes": 9})

    assert hotpath.output_sizes(run.pk, "", ["a", "b", "ghost"]) == {"a": (7, 9), "b": (7, 9)}
    assert hotpath.output_sizes(run.pk, "loop[0]", ["a"]) == {}

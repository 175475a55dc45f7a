from __future__ import annotations

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from executions import blobs, run_outputs
from executions.core import OutputsTooLarge, RunStatus
from executions.models import Execution, NodeRun
from executions.services import cancel_execution
from handlers import HandlerError
from tests.executions.runs import begin, outputs, reread, returned
from tests.executions.scripted import Script, answers, raises
from tests.fakes import Messages

pytestmark = pytest.mark.django_db(transaction=True)

KB = 1024


def three(messages: Messages, scripts: dict[str, Script], characters: int, types: str = "test.script") -> Execution:
    """A run whose outputs are those of three nodes, of so many characters each."""
    for node in "abc":
        scripts[node] = answers(node * (characters - 2))  # and two quotes
    run = begin("start -> a, start -> b, start -> c", types={"start": "trigger"}, default=types)
    messages.deliver_all()
    return run


@pytest.mark.parametrize("kind", ["test.script", "test.pureScript"])
@pytest.mark.parametrize("kb", [60, 100, 300])
def test_outputs_of_a_run_are_read_as_they_would_be_from_its_row(
    messages: Messages, scripts: dict[str, Script], kind: str, kb: int
) -> None:
    """Inline, together too large for that, each for itself."""
    run = three(messages, scripts, kb * KB, kind)

    row = reread(run)
    assert returned(run) == {node: node * (kb * KB - 2) for node in "abc"}
    assert (row.outputs is None, row.outputs_ref is None) == (kb > 60, kb == 60)
    assert run_outputs.omitted(row, whole=False) == (None if kb == 60 else 3 * kb * KB)
    assert run_outputs.omitted(row, whole=True) is None


def test_outputs_together_are_written_nowhere_a_second_time(messages: Messages, scripts: dict[str, Script]) -> None:
    run = three(messages, scripts, 300 * KB)

    row = reread(run)
    assert row.outputs_ref == {"nodes": ["a", "b", "c"], "named": False, "characters": 900 * KB, "bytes": 900 * KB}
    assert len(blobs.keys_of(run.workspace_id, run.pk)) == 3


def test_outputs_by_name_are_merged_by_who_reads_them(messages: Messages, scripts: dict[str, Script]) -> None:
    """Of two of one name, the later in plan order; as it is with small ones."""
    configs = {"o1": "one", "o2": "two", "o3": "one"}
    texts = {"a": "a" * 300_000, "b": "b" * 10}
    scripts.update({node: answers(text) for node, text in texts.items()})
    run = begin(
        "start -> a -> o1 -> b -> o2 -> o3",
        default="test.script",
        types={"start": "trigger", "o1": "output", "o2": "output", "o3": "output"},
        nodes={
            node: {"config": {"outputName": name, "value": "{{b}}" if node == "o2" else "{{a}}" + node}}
            for node, name in configs.items()
        },
    )

    messages.deliver_all()

    assert reread(run).outputs is None
    assert returned(run) == {"one": texts["a"] + "o3", "two": texts["b"]}


def test_outputs_that_are_large_only_by_their_names_are_read_from_the_nodes(
    messages: Messages, scripts: dict[str, Script], settings: Settings
) -> None:
    """Their size is that of the whole, so that no frame takes it for one that it could carry."""
    settings.FLOWMAESTRO_MAX_INLINE_BYTES = 12
    run = three(messages, scripts, 3)

    together = '{"a":"a","b":"b","c":"c"}'
    row = reread(run)
    assert (row.outputs, row.outputs_ref["characters"], row.outputs_ref["bytes"]) == (None, len(together), 25)
    assert returned(run) == {"a": "a", "b": "b", "c": "c"}


def test_outputs_may_be_more_than_one_answer_holds(
    messages: Messages, scripts: dict[str, Script], settings: Settings
) -> None:
    """The run does not fail for it: each is within the limit, and is with its node."""
    settings.FLOWMAESTRO_MAX_OUTPUT_BYTES = 700 * KB
    run = three(messages, scripts, 300 * KB)

    with pytest.raises(OutputsTooLarge, match=r"921,600 bytes together; the limit is 716,800") as caught:
        returned(run)

    row = reread(run)
    assert (row.status, caught.value.size, run_outputs.omitted(row, whole=True)) == ("completed", 921_600, 900 * KB)
    assert outputs(run)["c"] == "c" * (300 * KB - 2)


@pytest.mark.parametrize("end", [RunStatus.FAILED, RunStatus.CANCELLED])
def test_outputs_so_far_are_kept_while_the_storage_is_away(
    messages: Messages, scripts: dict[str, Script], monkeypatch: pytest.MonkeyPatch, end: RunStatus
) -> None:
    """A run ends, and can be cancelled, by the database alone."""
    scripts["a"] = answers("a" * 300_000)
    scripts["b"] = raises(HandlerError("boom"))
    run = begin("start -> a, start -> b", types={"start": "trigger"}, default="test.script")
    messages.deliver(messages.waiting.pop(0))
    for message in [*messages.waiting][: 2 if end is RunStatus.FAILED else 1]:
        messages.waiting.remove(message)
        messages.deliver(message)

    def away(*_: Any, **__: Any) -> Any:
        raise AssertionError("the storage was asked")

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "get", away)
        patched.setattr(blobs, "put", away)
        if end is RunStatus.CANCELLED:
            cancel_execution(run.pk)
        messages.deliver_all()

    assert (reread(run).status, returned(run)) == (end, {"a": "a" * 300_000})


def test_run_without_outputs_has_none(messages: Messages) -> None:
    run = begin("start -> a")

    assert (returned(run), run_outputs.omitted(reread(run), whole=False)) == (None, None)


def test_output_that_is_null_is_an_output(messages: Messages, scripts: dict[str, Script]) -> None:
    scripts["a"] = answers(None)
    run = begin("start -> a", types={"start": "trigger"}, default="test.script")
    messages.deliver_all()

    assert returned(run) == {"a": None}
    assert NodeRun.objects.filter(execution=run, node_id="a", output_ref__isnull=True).exists()

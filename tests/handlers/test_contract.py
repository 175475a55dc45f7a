"""What holds for every node type, those of plug-ins included: run it over your own."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from handlers import TIMEOUT_PORT, Effect, HandlerError, Lane, NodeHandler, NodeOutput, Pause, PauseKind, Resumed
from handlers.registry import NodeType, check_config
from handlers.schemas import find_fault
from tests.handlers.fakes import CATALOGUE, NOW, run

FIXED_HANDLES = {"", "output", "source", "error"}
BUILT_IN = [name for name in CATALOGUE if type(CATALOGUE[name].handler).__module__.startswith("handlers.nodes.")]

# Plug-ins as well, and none that some other test has registered for itself.
ALL = [name for name in CATALOGUE if not type(CATALOGUE[name].handler).__module__.startswith("tests.")]
PORTED = [name for name in ALL if type(CATALOGUE[name].handler).ports.__func__ is not NodeHandler.ports.__func__]  # type: ignore[attr-defined]  # bound to their classes
# Names that say all there is to say, of fields that hold what they are called.
PLAIN = frozenset(
    [
        "author",
        "cases",
        "cc",
        "description",
        "fileUrl",
        "label",
        "leftValue",
        "maxRedirects",
        "operator",
        "password",
        "prompt",
        "replyTo",
        "rightValue",
        "routes",
        "sheetName",
        "speed",
        "subject",
        "temperature",
        "textInput",
        "topP",
    ]
)

# Whatever Python's reader makes of JSON: halves of surrogate pairs, numbers beyond all floats, infinity and NaN.
TEXT = st.text(st.characters(exclude_categories=()), max_size=8)
HARD = st.sampled_from(
    [1e400, -1e400, float("nan"), 10**400, -(2**63), "\0", "\ud800", "9" * 5_000, "{{", "{{a.b}}", "}}"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | HARD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
HANDLES = TEXT | st.builds("case-{}".format, TEXT | st.integers(-3, 9)) | st.sampled_from([f"case-{'9' * 5_000}", "²"])


@cache  # made anew for every example, they took longer than what they are for
def configs(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """Anything an author, an importer or an attacker may send, with the type's own keys among it."""
    node = CATALOGUE[name]
    keys = [str(key) for key in node.config_schema().get("properties", {})]  # type: ignore[union-attr]  # a schema's is a map
    keys += [*node.handler.Config.field_kinds(), "transformType", "switchVariable", "outputVariable"]
    cases = st.lists(st.fixed_dictionaries({"value": JSON | st.sampled_from(sorted(FIXED_HANDLES))}), max_size=3)
    anything = st.dictionaries(st.sampled_from(keys) | TEXT, JSON | cases, max_size=6)
    least = st.fixed_dictionaries(dict.fromkeys(required(node), st.just("name") | JSON | cases))
    return anything | st.builds(dict.__or__, anything, least)


def required(node: NodeType) -> list[str]:
    return [str(key) for key in node.config_schema().get("required", [])]  # type: ignore[union-attr]  # a schema's is a list


def test_built_in_types_are_those_of_the_manual() -> None:
    """A type that is lost with its module would be missed by no other test."""
    expected = [
        "annotation",
        "audio",
        "audioInput",
        "audioOutput",
        "audioTranscription",
        "chartGeneration",
        "code",
        "conditional",
        "database",
        "email",
        "embeddings",
        "file",
        "fileDownload",
        "fileRead",
        "fileWrite",
        "files",
        "http",
        "humanReview",
        "imageGeneration",
        "input",
        "integration",
        "llm",
        "loop",
        "noop",
        "ocrExtraction",
        "output",
        "parallel",
        "pdfExtract",
        "pdfGeneration",
        "response",
        "router",
        "screenshotCapture",
        "setVariable",
        "shared-memory",
        "spreadsheetGeneration",
        "subWorkflow",
        "switch",
        "templateOutput",
        "transform",
        "trigger",
        "url",
        "vision",
        "wait",
        "waitForEvent",
        "waitForToken",
        "webBrowse",
        "webSearch",
    ]

    assert expected == BUILT_IN


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_has_a_manual_and_a_title(name: str) -> None:
    """The catalogue is what authors read."""
    node = CATALOGUE[name]

    assert len(node.doc) > 60
    assert node.title
    assert node.category in {"inputs", "outputs", "logic", "ai", "integrations", "utils"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_manual_tells_the_output(name: str) -> None:
    """Whoever refers to a node has to know what is there."""
    assert re.search(r"\b[Oo]utput(:| of| by| is)", CATALOGUE[name].doc)


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_fields_have_the_names_of_definitions_and_say_what_they_are(name: str) -> None:
    """By a sentence, or their choices, or a name that leaves no question."""
    fields: Any = CATALOGUE[name].config_schema().get("properties", {})

    assert [field for field in fields if not re.fullmatch(r"[a-z][A-Za-z0-9]*", field)] == []
    silent = [field for field, told in fields.items() if not {"description", "enum"} & told.keys()]
    assert [field for field in silent if field not in PLAIN and fields[field].get("type") != "boolean"] == []


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_has_a_file_of_tests(name: str) -> None:
    """Beside what holds for all of them."""
    module = type(CATALOGUE[name].handler).__module__.rpartition(".")[2]

    assert (Path(__file__).parent / f"nodes/test_{module}.py").exists()


@pytest.mark.parametrize("name", ALL)
def test_node_type_handles_are_told_once_and_begin_with_those_of_every_type(name: str) -> None:
    """An editor draws them in this order."""
    handles = CATALOGUE[name].handles({})

    assert handles[:2] == ("output", "error")
    assert len(set(handles)) == len(handles)
    assert all(handles)


@pytest.mark.parametrize("name", ALL)
def test_node_type_is_found_by_each_of_its_names(name: str) -> None:
    """And by one that it has all to itself."""
    node = CATALOGUE[name]

    assert [CATALOGUE[each] for each in (name, *node.aliases)] == [node] * (len(node.aliases) + 1)
    assert len({name, *node.aliases}) == len(node.aliases) + 1


@pytest.mark.parametrize("name", ALL)
def test_node_type_output_schema_is_json_schema_where_there_is_one(name: str) -> None:
    if (schema := CATALOGUE[name].output_schema()) is not None:
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_schema_is_json_schema(name: str) -> None:
    """A form can be drawn from it."""
    Draft202012Validator.check_schema(CATALOGUE[name].config_schema())


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_to_json_is_json(name: str) -> None:
    """What `/node-types` shows survives the wire unchanged."""
    entry = CATALOGUE[name].to_json()

    assert json.loads(json.dumps(entry)) == entry


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_tells_by_what_it_is_tried(name: str) -> None:
    """Somebody's failed node is tried again without a word of theirs; how often stands in the catalogue."""
    node, told = CATALOGUE[name], CATALOGUE[name].to_json()["retry"]

    assert (told is None) is (not node.retries or node.container is not None)
    if told is not None:
        assert told["attempts"] == (3 if node.effect is Effect.EFFECT else 1)  # type: ignore[index,call-overload]  # an object
        assert 1 <= told["initialIntervalMs"] <= told["maxIntervalMs"]  # type: ignore[index,call-overload,operator]  # likewise


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_that_is_pure_runs_where_decisions_are_made(name: str) -> None:
    """A pure node holds a transaction open, an effect must hold none."""
    node = CATALOGUE[name]

    assert (node.lane is Lane.DRIVE) is (node.effect is Effect.PURE)


@pytest.mark.parametrize("name", BUILT_IN)
def test_node_type_without_a_configuration_has_ports_and_names_what_is_missing(name: str) -> None:
    """The first moment of every drawing."""
    node = CATALOGUE[name]

    assert isinstance(node.handler.ports({}), tuple)
    assert bool(check_config(node, {})) or not required(node)


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_node_type_takes_any_configuration_without_raising(name: str, data: st.DataObject) -> None:
    """Validation answers whatever is sent; no drawing makes it fail."""
    node = CATALOGUE[name]
    config = data.draw(configs(name))
    before = repr(config)

    wrong = check_config(node, config)
    ports = node.handler.ports(config)
    writes = node.handler.writes(config)

    assert repr(config) == before  # not equality: NaN
    assert all(isinstance(field, str) and isinstance(sentence, str) and sentence for field, sentence in wrong)
    assert all(isinstance(port, str) for port in ports)
    assert len(set(ports)) == len(ports)
    assert ports == node.handler.ports(config)
    assert writes is None or isinstance(writes, str)


@pytest.mark.parametrize("name", PORTED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_node_type_ports_are_their_own_handles(name: str, data: st.DataObject) -> None:
    """An edge drawn from a port's name leaves by that port, and any handle means a port that is there."""
    node = CATALOGUE[name]
    config = data.draw(configs(name))
    ports = node.handler.ports(config)

    meant = {handle: node.handler.port_for(handle, config) for handle in [*ports, data.draw(HANDLES)]}

    assert {port: meant[port] for port in ports} == {port: port for port in ports}
    assert set(meant.values()) <= {*ports, None}


@pytest.mark.parametrize("name", PORTED)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_node_type_ports_that_clash_with_fixed_handles_are_reported(name: str, data: st.DataObject) -> None:
    """A port named `error` could never be told from the error port."""
    node = CATALOGUE[name]
    config = data.draw(configs(name))

    clashes = FIXED_HANDLES & set(node.handler.ports(config))

    assert not clashes or check_config(node, config)


# Of test.big, an answer may be a gigabyte; containers are the engine's to run.
RUNNABLE = [name for name in ALL if CATALOGUE[name].effect is Effect.PURE and CATALOGUE[name].container is None]


@pytest.mark.parametrize("name", [name for name in RUNNABLE if name != "test.big"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_node_type_that_is_pure_answers_or_says_why_not(name: str, data: st.DataObject) -> None:
    """It runs inside the drive: whatever a template resolved to, a failure is one that its author can read."""
    config = data.draw(configs(name))

    try:
        output = run(name, config)
    except (ValidationError, HandlerError):  # the two that the engine turns into an `invalid_…` of the node
        return
    assert isinstance(output, NodeOutput)
    if (shape := CATALOGUE[name].handler.Output) is not None:
        shape.model_validate(output.data)


PAUSING = [name for name in ALL if CATALOGUE[name].pauses]


@pytest.mark.parametrize("name", PAUSING)
def test_node_type_that_pauses_is_pure_and_never_retried(name: str) -> None:
    """It is decided within a transaction that it waits, and what has been asked is not asked again."""
    node = CATALOGUE[name]

    assert (node.effect, node.retries) == (Effect.PURE, False)


@pytest.mark.parametrize("name", PAUSING)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_node_type_that_pauses_waits_for_what_can_come_and_goes_on_with_it(name: str, data: st.DataObject) -> None:
    """A pause nobody can end holds its run for ever."""
    node = CATALOGUE[name]
    try:
        output = run(name, data.draw(configs(name)))
    except (ValidationError, HandlerError):
        return
    if (pause := output.signal) is None:
        return
    answer = None if pause.kind is PauseKind.TIMER else data.draw(JSON)

    resumed = node.handler.resume(
        Resumed(node_id="node", scope="", state=pause.state, answer=answer, paused_at=NOW, now=NOW + timedelta(hours=1))
    )

    assert isinstance(pause, Pause)
    assert (pause.kind is PauseKind.TIMER) is (pause.wakes_at is not None)
    assert (pause.wakes_at or pause.expires_at or NOW + timedelta(1)) > NOW
    assert pause.expires_at is None or TIMEOUT_PORT in node.handler.ports({})
    assert pause.schema is None or find_fault(pause.schema) is None
    assert isinstance(resumed, NodeOutput)
    assert not isinstance(resumed.signal, Pause)

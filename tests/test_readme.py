"""The README read by a machine: its snippets run, its tables are the code's own."""

from __future__ import annotations

import ast
import json
import re
import runpy
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve

import flowmaestro.env
from executions import frames
from executions.bodies import ExecuteBody
from executions.core import EventType
from executions.core.events import EVENT_FIELDS
from executions.core.statuses import NODE_TRANSITIONS, RUN_TRANSITIONS
from executions.models import Waitpoint
from executions.quarantine import MOST_FAILURES
from flowmaestro.demo import EXAMPLES
from handlers.llm import known
from handlers.registry import load
from tests.doors import Api, data
from tests.factories import WaitpointFactory, WorkflowVersionFactory, WorkspaceFactory
from tests.handlers.integrations import toys
from tests.handlers.integrations.played import asked, reply
from workflows.core import build_plan, parse_definition, validate
from workflows.serializers import NewWorkflow

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGES = ("flowmaestro", "realtime", "executions", "workflows", "handlers")


def block(language: str, *, after: str = "") -> str:
    """The first fenced block of *language* behind *after*, which is in the README once."""
    found = re.search(rf"```{language}\n(.*?)```", section(after), re.DOTALL)
    assert found, (language, after)
    return found[1]


def table(*, after: str) -> list[list[str]]:
    """The cells of the first table behind *after*, its head left out."""
    lines = section(after).lstrip().splitlines()
    rows = lines[: next((at for at, line in enumerate(lines) if not line.startswith("|")), None)]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def section(after: str) -> str:
    assert not after or README.count(after) == 1, after
    return README.partition(after)[2] if after else README


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# ---- nodes


def test_node_types_of_the_readme_are_those_of_the_catalogue() -> None:
    families = {family: quoted(types) for family, types in table(after="<!-- nodes -->")}

    built_in = [row for row in load().values() if type(row.handler).__module__.startswith("handlers.nodes.")]
    assert families == {
        family: [row.name for row in built_in if row.category == family]
        for family in sorted({row.category for row in built_in})
    }


def test_attacks_of_the_readme_are_tried_where_it_says() -> None:
    for _, tried in table(after="<!-- attacks -->"):
        for path in quoted(tried):
            assert "def test_" in (ROOT / path).read_text(encoding="utf-8"), path


# ---- a service of your own; the node type above it is installed in tests/executions/test_own_package.py


def test_provider_of_the_readme_asks_its_service() -> None:
    """What its table says is sent, and pages are put together."""
    scope: dict[str, Any] = {"__name__": "shop"}
    exec(compile(block("python", after="### A service of your own"), "README.md", "exec", dont_inherit=True), scope)
    shop = scope["shop"]

    made, (order,) = toys.do(shop, "createOrder", {"customer": "c 1", "article": "pen"}, reply({"id": 7}))
    listed, (page,) = toys.do(shop, "listOrders", {"limit": 2}, reply({"orders": [{"id": 7}]}))

    assert asked(order) == ("POST /customers/c%201/orders", {}, {"article": "pen", "amount": 1})
    assert asked(page) == ("GET /orders", {"state": "open", "limit": "2"}, None)
    assert (made, listed["items"]) == ({"id": 7}, [{"id": 7}])


# ---- over HTTP


def requests(*, after: str = "Over HTTP") -> Iterator[tuple[str, dict[str, Any]]]:
    """Path and body of each curl of the first snippet behind *after*."""
    commands = block("sh", after=after).replace("\\\n", " ").split("curl ")[1:]
    for words in map(shlex.split, commands):
        address = next(word for word in words if word.startswith(("localhost:", "$API", "$PUBLIC_URL")))
        yield address.partition("/")[2], json.loads(words[words.index("-d") + 1])


def test_workflow_that_the_readme_posts_is_valid_and_plans() -> None:
    """Without a remark of validation: it is what everybody copies first."""
    (_, body), _ = requests()

    told = NewWorkflow(data=body)

    assert told.is_valid(), told.errors
    assert validate(body["definition"]) == []
    plan = build_plan(parse_definition(body["definition"]))
    assert [node.id for node in plan.nodes] == ["start", "greet"]


def test_requests_of_the_readme_go_where_the_api_listens() -> None:
    """The addresses are routes, and the second starts the first one's workflow with inputs that it reads."""
    (create, workflow), (execute, body) = requests()

    told = ExecuteBody(data=body)

    assert resolve(f"/{create}").view_name == "workflow-list"
    assert resolve(f"/{execute.replace('$ID', '01900000-0000-7000-8000-000000000001')}").view_name == "workflow-execute"
    assert told.is_valid(), told.errors
    assert re.findall(r"{{inputs\.(\w+)}}", json.dumps(workflow)) == list(body["inputs"])


def test_requests_that_answer_are_taken_in_their_order(db: None) -> None:
    """Each of them does what the section is about; the run is paused by rows, which no engine has seen."""
    api = Api(WorkspaceFactory())
    version = WorkflowVersionFactory(workflow__workspace=api.workspace)
    question = WaitpointFactory(node_id="approve", schema={"type": "boolean"}, execution__version=version)
    run = question.execution_id
    keys = {
        "RUN": run,
        "VOTE": WaitpointFactory(execution_id=run, workspace=api.workspace, votes_needed=1, voters=2).pk,
        "TOKEN": WaitpointFactory(execution_id=run, workspace=api.workspace, node_id="pay", kind="token").pk,
    }
    event = WaitpointFactory(execution_id=run, workspace=api.workspace, node_id="paid", kind="event", key="order.paid")

    answers = []
    for path, body in requests(after="## Questions, tokens, events"):
        address = re.sub(r"\$(\w+)", lambda name: str(keys[name[1]]), path)
        public = Client().post(answers[2]["public_url"], body, "application/json") if not path else None
        answers.append(data(public or api.post(f"/{address}", body), 201 if len(answers) in {1, 2} else 202))

    statuses = dict(Waitpoint.objects.values_list("node_id", "status"))
    assert statuses == {
        "approve": "completed",
        "ask": "open",
        "pay": "completed",
        None: "completed",
        "paid": "completed",
    }
    assert Waitpoint.objects.get(pk=event.pk).answer == {"order": {"id": 7}}
    assert [answer["status"] for answer in answers[-2:]] == ["paused", "running"]


# ---- examples


def test_examples_of_the_readme_are_those_of_the_demo() -> None:
    """By the names that the command takes, in its order."""
    assert [quoted(name)[0] for name, _ in table(after="<!-- examples -->")] == list(EXAMPLES)


# ---- statuses and events


def transitions(name: str, steps: Any) -> list[str]:
    """As the README draws them: in the order of the statuses, final ones not at all."""
    lines = []
    for old, allowed in steps.items():
        if allowed:
            new = ", ".join(status for status in type(old) if status in allowed)
            lines.append(f"{'' if lines else name:<6} {old} → {new}")
    return lines


def test_statuses_of_the_readme_are_those_of_the_tables() -> None:
    """The drawing is what people reason with when a run is stuck."""
    drawn = block("", after="<!-- statuses -->").splitlines()

    assert drawn == transitions("run", RUN_TRANSITIONS) + transitions("node", NODE_TRANSITIONS)


def test_events_of_the_readme_are_those_that_are_recorded() -> None:
    """Clients are written from this table: every type in the order of its birth, every field, and nothing else."""
    told = {}
    for name, fields in table(after="<!-- events -->"):
        own, _, joined = fields.partition("and ")
        told[quoted(name)[0]] = quoted(own), quoted(joined)

    assert list(told) == list(EventType)
    assert told == {
        kind: (sorted(fields), [frames._BULK[kind]] if kind in frames._BULK else [])
        for kind, fields in EVENT_FIELDS.items()
    }


def test_limits_of_the_readme_are_those_of_the_code() -> None:
    """A number in prose is a promise."""
    assert f"An output of more than {frames.WIDEST:,} characters is not cut" in README
    assert (MOST_FAILURES, "whose drive raises three times is quarantined" in README) == (3, True)


# ---- settings

READERS = {name: reader for name, reader in vars(flowmaestro.env).items() if re.match(r"env(_|$)", name)}


def read_variables() -> tuple[set[str], set[str]]:
    """The environment variables that our modules read: by the typed readers, and past them.

    Names that come as arguments are those of a reader itself, or of the machine's own variables.
    """
    typed, bare = set(), set()
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            target.id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for where, name in reads(module):
            known = name.value if isinstance(name, ast.Constant) else constants.get(getattr(name, "id", ""))
            if known:
                (typed if where in READERS else bare).add(known)
            else:
                assert path.relative_to(ROOT).as_posix() in {
                    "flowmaestro/env.py",
                    "flowmaestro/embedded/accounts.py",
                    "handlers/llm/access.py",  # told in a table of its own
                }
    return typed, bare


def reads(module: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Who reads, and the expression that names what."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Name(id=reader), args=[name, *_]) if reader in READERS:
                yield reader, name
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"), args=[name, *_]):
                yield "environ", name
            case ast.Call(func=ast.Attribute(attr="getenv"), args=[name, *_]):
                yield "environ", name
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=name, ctx=ast.Load()):
                yield "environ", name


def test_settings_of_the_readme_are_those_that_are_read() -> None:
    """No variable is a secret of the code, and none is promised that nobody looks at."""
    typed, bare = read_variables()
    told = [quoted(row[0])[0] for row in table(after="<!-- settings -->")]

    assert sorted(told) == sorted(typed)
    assert {name for name in bare - typed if f"`{name}`" not in README} == set()


def defaults(monkeypatch: pytest.MonkeyPatch, home: Path) -> dict[str, str]:
    """What each variable is when nobody sets it, as the settings say; a home of our own apart."""
    found: dict[str, str] = {}

    def noting(reader: Callable[..., Any]) -> Callable[..., Any]:
        def read(name: str, *args: Any, **options: Any) -> Any:
            default = args[0] if args else options.get("default", "")
            found.setdefault(name, str(int(default) if isinstance(default, bool) else default))  # readers use readers
            return str(home) if name == "FLOWMAESTRO_HOME" else reader(name, *args, **options)

        return read

    for name, reader in READERS.items():
        monkeypatch.setattr(flowmaestro.env, name, noting(reader))
    monkeypatch.setattr("flowmaestro.env.os.environ", {})
    runpy.run_path(str(ROOT / "flowmaestro/settings.py"))
    return found


def test_providers_of_the_readme_are_those_that_are_known() -> None:
    """With the variables that are looked at."""
    told = {quoted(row[0])[0]: (quoted(row[1]), quoted(row[2])) for row in table(after="<!-- providers -->")}

    assert told == {
        name: (list(provider.key_variables), list(provider.url_variables)) for name, provider in known().items()
    }


IN_WORDS = {"none", "unset", "the embedded one", "REDIS_URL", "made once, in the home"}


def test_defaults_of_the_readme_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A default that is a value is told as that value; an empty one in words."""
    told = {quoted(name)[0]: default.replace("`", "") for name, _, default in table(after="<!-- settings -->")}

    found = defaults(monkeypatch, tmp_path)

    assert found.keys() == told.keys()
    assert {name: told[name].partition(";")[0] for name, default in found.items() if default} == {
        name: default for name, default in found.items() if default
    }
    assert {told[name] for name, default in found.items() if not default} <= IN_WORDS


# ---- make


def test_make_targets_of_the_readme_are_those_that_make_explains() -> None:
    """`make help` and the README tell of the same ones."""
    explained = re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(set(re.findall(r"`make ([a-z-]+)`", README))) == sorted(explained)

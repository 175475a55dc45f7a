from __future__ import annotations

import json
from typing import Any

import pytest

from handlers import ProviderError, SelectPort
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, RecordingLent, run
from tests.handlers.llm.speakers import Answer, OpenAI, Service, standing_in

ROUTES = [{"value": "billing", "label": "Billing", "description": "Money"}, {"value": "support"}]
OPENAI = OpenAI()


def route(
    monkeypatch: pytest.MonkeyPatch, said: str, lent: RecordingLent | None = None, **config: Any
) -> tuple[Any, Service]:
    with standing_in(monkeypatch, "openai", OPENAI.whole(said), path="/v1") as service:
        config = {"model": "m", "prompt": "Where is my invoice?", "routes": ROUTES, "outputVariable": "way", **config}
        return run("router", config, lent=lent), service


def test_router_leaves_by_the_route_that_the_model_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how sure it is, and why. JSON is not for those who watch."""
    lent = RecordingLent()
    said = 'Sure: {"route": "Billing", "confidence": 0.9, "reasoning": "It is about money."}'

    output, service = route(monkeypatch, said, lent)

    assert output.signal == SelectPort(port="billing")
    assert output.data == {
        "route": "billing",
        "way": "billing",
        "_routerMetadata": {
            "selectedRoute": "billing",
            "routeLabel": "Billing",
            "confidence": 0.9,
            "reasoning": "It is about money.",
            "model": "m-2",
            "provider": "openai",
        },
    }
    assert output.usage.total_tokens == 12
    assert lent.tokens == []
    body = service.asked[0].body
    assert (body["max_tokens"], body["temperature"]) == (500, 0)
    assert '{"route": "billing", "label": "Billing", "when": "Money"}' in body["messages"][0]["content"]


def test_router_knows_routes_by_their_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As existing workflows write them."""
    routes = ["billing", "timeout"]

    output, _ = route(monkeypatch, '{"route": "timeout"}', routes=routes)

    assert output.signal == SelectPort(port="timeout")
    assert CATALOGUE["router"].handler.ports({"routes": routes}) == ("billing", "timeout")


@pytest.mark.parametrize(
    ("said", "default", "port", "confidence"),
    [
        ("I cannot say.", None, "billing", 0.5),
        ("I cannot say.", "support", "support", 0.5),
        ("I cannot say.", "elsewhere", "elsewhere", 0.5),
        ('{"route": "sales", "confidence": 0.9}', "support", "support", 0.9),
        ('{"route": "support"}', None, "support", 0.8),
        ('{"route": "support", "confidence": "high"}', None, "support", 0.8),
        ('{"route": "support", "confidence": 7}', None, "support", 0.8),
        ('{"route": null}', "support", "support", 0.8),
        ("[1]", "support", "support", 0.5),
        ("{{{", "support", "support", 0.5),
    ],
)
def test_router_that_cannot_read_the_answer_takes_the_default(
    monkeypatch: pytest.MonkeyPatch, said: str, default: str | None, port: str, confidence: float
) -> None:
    """A run goes on whatever a model says; the confidence tells how it came about."""
    output, _ = route(monkeypatch, said, defaultRoute=default)

    assert output.signal == SelectPort(port=port)
    assert output.data["_routerMetadata"]["confidence"] == confidence


def test_router_whose_model_fails_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is down has chosen nothing."""
    broken = Answer(status=500, body=OPENAI.error("Oh.", "server_error"))

    with standing_in(monkeypatch, "openai", broken, path="/v1"), pytest.raises(ProviderError, match="Oh"):
        run("router", {"model": "m", "prompt": "x", "routes": ROUTES})


def test_router_has_a_port_for_each_route_and_reads_other_handles() -> None:
    """Edges are drawn from any of them."""
    handler = CATALOGUE["router"].handler
    config = {"routes": ROUTES, "defaultRoute": "elsewhere"}

    assert handler.ports(config) == ("billing", "support", "elsewhere")
    assert [
        handler.port_for(handle, config) for handle in ("support", "route-support", "route-1", "default", "no")
    ] == [
        "support",
        "support",
        "support",
        "elsewhere",
        None,
    ]
    assert handler.port_for("default", {"routes": ROUTES}) == "billing"
    assert handler.ports({"routes": json.dumps(ROUTES)}) == ()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, []),
        ({"routes": ["billing", "support"]}, []),
        ({"routes": ROUTES[:1]}, ["routes"]),
        ({"routes": [*ROUTES, {"value": "support"}]}, ["routes.1.value"]),
        ({"routes": [{"value": "error"}, {"value": "b"}]}, ["routes"]),
        ({"routes": [{"value": "{{a}}"}, {"value": "b"}]}, ["routes.0.value"]),
        ({"temperature": 1.5}, ["temperature"]),
        ({"model": ""}, ["model"]),
    ],
)
def test_router_as_drawn_is_checked(change: dict[str, Any], wrong: list[str]) -> None:
    """Ports that could never be told apart are found when they are drawn."""
    config = {"model": "m", "prompt": "x", "routes": ROUTES, **change}

    assert [field for field, _ in check_config(CATALOGUE["router"], config)] == wrong

from __future__ import annotations

import json
import runpy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

import tests.handlers.integrations
from handlers.integrations import Provider

SHOP = Path(tests.handlers.integrations.__path__[0]) / "openapi/shop.json"


def convert(*arguments: Any) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("openapi", *map(str, arguments), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def provider_in(module: Path) -> Provider:
    (provider,) = [value for value in runpy.run_path(str(module)).values() if isinstance(value, Provider)]
    return provider


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_openapi_writes_a_module_with_the_provider(form: str, tmp_path: Path) -> None:
    """And tells what it left out."""
    source, target = tmp_path / f"shop.{form}", tmp_path / "shop.py"
    document = json.loads(SHOP.read_text())
    source.write_text(json.dumps(document) if form == "json" else yaml.safe_dump(document))

    out, err = convert(source, "--output", target, "--name", "shop")

    provider = provider_in(target)
    assert (provider.name, len(provider.operations)) == ("shop", 11)
    assert out == f"{target}: 11 operations of Acme Shop API.\n"
    assert "subscribe (POST /subscriptions) is left out: its body is a form" in err


def test_openapi_of_our_own_api_is_carried_over(tmp_path: Path) -> None:
    """A document that nobody has made for this."""
    source, target = tmp_path / "own.json", tmp_path / "own.py"
    call_command("spectacular", format="openapi-json", file=str(source))

    _, err = convert(source, "--output", target, "--base-url", "http://127.0.0.1:8000")

    provider = provider_in(target)
    assert (provider.name, err) == ("flow-maestro", "")
    start = provider.operations["workflowsExecute"].parameters.model_validate({"id": "7", "inputs": {"a": 1}})
    assert provider.operations["workflowsExecute"].spread(start).path == "/api/v1/workflows/7/execute"


def test_openapi_is_named_after_the_service_where_nobody_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    convert(SHOP, "--base-url", "https://mine.example/api")

    assert provider_in(tmp_path / "acme_shop.py").base_url == "https://mine.example/api"


def test_openapi_takes_the_operations_that_are_wanted(tmp_path: Path) -> None:
    target = tmp_path / "shop.py"

    convert(SHOP, "--output", target, "--only", "list*", "--only", "orders")

    assert sorted(provider_in(target).operations) == [
        "getInvoice",
        "getReceipt",
        "listCustomers",
        "listOrders",
        "placeOrders",
    ]


def test_openapi_leaves_a_module_alone_that_somebody_may_have_refined(tmp_path: Path) -> None:
    target = tmp_path / "shop.py"
    target.write_text("# mine")

    with pytest.raises(CommandError, match="--force"):
        convert(SHOP, "--output", target)
    assert target.read_text() == "# mine"

    convert(SHOP, "--output", target, "--force")
    assert provider_in(target).name == "acme-shop"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "neither JSON nor YAML"),
        ("a: [", "neither JSON nor YAML"),
        ("swagger: '2.0'", "no OpenAPI 3"),
        ('{"openapi": "3.0.0", "servers": [{"url": "https://a.test"}], "paths": {}}', "No operation"),
    ],
)
def test_openapi_of_what_is_none_is_told(text: str, told: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_text(text)

    with pytest.raises(CommandError, match=told):
        convert(source, "--output", tmp_path / "out.py")
    with pytest.raises(CommandError, match="No such file"):
        convert(tmp_path / "nowhere", "--output", tmp_path / "out.py")

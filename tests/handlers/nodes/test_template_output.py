from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from handlers import check_config
from tests.handlers.fakes import CATALOGUE, run


@pytest.mark.parametrize(
    ("config", "data"),
    [
        ({"outputName": "report", "template": "# Hi <b>"}, {"report": "# Hi <b>"}),
        ({"outputName": "report", "template": "# Hi", "outputFormat": "html"}, {"report": "<h1>Hi</h1>\n"}),
        ({"outputName": "report", "template": "<script>x</script>", "templateType": "html"}, {"report": ""}),
        ({"outputName": "report", "template": {"a": 1}}, {"report": '{"a":1}'}),  # a lone reference to an object
    ],
)
def test_a_template_is_an_output_of_the_run_by_name(config: Mapping[str, Any], data: Any) -> None:
    assert run("templateOutput", config).data == data
    assert CATALOGUE["templateOutput"].terminal


def test_existing_workflows_name_it_as_a_variable() -> None:
    handler = CATALOGUE["templateOutput"].handler

    assert handler.implied("templateOutput", {"outputVariable": "page"}) == {"outputName": "page"}
    assert handler.implied("templateOutput", {"outputVariable": "page", "outputName": "report"}) == {}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"template": "x"}, "outputName"),
        ({"outputName": "x"}, "template"),
        ({"outputName": "x", "template": "x", "outputFormat": "pdf"}, "outputFormat"),
    ],
)
def test_what_cannot_run_is_told_when_it_is_drawn(config: Mapping[str, Any], field: str) -> None:
    assert field in [place for place, _ in check_config(CATALOGUE["templateOutput"], config)]

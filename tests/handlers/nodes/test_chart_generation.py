from __future__ import annotations

import xml.etree.ElementTree as ET
from io import BytesIO
from typing import Any, get_args

import pytest
from PIL import Image

from handlers import InputError
from handlers.documents import charts, plots
from handlers.nodes.chart_generation import ChartGenerationConfig
from handlers.registry import check_config
from tests.handlers.fakes import CATALOGUE, EXECUTION, RecordingLent, run

ROWS = [{"month": "Jan", "a": 1, "b": 5}, {"month": "Feb $x^2$", "a": None, "b": 0}, {"month": "Mär", "a": 4, "b": -2}]
TYPES = get_args(ChartGenerationConfig.model_fields["chart_type"].annotation)


def draw(**config: Any) -> tuple[Any, bytes]:
    lent = RecordingLent()
    output = run("chartGeneration", {"data": ROWS, "width": 300, "height": 200, **config}, lent=lent)
    return output.data, lent.files.stored[output.data["path"]][0]


def picture(**argument: Any) -> Image.Image:
    """Drawn here, and not in a process of its own."""
    defaults = {
        "data": {
            "labels": [row["month"] for row in ROWS],
            "series": [{"name": name, "values": [row[name] for row in ROWS]} for name in ("a", "b")],
        },
        "width": 300,
        "height": 200,
        "format": "png",
        "theme": "light",
        "title": "",
        "xLabel": "",
        "yLabel": "",
        "legend": True,
        "grid": True,
        "values": True,
        "bins": None,
        "max": 100,
        "colours": [],
    }
    answer, made = charts.make({**defaults, **argument}, b"")
    assert answer == {}
    return Image.open(BytesIO(made)).convert("RGB")


def test_chart_is_a_picture_and_says_where_it_is() -> None:
    data, content = draw(title="Sums", filename="sums")

    assert Image.open(BytesIO(content)).size == (300, 200)
    assert {key: data[key] for key in data if key != "size"} == {
        "path": f"runs/{EXECUTION}/node/sums.png",
        "name": "sums.png",
        "contentType": "image/png",
        "chartType": "bar",
        "width": 300,
        "height": 200,
        "seriesCount": 2,
        "pointCount": 3,
    }


def test_chart_as_svg_runs_nothing() -> None:
    """Labels are text in it, whatever they say."""
    data, content = draw(format="svg", title="<script>alert(1)</script> $\\frac", chartType="line")

    tags = {element.tag.rpartition("}")[2] for element in ET.fromstring(content).iter()}
    assert data["contentType"] == "image/svg+xml"
    assert "path" in tags
    assert not tags & {"script", "foreignObject", "image", "a"}


def test_every_type_has_its_drawing() -> None:
    assert set(plots.DRAW) == set(TYPES)


@pytest.mark.parametrize("kind", TYPES)
def test_chart_of_each_type_shows_its_colours(kind: str) -> None:
    drawn = picture(type=kind, colours=["#ff0000", "#00ff00"])

    colours = {colour for _, colour in drawn.getcolors(1_000_000) or []}
    assert drawn.size == (300, 200)
    if kind != "heatmap":  # which has a scale of colours
        assert any(red > 220 and green < 90 for red, green, _ in colours) or any(
            green > 220 and red < 90 for red, green, _ in colours
        )
    assert len(colours) > 10


@pytest.mark.parametrize("kind", TYPES)
def test_chart_of_a_single_value_is_drawn(kind: str) -> None:
    one = {"labels": ["a"], "series": [{"name": "n", "values": [7]}]}

    assert picture(type=kind, data=one, values=False, legend=False, grid=False).size == (300, 200)


def test_chart_has_its_theme() -> None:
    assert picture(type="line", theme="dark").getpixel((1, 1)) == (0x17, 0x21, 0x2B)


def test_chart_of_very_many_values_is_drawn() -> None:
    many = {"labels": [str(n) for n in range(10_000)], "series": [{"name": "n", "values": [*range(10_000)]}]}

    assert picture(type="line", data=many).size == (300, 200)


@pytest.mark.parametrize(
    ("legend", "shown"),
    [(True, True), ("false", False), ("none", False), ("bottom", True), ({"show": False}, False), ({}, True)],
)
def test_chart_legend_is_understood_as_existing_workflows_write_it(legend: Any, shown: bool) -> None:
    assert ChartGenerationConfig.model_validate({"data": [1], "legend": legend}).legend is shown


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"data": []}, "invalid_input"),
        ({"data": [0, -1], "chartType": "pie"}, "invalid_input"),
        ({"data": [1], "filename": "../a"}, "invalid_path"),
    ],
)
def test_chart_that_cannot_be_drawn_is_refused(config: Any, code: str) -> None:
    with pytest.raises(InputError) as refusal:
        draw(**config)

    assert refusal.value.code == code


def test_chart_refuses_what_is_out_of_range() -> None:
    wrong = check_config(
        CATALOGUE["chartGeneration"], {"data": [1], "width": 199, "chartType": "cake", "colors": ["red"], "theme": "x"}
    )

    assert sorted(field.partition(".")[0] for field, _ in wrong) == ["chartType", "colors", "theme", "width"]

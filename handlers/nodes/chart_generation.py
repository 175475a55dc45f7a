"""A chart of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import AliasChoices, BeforeValidator, Field

from handlers import made_files, processes
from handlers.base import Effect, JSONValue, Lane, NodeConfig, NodeHandler, NodeInput, NodeOutput
from handlers.chart_data import LARGEST, chart_data
from handlers.errors import InputError
from handlers.made_files import FileData
from handlers.ports import Lent
from handlers.processes import Bounds
from handlers.registry import node_type
from handlers.values import Text, read_container

_MAKER: Final = "handlers.documents.charts:make"
# matplotlib with what it imports takes half a gigabyte of addresses before it draws.
_BOUNDS: Final = Bounds(seconds=120, cpu_seconds=60, address_bytes=2 * 1024**3, reply_bytes=64 * 1024**2)


def _listed(value: Any) -> Any:
    """A list, or JSON text of one; null is an empty one."""
    return () if value is None else read_container(value) if isinstance(value, str) else value


def _is_shown(value: Any) -> Any:
    """Existing workflows write a legend as where it is, or as an object that says whether there is one."""
    if isinstance(value, Mapping):
        return value.get("show", value.get("display", True))
    return value != "none" if isinstance(value, str) and value.lower() not in {"true", "false"} else value


class ChartGenerationConfig(NodeConfig):
    chart_type: Literal[
        "bar", "line", "pie", "scatter", "area", "donut", "histogram", "heatmap", "horizontal_bar", "radar", "gauge"
    ] = "bar"
    data_source: Any = Field(
        validation_alias=AliasChoices("dataSource", "data"),
        description='Numbers, objects, rows, {"name": number}, or {"labels", "datasets": [{"label", "data"}]}.',
    )
    data_labels: Annotated[tuple[Any, ...], BeforeValidator(_listed)] = Field(
        (), validation_alias=AliasChoices("dataLabels", "labels"), description="Instead of those in the data."
    )
    label_key: str | None = Field(
        None, validation_alias=AliasChoices("labelKey", "xKey"), description="The column that has the labels."
    )
    value_keys: Annotated[
        tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
    ] = Field((), validation_alias=AliasChoices("valueKeys", "yKey"), description="The columns that have the numbers.")
    title: Text | None = Field(None, validation_alias=AliasChoices("title", "chartTitle"), description="Above it.")
    x_axis_label: Text | None = Field(
        None, validation_alias=AliasChoices("xAxisLabel", "xLabel"), description="Below the axis."
    )
    y_axis_label: Text | None = Field(
        None, validation_alias=AliasChoices("yAxisLabel", "yLabel"), description="Beside the axis."
    )
    width: int = Field(800, ge=200, le=2000, description="Pixels.")
    height: int = Field(600, ge=200, le=2000, description="Pixels.")
    theme: Literal["light", "dark"] = "light"
    colors: tuple[Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")], ...] = Field((), description="As #rrggbb.")
    legend: Annotated[bool, BeforeValidator(_is_shown)] = Field(
        True, validation_alias=AliasChoices("legend", "showLegend")
    )
    show_grid: bool = True
    show_values: bool = Field(False, description="Write numbers beside what they are of.")
    bins: int | None = Field(None, ge=1, le=500, description="histogram: how many; unset: as the data suggests.")
    max_value: float = Field(100, gt=0, le=LARGEST, description="gauge: what a full one stands for.")
    format: Literal["png", "svg"] = "png"
    filename: str = Field("chart", min_length=1, description="With a / in it, a path in the workspace.")


class ChartGenerationData(FileData):
    chart_type: str
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    series_count: int
    point_count: int = Field(description="Of the longest series.")


@node_type("chartGeneration", category="outputs", title="Draw a chart", effect=Effect.EFFECT, lane=Lane.CPU)
class ChartGeneration(NodeHandler[ChartGenerationConfig]):
    """Draw a chart, and store the picture in the workspace.

    Output: `{"path", "name", "size", "contentType", "chartType", "width", "height", "seriesCount", "pointCount"}`. The
    file is in a folder of this visit of the node, `runs/<run>/…/<filename>`, where another attempt replaces it; a
    `filename` with a `/` is a path in the workspace, where it replaces what is there.

    Of objects or rows, the columns of numbers are drawn, beside the labels of a column of text; `pie` and `donut` show
    the first of them, what of it is above zero; `scatter` takes it along x and the others along y; `histogram` counts;
    `heatmap` has a row for each label and a column for each series; `gauge` shows one value, the first. Text is text: a
    `$` begins no formula. What is no number is named (`invalid_input`); up to 30 series of 10,000 values are drawn
    (`too_complex`).
    """

    Config = ChartGenerationConfig
    Output = ChartGenerationData

    def run(self, node: NodeInput[ChartGenerationConfig], lent: Lent) -> NodeOutput:
        config = node.config
        data = chart_data(
            config.data_source, labels=config.data_labels, label_key=config.label_key, value_keys=config.value_keys
        )
        if config.chart_type in {"pie", "donut"} and not any((value or 0) > 0 for value in data.series[0].values):
            raise InputError(f"dataSource: {data.series[0].name} has nothing above zero, and so no slices.")
        argument: JSONValue = {
            "type": config.chart_type,
            "data": data.to_json(),
            "width": config.width,
            "height": config.height,
            "format": config.format,
            "theme": config.theme,
            "title": (config.title or "")[:200],
            "xLabel": (config.x_axis_label or "")[:200],
            "yLabel": (config.y_axis_label or "")[:200],
            "legend": config.legend,
            "grid": config.show_grid,
            "values": config.show_values,
            "bins": config.bins,
            "max": config.max_value,
            "colours": [*config.colors],
        }
        _, made = processes.compute(_MAKER, argument, bounds=_BOUNDS, lent=lent)
        stored = made_files.keep_as(config.format, node, lent, made, filename=config.filename)
        return NodeOutput(
            data={
                **stored.to_json(),
                "chartType": config.chart_type,
                "width": config.width,
                "height": config.height,
                "seriesCount": len(data.series),
                "pointCount": len(data.labels),
            }
        )

"""What a chart is drawn of: labels, and series of numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.base import JSONObject, JSONValue
from handlers.errors import InputError
from handlers.rows import Rows, rows_of
from handlers.values import encodable, number_of, read_container, text_of

MOST_POINTS: Final = 10_000  # of one series
MOST_SERIES: Final = 30
LARGEST: Final = 1e15  # either way; an axis of larger ones reads as noise
_LONGEST_LABEL: Final = 60  # characters
_LABELS: Final = ("label", "name", "category", "x", "date", "month", "key")  # columns that are likelier labels

Number = int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    name: str
    values: tuple[Number | None, ...]  # None: a gap

    def to_json(self) -> JSONObject:
        return {"name": self.name, "values": [*self.values]}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartData:
    labels: tuple[str, ...]  # of the places along the axis, or of the slices
    series: tuple[Series, ...]  # each with a value, or a gap, for each label

    def to_json(self) -> JSONObject:
        return {"labels": [*self.labels], "series": [each.to_json() for each in self.series]}


def chart_data(
    value: JSONValue,
    *,
    labels: Sequence[JSONValue] = (),
    label_key: str | None = None,
    value_keys: Sequence[str] = (),
) -> ChartData:
    """The labels and series that *value* holds. Raises InputError that says what of `dataSource` is none.

    A number or a list of them is a series. Of objects or rows, the columns of numbers are series (*value_keys*: these),
    and a column of text are the labels (*label_key*: this one). An object of names and numbers is one series; one with
    `labels`, and `datasets` of `{"label", "data"}` or `values`, is what it says.
    """
    data = read_container(value) if isinstance(value, str) else value
    if number_of(data) is not None:
        data = [data]
    if isinstance(data, Mapping) and (stated := _stated(data)) is not None:
        found = stated
    else:
        found = _of_rows(rows_of(data, field="dataSource"), label_key, value_keys)
    if labels:
        told = [_label(each) for each in labels]
        length = max((len(each.values) for each in found.series), default=0)
        named = (*told, *(str(number) for number in range(len(told) + 1, length + 1)))[:length]
        found = ChartData(labels=named, series=found.series)
    return _checked(found)


def _stated(data: Mapping[str, Any]) -> ChartData | None:
    """Of the form that Chart.js takes, or of lists side by side."""
    if isinstance(sets := data.get("datasets"), list):
        series = [
            Series(name=_label(each.get("label") or f"series {number}"), values=_numbers(each.get("data"), "data"))
            for number, each in enumerate(sets, start=1)
            if isinstance(each, Mapping)
        ]
    elif isinstance(data.get("values"), list):
        series = [Series(name=_label(data.get("label") or "value"), values=_numbers(data["values"], "values"))]
    elif isinstance(data.get("x"), list) and isinstance(data.get("y"), list):
        y = Series(name="y", values=_numbers(data["y"], "y"))
        return ChartData(labels=tuple(map(_label, data["x"])), series=(y,))
    else:
        return None
    length = max((len(each.values) for each in series), default=0)
    told = data.get("labels")
    labels = [_label(each) for each in told] if isinstance(told, list) else []
    labels += [str(number) for number in range(len(labels) + 1, length + 1)]
    return ChartData(labels=tuple(labels), series=tuple(_padded(each, len(labels)) for each in series))


def _of_rows(rows: Rows, label_key: str | None, value_keys: Sequence[str]) -> ChartData:
    for key in (*([label_key] if label_key else []), *value_keys):
        if key not in rows.columns:
            raise InputError(f"dataSource has no column {key!r}; it has {', '.join(rows.columns)[:200]}.")
    columns = dict(zip(rows.columns, zip(*rows.cells, strict=True), strict=True)) if rows.cells else {}
    numeric = [name for name, cells in columns.items() if _is_numeric(cells)]
    label = label_key or _label_column(columns, numeric, value_keys)
    wanted = [*value_keys] or [name for name in numeric if name != label]
    series = tuple(Series(name=_label(name), values=_numbers(columns.get(name, ()), name)) for name in wanted)
    labels = columns[label] if label in columns else range(1, len(rows.cells) + 1)
    return ChartData(labels=tuple(map(_label, labels)), series=series)


def _label_column(columns: Mapping[str, Sequence[Any]], numeric: Sequence[str], taken: Sequence[str]) -> str | None:
    left = [name for name in columns if name not in taken]
    words = [name for name in left if name not in numeric]
    likely = [name for name in left if name.lower() in _LABELS and (name in words or len(numeric) > 1)]
    return next(iter([*(name for name in likely if name in words), *words, *likely]), None)


def _is_numeric(cells: Sequence[Any]) -> bool:
    told = [cell for cell in cells if cell is not None and cell != ""]
    return bool(told) and all(not isinstance(cell, bool) and number_of(cell) is not None for cell in told)


def _numbers(cells: Any, name: str) -> tuple[Number | None, ...]:
    if not isinstance(cells, list | tuple):
        raise InputError(f"dataSource: {name} is no list of numbers.")
    found: list[Number | None] = []
    for cell in cells:
        value = cell.get("y", cell.get("value")) if isinstance(cell, Mapping) else cell
        number = number_of(value)
        if number is None and value not in (None, ""):
            raise InputError(f"dataSource: {name} has {text_of(value)[:40]!r}, which is no number.")
        if number is not None and abs(number) > LARGEST:
            raise InputError(f"dataSource: {name} has a number beyond ±{LARGEST:g}, which no axis shows.")
        found.append(number)
    return tuple(found)


def _padded(series: Series, length: int) -> Series:
    return Series(name=series.name, values=(*series.values, *[None] * (length - len(series.values)))[:length])


def _checked(data: ChartData) -> ChartData:
    if not data.series or not any(value is not None for each in data.series for value in each.values):
        raise InputError("dataSource has no numbers: there is nothing to draw.")
    if len(data.series) > MOST_SERIES or len(data.labels) > MOST_POINTS:
        raise InputError(
            f"dataSource has {len(data.series)} series of {len(data.labels):,} values;"
            f" up to {MOST_SERIES} of {MOST_POINTS:,} are drawn.",
            code="too_complex",
        )
    return data


def _label(value: Any) -> str:
    text = " ".join(encodable(text_of(value)).split())
    return text if len(text) <= _LONGEST_LABEL else f"{text[: _LONGEST_LABEL - 1]}…"

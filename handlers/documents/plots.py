"""What each type of chart looks like, on the axes it is given. See `handlers.documents.charts` for the arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi
from typing import Any, Final

import matplotlib as mpl
from matplotlib import colormaps
from matplotlib.ticker import MaxNLocator

_MOST_NAMED: Final = 40  # places along an axis that have their label
_MOST_VALUES: Final = 200  # that are written beside what they are of
_MOST_SLICES: Final = 60
_LEAST_SHARE: Final = 3  # per cent of a slice that has room for saying so
_ROOM: Final = 70  # characters of all labels that fit beside each other
_MOST_UPRIGHT: Final = 16

Series = Sequence[dict[str, Any]]
Draw = Callable[[Any, Sequence[str], Series, dict[str, Any]], None]


def _bars(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    lies = argument["type"] == "horizontal_bar"
    width = 0.8 / len(series)
    for number, each in enumerate(series):
        places = [place - 0.4 + width * (number + 0.5) for place in range(len(labels))]
        values = [value or 0 for value in each["values"]]
        colour = _colour(argument, number)
        drawn = (
            axes.barh(places, values, height=width, label=each["name"], color=colour)
            if lies
            else axes.bar(places, values, width=width, label=each["name"], color=colour)
        )
        if argument["values"] and len(labels) * len(series) <= _MOST_VALUES:
            axes.bar_label(drawn, [_written(value) for value in each["values"]], padding=2, fontsize=8)
    _name_places(axes, labels, lies=lies)
    if lies:
        axes.invert_yaxis()


def _lines(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    for number, each in enumerate(series):
        values = [float("nan") if value is None else value for value in each["values"]]
        marker = "o" if len(values) <= _MOST_NAMED else None
        axes.plot(
            range(len(values)), values, label=each["name"], color=_colour(argument, number), marker=marker, markersize=4
        )
        if argument["type"] == "area":
            axes.fill_between(range(len(values)), values, alpha=0.25, color=_colour(argument, number))
        if argument["values"] and len(values) * len(series) <= _MOST_VALUES:
            for place, value in enumerate(each["values"]):
                if value is not None:
                    axes.annotate(
                        _written(value),
                        (place, value),
                        xytext=(0, 5),
                        textcoords="offset points",
                        ha="center",
                        fontsize=8,
                    )
    _name_places(axes, labels)


def _scatter(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    """The first series along x, each other one along y; of a single one, its places along x."""
    if len(series) == 1:
        try:
            across = [float(label) for label in labels]
        except ValueError:
            across = [*range(1, len(labels) + 1)]
        columns = series
    else:
        across, columns = series[0]["values"], series[1:]
        axes.set_xlabel(series[0]["name"])
    for number, each in enumerate(columns):
        pairs = [(x, y) for x, y in zip(across, each["values"], strict=False) if x is not None and y is not None]
        axes.scatter(
            [x for x, _ in pairs],
            [y for _, y in pairs],
            label=each["name"],
            color=_colour(argument, number),
            s=24,
            alpha=0.8,
        )
    argument["xLabel"] = argument["xLabel"] or (series[0]["name"] if len(series) > 1 else "")
    argument["yLabel"] = argument["yLabel"] or (columns[0]["name"] if len(columns) == 1 else "")


def _slices(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    parts = [(label, value) for label, value in zip(labels, series[0]["values"], strict=False) if value and value > 0]
    if len(parts) > _MOST_SLICES:
        rest = sum(value for _, value in parts[_MOST_SLICES - 1 :])
        parts = [*parts[: _MOST_SLICES - 1], ("…", rest)]
    total = sum(value for _, value in parts)
    told = [f"{label} ({_written(value)})" if argument["values"] else label for label, value in parts]
    wedges, _, shares = axes.pie(
        [value / total for _, value in parts],
        labels=None if argument["legend"] else told,
        colors=[_colour(argument, number) for number in range(len(parts))],
        autopct=lambda share: f"{share:.0f} %" if share >= _LEAST_SHARE else "",
        pctdistance=0.8 if argument["type"] == "donut" else 0.65,
        startangle=90,
        counterclock=False,
        textprops={"fontsize": 9},
        wedgeprops={"width": 0.4 if argument["type"] == "donut" else None, "edgecolor": axes.get_facecolor()},
    )
    for share in shares:
        share.set_color("white")
    if argument["legend"]:
        axes.legend(wedges, told, frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))


def _gauge(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    """Half a ring, filled as far as the first value goes."""
    value = next(each for each in series[0]["values"] if each is not None)
    share = min(1.0, max(0.0, value / argument["max"]))
    rest = mpl.rcParams["grid.color"]
    axes.pie(
        [share / 2, (1 - share) / 2, 0.5],
        colors=[_colour(argument, 0), rest, "none"],
        startangle=180,
        counterclock=False,
        wedgeprops={"width": 0.35},
    )
    axes.text(0, 0.05, _written(value), ha="center", va="bottom", fontsize=26, fontweight="bold")
    axes.text(0, -0.12, f"of {_written(argument['max'])}", ha="center", va="top", fontsize=10)
    if len(labels) == 1 and not labels[0].isdigit():
        axes.text(0, -0.3, labels[0], ha="center", va="top", fontsize=11)


def _histogram(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    del labels
    told = [[value for value in each["values"] if value is not None] for each in series]
    counts, edges, drawn = axes.hist(
        told,
        bins=argument["bins"] or "auto" if len(told) == 1 else argument["bins"] or 20,
        label=[each["name"] for each in series],
        color=[_colour(argument, number) for number in range(len(told))],
        edgecolor=axes.get_facecolor(),
    )
    del counts, edges
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if argument["values"] and len(told) == 1:
        axes.bar_label(drawn, padding=2, fontsize=8, fmt=lambda count: f"{count:.0f}" if count else "")


def _heatmap(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    """A row for each label, a column for each series."""
    rows = [
        [float("nan") if each["values"][place] is None else each["values"][place] for each in series]
        for place in range(len(labels))
    ]
    picture = axes.imshow(rows, aspect="auto", cmap=colormaps["viridis"])
    axes.set_xticks(
        range(len(series)), [each["name"] for each in series], rotation=45 if len(series) > _MOST_UPRIGHT // 2 else 0
    )
    _name_places(axes, labels, lies=True)
    if argument["legend"]:
        axes.figure.colorbar(picture, ax=axes)
    if argument["values"] and len(labels) * len(series) <= _MOST_VALUES:
        middle = (picture.norm.vmin + picture.norm.vmax) / 2
        for place, row in enumerate(rows):
            for column, value in enumerate(row):
                if value == value:  # noqa: PLR0124 -- not NaN
                    axes.text(
                        column,
                        place,
                        _written(value),
                        ha="center",
                        va="center",
                        fontsize=8,
                        color="white" if value < middle else "black",
                    )


def _radar(axes: Any, labels: Sequence[str], series: Series, argument: dict[str, Any]) -> None:
    angles = [2 * pi * place / len(labels) for place in range(len(labels))]
    for number, each in enumerate(series):
        values = [value or 0 for value in each["values"]]
        axes.plot([*angles, *angles[:1]], [*values, *values[:1]], label=each["name"], color=_colour(argument, number))
        axes.fill(angles, values, alpha=0.2, color=_colour(argument, number))
    axes.set_xticks(angles[:_MOST_NAMED], labels[:_MOST_NAMED])
    axes.grid(visible=argument["grid"])


def _name_places(axes: Any, labels: Sequence[str], *, lies: bool = False) -> None:
    step = max(1, -(-len(labels) // _MOST_NAMED))
    places, named = [*range(0, len(labels), step)], [*labels[::step]]
    if lies:
        axes.set_yticks(places, named)
        return
    tilted = sum(map(len, named)) > _ROOM or len(named) > _MOST_UPRIGHT
    axes.set_xticks(places, named, rotation=45 if tilted else 0, ha="right" if tilted else "center")


def _written(value: float | None) -> str:
    return "" if value is None else f"{value:,.6g}"


def _colour(argument: dict[str, Any], number: int) -> str:
    colours: Sequence[str] = argument["colours"]
    return colours[number % len(colours)]


DRAW: Final[Mapping[str, Draw]] = {
    "bar": _bars,
    "horizontal_bar": _bars,
    "line": _lines,
    "area": _lines,
    "scatter": _scatter,
    "pie": _slices,
    "donut": _slices,
    "histogram": _histogram,
    "heatmap": _heatmap,
    "radar": _radar,
    "gauge": _gauge,
}

"""Charts, drawn by matplotlib without a screen."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final


def _font_cache() -> str:
    """A folder of ours alone, where matplotlib keeps its list of fonts: making it anew takes a second each time."""
    folder = Path(tempfile.gettempdir()) / f"flowmaestro-matplotlib-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    about = folder.lstat()
    if folder.is_symlink() or about.st_uid != os.getuid() or about.st_mode & 0o077:
        return tempfile.mkdtemp()  # somebody else was there first
    return str(folder)


os.environ.setdefault("MPLCONFIGDIR", _font_cache())

from matplotlib import rc_context  # noqa: E402 -- it reads where its folder is when it is imported
from matplotlib.figure import Figure  # noqa: E402

from handlers.documents.plots import DRAW  # noqa: E402

_DPI: Final = 100
_GRIDS: Final = {"bar": "y", "histogram": "y", "horizontal_bar": "x"}  # across the bars
_COLOURS: Final = (
    "#3366cc",
    "#e07b39",
    "#2a9d6f",
    "#c0392b",
    "#8456b8",
    "#b8860b",
    "#4a90a4",
    "#d6609a",
    "#7a8b3c",
    "#7f8c8d",
)
_THEMES: Final[Mapping[str, tuple[str, str, str]]] = {  # paper, ink, grid
    "light": ("#ffffff", "#1f2933", "#d9e0e7"),
    "dark": ("#17212b", "#e6edf3", "#34414e"),
}

logging.getLogger("matplotlib").setLevel(logging.ERROR)


def make(argument: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
    """The picture that *argument* describes: `type`, `data` of `labels` and `series`, `width`, `height` in pixels,
    `format` (png, svg), `theme`, `title`, `xLabel`, `yLabel`, `legend`, `grid`, `values`, `colours`,
    `bins`, `max`.
    """
    del content
    paper, ink, grid = _THEMES[argument["theme"]]
    settings: dict[Any, Any] = {
        "text.parse_math": False,  # a $ in a label is a $, and no formula
        "font.family": "DejaVu Sans",
        "font.size": 10,
        "svg.hashsalt": "flowmaestro",
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
        **dict.fromkeys(("axes.edgecolor", "grid.color"), grid),
        **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), paper),
    }
    argument["colours"] = [*argument["colours"], *_COLOURS]
    labels, series = argument["data"]["labels"], argument["data"]["series"]
    with rc_context(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that the font does not have is a box
        figure = Figure(figsize=(argument["width"] / _DPI, argument["height"] / _DPI), dpi=_DPI, layout="constrained")
        is_round = argument["type"] == "radar"
        axes = figure.add_subplot(projection="polar" if is_round else None)
        DRAW[argument["type"]](axes, labels, series, argument)
        _finish(axes, series, argument)
        written = BytesIO()
        figure.savefig(
            written, format=argument["format"], metadata={"Date": None} if argument["format"] == "svg" else {}
        )
    return {}, written.getvalue()


def _finish(axes: Any, series: Sequence[dict[str, Any]], argument: dict[str, Any]) -> None:
    if argument["title"]:
        axes.set_title(argument["title"], fontsize=14, fontweight="bold", pad=12)
    if argument["type"] in {"pie", "donut", "radar", "gauge"}:
        if argument["type"] == "radar" and argument["legend"] and len(series) > 1:
            axes.legend(frameon=False, loc="upper right", bbox_to_anchor=(1.2, 1.1))
        return
    axes.set_xlabel(argument["xLabel"] or "")
    axes.set_ylabel(argument["yLabel"] or "")
    if argument["type"] == "heatmap":
        return
    axes.spines[["top", "right"]].set_visible(False)
    if argument["grid"]:
        axes.grid(visible=True, axis=_GRIDS.get(argument["type"], "both"), linewidth=0.8)
        axes.set_axisbelow(True)
    drawn = len(series) - (argument["type"] == "scatter")  # its first is the axis
    if argument["legend"] and drawn > 1:
        axes.legend(frameon=False)

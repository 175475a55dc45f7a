"""What was measured and what was wrong, as it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from rich.console import Console
from rich.table import Table


class Report:
    """Says things, and remembers whether any of them was wrong."""

    def __init__(self, *, bound: timedelta) -> None:
        self.bound, self.problems = bound, 0
        self._console = Console(width=120, highlight=False)

    def say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def wrong(self, what: str, problems: Sequence[str]) -> None:
        if problems:
            self.problems += 1
            told = "\n    ".join([f"WRONG: {what}", *problems])
            self._console.print(told, markup=False, style="red", soft_wrap=True)

    def recoveries(self, title: str, found: Mapping[str, Sequence[timedelta]]) -> None:
        """A line for each thing that was done, of the recoveries of the runs that stood still for it."""
        table = Table(
            "what",
            "runs that stood still",
            "median",
            "p99",
            "longest",
            "bound",
            "",
            title=title,
            title_justify="left",
            box=None,
        )
        for what, recoveries in found.items():
            ordered = sorted(recoveries)
            figures = [_share(ordered, 0.5), _share(ordered, 0.99), ordered[-1]] if ordered else []
            is_kept = not ordered or ordered[-1] <= self.bound
            told = [_seconds(figure) for figure in figures] or ["", "", ""]
            verdict = "[green]kept" if is_kept else "[red]missed"
            table.add_row(what, str(len(ordered)), *told, f"≤ {_seconds(self.bound)}", verdict)
        self._console.print(table)


def _share(ordered: Sequence[timedelta], share: float) -> timedelta:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():.2f} s"

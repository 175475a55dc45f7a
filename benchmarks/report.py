"""What was measured, beside what it stands on, and whether it keeps its bound."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


class Report:
    """A table that grows, and remembers whether every bound was kept."""

    def __init__(self) -> None:
        self.is_kept = True
        self._tables: list[Table] = []

    def section(self, title: str) -> None:
        columns = ("what", "engine", "raw beside it", "ratio", "bound", "")
        self._tables.append(Table(*columns, title=title, title_justify="left", box=None, header_style="bold"))

    def row(
        self, what: str, engine: str, raw: str, ratio: float, bound: float | None = None, *, least: bool = False
    ) -> None:
        """*bound*: the most that *ratio* may be, or the *least*; None: it is told, and not judged."""
        if bound is None:
            self._tables[-1].add_row(what, engine, raw, f"{ratio:.2f}")
            return
        is_good = ratio >= bound if least else ratio <= bound
        self.is_kept = self.is_kept and is_good
        verdict = "[green]kept" if is_good else "[red]missed"
        self._tables[-1].add_row(what, engine, raw, f"{ratio:.2f}", f"{'≥' if least else '≤'} {bound:g}", verdict)

    def show(self) -> None:
        console = Console(width=120)
        for table in self._tables:
            console.print(table)
            console.print()


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"

"""A run as one picture that changes in place: every node with its bar in time, and the texts while they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from executions.core.statuses import NodeStatus
from flowmaestro.terminal.follow import Frame
from flowmaestro.terminal.glyphs import ENDINGS, MARKS, detail, duration, ending, track
from flowmaestro.terminal.progress import NodeProgress, RunProgress

_FRAMES_PER_SECOND: Final = 12
_WIDE: Final = 100  # columns of a terminal that has room for everything
_TEXT_LINES: Final = 6  # of a text that is being written; the whole of it is in the outputs


class LiveView:
    """Redraws on its own clock; frames only change what is drawn."""

    def __init__(self, console: Console) -> None:
        self._run = RunProgress()
        self._spinner = Spinner("dots", style=MARKS[NodeStatus.RUNNING][1])
        self._console = console
        self._live = Live(console=console, get_renderable=self.render, refresh_per_second=_FRAMES_PER_SECOND)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *exit_info: object) -> None:
        self._live.stop()

    def show(self, frame: Frame | None, run: RunProgress) -> None:
        del frame
        self._run = run

    @property
    def _is_wide(self) -> bool:
        return self._console.width >= _WIDE  # asked each time: terminals change their size

    @property
    def _cells(self) -> int:
        """Of a node's bar in time."""
        return 24 if self._is_wide else 12

    def render(self) -> RenderableType:
        run = self._run
        if run.started_at is None:
            return Text.assemble("Waiting for a worker …", style="dim")
        whole = run.seconds_at(run.ended_at or datetime.now(UTC)) or 0.0
        table = Table.grid(padding=(0, 1, 0, 0))  # one space behind each column, within its width
        table.add_column(no_wrap=True, width=2)
        table.add_column(no_wrap=True, min_width=24)
        table.add_column(no_wrap=True, min_width=12 if self._is_wide else 1, style="dim")
        table.add_column(no_wrap=True, width=self._cells + 1)
        table.add_column(no_wrap=True, justify="right", min_width=9)
        table.add_column(ratio=1)  # the only one that gives way on a narrow terminal
        for node in run.nodes.values():
            if node.status is not NodeStatus.SKIPPED:
                table.add_row(*self._row(run, node, whole))
        word, style = ENDINGS[run.status]
        if run.status.is_final:
            foot = Text(ending(run), style=f"bold {style}")
        else:
            foot = Text(f"{run.workflow} {word}, {duration(whole * 1000)}", style=style)
        head = Padding(Text(run.workflow, style="bold"), (0, 0, 1, 0))
        return Group(head, table, _skipped(run), *self._texts(run), Padding(foot, (1, 0, 0, 0)))

    def _row(self, run: RunProgress, node: NodeProgress, whole: float) -> tuple[RenderableType, ...]:
        sign, style = MARKS[node.status]
        is_running = node.status is NodeStatus.RUNNING
        begin = run.seconds_at(node.started_at)
        end = whole if is_running else run.seconds_at(node.ended_at)
        bar = Text()
        if begin is not None and end is not None:
            before, line, after = track(begin, end, whole, cells=self._cells)
            bar = Text.assemble(before, (line, style), after)
        took = (whole - begin) * 1000 if is_running and begin is not None else node.duration_ms
        return (
            self._spinner if is_running else Text(sign, style=style),
            Text(node.name, style="bold" if is_running else ""),
            Text(node.kind if self._is_wide else ""),
            bar,
            Text("" if took is None else duration(max(took, 0.0))),
            Text(detail(node), style="dim", no_wrap=True, overflow="ellipsis"),
        )

    def _texts(self, run: RunProgress) -> list[RenderableType]:
        """The texts that are being written, the end of each."""
        panels: list[RenderableType] = []
        for key, text in run.texts.items():
            node = run.nodes.get(key)
            if node is not None and node.status is NodeStatus.RUNNING:
                lines = Text(f"{text}▌").wrap(self._console, self._console.width - 4)[-_TEXT_LINES:]
                panels.append(Panel(Text("\n").join(lines), title=node.name, title_align="left", border_style="cyan"))
        return panels


def _skipped(run: RunProgress) -> Text:
    """One line for all of them: what did not happen should not crowd out what did."""
    sign, style = MARKS[NodeStatus.SKIPPED]
    names = [node.name for node in run.nodes.values() if node.status is NodeStatus.SKIPPED]
    return Text(f"{sign}  skipped: {', '.join(names)}" if names else "", style=style)

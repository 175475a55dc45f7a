"""A run as one picture that changes in place: every node with its bar in time, and the texts while they are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from executions.core.scopes import container_of
from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.follow import Frame
from flowmaestro.terminal.glyphs import (
    ENDINGS,
    MARKS,
    counts,
    detail,
    duration,
    ending,
    mark,
    numbered,
    paused,
    track,
)
from flowmaestro.terminal.progress import NodeProgress, RunProgress

_FRAMES_PER_SECOND: Final = 12
_WIDE: Final = 100  # columns of a terminal that has room for everything
_MOST_TEXTS: Final = 3  # at once: branches may be many
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

    @contextmanager
    def aside(self) -> Iterator[None]:
        """The picture stands still while somebody is asked below it, and is drawn anew afterwards."""
        self._live.stop()
        try:
            yield
        finally:
            self._live.start(refresh=True)

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
        for node in in_drawing_order(run):
            if node.newest.status is not NodeStatus.SKIPPED:
                table.add_row(*self._row(run, node, whole))
        word, style = ENDINGS[run.status]
        if run.status.is_final:
            foot = Text(ending(run), style=f"bold {style}")
        elif run.status is RunStatus.PAUSED:
            foot = Text(paused(run, datetime.now(UTC)), style=style)
        else:
            foot = Text(f"{run.workflow} {word}, {duration(whole * 1000 - run.paused_ms)}", style=style)
        head = Padding(Text(run.workflow, style="bold"), (0, 0, 1, 0))
        return Group(head, table, _skipped(run), *self._texts(run), Padding(foot, (1, 0, 0, 0)))

    def _row(self, run: RunProgress, node: NodeProgress, whole: float) -> tuple[RenderableType, ...]:
        visit = node.newest
        is_paused = run.status is RunStatus.PAUSED
        sign, style = mark(visit, is_paused=is_paused)
        is_running = visit.status is NodeStatus.RUNNING and not is_paused
        is_open = visit.status in (NodeStatus.RUNNING, NodeStatus.WAITING)
        is_others_at_work = node.at_work > 0 and visit.due_at is None
        begin = run.seconds_at(visit.started_at)
        end = whole if is_open or visit.due_at else run.seconds_at(visit.ended_at)
        bar = Text()
        if begin is not None and end is not None:
            before, line, after = track(begin, end, whole, cells=self._cells)
            bar = Text.assemble(before, (line, style), after)
        took = (whole - begin) * 1000 if is_open and begin is not None else visit.duration_ms
        more = ", ".join(filter(None, (counts(node), detail(visit, datetime.now(UTC)))))
        return (
            self._spinner if is_running or (is_others_at_work and not is_paused) else Text(sign, style=style),
            Text("  " * len(visit.indices) + visit.name, style="bold" if is_running else ""),
            Text(visit.kind if self._is_wide else ""),
            bar,
            Text("" if took is None else duration(max(took, 0.0))),
            Text(more, style="dim", no_wrap=True, overflow="ellipsis"),
        )

    def _texts(self, run: RunProgress) -> list[RenderableType]:
        """The texts that are being written, the end of each."""
        panels: list[RenderableType] = []
        for key, text in run.texts.items():
            visit = run.under_way.get(key)
            if visit is not None and visit.status is NodeStatus.RUNNING and len(panels) < _MOST_TEXTS:
                lines = Text(f"{text}▌").wrap(self._console, self._console.width - 4)[-_TEXT_LINES:]
                panels.append(
                    Panel(Text("\n").join(lines), title=numbered(visit), title_align="left", border_style="cyan")
                )
        return panels


def in_drawing_order(run: RunProgress) -> list[NodeProgress]:
    """The nodes in the order in which they began, those of a body below their container."""
    below: defaultdict[str, list[NodeProgress]] = defaultdict(list)
    for node in run.nodes.values():
        below[container_of(node.newest.scope)].append(node)
    found: list[NodeProgress] = []
    rest = below[""][::-1]
    while rest:
        found.append(rest.pop())
        rest += below[found[-1].newest.node_id][::-1]
    return found


def _skipped(run: RunProgress) -> Text:
    """One line for all of them: what did not happen should not crowd out what did."""
    sign, style = MARKS[NodeStatus.SKIPPED]
    newest = [node.newest for node in run.nodes.values()]
    names = [visit.name for visit in newest if visit.status is NodeStatus.SKIPPED]
    return Text(f"{sign}  skipped: {', '.join(names)}" if names else "", style=style)

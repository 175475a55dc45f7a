"""A run as lines, one after the other: for logs, pipes and terminals that can do no more."""

from __future__ import annotations

import re
from typing import Final, Self

from rich.console import Console
from rich.text import Text

from executions.core.events import EventType
from executions.core.statuses import NodeStatus
from flowmaestro.terminal.follow import Frame
from flowmaestro.terminal.glyphs import ENDINGS, MARKS, detail, duration, ending
from flowmaestro.terminal.progress import NodeProgress, RunProgress, stream_of
from realtime.core.wire import TOKEN

_INDENT: Final = " " * 11  # the width of the column of times
_MARGIN: Final = f"{_INDENT}│"
_PIECES: Final = re.compile(r"\n|[^\S\n]+|\S+")  # newlines, other space, words
_NODE_EVENTS: Final = frozenset(
    {EventType.NODE_STARTED, EventType.NODE_COMPLETED, EventType.NODE_FAILED, EventType.NODE_SKIPPED}
)


class PlainView:
    """Prints each frame when it comes and never goes back.

    A node's start is held until something else happens: most nodes end in the same moment and need one line.
    """

    def __init__(self, console: Console, *, width: int = 96) -> None:
        self._console = console
        self._room = width - len(_MARGIN)  # for text behind the margin
        self._held: tuple[str, NodeProgress, float | None] | None = None
        self._stream: str | None = None  # whose text the last, unfinished line belongs to
        self._column = 0  # characters of it
        self._is_spaced = True  # a space is due before the next word
        self._shown: dict[str, int] = {}  # characters of each text that are printed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exit_info: object) -> None:
        self._settle()

    def show(self, frame: Frame | None, run: RunProgress) -> None:
        if frame is None:
            self._release()
        elif frame["type"] == EventType.EXECUTION_STARTED:
            self._line(Text(f"{run.workflow} · {run.total_nodes} nodes", style="bold"))
        elif frame["type"] in _NODE_EVENTS:
            self._node(stream_of(frame), run)
        elif frame["type"] == TOKEN:
            self._text(stream_of(frame), run)
        elif run.status.is_final:
            when = _at(run.seconds_at(run.ended_at))
            self._line(Text.assemble(when, (ending(run), f"bold {ENDINGS[run.status][1]}")))

    def _node(self, key: str, run: RunProgress) -> None:
        node = run.nodes[key]
        if self._held is not None and self._held[0] != key:
            self._release()
        if node.status is NodeStatus.RUNNING:
            self._held = key, node, run.seconds_at(node.started_at)
            return
        self._held = None
        if key in self._shown:
            self._text(key, run)
        self._describe(node, run.seconds_at(node.ended_at))

    def _release(self) -> None:
        if self._held is not None:
            _, node, seconds = self._held
            self._held = None
            self._describe(node, seconds)

    def _describe(self, node: NodeProgress, seconds: float | None) -> None:
        sign, style = MARKS[node.status]
        took = "" if node.duration_ms is None else duration(node.duration_ms)
        name, kind = f" {node.name:<28} ", (f"{node.kind:<12}", "dim")
        line = Text.assemble(_at(seconds), (sign, style), name, kind, f"{took:>9}  ", detail(node))
        line.rstrip()
        self._line(line)

    def _text(self, key: str, run: RunProgress) -> None:
        """Print what is new of a text by whole words: the last one waits until something follows it."""
        text = run.texts[key]
        begin = self._shown.get(key, 0)
        is_over = key in run.nodes and run.nodes[key].status is not NodeStatus.RUNNING
        end = len(text) if is_over else max(text.rfind(" "), text.rfind("\n")) + 1
        if end <= begin:
            return
        self._release()
        if self._stream != key:
            self._settle()
            self._stream = key
            self._write(_MARGIN)
        for piece in _PIECES.findall(text[begin:end]):
            self._piece(piece)
        self._shown[key] = end

    def _piece(self, piece: str) -> None:
        if piece == "\n":
            self._break()
        elif piece.isspace():
            self._is_spaced = True
        else:
            if self._column + self._is_spaced + len(piece) > self._room:
                self._break()
            word = f" {piece}" if self._is_spaced else piece
            self._write(word)
            self._column += len(word)
            self._is_spaced = False

    def _break(self) -> None:
        self._write(f"\n{_MARGIN}")
        self._column, self._is_spaced = 0, True

    def _settle(self) -> None:
        """Say what is held, and end an unfinished line of text."""
        self._release()
        if self._stream is not None:
            self._write("\n")
            self._stream, self._column, self._is_spaced = None, 0, True

    def _line(self, line: Text) -> None:
        self._settle()
        self._write(line)
        self._write("\n")

    def _write(self, text: str | Text) -> None:
        self._console.print(text, end="", soft_wrap=True, markup=False, highlight=False)


def _at(seconds: float | None) -> str:
    return _INDENT if seconds is None else f"{seconds:>7.2f} s  "

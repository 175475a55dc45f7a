"""A run as lines, one after the other: for logs, pipes and terminals that can do no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, Self

from rich.console import Console
from rich.text import Text

from executions.core.events import EventType
from executions.core.scopes import TOP, around
from executions.core.statuses import NodeStatus, RunStatus
from flowmaestro.terminal.follow import Frame
from flowmaestro.terminal.glyphs import ENDINGS, MARKS, begun, detail, duration, ending, mark, numbered, paused
from flowmaestro.terminal.progress import RunProgress, Visit, indices_of, key_of
from realtime.core.wire import TOKEN

_INDENT: Final = " " * 11  # the width of the column of times
_MARGIN: Final = f"{_INDENT}│"
_PIECES: Final = re.compile(r"\n|[^\S\n]+|\S+")  # newlines, other space, words
_TOLD_ROUNDS: Final = 3  # iterations or branches of a container that are told in full, nested ones taken together
_TOLD_FAILURES: Final = 10  # of one node in those that are not


class PlainView:
    """Prints each frame when it comes and never goes back.

    A node's start is held until something else happens: most nodes end in the same moment and need one line. Of a
    container, the first iterations or branches are told in full; of the others, how many have begun, now and then, and
    what fails.
    """

    def __init__(self, console: Console, *, width: int = 96) -> None:
        self._console = console
        self._room = width - len(_MARGIN)  # for text behind the margin
        self._held: Visit | None = None
        self._run = RunProgress()
        self._stream: str | None = None  # whose text the last, unfinished line belongs to
        self._column = 0  # characters of it
        self._is_spaced = True  # a space is due before the next word
        self._shown: dict[str, int] = {}  # characters of each text that are printed
        self._counted: dict[str, int] = {}  # of each container: how many iterations or branches were told of

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exit_info: object) -> None:
        self._release()
        self._settle()

    def show(self, frame: Frame | None, run: RunProgress) -> None:
        self._run = run
        if frame is None:
            self._release()
        elif frame["type"] == EventType.EXECUTION_STARTED:
            self._line(Text(f"{run.workflow} · {run.total_nodes} nodes", style="bold"))
        elif frame["type"] == TOKEN:
            self._text(str(frame["stream"]))
        elif run.told_of is not None:
            self._visit(run.told_of)
        elif frame["type"] == EventType.EXECUTION_PAUSED:
            self._tell(
                run, frame, paused(run, datetime.fromisoformat(frame["timestamp"])), MARKS[NodeStatus.WAITING][1]
            )
        elif frame["type"] == EventType.EXECUTION_RESUMED:
            lasted = duration(frame["data"]["paused_ms"])
            self._tell(run, frame, f"{run.workflow} goes on after {lasted}", ENDINGS[RunStatus.RUNNING][1])
        elif run.status.is_final:
            when = _at(run.seconds_at(run.ended_at))
            self._release()
            self._line(Text.assemble(when, (ending(run), f"bold {ENDINGS[run.status][1]}")))

    def _tell(self, run: RunProgress, frame: Frame, words: str, style: str) -> None:
        self._release()
        when = _at(run.seconds_at(datetime.fromisoformat(frame["timestamp"])))
        self._line(Text.assemble(when, (words, style)))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Somebody is asked in between."""
        self._release()
        self._settle()
        yield

    def _visit(self, visit: Visit) -> None:
        self._count(visit)
        if not self._is_told(visit):
            return
        if self._held is not None and key_of(self._held) != key_of(visit):
            self._release()
        if visit.status is NodeStatus.RUNNING:
            self._held = visit
            return
        self._held = None
        if key_of(visit) in self._shown:
            self._text(key_of(visit))
        self._describe(visit, self._run.seconds_at(visit.ended_at or visit.started_at))

    def _is_told(self, visit: Visit) -> bool:
        """Whether it has lines of its own."""
        if sum(visit.indices) < _TOLD_ROUNDS:
            return True
        is_failure = visit.status is NodeStatus.FAILED and not visit.is_handled
        return is_failure and self._run.nodes[visit.node_id].failed <= _TOLD_FAILURES

    def _count(self, visit: Visit) -> None:
        """Tell how many iterations or branches have begun: at each tenth, or when they have doubled."""
        if visit.scope == TOP:
            return
        scope, container, _ = around(visit.scope)
        whole = self._run.under_way.get(f"{container}/{scope}")
        if whole is None or not self._is_told(whole):
            return
        told = self._counted.get(key_of(whole), _TOLD_ROUNDS)
        due = told * 2 if whole.total is None else told + max(whole.total // 10, 1)
        if whole.begun >= due:
            self._counted[key_of(whole)] = whole.begun
            self._release()
            self._describe(whole, self._run.seconds_at(visit.started_at))

    def _release(self) -> None:
        if self._held is not None:
            visit, self._held = self._held, None
            self._describe(visit, self._run.seconds_at(visit.started_at))

    def _describe(self, visit: Visit, seconds: float | None) -> None:
        sign, style = mark(visit)
        took = "" if visit.duration_ms is None else duration(visit.duration_ms)
        name, kind = f" {'  ' * len(visit.indices)}{numbered(visit)} ", (f"{visit.kind:<12}", "dim")
        more = ", ".join(filter(None, (begun(visit), detail(visit, visit.ended_at or visit.started_at))))
        line = Text.assemble(_at(seconds), (sign, style), f"{name:<30}", kind, f"{took:>9}  ", more)
        line.rstrip()
        self._line(line)

    def _text(self, key: str) -> None:
        """Print what is new of a text by whole words: the last one waits until something follows it."""
        text = self._run.texts[key]
        begin = self._shown.get(key, 0)
        is_over = self._run.told_of is not None and key_of(self._run.told_of) == key and key not in self._run.under_way
        end = len(text) if is_over else max(text.rfind(" "), text.rfind("\n")) + 1
        if end <= begin or any(indices_of(key.partition("/")[2])):  # of branches that write at once, the first
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
        """End an unfinished line of text."""
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

"""What the engine lends a handler for one attempt, as protocols: a handler can be tested with a few lines of fake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Lent(Protocol):
    """Handed to `NodeHandler.run`. Every method may be called from the thread that runs the node."""

    def token(self, text: str) -> None:
        """Stream a piece of text to whoever watches. Droppable: the output carries the whole text.

        Raises Cancelled when the run has been cancelled, so that a stream ends with it.
        """

    def log(self, level: str, message: str) -> None:
        """Leave a line with the node run. *level* is debug, info, warning or error."""

    def check_cancelled(self) -> None:
        """Raise Cancelled when the run no longer wants this attempt, NodeTimeout when its time is up."""

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Call *stop*, from another thread, as soon as `check_cancelled` would raise: to close a socket.

        Called at once when that is so already. *stop* may be called more than once, and after `run` has returned.
        """

    def remaining(self) -> float:
        """Seconds left of the attempt's time limit; bounds for the handler's own timeouts."""

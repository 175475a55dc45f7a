"""How many listen to this process, so that neither one workspace nor one person takes it from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

MOST: Final = 5_000  # of one process
MOST_OF_A_WORKSPACE: Final = 2_000
MOST_OF_A_PERSON: Final = 100  # tabs; a key stands for a whole site, which gives its tickets to many


class Full(Exception):
    """As many listen as may."""


class Seats:
    """The listeners of a process: of all its event loops, which take turns."""

    def __init__(self) -> None:
        self._by_workspace: Counter[UUID] = Counter()
        self._by_person: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._by_workspace.total()

    def has_room(self, workspace_id: UUID, holder: str) -> bool:
        """Whether one more may listen to this workspace; *holder* as a ticket names who it was given to."""
        return (
            self.taken < MOST
            and self._by_workspace[workspace_id] < MOST_OF_A_WORKSPACE
            and not (_is_person(holder) and self._by_person[holder] >= MOST_OF_A_PERSON)
        )

    @contextmanager
    def take(self, workspace_id: UUID, holder: str) -> Iterator[None]:
        """A seat for as long as the context lasts. Raises Full."""
        if not self.has_room(workspace_id, holder):
            raise Full
        people = [holder] if _is_person(holder) else []
        self._by_workspace[workspace_id] += 1
        self._by_person.update(people)
        try:
            yield
        finally:
            # What is zero goes, or a process would remember all who ever listened.
            self._by_workspace -= Counter([workspace_id])
            self._by_person -= Counter(people)


def _is_person(holder: str) -> bool:
    return holder.startswith("user:")


seats = Seats()

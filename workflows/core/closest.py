"""The word an author probably meant."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

# difflib compares with every word. Who misspelt fifty names mends a few and validates again, whereas a definition made
# to misspell ten thousand would keep the process busy for minutes.
MAX_PROPOSALS = 50


class Proposals:
    """Proposals for one round of validation. Says nothing more after MAX_PROPOSALS different words."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, str], str | None] = {}

    def closest(self, word: str, words: Collection[str], *, among: str) -> str | None:
        """The one of *words* that *word* is close to. *among* names the collection: asked again, the answer is kept."""
        if (word, among) not in self._made and len(self._made) < MAX_PROPOSALS:
            self._made[word, among] = closest(word, words)
        return self._made.get((word, among))


def closest(word: str, words: Collection[str]) -> str | None:
    """The one of *words* that *word* is close to; capitals count as a small slip."""
    folded = {other.lower(): other for other in sorted(words, reverse=True)}
    found = get_close_matches(word.lower(), folded, n=1)
    return folded[found[0]] if found else None

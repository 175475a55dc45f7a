"""Which of several texts answers a question best: by the words they share, or by the angle between embeddings."""

from __future__ import annotations

import math
import operator
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

# Lucene's, for every text about the same. Source: S. Robertson and H. Zaragoza, "The Probabilistic Relevance Framework:
# BM25 and Beyond", Foundations and Trends in Information Retrieval 3 (4), 2009.
_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.75
# Scripts that put no spaces between words: there each character counts as one.
_UNSPACED: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")


def words(text: str) -> list[str]:
    """The words of *text* in lower case, as they are compared."""
    return _WORD.findall(text.casefold())


def rank(query: str, texts: Sequence[str]) -> list[float]:
    """How well each of *texts* answers *query* by its words (BM25): 0 for no word in common, below 1.

    A share of what a text would score that repeats each word of the query without end.
    """
    counts = [Counter(words(text)) for text in texts]
    lengths = [count.total() for count in counts]
    average = sum(lengths) / len(lengths) if any(lengths) else 1.0
    weights = {word: _weight(sum(word in count for count in counts), len(texts)) for word in set(words(query))}
    most = sum(weights.values()) * (_SATURATION + 1)
    if not most:
        return [0.0] * len(texts)
    return [
        sum(weight * _frequency(count[word], length / average) for word, weight in weights.items()) / most
        for count, length in zip(counts, lengths, strict=True)
    ]


def cosine(left: Sequence[float], right: Sequence[float]) -> float:
    """The cosine of the angle between two vectors of the same length: 1 for the same direction; 0 for a null vector."""
    norm = math.sqrt(_product(left, left) * _product(right, right))
    return _product(left, right) / norm if norm else 0.0


def _product(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(map(operator.mul, left, right))


def _weight(having: int, of: int) -> float:
    """The rarer a word, the more it tells."""
    return math.log(1 + (of - having + 0.5) / (having + 0.5))


def _frequency(count: int, relative_length: float) -> float:
    """Saturating: the tenth time says little more than the ninth, and in a long text less."""
    return count * (_SATURATION + 1) / (count + _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * relative_length))

"""Search engines: one question, results of one shape, whoever answers.

An engine is a row of `engines.ENGINES` that says what it is asked and where its answers lie; no code of its own.
"""

from handlers.search.asking import ask
from handlers.search.engines import ENGINES, Engine, SearchKind

__all__ = ["ENGINES", "Engine", "SearchKind", "ask"]

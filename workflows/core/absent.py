"""What a lookup answers where there is no value. Null is a value, so None cannot say it."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Absent(Enum):
    """Two ways of not being there: they differ in text, where only a name that was misspelt should catch the eye."""

    MISSING = "missing"  # a skipped node, or a path that is not there in one that ran: empty text
    UNKNOWN = "unknown"  # a name that nothing can define: stays in the text as written


MISSING: Final = Absent.MISSING
UNKNOWN: Final = Absent.UNKNOWN

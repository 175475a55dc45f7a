"""Regular expressions of RE2, which cannot be made to hang. Source: R. Cox, "Regular Expression Matching Can Be Simple
And Fast", 2007.
"""

from __future__ import annotations

from typing import Any

import re2
from jsonata.regex_engine import RegexFlags


def compile_pattern(pattern: str, flags: RegexFlags) -> Any:
    options = re2.Options()
    options.log_errors = False  # they are raised; RE2 would write them to standard error as well
    marks = "i" * flags.case_insensitive + "m" * flags.multiline
    return re2.compile(f"(?{marks}){pattern}" if marks else pattern, options)

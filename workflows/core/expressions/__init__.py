"""Expressions: the subset of JavaScript that stands in `{{…}}` and in conditions. Values in, a value out, nothing else.

    expression = parse("order.total > 100 ? 'large' : 'small'")
    evaluate(expression, lookup)  # lookup(("order", "total")) → JSONValue | MISSING | UNKNOWN

No assignment, no loop, no function of one's own, no call that is not in `functions`; length, depth, work and the size
of what is made are limited, so that a definition from anybody may be evaluated in any process.
"""

from workflows.core.expressions.evaluation import Lookup, evaluate
from workflows.core.expressions.parser import MAX_DEPTH, MAX_LENGTH, parse
from workflows.core.expressions.tree import Expression, Reference
from workflows.core.expressions.values import MAX_TEXT, describe, text_of, walk

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "MAX_TEXT",
    "Expression",
    "Lookup",
    "Reference",
    "describe",
    "evaluate",
    "parse",
    "text_of",
    "walk",
]

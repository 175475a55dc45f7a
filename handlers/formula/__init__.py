"""JSONata, the expression language of transforms, within bounds that a database transaction can afford.

An evaluation may take half a second and so many values; regular expressions run on RE2, which cannot be made to hang.
Time and depth are looked at between two steps of an expression, so what a built-in function does in one step is bounded
by size instead: those that make much out of little are replaced by counting versions (`natives`), and operators
that walk a whole value weigh it first (`Bounded`): `{"l": $a, "r": $a}` forty times over is small in memory, and to
walk it takes for ever. All that is made on the way is added up, so that memory is bounded too. `$eval` is switched off:
text that comes with the data is no program.

A process of its own for each expression would hold it to harder bounds, and costs fifty times what most expressions do.
"""

from handlers.formula.compiled import MAX_EXPRESSION_LENGTH, find_fault
from handlers.formula.formula import MAX_SECONDS, Formula

__all__ = ["MAX_EXPRESSION_LENGTH", "MAX_SECONDS", "Formula", "find_fault"]

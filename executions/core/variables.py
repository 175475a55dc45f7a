"""What a write does to the workflow variables."""

from __future__ import annotations

from handlers import JSONObject, VariableWrite


def written(variables: JSONObject, write: VariableWrite) -> JSONObject:
    """The variables after *write*; the old ones stay as they were."""
    old, new = variables.get(write.name), write.value
    match write.how:
        case "increment":
            new = (old if isinstance(old, int | float) else 0) + (new if isinstance(new, int | float) else 0)
        case "append":
            new = [*(old if isinstance(old, list) else []), new]
    return {**variables, write.name: new}

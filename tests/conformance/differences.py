"""Where the engine deliberately does otherwise than the existing product was recorded to do, and why.

Every vector that one of these is about differs, and every other agrees: `test_vectors` holds both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Vector: TypeAlias = Mapping[str, Any]

WORDS: Final = frozenset({"isEmpty", "isNotEmpty", "isNull", "isNotNull"})
KNOWN: Final = WORDS | {"==", "!=", ">", "<", ">=", "<=", "contains", "startsWith", "endsWith"}
WITH_EQUAL: Final = frozenset({"<=", ">=", "lte", "gte"})
ORDERS: Final = WITH_EQUAL | {"<", ">", "lt", "gt"}
UNREADABLE: Final = (
    "{{}}",
    "{{ }}",
    "{{{a}}}",
    "{{safe.toString()}}",
    "{{constructor.constructor('return this')()}}",
)
EXPRESSIONS: Final = ("{{a || 'd'}}", "{{a == 1 ? 'y' : 'n'}}", "{{!f}}")
JSON_TEXTS: Final = ('{"x": "{{b}}"}', "{{data}}", '{"name": "{{name}}", "age": "{{age}}"}')


@dataclass(frozen=True)
class Difference:
    families: tuple[str, ...]
    reason: str
    concerns: Callable[[Vector], bool]


def _text(vector: Vector) -> str:
    return str(vector["text"] if "text" in vector else vector["args"][0])


def _is_typed(vector: Vector) -> bool:
    return vector.get("fn") == "interpolateWithObjectSupport"


def _throws(vector: Vector) -> bool:
    return "throws" in vector


def _left(vector: Vector) -> Any:
    """The left side of a comparison: a value of the context, or the text that is drawn."""
    drawn = vector["config"]["leftValue"]
    if not drawn.startswith("{{"):
        return None if drawn in ("null", "undefined") else drawn
    found: Any = vector["context"]
    for step in drawn.strip("{}").split("."):
        found = found[int(step)] if isinstance(found, list) else found.get(step)
    return found


def _word_is_ignored(vector: Vector) -> bool:
    """The record is that of `==`, and not what the operator says."""
    left, operator = _left(vector), vector["config"]["operator"]
    says = {"isEmpty": left in (None, "", [], {}), "isNull": left is None}
    says |= {"isNotEmpty": not says["isEmpty"], "isNotNull": not says["isNull"]}
    return operator in WORDS and vector["result"]["conditionMet"] != says[operator]


def _differs_in_case_only(vector: Vector) -> bool:
    left, right, operator = _left(vector), vector["config"]["rightValue"], vector["config"]["operator"]
    if operator not in ORDERS or not isinstance(left, str) or left == right or left.casefold() != right.casefold():
        return False
    return bool(vector["result"]["conditionMet"] != (operator in WITH_EQUAL))


def _unasked(vector: Vector) -> Any:
    """Where the answer to a review came from that nobody was asked for."""
    return vector["result"]["result"].get("_humanReviewMetadata", {}).get("source")


DIFFERENCES: Final = (
    Difference(
        ("references", "interpolate"),
        "a reference that cannot be read is refused when the workflow is validated",
        lambda vector: (_text(vector) in UNREADABLE and not _throws(vector)) or vector.get("text") == "",
    ),
    Difference(
        ("references",),
        "there is no `shared` beside the workflow variables",
        lambda vector: _text(vector).startswith("shared."),
    ),
    Difference(("references",), "JSON has no prototypes", lambda vector: "__proto__" in _text(vector)),
    Difference(("references",), "+ joins texts", lambda vector: _text(vector) == "{{safe + safe}}"),
    Difference(
        ("references", "interpolate-string"),
        "a branch is called after its parallel",
        lambda vector: "parallel.branchId" in _text(vector),
    ),
    Difference(
        ("references",),
        "the results of an iteration are keyed by node",
        lambda vector: "loop.results" in _text(vector),
    ),
    Difference(
        ("interpolate",),
        "there is no strict mode: what is not there does not fail a text",
        lambda vector: _throws(vector) and _text(vector) != "{{{a}}}",
    ),
    Difference(
        ("interpolate",),
        "a path that is not there is empty text; only a name that nothing defines stays as written",
        lambda vector: (
            not _throws(vector)
            and (
                _text(vector) == "{{u.name}} {{u.missing}}"
                or (
                    not _is_typed(vector)
                    and vector["result"] == _text(vector)
                    and _text(vector)[2:-2] in ("user.profile.name", "a.b", "n.x", "arr[9]")
                )
            )
        ),
    ),
    Difference(
        ("interpolate",),
        "lists and objects become JSON",
        lambda vector: vector["args"][2:] == [{"strict": True}] and _text(vector) in ("{{o}}", "{{arr}}"),
    ),
    Difference(
        ("interpolate",),
        "references are expressions",
        lambda vector: _text(vector) in EXPRESSIONS and not _throws(vector),
    ),
    Difference(
        ("interpolate",),
        "a value that is one reference keeps its type, and is null where there is nothing",
        lambda vector: (
            _is_typed(vector)
            and _text(vector)
            in ("{{ a }}", "{{z}}", "{{arr[1]}}", "{{b.length}}", "{{n}}", "{{n.x}}", "{{missing}}", "{{arr[9]}}")
        ),
    ),
    Difference(
        ("interpolate",),
        "text that happens to be JSON stays text",
        lambda vector: _is_typed(vector) and _text(vector) in JSON_TEXTS,
    ),
    Difference(
        ("conditional-pairs",),
        "isEmpty, isNull and their contraries do what they say, where the record compared the two sides",
        _word_is_ignored,
    ),
    Difference(
        ("conditional-pairs",),
        "an unknown operator is refused",
        lambda vector: vector["config"]["operator"] == "bogus",
    ),
    Difference(
        ("evaluate-condition",),
        "an unknown operator is refused, and so are those of another helper of the product",
        lambda vector: vector["args"][1] not in KNOWN,
    ),
    Difference(
        ("conditional-pairs",), "the order of texts ignores case, as their equality does", _differs_in_case_only
    ),
    Difference(
        ("conditional-pairs",),
        "a list is compared as its JSON",
        lambda vector: vector["config"]["leftValue"] == "{{arr}}" and vector["config"]["operator"] in ORDERS,
    ),
    Difference(
        ("conditional-pairs",),
        "a name that is not there is null, and null is no text",
        lambda vector: (
            [vector["config"][key] for key in ("leftValue", "operator", "rightValue")] == ["{{missing}}", "eq", ""]
        ),
    ),
    Difference(
        ("parse-value",),
        "true, false and null are written so; in comparisons, texts are equal whatever their case",
        lambda vector: vector["args"][0] in ("True", "False", "Null"),
    ),
    Difference(
        ("switch",),
        "a case is fixed, as edges are drawn from its value",
        lambda vector: any("{{" in case["value"] for case in vector["config"]["cases"]),
    ),
    Difference(
        ("switch",),
        "a case called like a handle that every node has is refused",
        lambda vector: any(case["value"] == "error" for case in vector["config"]["cases"]),
    ),
    Difference(
        ("output",),
        "what is no number fails the node: NaN is not JSON",
        lambda vector: vector.get("result", {}).get("result") == {"result": {"$number": "NaN"}},
    ),
    Difference(
        ("transform",),
        "expressions are JSONata, and never JavaScript",
        lambda vector: "=>" in vector["config"].get("expression", "") and not _throws(vector),
    ),
    Difference(
        ("transform",),
        "custom sees its input as $ and $data, and no names of the record's own",
        lambda vector: vector["config"]["operation"] == "custom" and "$data" not in vector["config"]["expression"],
    ),
    Difference(
        ("transform",),
        "merge takes lists and objects in `sources`",
        lambda vector: vector["config"]["operation"] == "merge" and "${" in vector["config"].get("expression", ""),
    ),
    Difference(
        ("human-review",),
        "people are asked, whatever the inputs of the run are called: who starts a run approves nothing by it",
        lambda vector: _unasked(vector) == "provided",
    ),
    Difference(
        ("human-review",),
        "people are asked, whatever the default: it is there for who leaves the answer out",
        lambda vector: _unasked(vector) == "default",
    ),
    Difference(
        ("chunk-text", "chunk-structured"),
        "a chunk tells where it lies in the text, not how long it is",
        lambda vector: any(chunk["index"] or chunk["metadata"].get("heading") for chunk in vector["result"]),
    ),
)


def difference(family: str, vector: Vector) -> Difference | None:
    """The one that *vector* is about, if there is one."""
    return next((one for one in DIFFERENCES if family in one.families and one.concerns(vector)), None)

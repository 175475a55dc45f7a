"""Where a configuration refers to something."""

from __future__ import annotations

from handlers.base import FieldKind
from workflows.core.errors import ExpressionSyntax
from workflows.core.mentions import find_mentions


def test_find_mentions_gives_each_reference_and_condition_with_its_place() -> None:
    """All of them, whether they can be read or not; raw fields and blank conditions hold none."""
    kinds = {
        "when": FieldKind.CONDITION,
        "blank": FieldKind.CONDITION,
        "code": FieldKind.RAW,
        "path": FieldKind.EXPRESSION,
        "braced": FieldKind.EXPRESSION,
        "literal": FieldKind.EXPRESSION,
        "later": FieldKind.DEFERRED,
    }
    config = {
        "prompt": "{{ a }} and {{b.c}}",
        "headers": [{"value": "{{1 +}}"}],
        "when": "a > {{b}}",
        "blank": "",
        "code": "{{x}}",
        "number": 5,
        "path": "d.e",
        "braced": "{{f}} g",
        "literal": ["h", "{{i}}"],
        "later": "j < {{k}}",
    }

    mentions = [*find_mentions(config, kinds)]

    assert [(mention.field, mention.text, mention.kind) for mention in mentions] == [
        ("prompt", "a", FieldKind.TEMPLATE),
        ("prompt", "b.c", FieldKind.TEMPLATE),
        ("headers.0.value", "1 +", FieldKind.TEMPLATE),
        ("when", "a > {{b}}", FieldKind.CONDITION),
        ("path", "d.e", FieldKind.EXPRESSION),
        ("braced", "f", FieldKind.TEMPLATE),
        ("literal.1", "i", FieldKind.TEMPLATE),
        ("later", "j < {{k}}", FieldKind.DEFERRED),
    ]
    assert [mention.text for mention in mentions if isinstance(mention.parsed, ExpressionSyntax)] == ["1 +"]

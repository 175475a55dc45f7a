"""Where a configuration refers to something."""

from __future__ import annotations

from handlers.base import FieldKind
from workflows.core.errors import ExpressionSyntax
from workflows.core.mentions import find_mentions


def test_find_mentions_gives_each_reference_and_condition_with_its_place() -> None:
    """All of them, whether they can be read or not; raw fields and blank conditions hold none."""
    kinds = {"when": FieldKind.CONDITION, "blank": FieldKind.CONDITION, "code": FieldKind.RAW}
    config = {
        "prompt": "{{ a }} and {{b.c}}",
        "headers": [{"value": "{{1 +}}"}],
        "when": "a > {{b}}",
        "blank": "",
        "code": "{{x}}",
        "number": 5,
    }

    mentions = [*find_mentions(config, kinds)]

    assert [(mention.field, mention.text, mention.is_condition) for mention in mentions] == [
        ("prompt", "a", False),
        ("prompt", "b.c", False),
        ("headers.0.value", "1 +", False),
        ("when", "a > {{b}}", True),
    ]
    assert [isinstance(mention.parsed, ExpressionSyntax) for mention in mentions] == [False, False, True, False]

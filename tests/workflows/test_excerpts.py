from __future__ import annotations

import pytest

from tests.factories import WorkflowFactory
from workflows.excerpts import LONGEST, read, shown
from workflows.models import Workflow


def test_text_that_is_whole_is_indented_and_escaped() -> None:
    """What somebody put into a workflow is text on the page, never markup."""
    html = shown('{"a":["<script>","é"]}')

    assert html == (
        '<pre class="json">{\n  &quot;a&quot;: [\n    &quot;&lt;script&gt;&quot;,\n    &quot;é&quot;\n  ]\n}</pre>'
    )


def test_text_that_is_longer_is_cut_and_says_so() -> None:
    """A megabyte of output does not make a page of a megabyte."""
    html = shown('"' + "x" * LONGEST)

    assert html == f'<pre class="json">&quot;{"x" * (LONGEST - 1)}</pre><p class="help">Cut; the API has all of it.</p>'


def test_text_that_is_not_there_is_a_dash() -> None:
    """Nothing was given, or nothing came back yet."""
    html = shown(None)

    assert html == "—"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("note", "text"),
    [("x", '{"note":"x"}'), ("x" * 10_000, '{"note":"' + "x" * (LONGEST + 1 - len('{"note":"')))],
)
def test_excerpt_of_a_column_leaves_the_rest_in_the_database(note: str, text: str) -> None:
    """One character more than is shown: enough to know that it was cut."""
    WorkflowFactory(definition={"note": note})

    excerpt = read(Workflow.objects.defer("definition").get(), "definition")

    assert excerpt == text

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.ids import from_shortened, shortened


@given(uuid=st.uuids())
def test_shortened_id_is_22_characters_of_an_address_and_leads_back(uuid: UUID) -> None:
    """None of them has to be escaped."""
    text = shortened(uuid)

    assert len(text) == 22
    assert text.replace("-", "").replace("_", "").isalnum()
    assert from_shortened(text) == uuid


@pytest.mark.parametrize("text", ["", "x", "é" * 22, "AaH6JV6zdWe72RfjnZHI"])
def test_text_that_is_no_shortened_id_is_refused(text: str) -> None:
    """Whoever reads one knows which error to expect."""
    with pytest.raises(ValueError):
        from_shortened(text)

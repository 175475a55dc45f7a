from __future__ import annotations

from hashlib import sha256

import pytest

from workflows.workspaces.keys import digest, is_well_formed, new_key

KEY = "fm_live_0123456789abcdefABCDEF0123456789"


def test_new_key_made_is_well_formed_and_not_the_last_one() -> None:
    """Whatever we hand out passes our own check, and no two are alike."""
    made = [new_key() for _ in range(100)]

    well_formed = [is_well_formed(key) for key in made]

    assert well_formed == [True] * 100
    assert len(set(made)) == 100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "nothing"),
        (KEY[:-1], "too short"),
        (KEY + "0", "too long"),
        (KEY.replace("live", "test"), "another prefix"),
        (KEY[:-1] + "-", "a character that is not base62"),
        (KEY[:-1] + "é", "a letter that is not ASCII"),
        (KEY + "\n", "a line end, which a $ in the pattern would let pass"),
        (" " + KEY, "a blank before it"),
    ],
)
def test_key_malformed_is_refused(text: str, reason: str) -> None:
    """Only the prefix and exactly 32 base62 characters are a key."""
    well_formed = is_well_formed(text)

    assert not well_formed, reason


def test_digest_of_key_is_its_sha256_in_hex() -> None:
    """Other programs may compute it: it is the plain SHA-256."""
    stored = digest(KEY)

    assert stored == sha256(KEY.encode()).hexdigest()

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.executions.secrets import texts_in
from tests.strategies import json_values
from workflows.core.masking import MASK, Mask, mask_of

# Few letters, so that secrets overlap, contain and continue one another; and what JSON, Python and URLs escape.
ALPHABET = "ab\"\\/'\n\u20ac\U0001f600 %1"
SECRETS = st.frozensets(st.text(ALPHABET, min_size=4, max_size=9).filter(lambda s: len(s.strip()) >= 4), max_size=4)
TEXTS = st.text(ALPHABET, max_size=40)


@st.composite
def told(draw: st.DrawFn) -> tuple[frozenset[str], Any]:
    """Secrets, and a JSON value with some of them in it: whole, in longer texts, as keys, in JSON, as numbers."""
    secrets = draw(SECRETS | SECRETS.map(lambda drawn: drawn | {"1234", "-1.5e7"}))
    some = st.sampled_from(sorted(secrets) or ["none"])
    texts = TEXTS | some | st.builds("{}{}{}".format, TEXTS, some, TEXTS)
    in_json = texts.map(lambda text: json.dumps({"k": text})) | texts.map(lambda text: json.dumps([text]))
    keys = st.dictionaries(texts, texts, max_size=3)
    inner = texts | in_json | in_json.map(json.dumps) | keys | st.sampled_from([1234, 12345, -1234, -15000000.0])
    value = st.recursive(
        inner | json_values(max_leaves=3), lambda leaf: st.lists(leaf, max_size=4) | st.dictionaries(texts, leaf)
    )
    return secrets, draw(value)


def masked(mask: Mask, value: Any, *, ascii_only: bool = False) -> Any:
    return json.loads(mask.json(json.dumps(value, ensure_ascii=ascii_only)))


def numbers_in(value: Any) -> list[str]:
    match value:
        case list():
            return [number for item in value for number in numbers_in(item)]
        case dict():
            return [number for item in value.values() for number in numbers_in(item)]
    return [json.dumps(value)] if isinstance(value, int | float) and not isinstance(value, bool) else []


def without_secrets(value: Any, mask: Mask, secrets: frozenset[str]) -> Any:
    """What a mask makes of *value*, said value by value."""
    match value:
        case str():
            return mask.text(value)
        case list():
            return [without_secrets(item, mask, secrets) for item in value]
        case dict():
            return {mask.text(key): without_secrets(item, mask, secrets) for key, item in value.items()}
        case int() | float() if not isinstance(value, bool) and json.dumps(value) in secrets:
            return MASK
    return value


class TestJson:
    @given(told=told(), ascii_only=st.booleans())
    def test_secret_survives_nowhere_whatever_the_value(self, told: Any, ascii_only: bool) -> None:
        """Not as a text or a part of one, not as JSON in a text, not as a key, not as a number."""
        secrets, value = told

        left = masked(Mask(secrets), value, ascii_only=ascii_only)

        seen = texts_in(left)
        seen += [inner for text in seen for inner in _read_as_json(text)]
        assert [(secret, text) for secret in secrets for text in seen if secret in text] == []
        assert set(numbers_in(left)) & secrets == set()

    @given(told=told(), ascii_only=st.booleans())
    def test_rest_is_as_it_was(self, told: Any, ascii_only: bool) -> None:
        """Lists, keys, numbers and the parts of a text that are no secret."""
        secrets, value = told
        mask = Mask(secrets)

        assert masked(mask, value, ascii_only=ascii_only) == without_secrets(value, mask, secrets)

    @given(told=told())
    def test_masked_twice_is_masked_once(self, told: Any) -> None:
        secrets, value = told
        mask = Mask(secrets)

        once = mask.json(json.dumps(value))

        assert mask.json(once) == once

    @pytest.mark.parametrize(
        ("secret", "value", "left"),
        [
            ("hunter2", {"deep": [{"m": "no: hunter2"}]}, {"deep": [{"m": f"no: {MASK}"}]}),
            ("hunter2", {"hunter2": 1, "is hunter2!": 2}, {MASK: 1, f"is {MASK}!": 2}),
            ("1234", [1234, 12345, 1234.0, -1234, "1234", "x12345", True], [MASK, 12345, 1234.0, -1234, MASK, f"x{MASK}5", True]),
            ("-1.5", [-1.5, 1.5, 21.5], [MASK, 1.5, 21.5]),
            ("true", [True, "true", "untrue"], [True, MASK, f"un{MASK}"]),
            ("null", [None, "null"], [None, MASK]),
            ("nabc", "\nabc", "\nabc"),  # the escape of a line break ends with an n
            ("u20ac", "\u20ac", "\u20ac"),
            ('a"b\\c', '<a"b\\c>', f"<{MASK}>"),
            ("line\nbreak", "line\nbreak", MASK),
            ("Grüße€😀", "Grüße€😀!", f"{MASK}!"),
            ("half", "half \ud83d", f"{MASK} \ud83d"),
            ("hunter2", "hunter", "hunter"),
            ("hunter2", "HUNTER2", "HUNTER2"),  # another text
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("ascii_only", [False, True])
    def test_secret_is_replaced_within_texts_and_as_a_whole_number(
        self, secret: str, value: Any, left: Any, ascii_only: bool
    ) -> None:
        """`12345` stays a number, though a secret is in it; other digits than the secret's are another number."""
        assert masked(Mask([secret]), value, ascii_only=ascii_only) == left

    def test_text_without_secrets_comes_back_to_the_letter(self) -> None:
        """1.0, the escapes, the order of keys and a key that is there twice."""
        text = '{"b": 1.0, "a":"\\u00fc\\/", "a": 1e3, "ü": 12345678901234567890}'

        assert Mask(["hunter2", "1234"]).json(text) == text

    def test_half_a_surrogate_pair_beside_a_secret_stays_an_escape(self) -> None:
        """Text for the database, which has no other way to hold it."""
        left = Mask(["hunter2"]).json(json.dumps("\ud83d hunter2"))

        assert left == '"\\ud83d \\u2022\\u2022\\u2022"'


class TestText:
    @pytest.mark.parametrize(
        ("secrets", "text", "left"),
        [
            (["hunter2", "hunter2-xyz"], "hunter2-xyz hunter2-x", f"{MASK} {MASK}-x"),  # the longest, not the first
            (["abcd", "cdef"], "abcdef", f"{MASK}ef"),
            (["aaaa"], "aaaaaaaaa", f"{MASK}{MASK}a"),
            (["secret\n"], "Bearer secret", f"Bearer {MASK}"),  # a header has no line break at its end
            (["  secret  "], "  secret  |secret", f"{MASK}|{MASK}"),
            ([], "anything", "anything"),
        ],
    )
    def test_secrets_are_replaced_left_to_right_longest_first(self, secrets: list[str], text: str, left: str) -> None:
        assert Mask(secrets).text(text) == left

    @pytest.mark.parametrize(
        "spell",
        [
            str,
            lambda text: json.dumps(text)[1:-1],
            lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
            lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
            lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
            lambda text: repr(text)[1:-1],
            quote,
            lambda text: quote(text, safe=""),
            quote_plus,
        ],
    )
    def test_secret_is_found_however_it_is_spelled(self, spell: Any) -> None:
        """An answer that is kept as text, an error that names a value, an address with a query."""
        secret = 'it\'s a "k/ey" \\ with\n€ & more'

        assert Mask([secret]).text(f"<{spell(secret)}>") == f"<{MASK}>"

    def test_mask_without_secrets_is_none(self) -> None:
        """Who has nothing to hide need not look."""
        assert (bool(Mask([])), bool(Mask([""])), bool(Mask(["abcd"]))) == (False, False, True)

    def test_mask_of_the_same_secrets_is_made_once(self) -> None:
        assert mask_of(frozenset({"hunter2"})) is mask_of(frozenset({"hunter2"}))


class TestStream:
    @given(secrets=SECRETS, pieces=st.lists(st.text(ALPHABET, max_size=6), max_size=20), data=st.data())
    def test_pieces_are_together_what_the_whole_text_is_masked_to(
        self, secrets: frozenset[str], pieces: list[str], data: st.DataObject
    ) -> None:
        """However it is cut."""
        if secrets and pieces:
            at = data.draw(st.integers(0, len(pieces) - 1))
            secret = data.draw(st.sampled_from(sorted(secrets)))
            cut = data.draw(st.integers(0, len(secret)))
            pieces[at : at + 1] = [pieces[at], secret[:cut], secret[cut:]]
        mask = Mask(secrets)
        stream = mask.stream()

        told = [*map(stream.feed, pieces), stream.end()]

        assert "".join(told) == mask.text("".join(pieces))

    @given(secret=st.text(ALPHABET, min_size=4, max_size=9), before=st.text("xyz", max_size=9), data=st.data())
    def test_nothing_of_a_secret_is_told_while_it_comes(self, secret: str, before: str, data: st.DataObject) -> None:
        """Whatever the pieces: the reader sees what stands before it, and then nothing or the mask."""
        cuts = sorted(data.draw(st.sets(st.integers(1, len(secret) - 1))))
        stream = Mask([secret]).stream()

        told = [stream.feed(before)]
        told += [stream.feed(secret[start:end]) for start, end in pairwise([0, *cuts, len(secret)])]

        assert "".join(told[:-1]) == before
        assert "".join(told) + stream.end() == before + MASK

    def test_text_that_begins_no_secret_is_told_at_once(self) -> None:
        """A reader does not wait for what cannot change any more."""
        stream = Mask(["hunter2"]).stream()

        assert [stream.feed(piece) for piece in ("The hu", "man ", "hunt", "er2 is", " hun")] == [
            "The ",
            "human ",
            "",
            f"{MASK} is",
            " ",
        ]
        assert (stream.end(), stream.end()) == ("hun", "")

    def test_longer_secret_is_waited_for(self) -> None:
        """What is a secret already may be the beginning of another."""
        stream = Mask(["hunter2", "hunter2-xyz"]).stream()

        assert [stream.feed("hunter2"), stream.feed("-x"), stream.feed("yz"), stream.end()] == ["", "", MASK, ""]

    def test_stream_without_secrets_is_passed_on(self) -> None:
        stream = Mask([]).stream()

        assert [stream.feed("a"), stream.feed(""), stream.end()] == ["a", "", ""]


def _read_as_json(text: str) -> list[str]:
    """The texts in a text that is JSON, and in those of them that are."""
    try:
        found = texts_in(json.loads(text)) if text[:1] in ('"', "{", "[") else []
    except ValueError:
        return []
    return [*found, *(inner for one in found for inner in _read_as_json(one))]

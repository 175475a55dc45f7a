from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core import wire
from realtime.core.wire import MalformedMessage, Numbered, Pong, Renew, Tokens, parse_message


def as_redis_gives_it(entry: wire.Entry) -> dict[bytes, bytes]:
    return {str(key).encode(): str(value).encode() for key, value in entry.items()}


def test_tokens_read_back_are_what_was_written() -> None:
    """Offsets and text, whatever is in it."""
    piece = Tokens(stream="llm/loop[2]", offset=12, text="Grüße 👋\n")

    assert wire.from_entry(as_redis_gives_it(wire.token_entry(piece))) == [piece]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=50))
def test_events_read_back_are_what_was_written(texts: list[str]) -> None:
    """The stream's entries are a contract between processes that may be of two releases."""
    events = [
        Numbered(seq=seq, type="node:completed", text=wire.dumps({"data": {"output": text}}))
        for seq, text in enumerate(texts)
    ]

    entries = [as_redis_gives_it(entry) for entry in wire.entries(events)]

    assert [event for entry in entries for event in wire.from_entry(entry)] == events


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [
        ([10] * 5, [5]),  # told together, sent together
        ([10] * 45, [20, 20, 5]),  # a few entries for many
        ([60_000, 10, 60_000, 10], [3, 1]),  # until it is enough
        ([200_000, 200_000], [1, 1]),
        ([], []),
    ],
)
def test_events_told_together_are_entries_of_bounded_size(lengths: list[int], sizes: list[int]) -> None:
    """A fan-out of a thousand nodes is fifty entries, and none of them is megabytes."""
    events = [Numbered(seq=seq, type="t", text="x" * length) for seq, length in enumerate(lengths)]

    entries = [as_redis_gives_it(entry) for entry in wire.entries(events)]

    assert [len(wire.from_entry(entry)) for entry in entries] == sizes


@pytest.mark.parametrize(
    ("type_", "is_final"),
    [
        ("execution:started", False),
        ("node:failed", False),
        ("execution:completed", True),
        ("execution:failed", True),
        ("execution:cancelled", True),
    ],
)
def test_event_is_final_when_it_ends_the_run(type_: str, is_final: bool) -> None:
    """A failed node ends no run."""
    assert Numbered(seq=1, type=type_, text="{}").is_final is is_final


@given(st.recursive(st.none() | st.integers() | st.text(st.characters()), st.lists))
def test_dumps_gives_text_that_can_be_sent(value: object) -> None:
    """Half a surrogate pair, as a model's delta may end with, must not end the connection."""
    wire.dumps(value).encode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type": "pong"}', Pong()),
        ('{"type": "pong", "seq": 4}', Pong()),  # more than we ask for
        ('{"type": "renew", "token": "abc"}', Renew("abc")),
    ],
)
def test_parse_message_of_a_known_type_is_a_value(text: str, message: object) -> None:
    """Two things a client may say."""
    assert parse_message(text) == message


@pytest.mark.parametrize(
    "text",
    [
        "",  # nothing
        "pong",  # no JSON
        "[1]",  # no object
        '{"type": "resume"}',  # a type we do not know
        '{"type": "renew"}',  # no token
        '{"type": "renew", "token": 7}',  # a token that is no text
        "[" * 16_000,  # deeper than the parser goes
    ],
)
def test_parse_message_of_anything_else_raises(text: str) -> None:
    """What we do not understand is said so, rather than ignored."""
    with pytest.raises(MalformedMessage):
        parse_message(text)

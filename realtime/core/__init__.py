"""What readers of a run are told and shown, decided over plain values. Pure: no Django, no Redis, no clock.

wire       frames, stream entries, client messages, close codes
follower   numbered events: each once, in order, whatever the way they came by did
streams    token streams by offset        deltas   token deltas joined to frames        window   slow readers
changed    runs that have changed, by workspace  allowance   messages of a client that talks much
layout     a graph as a drawing: layers, ordering, placing, nesting; with edges, icons and wording, a page
comparing  two runs side by side, and in sentences        differences  where two values differ
"""

from realtime.core.allowance import Allowance
from realtime.core.changed import Changed
from realtime.core.comparing import Totals, Who, merged, summary, who
from realtime.core.deltas import Coalescer, Piece
from realtime.core.differences import Difference, differences
from realtime.core.edges import Look, Standing, edge_looks
from realtime.core.follower import Follower
from realtime.core.icons import icon
from realtime.core.layout import CARD_HEIGHT, CARD_WIDTH, Link
from realtime.core.nesting import Nested, draw_nested
from realtime.core.streams import Streams
from realtime.core.window import Window
from realtime.core.wire import (
    Close,
    Entry,
    Heard,
    MalformedMessage,
    Newest,
    Notice,
    Numbered,
    Pong,
    Renew,
    Tokens,
    entries,
    from_entry,
    notice_entry,
    parse_message,
    token_entry,
)
from realtime.core.wording import because, duration, money, shorten, standing, tally

__all__ = [
    "CARD_HEIGHT",
    "CARD_WIDTH",
    "Allowance",
    "Changed",
    "Close",
    "Coalescer",
    "Difference",
    "Entry",
    "Follower",
    "Heard",
    "Link",
    "Look",
    "MalformedMessage",
    "Nested",
    "Newest",
    "Notice",
    "Numbered",
    "Piece",
    "Pong",
    "Renew",
    "Standing",
    "Streams",
    "Tokens",
    "Totals",
    "Who",
    "Window",
    "because",
    "differences",
    "draw_nested",
    "duration",
    "edge_looks",
    "entries",
    "from_entry",
    "icon",
    "merged",
    "money",
    "notice_entry",
    "parse_message",
    "shorten",
    "standing",
    "summary",
    "tally",
    "token_entry",
    "who",
]

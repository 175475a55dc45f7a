"""The network for nodes: calls that end in time or when nobody wants them any more, to where nodes may connect.

    with network.call(lent, seconds=30) as call:
        response = network.client().get(url)

A thread that waits for a socket cannot be told anything, so its sockets are: `Call.stop`, which any thread may call,
shuts down the one that its thread is blocked on. httpcore opens and reads its connections through `sockets` for that
reason, and because the name server, each address, the TLS handshake, each read and each write then draw on one
deadline; httpx's own timeouts begin anew with every piece that a slow server sends.

The same `sockets` ask `egress` about every address before they connect to it. Clients of other protocols get their
connection from `connect`, or an address to use from `addresses`, and are guarded and ended like the rest. Who is no
node has `deadline` instead of `call`.
"""

from handlers.network.calls import Call, Overdue, call, current_call, deadline, left_behind
from handlers.network.client import client
from handlers.network.configuration import configure
from handlers.network.content import BinaryAnswer, as_text, content_type, decode, max_answer_bytes, read
from handlers.network.crowd import side_by_side
from handlers.network.failures import failure_of, retry_after
from handlers.network.redirects import MAX_REDIRECTS, send
from handlers.network.sockets import addresses, connect
from handlers.network.tls import tls_context, trusted_certificates

__all__ = [
    "MAX_REDIRECTS",
    "BinaryAnswer",
    "Call",
    "Overdue",
    "addresses",
    "as_text",
    "call",
    "client",
    "configure",
    "connect",
    "content_type",
    "current_call",
    "deadline",
    "decode",
    "failure_of",
    "left_behind",
    "max_answer_bytes",
    "read",
    "retry_after",
    "send",
    "side_by_side",
    "tls_context",
    "trusted_certificates",
]

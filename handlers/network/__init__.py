"""HTTP for nodes: one pool of connections per process, and calls that end in time or when nobody wants them any more.

    with network.call(lent, seconds=30) as call:
        response = network.client().get(url)

A thread that waits for a socket cannot be told anything, so its sockets are: `Call.stop`, which any thread may call,
shuts down the one that its thread is blocked on. httpcore opens and reads its connections through `sockets` for that
reason, and because the name server, each address, the TLS handshake, each read and each write then draw on one
deadline; httpx's own timeouts begin anew with every piece that a slow server sends.
"""

from handlers.network.calls import Call, call
from handlers.network.client import client
from handlers.network.content import decode, read
from handlers.network.failures import failure_of, retry_after
from handlers.network.redirects import MAX_REDIRECTS, send

__all__ = ["MAX_REDIRECTS", "Call", "call", "client", "decode", "failure_of", "read", "retry_after", "send"]

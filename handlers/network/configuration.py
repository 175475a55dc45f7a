"""What the site says about the network, for all nodes of this process."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.network import content, egress


def configure(*, allow: Iterable[str], max_answer_bytes: int = content.DEFAULT_MAX_ANSWER_BYTES) -> None:
    """Set where nodes may connect besides the public internet, and how long an answer may be.

    Raises ValueError naming the entry of *allow* that cannot be read (`egress.read_policy`).
    """
    egress.use(egress.read_policy(allow))
    content.bound(max_answer_bytes=max_answer_bytes)

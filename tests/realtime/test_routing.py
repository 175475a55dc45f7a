from __future__ import annotations

import pytest

from executions import tickets
from tests.realtime.runs import Run
from tests.realtime.sockets import APPLICATION, Socket


async def test_socket_at_an_unknown_address_is_closed() -> None:
    """The router would fail; a client is told."""
    socket = Socket(APPLICATION, "/ws/nowhere")
    await socket.connect()

    assert await socket.closed() == 4404


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [
        (None, True),  # a program
        ("http://testserver", True),  # our own page
        ("https://testserver:8443", True),  # on another port, as behind a proxy
        ("https://evil.example", False),
        ("null", False),  # a sandboxed frame
    ],
)
async def test_page_of_another_site_may_not_open_a_socket(run: Run, origin: str | None, accepted: bool) -> None:
    """Browsers send cookies and tokens from wherever a script runs; the Origin says where that is."""
    headers = [] if origin is None else [(b"origin", origin.encode())]
    token = tickets.issue(run.id, run.workspace_id)
    socket = Socket(APPLICATION, f"/ws/executions/{run.id}/?token={token}", headers=headers)

    opened_, _ = await socket.connect(timeout=5)
    await socket.disconnect()

    assert opened_ is accepted

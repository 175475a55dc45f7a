from __future__ import annotations

import socket

import pytest

from flowmaestro.supervisor import SupervisorError, ports
from flowmaestro.supervisor.ports import HOST, free_port, listen


def test_listen_without_a_wish_passes_over_a_taken_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second clone comes up beside the first."""
    monkeypatch.setattr(ports, "DEFAULT_PORT", free_port())

    with listen(None) as first, listen(None) as second:
        ours, theirs = first.getsockname(), second.getsockname()

    assert ours[0] == theirs[0] == HOST
    assert theirs[1] > ours[1] == ports.DEFAULT_PORT


def test_listen_on_a_taken_port_that_was_asked_for_says_so() -> None:
    """Whoever names a port has told others of it."""
    with listen(free_port()) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SupervisorError) as caught:
            listen(port)

    assert str(caught.value) == f"Port {port}: Address already in use. Name another one with --port."


def test_listen_queues_callers_before_anybody_accepts() -> None:
    """While the web process is started again, its callers wait and are not refused."""
    with listen(free_port()) as listener, socket.create_connection(listener.getsockname(), timeout=1) as caller:
        caller.sendall(b"hello")

        accepted, _ = listener.accept()

        assert accepted.recv(5) == b"hello"
        accepted.close()

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import pytest

from handlers.browser import proxy as proxies
from handlers.browser.proxy import REFUSED_HEADER, EgressProxy, egress_proxy
from tests.handlers.policies import resolving
from tests.handlers.servers import Reply, http_server


@pytest.fixture
def proxy() -> Iterator[EgressProxy]:
    with egress_proxy(seconds=20) as running:
        yield running


def ask(proxy: EgressProxy, request: str, *, password: str | None = None, rest: bytes = b"") -> bytes:
    """All that comes back for a request with our password, or another."""
    secret = base64.b64encode(f"{proxy.user}:{password or proxy.password}".encode()).decode()
    with socket.socket() as sock:
        sock.settimeout(20)
        sock.connect(("127.0.0.1", proxy.port))
        sock.sendall(f"{request}\r\nProxy-Authorization: Basic {secret}\r\n\r\n".encode() + rest)
        return b"".join(iter(lambda: sock.recv(65_536), b""))


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


def test_request_is_sent_on_as_a_server_takes_it(proxy: EgressProxy) -> None:
    """Without what is between the browser and us."""
    with http_server(Reply(body=b"there")) as server:
        answer = ask(
            proxy, f"POST {server.url}/a/b?c=d HTTP/1.1\r\nHost: x\r\nX-Own: 1\r\nContent-Length: 4", rest=b"body"
        )

    [received] = server.received
    assert answer.endswith(b"there")
    assert (received.method, received.path, received.body) == ("POST", "/a/b?c=d", b"body")
    assert received.headers["x-own"] == "1"
    assert received.headers["connection"] == "close"
    assert "proxy-authorization" not in received.headers
    assert proxy.bytes_sent == len(answer)


def test_request_for_no_path_is_for_the_root(proxy: EgressProxy) -> None:
    with http_server(Reply()) as server:
        ask(proxy, f"GET {server.url} HTTP/1.1\r\nHost: x")

    assert server.received[0].path == "/"


def test_tunnel_carries_whatever_is_said(proxy: EgressProxy) -> None:
    with http_server(Reply(body=b"through")) as server:
        inner = b"GET /in HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        answer = ask(proxy, f"CONNECT 127.0.0.1:{port_of(server.url)} HTTP/1.1", rest=inner)

    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"through")
    assert server.received[0].path == "/in"


def test_nobody_without_the_password_is_served(proxy: EgressProxy) -> None:
    """Other people on the machine have browsers of their own."""
    with http_server(Reply()) as server:
        answer = ask(proxy, f"GET {server.url}/ HTTP/1.1", password="wrong")

    assert answer.startswith(b"HTTP/1.1 407")
    assert server.received == []


@pytest.mark.parametrize(
    "request_line",
    [
        "GET http://127.0.0.1:9/ HTTP/1.1",
        "CONNECT 127.0.0.1:9 HTTP/1.1",
        "GET http://10.1.2.3/ HTTP/1.1",
        "CONNECT 169.254.169.254:80 HTTP/1.1",
        "CONNECT [::1]:443 HTTP/1.1",
        "GET http://[::ffff:10.0.0.1]/ HTTP/1.1",
        "GET http://2130706433/ HTTP/1.1",
        "GET http://0x7f.1/ HTTP/1.1",
        "GET http://localhost/ HTTP/1.1",
    ],
)
def test_private_address_is_refused_and_remembered(default_policy: None, request_line: str, proxy: EgressProxy) -> None:
    answer = ask(proxy, request_line)

    assert answer.startswith(b"HTTP/1.1 403")
    assert REFUSED_HEADER.encode() in answer
    assert [refusal.code for refusal in proxy.refused] == ["egress_refused"]


def test_name_that_means_a_private_address_is_refused(
    default_policy: None, proxy: EgressProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it meant when somebody asked before."""
    resolving(monkeypatch, ["10.1.2.3"])

    assert ask(proxy, "CONNECT rebinding.example:443 HTTP/1.1").startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "request_line",
    [
        "GET file:///etc/passwd HTTP/1.1",
        "GET ftp://127.0.0.1/ HTTP/1.1",
        "GET /relative HTTP/1.1",
        "CONNECT 127.0.0.1 HTTP/1.1",
        "CONNECT 127.0.0.1:x HTTP/1.1",
        "GET http:/// HTTP/1.1",
        "nonsense",
        "",
    ],
)
def test_request_for_nothing_a_browser_may_have_is_refused(proxy: EgressProxy, request_line: str) -> None:
    assert ask(proxy, request_line).startswith(b"HTTP/1.1 400")


def test_server_that_is_not_there_is_told(proxy: EgressProxy) -> None:
    assert ask(proxy, "GET http://127.0.0.1:1/ HTTP/1.1").startswith(b"HTTP/1.1 502")


def test_head_without_an_end_is_not_read_for_ever(proxy: EgressProxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as sock, suppress(ConnectionError):
        for _ in range(100):
            sock.sendall(b"x" * 10_000)
        assert sock.recv(1) == b""


def test_page_that_is_too_much_is_cut_off(proxy: EgressProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "MOST_BYTES", 100_000)

    with http_server(Reply(body=b"x" * 5_000_000)) as server:
        answer = ask(proxy, f"GET {server.url}/ HTTP/1.1\r\nHost: x")

    assert 100_000 < len(answer) < 1_000_000


def test_proxy_that_is_over_leaves_nothing_behind() -> None:
    """Tunnels that are open are closed, and the port with them."""
    with silent_server() as port:
        with egress_proxy(seconds=60) as proxy:
            secret = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
            sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
            sock.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nProxy-Authorization: Basic {secret}\r\n\r\n".encode())
            assert sock.recv(100).startswith(b"HTTP/1.1 200")

        assert sock.recv(100) == b""
        sock.close()
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=5)


@contextmanager
def silent_server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def accept() -> None:
            taken.append(listening.accept()[0])

        thread = Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)
        for sock in taken:
            sock.close()

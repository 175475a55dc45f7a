from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from pydantic import ValidationError

from handlers import network
from handlers.errors import EgressRefused, Unreachable
from handlers.network.egress import Policy, is_public, read_policy
from handlers.network.sockets import Backend
from tests.handlers.fakes import RecordingLent, run
from tests.handlers.policies import allowing, resolving
from tests.handlers.servers import Reply, http_server, socket_server, stay_silent

# ---- Which addresses are public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",  # carrier-grade NAT
        "169.254.1.1",
        "169.254.169.254",  # metadata of AWS, Azure, Google, and others
        "100.100.100.200",  # of Alibaba
        "192.0.0.192",  # of Oracle
        "168.63.129.16",  # of Azure, at a public address
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "192.88.99.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fc00::1",
        "fd00:ec2::254",  # metadata of AWS
        "fd20:ce::254",  # of Google
        "fec0::1",  # site-local, of old
        "ff02::1",
        "ff0e::1",  # multicast of global scope
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:169.254.169.254",
        "::127.0.0.1",  # IPv4-compatible
        "::8.8.8.8",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "2002:808:808::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
        "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",  # of 169.254.169.254
        "64:ff9b::a00:1",  # of 10.0.0.1
        "64:ff9b:1::808:808",  # a translator of somebody's own network
    ],
)
def test_address_of_somebodys_own_network_is_not_public(address: str) -> None:
    """Whatever it is dressed up as."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",  # how a network without IPv4 reaches 8.8.8.8
    ],
)
def test_address_of_the_internet_is_public(address: str) -> None:
    """Nodes would reach nothing otherwise."""
    assert is_public(ip_address(address))


# ---- What is connected to


SPELLINGS = [
    "127.0.0.1",
    "2130706433",  # decimal
    "0x7f000001",
    "0177.0.0.1",  # octal
    "0x7f.1",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "fe80::1%1",  # with the interface it is behind
    "localhost",
    "LOCALHOST",
    "169.254.169.254",
    "0xA9FEA9FE",
]


@pytest.mark.usefixtures("default_policy")
@pytest.mark.parametrize("host", SPELLINGS)
def test_connection_to_a_private_address_in_any_spelling_is_refused(host: str) -> None:
    """What the resolver makes of it is judged, not how it is written."""
    with pytest.raises(EgressRefused) as refused, network.call(RecordingLent(), seconds=20):
        Backend().connect_tcp(host, 80)

    assert (refused.value.code, refused.value.retryable) == ("egress_refused", False)


@pytest.mark.usefixtures("default_policy")
def test_localhost_with_a_dot_at_its_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same name, to most resolvers."""
    resolving(monkeypatch, ["127.0.0.1"])

    with pytest.raises(EgressRefused):
        run("http", {"url": "http://localhost./"})


@pytest.mark.usefixtures("default_policy")
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://public.test@127.0.0.1:{port}/",  # the host is what comes behind the @
        "http://public.test:80@127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://0177.0.0.1:{port}/",
        "http://0x7f.1:{port}/",
        "http://127.1:{port}/",
        "http://localhost:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://[::]:{port}/",
        "http://0:{port}/",
        "http://１２７.0.0.1:{port}/",  # noqa: RUF001 -- full-width digits, which are folded into ASCII
    ],
)
def test_http_node_of_a_private_url_in_any_spelling_sends_nothing(url: str) -> None:
    """Some spellings are no URL to begin with."""
    with http_server(Reply()) as server, pytest.raises((EgressRefused, ValidationError)):
        run("http", {"url": url.format(port=server.url.rpartition(":")[2])})

    assert server.received == []


@pytest.mark.usefixtures("default_policy")
def test_refusal_names_the_host_and_the_setting_and_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers of a resolver inside are nobody's business."""
    resolving(monkeypatch, ["10.1.2.3"])

    with pytest.raises(EgressRefused) as refused:
        run("http", {"url": "https://key:secret@intranet.test/path?token=secret"})

    assert str(refused.value) == (
        "Nodes may not connect to intranet.test:443: it is not on the public internet. If they should, whoever runs the"
        " workers sets FLOWMAESTRO_EGRESS_ALLOW=intranet.test:443 in their environment."
    )
    assert refused.value.details == {}


def test_redirect_from_an_allowed_to_a_private_address_is_refused() -> None:
    """Every hop is a connection of its own, and judged like the first."""
    with http_server(Reply()) as inside:
        port = inside.url.rpartition(":")[2]
        reply = Reply(status=302, headers={"Location": f"http://127.0.0.2:{port}/latest/meta-data"})
        with http_server(reply) as outside, allowing("127.0.0.1"), pytest.raises(EgressRefused, match=r"127\.0\.0\.2"):
            run("http", {"url": outside.url})

    assert len(outside.received) == 1
    assert inside.received == []


@pytest.mark.parametrize("location", ["file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"])
def test_redirect_to_another_scheme_is_not_followed(location: str) -> None:
    """HTTP is all that is spoken."""
    with http_server(Reply(status=302, headers={"Location": location})) as server, pytest.raises(Exception) as failure:
        run("http", {"url": server.url})

    assert getattr(failure.value, "code", None) == "invalid_input"


@pytest.mark.parametrize("answer", [["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "::1"]])
@pytest.mark.usefixtures("default_policy")
def test_name_with_public_and_private_addresses_is_refused(
    monkeypatch: pytest.MonkeyPatch, answer: Sequence[str]
) -> None:
    """Which of them is connected to would be up to whoever answers."""
    resolving(monkeypatch, answer)

    with pytest.raises(EgressRefused), network.call(RecordingLent(), seconds=20):
        Backend().connect_tcp("mixed.test", 80)


def test_name_that_is_rebound_after_the_check_is_connected_to_where_it_was_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked once; a second answer, which leads inside, is never heard."""
    asked = resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    with socket_server(stay_silent) as (_, port), allowing("127.0.0.1"), network.call(RecordingLent(), seconds=20):
        stream = Backend().connect_tcp("rebound.test", port)
        reached = stream.get_extra_info("server_addr")
        stream.close()

    assert (asked, reached) == (["rebound.test"], ("127.0.0.1", port))


def test_name_that_is_rebound_between_two_requests_is_refused_at_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection asks and judges anew."""
    resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])

    with http_server(Reply(headers={"Connection": "close"})) as server, allowing("127.0.0.1"):
        url = f"http://rebound.test:{server.url.rpartition(':')[2]}/"
        first = run("http", {"url": url}).data["status"]
        with pytest.raises(EgressRefused):
            run("http", {"url": url})

    assert (first, len(server.received), server.received[0].headers["host"]) == (200, 1, url[7:-1])


def test_connection_that_is_kept_is_not_used_under_another_policy() -> None:
    """What was opened when it was allowed must not serve when it is not."""
    with http_server(Reply()) as server:
        run("http", {"url": server.url})

        with allowing(), pytest.raises(EgressRefused):
            run("http", {"url": server.url})

    assert len(server.received) == 1


@pytest.mark.usefixtures("default_policy")
def test_refusal_comes_through_a_client_library_that_takes_it_for_a_lost_connection() -> None:
    """Such a library raises its own error, which would be tried again."""
    with pytest.raises(EgressRefused), network.call(RecordingLent(), seconds=20):  # noqa: PT012 -- as a library would
        try:
            Backend().connect_tcp("127.0.0.1", 80)
        except Exception as error:
            raise Unreachable("no connection") from error


# ---- What is allowed


@pytest.mark.parametrize(
    ("entry", "host", "port", "address", "allowed"),
    [
        ("10.0.0.0/8", "any.test", 80, "10.1.2.3", True),
        ("10.0.0.0/8", "any.test", 80, "11.1.2.3", True),  # public anyway
        ("10.0.0.0/8", "any.test", 80, "192.168.0.1", False),
        ("127.0.0.1", "any.test", 80, "127.0.0.1", True),
        ("127.0.0.1", "any.test", 80, "::ffff:127.0.0.1", True),  # the same machine
        ("127.0.0.1", "any.test", 80, "64:ff9b::7f00:1", False),  # another one
        ("127.0.0.1", "any.test", 80, "127.0.0.2", False),
        ("127.0.0.1:80", "any.test", 80, "127.0.0.1", True),
        ("127.0.0.1:80", "any.test", 81, "127.0.0.1", False),
        ("::1", "any.test", 80, "::1", True),
        ("[::1]:80", "any.test", 80, "::1", True),
        ("[::1]:80", "any.test", 81, "::1", False),
        ("fd00::/8", "any.test", 80, "fd00::1", True),
        ("db.test", "db.test", 80, "10.0.0.1", True),
        ("db.test", "DB.test.", 80, "10.0.0.1", True),  # the same name
        ("db.test", "a.db.test", 80, "10.0.0.1", False),
        ("db.test", "evildb.test", 80, "10.0.0.1", False),
        ("db.test:5432", "db.test", 5432, "10.0.0.1", True),
        ("db.test:5432", "db.test", 80, "10.0.0.1", False),
        ("*.test", "db.test", 80, "10.0.0.1", True),
        ("*.test", "a.db.test", 80, "10.0.0.1", True),
        ("*.test", "test", 80, "10.0.0.1", False),
        ("*.test", "db.test.evil", 80, "10.0.0.1", False),
        ("*", "any.test", 80, "169.254.169.254", True),
    ],
)
def test_policy_allows_what_it_names(entry: str, host: str, port: int, address: str, allowed: bool) -> None:
    """By network, address, name, and port."""
    assert read_policy([entry]).allows(host, port, ip_address(address)) is allowed


@pytest.mark.parametrize(
    "entry",
    ["http://db.test", "db.test/path", "db.test:http", "user@db.test", "a b", "*db.test", "10.0.0.0/8:80", ":80"],
)
def test_policy_that_cannot_be_read_is_refused_by_its_entry(entry: str) -> None:
    """A guard that guesses what was meant is none."""
    with pytest.raises(ValueError, match="is no network, address, host name or host:port") as failure:
        read_policy(["10.0.0.0/8", entry])

    assert repr(entry) in str(failure.value)


def test_policy_of_nothing_allows_nothing_private() -> None:
    """The default."""
    assert read_policy([]) == Policy()
    assert not Policy().allows("localhost", 80, ip_address("127.0.0.1"))

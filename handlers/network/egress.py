"""Where nodes may connect to: the public internet, and what the site's operator allows besides.

People who draw workflows choose the addresses; the workers stand inside a network that trusts them. So every address
is judged, after the name has been resolved and before anything is sent, by whoever opens the connection (`sockets`),
and the connection goes to the address that was judged: a name that answers differently the next time changes nothing.

Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), of which `ipaddress` knows most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from handlers.errors import EgressRefused

SETTING: Final = "FLOWMAESTRO_EGRESS_ALLOW"

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPNetwork: TypeAlias = IPv4Network | IPv6Network

_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")  # all of IPv6 that has been given to anybody. Source: RFC 4291, 2.4
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9_][a-z0-9_.-]*")
_NAT64: Final = IPv6Network("64:ff9b::/96")  # an IPv4 address behind a translator. Source: RFC 6052
# What some version of `ipaddress` calls global.
_SPECIAL: Final[tuple[IPNetwork, ...]] = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; Oracle's metadata service is in it
    IPv4Network("192.88.99.0/24"),  # relays of 6to4
    IPv4Network("168.63.129.16/32"),  # Azure's metadata and key service, at a public address
    IPv6Network("2001::/23"),  # IETF protocol assignments; Teredo, which wraps an IPv4 address, is in it
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, which wraps an IPv4 address, and which nobody has used for years
    IPv6Network("3fff::/20"),  # documentation
)


def is_public(address: IPAddress) -> bool:
    """Whether *address* is one of a machine on the public internet: global, unicast, and no private one in disguise."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFF_FFFF))
        if address not in _GLOBAL_UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in special for special in _SPECIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is allowed besides the public internet."""

    everything: bool = False
    networks: tuple[tuple[IPNetwork, int | None], ...] = ()  # with the port; None: any
    names: frozenset[tuple[str, int | None]] = frozenset()  # likewise; `*.example.com` is kept as `.example.com`

    def allows(self, host: str, port: int, address: IPAddress) -> bool:
        return (
            self.everything
            or is_public(address)
            or self._allows_name(_normal(host), port)
            or self._allows_address(_plain(address), port)
        )

    def _allows_name(self, name: str, port: int) -> bool:
        parents = (name[place:] for place, character in enumerate(name) if character == ".")
        return any((known, only) in self.names for known in (name, *parents) for only in (port, None))

    def _allows_address(self, address: IPAddress, port: int) -> bool:
        return any(address in network and only in (port, None) for network, only in self.networks)


def read_policy(entries: Iterable[str]) -> Policy:
    """The policy that the setting's *entries* describe. Raises ValueError naming the entry that cannot be read.

    An entry is a network (`10.0.0.0/8`), an address, a host name, each but a network also with `:port`; `*.name` is
    every host below a name, and `*` is everything.
    """
    everything, networks, names = False, [], set()
    for entry in entries:
        if entry == "*":
            everything = True
            continue
        host, port = _parts(entry)
        if (network := _network(host)) is not None:
            networks.append((network, port))
        else:
            names.add((_normal(host.removeprefix("*")), port))
    return Policy(everything=everything, networks=tuple(networks), names=frozenset(names))


def _parts(entry: str) -> tuple[str, int | None]:
    if _network(entry) is not None:  # an IPv6 address has colons of its own
        return entry, None
    try:
        parts = urlsplit(f"//{entry}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "@" in entry or parts.netloc != entry or not (_HOST.fullmatch(host) or _network(host)):
        raise ValueError(f"{entry!r} is no network, address, host name or host:port.")
    return host, port


def _network(text: str) -> IPNetwork | None:
    try:
        return ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _normal(host: str) -> str:
    return host.lower().rstrip(".")


def _plain(address: IPAddress) -> IPAddress:
    """The IPv4 address that a mapped one is: the same machine under another spelling."""
    return getattr(address, "ipv4_mapped", None) or address


class _Current:
    policy = Policy()


def use(policy: Policy) -> None:
    """From now on, for every new connection; those that are open under another policy are not used again."""
    _Current.policy = policy


def current_policy() -> Policy:
    return _Current.policy


def check(host: str, port: int, addresses: Iterable[str]) -> None:
    """Raise EgressRefused unless *host* may be connected to at every one of *addresses*.

    One that is refused refuses them all, rather than being left out: a public name that also answers with a private
    address is a mistake or an attack, and which of them is tried first would be up to whoever answers.
    """
    policy = current_policy()
    # An interface named behind the address (fe80::1%eth0) changes nothing about what kind of address it is.
    if not all(policy.allows(host, port, ip_address(address.partition("%")[0])) for address in addresses):
        place = f"[{host}]" if ":" in host else host
        # Where the name leads is not told: the answers of the resolver inside are nobody's business.
        raise EgressRefused(
            f"Nodes may not connect to {place}:{port}: it is not on the public internet. If they should, whoever runs"
            f" the workers sets {SETTING}={place}:{port} in their environment."
        )

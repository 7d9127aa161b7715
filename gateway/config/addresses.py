"""Addresses and networks as a person writes them, read so that nothing else comes through.

`ipaddress` takes any text after the `%` of an IPv6 address, quotes and line ends included, and gives it back as it was.
What is read here ends in `authorized_keys`, in `known_hosts` and in the log.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

_NETWORK: Final = re.compile(r"[0-9A-Fa-f.:/]+")
_INTERFACE: Final = re.compile(r"[A-Za-z0-9_.-]{1,15}")  # the kernel takes no longer name


def is_address(text: str) -> bool:
    """An address to connect to or to listen at; a link-local one may name its interface: `fe80::1%eth0`."""
    _, percent, interface = text.partition("%")
    if percent and _INTERFACE.fullmatch(interface) is None:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def read_network(text: str) -> IPv4Network | IPv6Network:
    """A network or one address, to compare a peer with, so that no interface is taken. Raises ValueError."""
    if _NETWORK.fullmatch(text) is None:
        raise ValueError("only digits, a to f, and the signs . : / stand in one")
    return ip_network(text)

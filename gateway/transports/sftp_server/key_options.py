"""The options before a key in `authorized_keys`: each is honoured, or the whole line is refused with a reason.

Honoured: `from=` (addresses, CIDR, wildcards) and `expiry-time=`. Kept anyway, since this server offers nothing of the
kind: `restrict`, the `no-…` options, and `command="internal-sftp"`. All others are refused; a restriction that is
passed over in silence is worse than a key that does not work.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_ALREADY_SO: Final = frozenset(
    {"restrict", "no-pty", "no-agent-forwarding", "no-port-forwarding", "no-x11-forwarding", "no-user-rc"}
)
_OPTION: Final = re.compile(r'([A-Za-z0-9-]+)(?:="((?:[^"\\]|\\.)*)")?')
_EXPIRY: Final = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)?(Z?)", re.IGNORECASE)
#: What a wildcard for addresses is made of; anything else is a host name, and we ask no name server at login.
_ADDRESS_PATTERN: Final = re.compile(r"[0-9a-fA-F.:*?]+")
_WILDCARDS: Final = frozenset("*?")


class BadOption(ValueError):
    """The line cannot be honoured; the text says why."""


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a key is bound to. `origins` are the patterns of `from=`; empty: from anywhere."""

    origins: tuple[str, ...] = ()
    expires_at: datetime | None = None

    def objection(self, address: str, now: datetime) -> str:
        """Why the key does not open from `address` at `now` (aware); empty when it does."""
        if self.expires_at is not None and now >= self.expires_at:
            return "key expired"
        if self.origins and not _from_there(self.origins, address):
            return "address not allowed for this key"
        return ""


def parse_options(text: str) -> Restrictions:
    """The options of one line, without the key. Raises BadOption."""
    origins: tuple[str, ...] = ()
    expires_at: datetime | None = None
    for name, value in _split(text):
        match name, value:
            case "from", str():
                if origins:
                    raise BadOption("from= is given twice: name all addresses in one")
                origins = _origins(value)
            case "expiry-time", str():
                until = _expiry(value)
                expires_at = until if expires_at is None else min(expires_at, until)
            case "command", "internal-sftp":
                pass
            case _, None if name in _ALREADY_SO:
                pass
            case _:
                raise BadOption(f"option {name} is not known here: remove it, or use from= and expiry-time= only")
    return Restrictions(origins, expires_at)


def _split(text: str) -> list[tuple[str, str | None]]:
    found: list[tuple[str, str | None]] = []
    position = 0
    while position < len(text):
        match = _OPTION.match(text, position)
        if match is None or (match.end() < len(text) and text[match.end()] != ","):
            raise BadOption('options cannot be read: they are name or name="value", with commas between')
        value = match[2]
        found.append((match[1].lower(), None if value is None else value.replace('\\"', '"')))
        position = match.end() + 1
    return found


def _origins(value: str) -> tuple[str, ...]:
    patterns = tuple(part.strip() for part in value.split(",") if part.strip())
    if not patterns:
        raise BadOption("from= names no address")
    for pattern in patterns:
        bare = pattern.removeprefix("!")
        if "/" in bare:
            try:
                ipaddress.ip_network(bare)
            except ValueError as error:
                raise BadOption(f"from=: {error}") from error
        elif not _ADDRESS_PATTERN.fullmatch(bare):
            raise BadOption("from= holds a host name: give addresses, no names are looked up at login")
        elif not _WILDCARDS.intersection(bare) and _address(bare) is None:
            raise BadOption("from= holds what is no whole address: give whole ones, a network with /, or wildcards")
    return patterns


def _from_there(patterns: tuple[str, ...], address: str) -> bool:
    """As OpenSSH: one pattern must match, and no negated one."""
    allowed = False
    for pattern in patterns:
        if _matches(pattern.removeprefix("!"), address):
            if pattern.startswith("!"):
                return False
            allowed = True
    return allowed


def _matches(pattern: str, address: str) -> bool:
    if "/" in pattern:
        try:
            return ipaddress.ip_address(address) in ipaddress.ip_network(pattern)
        except ValueError:
            return False
    if not _WILDCARDS.intersection(pattern):  # the same address may be written in many ways
        return _address(pattern) is not None and _address(pattern) == _address(address)
    return fnmatch.fnmatchcase(address.lower(), pattern.lower())


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def _expiry(value: str) -> datetime:
    """`YYYYMMDD[HHMM[SS]]`, in the machine's time zone as OpenSSH takes it, or with Z in UTC."""
    match = _EXPIRY.fullmatch(value)
    if match is None:
        raise BadOption("expiry-time= is not YYYYMMDD or YYYYMMDDHHMM[SS], with Z for UTC")
    clock = (match[2] or "").ljust(6, "0")
    try:
        wall = datetime.strptime(match[1] + clock, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return wall if match[3] else datetime.fromtimestamp(time.mktime((*wall.timetuple()[:8], -1)), UTC)
    except (ValueError, OverflowError) as error:
        raise BadOption(f"expiry-time=: {error}") from error

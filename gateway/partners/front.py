"""What one partner behind OpenSSH is made of, checked: names, paths, and the account of the gateway.

One partner has one login, and all these logins share the *user id of the gateway* while keeping another group.
`put` of OpenSSH keeps the mode of the client's file, and the server can only narrow it: a partner with umask 077
uploads files of mode 0600 and folders of 0700. Only their owner (or root) reads those: not a group with setgid, not a
default ACL, whose mask is cut by the very same mode. So the gateway is their owner. What must stay its own it keeps
by group: `.claimed/` belongs to root and to the group of the gateway, in which no login is.
"""

from __future__ import annotations

import grp
import pwd
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.partners.refused import Refused

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ACCOUNT: Final = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class GatewayUser:
    """The account under which the gateway runs."""

    name: str
    uid: int
    gid: int
    group: str  #: its first group, by name


@dataclass(frozen=True, slots=True)
class Front:
    """One partner: its folder becomes the root of all that its login sees."""

    partner: str
    root: Path
    login: str
    group: str
    gateway: GatewayUser
    keys: Path  #: its authorized_keys


def front(partner: str, root: Path, login: str, group: str, gateway: GatewayUser, keys: Path) -> Front:
    """A checked `Front`; `login` may be empty. Raises `Refused`."""
    check_partner_name(partner)
    login = login or f"sftp-{partner}"
    for option, value in (("--user", login), ("--group", group)):
        if not _ACCOUNT.fullmatch(value):
            raise Refused(
                f"{option} {value!r}: expected small letters, digits, - and _, at most 32, the first no digit"
            )
    if login == gateway.name:
        raise Refused(f"--user {login}: this is the gateway's own account; the partner needs a login of its own")
    if ".." in root.parts:
        raise Refused(f"--root {root}: expected a path without ..")
    for path in (root, keys):
        sshd_path(path)
    return Front(partner, root, login, group, gateway, keys)


def check_partner_name(partner: str) -> str:
    """The name, if it is one. Raises `Refused`."""
    if not _NAME.fullmatch(partner):
        raise Refused(f"{partner!r}: expected a partner's name of small letters, digits, - and _, at most 32")
    return partner


def gateway_user(name: str, state_dir: Path) -> GatewayUser:
    """The account `name`, or else the owner of the gateway's state. Raises `Refused`."""
    try:
        entry = pwd.getpwnam(name) if name else pwd.getpwuid(state_dir.stat().st_uid)
    except FileNotFoundError:
        raise Refused(f"{state_dir} is not there, so that its owner is unknown: say --gateway-user") from None
    except (KeyError, OSError):
        wanted = f"no account {name!r}" if name else f"the owner of {state_dir} has no name"
        raise Refused(f"{wanted}: expected the account under which the gateway runs, with --gateway-user") from None
    if entry.pw_uid == 0:
        raise Refused(
            "the gateway's account would be root, whom no chroot holds: run the gateway under an account of its own "
            "and name it with --gateway-user"
        )
    try:
        group = grp.getgrgid(entry.pw_gid)
    except KeyError:
        raise Refused(f"the first group of {entry.pw_name} ({entry.pw_gid}) has no name: give it one") from None
    return GatewayUser(entry.pw_name, entry.pw_uid, entry.pw_gid, group.gr_name)


def sshd_path(path: Path) -> str:
    """A path as an argument in sshd_config: quoted, % doubled. Raises `Refused` for what cannot be quoted there."""
    text = str(path)
    if not path.is_absolute() or not text.isprintable() or '"' in text or "\\" in text:
        raise Refused(f"{text!r}: expected an absolute path without quotes, backslashes and control characters")
    return '"' + text.replace("%", "%%") + '"'

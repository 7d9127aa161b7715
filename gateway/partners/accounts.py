"""The login of a partner and the group: whether the system has them as it must, and the commands that make them.

Accounts are never made from here: every house has its own way to them, and the commands say what they must be.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex

from gateway.partners.folders import gid_of
from gateway.partners.front import Front
from gateway.partners.refused import Refused


def check_accounts(front: Front) -> None:
    """What is there already is fit. Raises `Refused`: a login with other rights would be a way in."""
    gid = gid_of(front.group)
    if gid in (0, front.gateway.gid):
        raise Refused(
            f"--group {front.group}: expected a group of its own; through this one a partner would get at what is ours"
        )
    try:
        login = pwd.getpwnam(front.login)
    except KeyError:
        return
    if login.pw_uid != front.gateway.uid:
        raise Refused(
            f"--user {front.login}: this account is somebody else's (user id {login.pw_uid}, expected "
            f"{front.gateway.uid}, that of {front.gateway.name}); choose another name"
        )
    # Of docker or disk, say, a login would have more rights than the gateway itself.
    if others := set(os.getgrouplist(login.pw_name, login.pw_gid)) - {gid}:
        mend = [["groupadd", "--system", front.group]] if gid is None else []
        mend.append(["usermod", "--gid", front.group, "--groups", "", front.login])
        raise Refused(
            f"--user {front.login}: expected {front.group} as its only group, but it is in "
            f"{', '.join(sorted(map(_group_name, others)))}; mend it with: {' && '.join(map(shlex.join, mend))}"
        )


def account_commands(front: Front) -> list[str]:
    """What root types for the group, the login, and the gateway's place in the group; nothing where all is there."""
    commands: list[list[str]] = []
    member = front.gateway.name in (grp.getgrnam(front.group).gr_mem if gid_of(front.group) is not None else ())
    if gid_of(front.group) is None:
        commands.append(["groupadd", "--system", front.group])
    if not member:
        commands.append(["usermod", "--append", "--groups", front.group, front.gateway.name])
    if not _exists(front.login):
        same = ["--non-unique", "--uid", str(front.gateway.uid), "--gid", front.group]
        nowhere = ["--no-create-home", "--home-dir", "/", "--shell", "/usr/sbin/nologin"]
        # A password of * opens nothing and yet is not "locked", for which sshd without PAM would refuse the key too.
        commands.append(["useradd", "--system", *same, *nowhere, "--password", "*", front.login])
    texts = [shlex.join(command) for command in commands]
    return texts if member else [*texts, "# restart the gateway, so that it has the rights of its new group"]


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _exists(login: str) -> bool:
    try:
        pwd.getpwnam(login)
    except KeyError:
        return False
    return True

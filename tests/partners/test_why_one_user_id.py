"""Why the logins have the user id of the gateway: the usual ways, tried. Should one work one day, this says so."""

from __future__ import annotations

import os
import pwd
import struct
from pathlib import Path

import pytest

from tests.partners.conftest import MakeKey
from tests.partners.connected import Connected, connect
from tests.partners.machine import GATEWAY, Machine, Sshd

_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NOBODY = 0xFFFFFFFF


def give_acl(folder: Path) -> None:
    """`setfacl -m u:chorus:rwx,d:u:chorus:rwx`, as bytes of the kernel, for setfacl is not everywhere."""
    uid = pwd.getpwnam(GATEWAY).pw_uid
    entries = [
        (_USER_OBJ, 7, _NOBODY),
        (_USER, 7, uid),
        (_GROUP_OBJ, 7, _NOBODY),
        (_MASK, 7, _NOBODY),
        (_OTHER, 0, _NOBODY),
    ]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    for name in ("system.posix_acl_access", "system.posix_acl_default"):
        os.setxattr(folder, name, acl)


def read_and_claim(inbox: Path) -> dict[str, list[str]]:
    """What the gateway may do with each upload."""
    rights: dict[str, list[str]] = {}
    for name in ("open.xml", "closed.xml", "night/closed.xml"):
        rights[name] = []
        try:
            (inbox / name).read_bytes()
            rights[name].append("read")
        except PermissionError:
            pass
        try:
            (inbox / name).rename(inbox.parent / ".claimed" / name.replace("/", "-"))
            rights[name].append("claim")
        except PermissionError:
            pass
    return rights


def upload(partner: Connected) -> None:
    partner.client.file("open.xml", mode=0o644)
    partner.client.file("closed.xml", mode=0o600)
    partner.client.file("night/closed.xml", mode=0o600)
    (partner.client.folder / "night").chmod(0o700)
    put = partner.client.sftp("put open.xml in/", "put closed.xml in/", "put -r night in/")
    assert put.returncode == 0, put.stderr


@pytest.fixture
def partner(machine: Machine, sshd: Sshd, make_key: MakeKey) -> Connected:
    return connect(machine, sshd, make_key())


def test_with_the_gateways_user_id_everything_is_read_and_claimed(machine: Machine, partner: Connected) -> None:
    upload(partner)

    rights = machine.inside(read_and_claim, partner.root / "in", user=GATEWAY)

    assert set(map(tuple, rights.values())) == {("read", "claim")}


@pytest.mark.parametrize("way", ["setgid", "default ACL"])
def test_with_a_user_id_of_its_own_closed_files_are_not_read(
    machine: Machine, sshd: Sshd, partner: Connected, way: str
) -> None:
    # Not by usermod, which refuses while any process on the machine, another test's session too, has the former id.
    machine.run("sed", "-E", "-i", rf"s/^({partner.client.login}:[^:]*):[0-9]+:/\1:45678:/", "/etc/passwd")
    machine.run("chmod", "2770", str(partner.root / "in"))
    if way == "default ACL":
        machine.inside(give_acl, partner.root / "in")
    fragment = machine.path(f"/etc/ssh/sshd_config.d/50-{partner.name}.conf")
    fragment.write_text(fragment.read_text().replace("-u 0077", "-u 0007"))
    sshd.reload()
    machine.run("chown", partner.client.login, f"/etc/chorus-gateway/keys.d/{partner.name}")
    upload(partner)

    rights = machine.inside(read_and_claim, partner.root / "in", user=GATEWAY)

    machine.run("userdel", "--force", partner.client.login)  # its session may not be over yet
    assert rights == {"open.xml": ["read", "claim"], "closed.xml": ["claim"], "night/closed.xml": []}

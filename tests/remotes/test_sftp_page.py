"""The configuration that docs/sftp.md shows for the built-in server and for the partner's own: written as it is shown,
with the addresses and keys of this machine in place of the page's, it works.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gateway.transports.sftp_server.passwords import PasswordCheck
from tests.remotes.conftest import Remote
from tests.remotes.test_fetch_and_deliver import INVOICES, drop, names
from tests.transports.sshd import make_key, needed

PAGE = (Path(__file__).parents[2] / "docs" / "sftp.md").read_text("utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SERVER, LOGIN, SFTP = (
    next(block for block in BLOCKS if f"[{table}]" in block) for table in ("sftp_server", "login", "sftp")
)


def test_the_partner_s_own_server_as_the_page_has_it(remote, server):
    there = remote()
    shown = SFTP
    for old, new in (
        ('"sftp.acme.example"', f'"127.0.0.1"\nport = {server.port}'),
        ('"chorus-gateway"', f'"{server.user}"'),
        ("SHA256:" + "A" * 43, server.host_fingerprint),
        ("../keys/our-key-for-acme", str(server.user_key)),
        ('"/out"', f'"{there.out}"'),
        ('"/acks"', f'"{there.acks}"'),
    ):
        assert old in shown
        shown = shown.replace(old, new)
    configure(there, shown)
    drop(there.out, INVOICES)

    assert there.look() == 5
    assert names(there.inbox) == set(INVOICES)


def test_the_built_in_server_as_the_page_has_it(remote, tmp_path):
    needed("sftp")
    there = remote()
    key = make_key(tmp_path / "acme")
    (there.loop.folder / "login-keys").mkdir()
    (there.loop.folder / "login-keys" / "acme-erp").write_text(key.with_suffix(".pub").read_text())
    main = there.loop.folder / "gateway.toml"
    main.write_text(main.read_text() + SERVER.replace("0.0.0.0:2222", "127.0.0.1:0"))
    configure(there, LOGIN)
    front = there.loop.gateway.front(lambda: None)
    assert front is not None
    front.server.start()
    try:
        done = subprocess.run(
            ["sftp", "-q", "-b", "-", "-P", str(front.server.port), "-i", key, "-o", "StrictHostKeyChecking=no",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes", "erp@127.0.0.1"],
            input=f"put {key}.pub in/a.xml\nls -1\n", text=True, capture_output=True, timeout=60,
        )  # fmt: skip
    finally:
        front.server.stop()

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-3:] == ["book", "in", "out"]
    assert names(there.inbox) == {"a.xml"}


def test_a_password_is_told_as_its_hash():
    def hashed(password: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gateway", "partner", "hash-password"]
        return subprocess.run(command, input=f"{password}\n", text=True, capture_output=True, timeout=60)

    assert PasswordCheck()(b"correct horse battery", hashed("correct horse battery").stdout.strip())
    assert hashed("short").returncode == 2
    assert hashed("é" * 2000).returncode == 2


def configure(there: Remote, table: str) -> None:
    """The partner's file with this table in place of its own."""
    partner = there.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text().partition("[sftp]")[0] + table)
    there.loop.restart()
    there.quick()

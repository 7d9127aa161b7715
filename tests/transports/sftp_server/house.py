"""A running server with two partners, and clients' keys, for the tests of this folder."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import paramiko

from gateway.transports.sftp_server import Account, AuditEvent, Completed, FixedAccounts, ServerSettings, SftpServer


@dataclass(eq=False)
class House:
    """`acme` and `other` are partners; `client_key` opens `acme`, `other_key` opens `other`."""

    base: Path
    settings: ServerSettings
    accounts: dict[str, Account] = field(default_factory=dict)
    completed: list[Completed] = field(default_factory=list)
    audit: list[AuditEvent] = field(default_factory=list)
    server: SftpServer | None = None

    def add(self, name: str) -> Account:
        root = self.base / "partners" / name
        for folder in ("in", "out", "book", ".claimed"):
            (root / folder).mkdir(parents=True)
        key = self.key(name)
        keys = self.base / f"{name}.keys"
        keys.write_bytes(key.with_suffix(".pub").read_bytes())
        keys.chmod(0o600)
        self.accounts[name] = Account(name, root, keys)
        return self.accounts[name]

    def key(self, name: str, kind: str = "ed25519") -> Path:
        path = self.base / f"{name}_{kind}"
        if not path.exists():
            command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", name, "-f", str(path)]
            subprocess.run(command, check=True)
        return path

    def change(self, name: str, **wishes: Any) -> None:
        self.accounts[name] = replace(self.accounts[name], **wishes)
        self.restart()

    def set(self, **wishes: Any) -> None:
        self.settings = replace(self.settings, **wishes)
        self.restart()

    def find(self, name: str) -> Account | None:
        return self.accounts.get(name)

    def all(self) -> tuple[Account, ...]:
        return FixedAccounts(self.accounts.values()).all()

    def restart(self) -> None:
        self.stop()
        self.server = SftpServer(self.settings, self, on_complete=self.completed.append, on_audit=self.audit.append)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return self.server.port

    def folder(self, name: str, partner: str = "acme") -> Path:
        return self.accounts[partner].root / name

    def known_hosts(self) -> Path:
        assert self.server is not None
        path = self.base / "known_hosts"
        lines = [f"[127.0.0.1]:{self.port} {key.public_line}\n" for key in self.server.host_keys]
        path.write_text("".join(lines))
        return path

    def names(self) -> list[str]:
        """What was reported complete; each file once, even if it was told again with other times."""
        files = {(c.folder, c.name, c.device, c.inode): c.name for c in list(self.completed)}
        return [name.decode("utf-8", "replace") for name in files.values()]

    def operations(self, operation: str) -> list[AuditEvent]:
        return [event for event in self.audit if event.operation == operation]

    def connect(self, name: str = "acme", key: Path | None = None, **options: Any) -> paramiko.Transport:
        """A logged-in paramiko client; whoever asks closes it."""
        transport = paramiko.Transport(("127.0.0.1", self.port))
        try:
            transport.start_client(timeout=15)
            transport.auth_publickey(name, paramiko.Ed25519Key(filename=str(key or self.key(name))))
        except BaseException:
            transport.close()
            raise
        return transport


def wait_until(what: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Look until it is so; fails the test when it never is."""
    until = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < until, "it did not happen in time"
        threading.Event().wait(0.01)

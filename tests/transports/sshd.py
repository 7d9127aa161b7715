"""A real OpenSSH sshd on a free loopback port, with throw-away keys: for tests and for the benchmark.

It serves `internal-sftp` to the user who runs the tests. Where sshd is absent a test skips with a plain reason, but in
CI, where the machine is ours to furnish, it fails.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_CONFIG: Final = """
ListenAddress 127.0.0.1
Port {port}
{host_keys}
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile {authorized}
TrustedUserCAKeys {ca}
Subsystem sftp internal-sftp
LogLevel VERBOSE
MaxStartups 200
MaxSessions 50
{extra}
"""
_STARTING_S: Final = 10.0


def program(name: str) -> str | None:
    """Where a program of OpenSSH is; sshd is often outside the path of users."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def needed(name: str) -> str:
    """The program, or the end of the test: skipped on a desk, failed in CI."""
    found = program(name)
    if found is None:
        reason = f"{name} is not installed (Debian: openssh-server, openssh-client)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def make_key(path: Path, *options: str) -> Path:
    """A new key pair without passphrase (`options` of ssh-keygen may say otherwise): `path` and `path.pub`."""
    kind = () if "-t" in options else ("-t", "ed25519")
    phrase = () if "-N" in options else ("-N", "")
    subprocess.run(["ssh-keygen", "-q", *kind, *phrase, "-C", "test", "-f", path, *options], check=True)
    return path


def fingerprint(public: Path) -> str:
    """`SHA256:…` as OpenSSH itself prints it."""
    said = subprocess.run(["ssh-keygen", "-l", "-f", public], check=True, capture_output=True, text=True).stdout
    return said.split()[1]


def free_port() -> int:
    """A port that nobody listened to a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Sshd:
    """A running server and what one needs to get in. `root` may be used for remote folders: paths are absolute."""

    port: int
    user: str
    user_key: Path
    host_key: Path
    ca_key: Path
    root: Path
    log: Path
    pid: int

    @property
    def host_fingerprint(self) -> str:
        return fingerprint(self.host_key.with_suffix(".pub"))


@contextmanager
def running_sshd(
    home: Path, *, extra: str = "", host_key: Path | None = None, host_keys: tuple[Path, ...] = (), port: int = 0
) -> Iterator[Sshd]:
    """Start sshd with its files below `home`; it is gone at the end. Raises RuntimeError with its log when it does
    not start."""
    sshd = program("sshd")
    if sshd is None:
        raise RuntimeError("sshd is not installed")
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    root = home / "files"
    root.mkdir(exist_ok=True)
    own_host_key = host_key or _kept_key(home / "host_key")
    user_key = _kept_key(home / "user_key")
    ca_key = _kept_key(home / "ca_key")
    authorized = home / "authorized_keys"
    authorized.write_text(user_key.with_suffix(".pub").read_text())
    port = port or free_port()
    config = home / "sshd_config"
    config.write_text(
        _CONFIG.format(
            port=port,
            host_keys="\n".join(f"HostKey {key}" for key in (own_host_key, *host_keys)),
            authorized=authorized,
            ca=ca_key.with_suffix(".pub"),
            extra=extra,
        )
    )
    log = home / "sshd.log"
    _make_room_for_privilege_separation()
    with log.open("ab") as output:
        process = subprocess.Popen([sshd, "-D", "-e", "-f", config], stdout=output, stderr=output)
        try:
            _wait_until_it_listens(process, port, log)
            yield Sshd(port, getpass.getuser(), user_key, own_host_key, ca_key, root, log, process.pid)
        finally:
            process.terminate()
            process.wait(timeout=10)


def _kept_key(path: Path) -> Path:
    return path if path.exists() else make_key(path)


def _make_room_for_privilege_separation() -> None:
    """Started by root, sshd wants an empty folder that packages make at boot only."""
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _STARTING_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"sshd does not listen on port {port}:\n{log.read_text(errors='replace')}")

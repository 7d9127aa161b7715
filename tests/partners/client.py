"""A partner with OpenSSH's own clients, connected to the sshd of a test."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.partners.machine import Sshd


@dataclass(frozen=True)
class Client:
    """One login with one private key."""

    sshd: Sshd
    login: str
    key: Path
    folder: Path  #: where it keeps its files

    @property
    def options(self) -> list[str]:
        words = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes"]
        return ["-F", "none", "-i", str(self.key), *(each for word in words for each in ("-o", word))]

    def sftp(self, *lines: str, umask: int = -1) -> subprocess.CompletedProcess[str]:
        """Type lines into `sftp`; it stops at the first that fails, unless the line begins with -."""
        command = ["sftp", "-q", "-b", "-", *self.options, "-P", str(self.sshd.port), f"{self.login}@127.0.0.1"]
        return self._run(command, "\n".join(lines) + "\n", umask)

    def ssh(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask for something other than files."""
        return self._run(["ssh", *self.options, "-p", str(self.sshd.port), f"{self.login}@127.0.0.1", *words])

    def scp(self, file: str, where: str) -> subprocess.CompletedProcess[str]:
        return self._run(["scp", *self.options, "-P", str(self.sshd.port), file, f"{self.login}@127.0.0.1:{where}"])

    def file(self, name: str, content: bytes = b"<a/>", mode: int = 0o644) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def _run(self, command: list[str], typed: str = "", umask: int = -1) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, input=typed, capture_output=True, text=True, timeout=60, umask=umask
        )

"""A machine of one's own for tests with sshd, and keys made on the spot."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.partners.machine import ROOT, Machine, Sshd

MakeKey = Callable[..., Path]


def missing() -> str:
    """Why no sshd can be run here; empty when it can."""
    if os.geteuid() != 0:
        return "only root can start an sshd that changes its root"
    programs = ("/usr/sbin/sshd", "sftp", "ssh-keygen", "unshare", "nsenter", "useradd", "setpriv")
    absent = [program for program in programs if shutil.which(program) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)
    return f"no mount namespace may be made here: {tried.stderr.strip()}" if tried.returncode else ""


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine; skipped plainly where there can be none, and failed where CI promises that there is one."""
    why = missing()
    if why and os.environ.get("CI"):
        pytest.fail(why)
    if why:
        pytest.skip(why)
    with Machine(tmp_path_factory.mktemp("machine")) as made:
        yield made


@pytest.fixture(scope="session")
def sshd(machine: Machine) -> Iterator[Sshd]:
    """Its sshd, with the distribution's own sshd_config."""
    with Sshd(machine) as started:
        yield started


@pytest.fixture
def make_key(tmp_path: Path) -> MakeKey:
    """Makes a key pair; the path of the public half."""
    if shutil.which("ssh-keygen") is None:
        pytest.fail("ssh-keygen is not installed") if os.environ.get("CI") else pytest.skip("no ssh-keygen")

    def make(name: str = "key", kind: str = "ed25519", bits: int = 0, comment: str = "erp@acme") -> Path:
        size = ["-b", str(bits)] if bits else []
        command = ["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", comment, "-f", str(tmp_path / name)]
        subprocess.run(command, check=True, capture_output=True)
        return tmp_path / f"{name}.pub"

    return make


@pytest.fixture(autouse=True)
def _readable_by_others() -> None:
    """Some of it runs as another user, who must be able to read this clone and its Python."""
    if any(not folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip(f"{ROOT} lies in a folder that other users may not enter: clone elsewhere to run these")

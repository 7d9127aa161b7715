"""A server with two partners, and the programs that a fresh machine may lack."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.transports.sftp_server import ServerSettings
from gateway.transports.sftp_server.host_keys import load_or_make
from tests.transports.sftp_server.house import House, wait_until


def _threads() -> int:
    """Running threads, without the timers that paramiko's client leaves for a while."""
    return sum(not isinstance(thread, threading.Timer) for thread in threading.enumerate())


Needs = Callable[..., None]


def _missing(text: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(f"{text}: CI must have it")
    pytest.skip(text)


@pytest.fixture
def needs() -> Needs:
    """Skips the test when a program is missing; in CI it fails instead."""

    def check(*programs: str) -> None:
        for program in programs:
            if shutil.which(program) is None:
                _missing(f"{program} is not installed")
        if "curl" in programs:
            told = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
            if " sftp " not in told:
                _missing("this curl knows no SFTP")

    return check


@pytest.fixture(scope="session")
def host_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: an RSA key takes a second."""
    folder = tmp_path_factory.mktemp("sftp") / "host_keys"
    load_or_make(folder)
    return folder


@pytest.fixture
def house(tmp_path: Path, needs: Needs, host_keys: Path) -> Iterator[House]:
    needs("ssh-keygen")
    before = _threads()
    shutil.copytree(host_keys, tmp_path / "host_keys")
    made = House(tmp_path, ServerSettings(host_keys=tmp_path / "host_keys"))
    made.add("acme")
    made.add("other")
    made.restart()
    yield made
    made.stop()
    wait_until(lambda: _threads() <= before)  # no thread is ever left

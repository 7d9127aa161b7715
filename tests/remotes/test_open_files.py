"""Strangers hold so many connections that the gateway may open no more files: what came meanwhile is answered after."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.config import Configuration
from gateway.refresh import refresh_buyers
from gateway.simulator import running_simulator
from tests.loop import BUYERS, ENVIRON, drop, write_configuration
from tests.remotes.test_front import until
from tests.simulator.paper import DEMANDS_EJ, Paper
from tests.transports.sshd import make_key, needed

#: Fewer than one address may hold: strangers alone use them up.
_FREE = 24


@dataclass(frozen=True, slots=True)
class Serving:
    """`gateway run` in a process of its own, whose built-in server listens on `port`."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8")

    def allow(self, files: int) -> None:
        resource.prlimit(self.process.pid, resource.RLIMIT_NOFILE, (files, files))

    def put(self, source: Path) -> subprocess.CompletedProcess[str]:
        command = [
            "sftp", "-q", "-b", "-", "-i", str(self.folder / "erp_key"), "-P", str(self.port),
            "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder / 'known'}",
            "-o", "IdentitiesOnly=yes", "erp@127.0.0.1",
        ]  # fmt: skip
        return subprocess.run(command, input=f"put {source} in/\n", text=True, capture_output=True, timeout=60)

    def told_of(self, number: str) -> bool:
        return any(f";{number};" in path.read_text("utf-8") for path in (self.folder / "erp" / "out").glob("*.csv"))


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Serving]:
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux can bound the open files of another process")
    needed("sftp")
    public = make_key(tmp_path / "erp_key").with_suffix(".pub")
    with running_simulator() as chorus:
        config = write_configuration(tmp_path, chorus)
        main = config.read_text("utf-8").replace('log_level = "error"', 'log_level = "info"')
        main = main.replace('log_format = "console"', 'log_format = "json"')
        config.write_text(main + '\n[sftp_server]\nlisten = "127.0.0.1:0"\n', "utf-8")
        partner = tmp_path / "partners.d" / "erp.toml"
        partner.write_text(partner.read_text("utf-8") + f'\n[login]\nkeys = "{public}"\n', "utf-8")
        refresh_buyers(Configuration(config, ENVIRON), BUYERS)
        log = tmp_path / "log"
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway", "run", "--config", str(config)],
                env={**os.environ, **ENVIRON},
                stdout=stream,
                stderr=stream,
            )
        try:
            until(lambda: "sftp_server_listening" in log.read_text("utf-8"))
            yield Serving(tmp_path, process, _port(log))
        finally:
            process.kill()
            process.wait()


def _port(log: Path) -> int:
    (line,) = [line for line in log.read_text("utf-8").splitlines() if "sftp_server_listening" in line]
    return int(json.loads(line)["port"])


def invoice(folder: Path, number: str) -> Path:
    path = folder / f"{number}.xml"
    path.write_bytes(Paper(number=number, buyer=DEMANDS_EJ).ubl())
    return path


def test_what_came_while_no_file_could_be_opened_is_answered_afterwards(serving: Serving) -> None:
    assert serving.put(invoice(serving.folder, "FD-1")).returncode == 0
    until(lambda: serving.told_of("FD-1"))
    serving.allow(serving.open_files() + _FREE)
    with ExitStack() as strangers:
        for _ in range(2 * _FREE):
            strangers.enter_context(socket.create_connection(("127.0.0.1", serving.port), timeout=10))
        until(lambda: "Too many open files" in serving.log())
        drop(serving.folder / "erp" / "in", "FD-2.xml", invoice(serving.folder, "FD-2").read_bytes())
        time.sleep(3)  # some looks at the folder, without a file to be had

    until(lambda: serving.told_of("FD-2"))
    assert serving.put(invoice(serving.folder, "FD-3")).returncode == 0
    until(lambda: serving.told_of("FD-3"))
    assert serving.process.poll() is None

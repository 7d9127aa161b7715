"""Our SFTP server against OpenSSH's sshd, with OpenSSH's `sftp` as the client of both, in turns; and the memory of ours
with 200 connections. Ratios above 1: ours is faster. Each run counts its login.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from benchmarks.figures import bench
from gateway.observability import configure_logging
from gateway.transports.sftp_server.server import SftpServer
from gateway.transports.sftp_server.settings import Account, FixedAccounts, ServerSettings
from tests.transports.sshd import make_key, program, running_sshd

_FILES: Final = 1_000
_FILE_BYTES: Final = 10_000
_LARGE_MB: Final = 200
_ROUNDS: Final = 3
_CONNECTIONS: Final = 200


@dataclass(frozen=True, slots=True)
class Door:
    """A server as the client reaches it; `folder` is where it puts files, as the client names it and as we do."""

    port: int
    user: str
    key: Path
    remote: str
    folder: Path

    def command(self) -> list[str]:
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "LogLevel=ERROR")
        return [
            *(str(program("sftp")), "-q", "-b", "-", "-P", str(self.port), "-i", str(self.key)),
            *(word for option in options for word in ("-o", option)),
            f"{self.user}@127.0.0.1",
        ]

    def sftp(self, line: str) -> None:
        subprocess.run(self.command(), input=line + "\n", text=True, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """All figures."""
    absent = [name for name in ("sshd", "sftp", "ssh-keygen") if program(name) is None]
    if absent:
        print(f"sftp-server: {', '.join(absent)} not installed: nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="gateway-bench-server-") as name:
        home = Path(name)
        small, large = home / "small", home / "large"
        _fill(small, _FILES, _FILE_BYTES)
        _fill(large, 1, _LARGE_MB * 1024 * 1024)
        with (
            _ours(home / "ours") as (ours, pid),
            _ours(home / "synced", sync=True) as (synced, _),
            running_sshd(home / "sshd") as sshd,
        ):
            theirs = Door(sshd.port, sshd.user, sshd.user_key, str(sshd.root), sshd.root)
            _compare("", small, ours, theirs, _FILES, "files/s")
            _compare("synced_", small, synced, theirs, _FILES, "files/s", ("put",))
            _compare("large_", large, ours, theirs, _LARGE_MB, "MB/s")
            _memory(ours, pid)


def _fill(folder: Path, count: int, size: int) -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.xml").write_bytes(os.urandom(size))


@contextmanager
def _ours(home: Path, *, sync: bool = False) -> Iterator[tuple[Door, int]]:
    """Our server in a process of its own. `sync`: as in service; without it, it promises what sshd does."""
    root = home / "acme"
    (root / "in").mkdir(parents=True)
    key = make_key(home / "acme_key")
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(home, root, there, sync))
    process.start()
    try:
        yield Door(here.recv(), "acme", key, "/in", root / "in"), process.pid or 0
    finally:
        here.send("stop")
        process.join(timeout=20)


def _serve(home: Path, root: Path, pipe: Connection, sync: bool) -> None:
    configure_logging("critical", "json")
    keys = home / "acme_key.pub"
    settings = ServerSettings(
        host_keys=home / "host_keys",
        connections_per_partner=300,
        connections_per_address=300,
        half_open=1200,
        fsync_on_close=sync,
    )
    server = SftpServer(settings, FixedAccounts([Account("acme", root, keys=keys)]))
    server.start()
    pipe.send(server.port)
    pipe.recv()
    server.stop()


def _compare(
    name: str,
    source: Path,
    ours: Door,
    theirs: Door,
    amount: int,
    unit: str,
    ways: tuple[str, ...] = ("put", "get"),
) -> None:
    for what in ways:
        run = _WAYS[what]
        pairs = [(run(ours, source), run(theirs, source)) for _ in range(_ROUNDS)]
        mine, openssh = (statistics.median(times) for times in zip(*pairs, strict=True))
        bench(f"sftp_server_{what}_{name}vs_openssh", openssh / mine, "x")
        bench(f"sftp_server_{what}_{name}ours", amount / mine, unit)
        bench(f"sftp_server_{what}_{name}openssh", amount / openssh, unit)


def _put(door: Door, source: Path) -> float:
    seconds = _timed(lambda: door.sftp(f"put {source}/* {door.remote}/"))
    for path in source.iterdir():
        assert (door.folder / path.name).stat().st_size == path.stat().st_size
        (door.folder / path.name).unlink()
    return seconds


def _get(door: Door, source: Path) -> float:
    for path in source.iterdir():
        (door.folder / path.name).hardlink_to(path)
    with tempfile.TemporaryDirectory() as into:
        seconds = _timed(lambda: door.sftp(f"get {door.remote}/* {into}/"))
        assert len(list(Path(into).iterdir())) == len(list(source.iterdir()))
    for path in source.iterdir():
        (door.folder / path.name).unlink()
    return seconds


_WAYS: Final[Mapping[str, Callable[[Door, Path], float]]] = {"put": _put, "get": _get}


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _memory(ours: Door, pid: int) -> None:
    bare = _resident_mb(pid)
    clients = []
    for _ in range(_CONNECTIONS):
        client = subprocess.Popen(
            ours.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        clients.append(client)
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write("pwd\n")
        client.stdin.flush()
        while "Remote working directory" not in client.stdout.readline():
            assert client.poll() is None, "a client was refused"
    bench("sftp_server_200_connections_mb", _resident_mb(pid), "MB")
    bench("sftp_server_no_connection_mb", bare, "MB")
    for client in clients:
        client.communicate(timeout=30)


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1000

"""Our SFTP client against OpenSSH's `sftp` client, on the same sshd, in turns: small files, a long line, a large file.

Ratios are of the medians of several rounds; above 1 we are faster. Each run counts its login. Where sshd or sftp is
absent nothing is measured, and it says so.
"""

from __future__ import annotations

import cProfile
import hashlib
import os
import pstats
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import bench
from gateway.transports.sftp_client.circuit import Circuit
from gateway.transports.sftp_client.connections import Connections
from gateway.transports.sftp_client.folder import RemoteFolder
from gateway.transports.sftp_client.peer import Bounds, HostKeys, KeyFile, Login, Peer
from gateway.transports.sftp_client.pool import Pool
from gateway.transports.sftp_client.results import Fetched, Put
from tests.transports.fault_proxy import Fault, always, running_proxy
from tests.transports.sshd import Sshd, program, running_sshd

FILES = 2_000
FILE_BYTES = 10_000
ROUNDS = 3
#: Over the long line OpenSSH's client takes four turns of 40 ms a file: 2,000 would be more than five minutes.
FAR_FILES = 50
FAR_ROUNDS = 2
DELAY_S = 0.020
LARGE_MB = int(os.environ.get("GATEWAY_BENCH_SFTP_MB", "1024"))
LARGE_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Field:
    """A server, reached at `port`, and room for what is fetched and put."""

    sshd: Sshd
    port: int
    home: Path

    def folder(self, name: str) -> Path:
        made = Path(tempfile.mkdtemp(prefix=name, dir=self.home))
        made.chmod(0o755)
        return made

    @contextmanager
    def remote(self, folder: Path) -> Iterator[RemoteFolder]:
        peer = Peer(
            "127.0.0.1",
            Login(self.sshd.user, (KeyFile(self.sshd.user_key),)),
            HostKeys((self.sshd.host_fingerprint,)),
            port=self.port,
            bounds=Bounds(file_bytes=1 << 40),
        )
        pool = Pool(Connections(peer, Circuit(lambda: datetime.now(UTC))))
        try:
            yield RemoteFolder(pool, os.fsencode(folder))
        finally:
            pool.close()

    def openssh(self, command: str) -> None:
        known = self.home / "known_hosts"
        known.write_text(f"[127.0.0.1]:{self.port} {self.sshd.host_key.with_suffix('.pub').read_text()}")
        options = ["UserKnownHostsFile=" + str(known), "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"]
        subprocess.run(
            [
                str(program("sftp")),
                *("-q", "-b", "-", "-P", str(self.port), "-i", str(self.sshd.user_key)),
                *(part for option in options for part in ("-o", option)),
                f"{self.sshd.user}@127.0.0.1",
            ],
            input=command + "\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def main() -> None:
    """All figures."""
    absent = [name for name in ("sshd", "sftp", "ssh-keygen") if program(name) is None]
    if absent:
        print(f"sftp: {', '.join(absent)} not installed (Debian: openssh-server, openssh-client): nothing measured")
        return
    with tempfile.TemporaryDirectory(prefix="gateway-bench-sftp-") as home, running_sshd(Path(home) / "sshd") as sshd:
        near = Field(sshd, sshd.port, Path(home))
        _small(near, FILES, ROUNDS, "")
        with running_proxy(sshd.port, always(Fault(delay_s=DELAY_S))) as proxy:
            _small(Field(sshd, proxy.port, Path(home)), FAR_FILES, FAR_ROUNDS, "20ms_")
        _large(near)


def _small(field: Field, count: int, rounds: int, suffix: str) -> None:
    """So many files of 10 kB, fetched and put."""
    source = field.folder("source")
    for number in range(count):
        (source / f"{number:05}.xml").write_bytes(os.urandom(FILE_BYTES))
    for what, ours, theirs in (("get", _get, _openssh_get), ("put", _put, _openssh_put)):
        mine, openssh = _in_turns(rounds, lambda f=ours: f(field, source), lambda f=theirs: f(field, source))
        _tell(f"sftp_{what}_{suffix}", count / mine, count / openssh, "files/s")
        if mine > openssh:
            _profile(lambda f=ours: f(field, source))
    if count != FILES:
        print(f"(with the delay: {count} files, since OpenSSH's client needs some 0.16 s for each)")


def _large(field: Field) -> None:
    source = field.folder("large")
    with (source / "large.bin").open("wb") as file:
        for _ in range(LARGE_MB):
            file.write(os.urandom(1024 * 1024))
    for what, ours, theirs in (("get", _get, _openssh_get), ("put", _put, _openssh_put)):
        mine, openssh = _in_turns(LARGE_ROUNDS, lambda f=ours: f(field, source), lambda f=theirs: f(field, source))
        _tell(f"sftp_{what}_1gb_", LARGE_MB / mine, LARGE_MB / openssh, "MB/s")
        if mine > openssh:
            _profile(lambda f=ours: f(field, source))
    if LARGE_MB != 1024:
        print(f"(the large file had {LARGE_MB} MB: GATEWAY_BENCH_SFTP_MB)")


def _get(field: Field, source: Path) -> float:
    into = field.folder("ours")
    started = time.perf_counter()
    with field.remote(source) as remote:
        fetched = list(remote.fetch_many(remote.list().looks, into))
    seconds = time.perf_counter() - started
    for one in fetched:
        assert isinstance(one, Fetched), one
        assert one.size < FILE_BYTES * 2 or one.size == LARGE_MB * 1024 * 1024
        if one.size < FILE_BYTES * 2:
            original = (source / os.fsdecode(one.look.name)).read_bytes()
            assert one.path.read_bytes() == original
            assert one.sha256 == hashlib.sha256(original).hexdigest()
    assert len(fetched) == len(list(source.iterdir()))
    _clear(into)
    return seconds


def _openssh_get(field: Field, source: Path) -> float:
    into = field.folder("theirs")
    started = time.perf_counter()
    field.openssh(f"get {source}/* {into}/")
    seconds = time.perf_counter() - started
    _same_files(source, into)
    return seconds


def _put(field: Field, source: Path) -> float:
    target = field.folder("ours")
    started = time.perf_counter()
    with field.remote(target) as remote:
        results = list(remote.put_many((os.fsencode(path.name), path) for path in source.iterdir()))
    seconds = time.perf_counter() - started
    assert all(isinstance(one, Put) for one in results)
    _same_files(source, target)
    return seconds


def _openssh_put(field: Field, source: Path) -> float:
    target = field.folder("theirs")
    started = time.perf_counter()
    field.openssh(f"put {source}/* {target}/")
    seconds = time.perf_counter() - started
    _same_files(source, target)
    return seconds


def _same_files(source: Path, copy: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in source.iterdir()}
    assert {path.name: path.stat().st_size for path in copy.iterdir()} == sizes
    _clear(copy)


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _in_turns(rounds: int, ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    """Medians of both, one after the other in each round, so that a busy machine is busy for both."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    return statistics.median(one for one, _ in pairs), statistics.median(one for _, one in pairs)


def _tell(name: str, ours: float, openssh: float, unit: str) -> None:
    bench(f"{name}vs_openssh", ours / openssh, "x")
    bench(f"{name}ours", ours, unit)
    bench(f"{name}openssh", openssh, unit)


def _profile(run: Callable[[], object]) -> None:
    """What limits us, when OpenSSH's client is faster."""
    profile = cProfile.Profile()
    profile.runcall(run)
    print("slower than OpenSSH's client; where our thread spends its time (the other thread decrypts):")
    pstats.Stats(profile, stream=sys.stdout).sort_stats("tottime").print_stats(12)

"""A gateway whose partner `erp` has a server of its own: a real sshd, with `out/` to be emptied and `acks/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.ledger.ledger import Ledger
from gateway.remotes import Remotes
from gateway.simulator import running_simulator
from gateway.steps.deliver import Deliver
from gateway.steps.fetch import Fetch
from tests.loop import Leaps, Loop
from tests.transports.sshd import Sshd, needed, running_sshd

_TABLE = """
[sftp]
host = "127.0.0.1"
port = {port}
user = "{user}"
host_keys = ["{pin}"]
key = "{key}"
fetch_from = "{root}/out"
deliver_to = "{root}/acks"
every = "1s"
connect_timeout = "5s"
answer_timeout = "5s"
{wishes}
"""


@dataclass(slots=True)
class Remote:
    """The partner's side, and our gateway."""

    sshd: Sshd
    loop: Loop

    @property
    def folder(self) -> Path:
        return self.loop.folder

    @property
    def ledger(self) -> Ledger:
        return self.loop.gateway.ledger

    @property
    def out(self) -> Path:
        return self.sshd.root / "out"

    @property
    def acks(self) -> Path:
        return self.sshd.root / "acks"

    @property
    def inbox(self) -> Path:
        return self.loop.folder / "erp" / "in"

    def quick(self) -> Remote:
        """What stands there is quiet at once, and after any restart too."""
        house = self.loop.gateway.house
        self.loop.gateway.remotes.close()
        self.loop.gateway.remotes = Remotes(house, Fetch(house, monotonic=Leaps()), Deliver(house))
        return self

    def take(self) -> None:
        """Take in whatever stands in the drop folder."""
        self.loop.take()

    def look(self, rounds: int = 3) -> int:
        """What `gateway run` does at the partner's server, a few times."""
        return sum(self.loop.gateway.remotes.look_now() for _ in range(rounds))


def table(sshd: Sshd, wishes: str = "", *, pin: str = "") -> str:
    """The `[sftp]` of a partner whose server this is."""
    return _TABLE.format(
        port=sshd.port,
        user=sshd.user,
        pin=pin or sshd.host_fingerprint,
        key=sshd.user_key,
        root=sshd.root,
        wishes=wishes,
    )


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needed("sshd")
    with running_sshd(tmp_path_factory.mktemp("sshd")) as sshd:
        yield sshd


@pytest.fixture
def remote(server: Sshd, tmp_path: Path) -> Iterator[Callable[[str], Remote]]:
    """Makes the gateway, with further keys for the partner's `[sftp]`."""
    with running_simulator() as simulator:
        made: list[Loop] = []

        def make(wishes: str = "") -> Remote:
            for name in ("out", "acks"):
                folder = server.root / name
                _emptied(folder)
            loop = Loop(tmp_path, simulator, here=True)
            made.append(loop)
            partner = tmp_path / "partners.d" / "erp.toml"
            partner.write_text(partner.read_text("utf-8") + table(server, wishes), "utf-8")
            loop.restart()
            return Remote(server, loop).quick()

        yield make
        for loop in made:
            loop.gateway.close()


def _emptied(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True) if folder.exists() else ():
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.mkdir(exist_ok=True)

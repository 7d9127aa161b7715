"""A partner pushes to our own server while the gateway runs: nothing waits for an interval."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.schedule import Service
from gateway.simulator import running_simulator
from tests.loop import Loop, loop_in
from tests.simulator.paper import DEMANDS_EJ, Paper
from tests.transports.sshd import make_key, needed

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Pushing:
    """A running gateway, and a partner with the real `sftp` client."""

    loop: Loop
    service: Service
    key: Path
    folder: Path

    def command(self) -> list[str]:
        assert self.service.front is not None
        return [
            "sftp", "-q", "-b", "-", "-i", str(self.key), "-P", str(self.service.front.server.port),
            "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder / 'known'}",
            "-o", "IdentitiesOnly=yes", "erp@127.0.0.1",
        ]  # fmt: skip

    def sftp(self, *lines: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(), input="\n".join(lines) + "\n", text=True, capture_output=True, timeout=60)

    def told(self) -> list[Path]:
        """The rows; their findings, in a file of their own, come first."""
        return sorted((self.loop.folder / "erp" / "out").glob("*decision*Z.csv"))


@pytest.fixture
def pushing(tmp_path: Path) -> Iterator[Pushing]:
    needed("sftp")
    key = make_key(tmp_path / "erp_key")
    with running_simulator() as chorus, loop_in(tmp_path / "gateway", chorus, here=True) as loop:
        main = loop.folder / "gateway.toml"
        slow = main.read_text("utf-8").replace('rescan = "1s"', 'rescan = "1h"\nwatch = false')
        main.write_text(slow + '\n[sftp_server]\nlisten = "127.0.0.1:0"\n', "utf-8")
        partner = loop.folder / "partners.d" / "erp.toml"
        public = key.with_suffix(".pub")
        partner.write_text(partner.read_text("utf-8") + f'\n[login]\nkeys = "{public}"\n', "utf-8")
        loop.restart()
        service = Service(loop.gateway)
        service.start()
        try:
            yield Pushing(loop, service, key, tmp_path)
        finally:
            service.stop()


def test_a_drop_is_decided_and_told_without_any_interval(pushing: Pushing) -> None:
    """The folders are looked through once an hour here, and nobody listens to their events."""
    time.sleep(1)  # the first look at the start is over
    invoice = pushing.folder / "FA-1.xml"
    invoice.write_bytes(Paper(number="FA-1", buyer=DEMANDS_EJ).ubl())

    done = pushing.sftp(f"put {invoice} in/FA-1.xml")

    assert done.returncode == 0, done.stderr
    until(pushing.told)
    assert ";FA-1;" in pushing.told()[0].read_text("utf-8")
    listed = pushing.sftp("ls -1 out", "ls -1 in")
    assert pushing.told()[0].name in listed.stdout
    assert "FA-1.xml" not in listed.stdout


def test_the_partner_takes_its_acknowledgements_away(pushing: Pushing) -> None:
    invoice = pushing.folder / "FA-1.xml"
    invoice.write_bytes(Paper(number="FA-1", buyer=DEMANDS_EJ).ubl())
    pushing.sftp(f"put {invoice} in/FA-1.xml.part", "rename in/FA-1.xml.part in/FA-1.xml")
    until(pushing.told)
    name = pushing.told()[0].name

    done = pushing.sftp(f"get out/{name} {pushing.folder}/{name}", "rm out/*")

    assert done.returncode == 0, done.stderr
    assert b";FA-1;" in (pushing.folder / name).read_bytes()
    assert pushing.told() == []


def test_a_login_that_is_taken_out_of_the_configuration_is_ended(pushing: Pushing) -> None:
    assert pushing.sftp("ls in").returncode == 0
    assert pushing.service.front is not None
    server = pushing.service.front.server
    held = subprocess.Popen(pushing.command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: server.sessions == 1)
    partner = pushing.loop.folder / "partners.d" / "erp.toml"
    partner.write_text(partner.read_text("utf-8").partition("[login]")[0], "utf-8")

    pushing.service.run("configuration")
    pushing.service.run("pick-ups")

    until(lambda: server.sessions == 0)
    held.communicate(timeout=30)
    assert pushing.sftp("ls in").returncode != 0


def until(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)

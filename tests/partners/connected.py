"""A partner as an operator connects it: `gateway partner add`, then all that it printed, then a reload."""

from __future__ import annotations

import itertools
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.partners.client import Client
from tests.partners.machine import Machine, Sshd

_NAMES = (f"acme-{n}" for n in itertools.count())


def new_name() -> str:
    """A name that no other test has."""
    return next(_NAMES)


@dataclass(frozen=True)
class Connected:
    """One partner and its client; `printed` is what the command said."""

    name: str
    root: Path
    client: Client
    printed: str


def left_to_do(printed: str) -> list[str]:
    """The commands that were printed for root."""
    return [line.strip() for line in printed.partition("Left to do as root:\n")[2].splitlines()]


def type_commands(machine: Machine, sshd: Sshd, printed: str) -> None:
    for line in left_to_do(printed):
        if line.startswith("systemctl reload"):
            sshd.reload()
        elif not line.startswith("#"):
            machine.run(*shlex.split(line))


def connect(machine: Machine, sshd: Sshd, key: Path, *more: str, root: str = "") -> Connected:
    name = new_name()
    folder = root or f"/srv/drop/{name}"
    fragment = f"/etc/ssh/sshd_config.d/50-{name}.conf"
    ran = machine.gateway("partner", "add", name, "--root", folder, "--key", str(key), "--sshd-config", fragment, *more)
    assert ran.exit_code == 0, ran.stderr
    type_commands(machine, sshd, ran.stdout)
    client = Client(sshd, f"sftp-{name}", key.with_suffix(""), key.parent)
    return Connected(name, Path(folder), client, ran.stdout)

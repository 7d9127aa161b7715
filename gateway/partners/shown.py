"""What `gateway partner show` and `list` tell of a partner: folders, how it is connected, and what is left to do.

A file of one partner that cannot be told of is a fault of that partner only: the others are listed all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.config.senders import PartnerFile
from gateway.partners.accounts import account_commands
from gateway.partners.folders import CLAIMED, as_wanted, key_path_commands, wanted_folders
from gateway.partners.front import Front, front, gateway_user
from gateway.partners.key_file import AdmittedKey, KeyFile, key_path, read_key_file
from gateway.partners.partner_file import Configured
from gateway.partners.refused import Refused


@dataclass(frozen=True, slots=True)
class Shown:
    """One partner, for people (`lines`) or programs (`as_json`). A way in that it does not have is empty."""

    name: str
    drops: Path
    acks: Path
    order_book: Path
    claimed: Path
    login: str  #: behind OpenSSH
    keys: tuple[AdmittedKey, ...]  #: of that login
    login_here: str  #: at our own server
    server: str  #: the partner's own, where we fetch and deliver
    left: tuple[str, ...]  #: commands for root that would make it right
    fault: str = ""  #: why the login behind OpenSSH cannot be told

    @property
    def ways(self) -> tuple[str, ...]:
        """How its files come and its acknowledgements go, in a few words each."""
        openssh = f"OpenSSH {self.login} ({_counted(self.keys)})" if self.login else ""
        here = f"login here {self.login_here}" if self.login_here else ""
        return tuple(way for way in (openssh, here, self.server) if way)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.name}"
        yield f"  drops into     {self.drops}"
        yield f"  acks appear in {self.acks}"
        yield f"  order books in {self.order_book}"
        none = "none of OpenSSH (gateway partner add gives it one)"
        yield f"  SFTP login     {self.login or self.fault or none}"
        for one in self.keys:
            yield f"  key            {one}"
        if self.login_here:
            yield f"  login here     {self.login_here}"
        if self.server:
            yield f"  its own server {self.server} (how it is: gateway status)"
        for command in self.left:
            yield f"  left to do     {command}"

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        told = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        keys = [
            {
                "fingerprint": one.key.fingerprint,
                "kind": one.key.kind,
                "bits": one.key.bits,
                "comment": one.key.comment,
                "from": list(one.sources),
            }
            for one in self.keys
        ]
        return {**told, "keys": keys}


def shown(configured: Configured, name: str) -> Shown:
    """What there is to tell. Raises `Refused` for a name that is not known."""
    partner = configured.partner(name)
    path = key_path(configured.folder, name)
    file: KeyFile | None = None
    left: tuple[str, ...] = ()
    fault = ""
    try:
        file = read_key_file(path)
        left = tuple(_left(_front(partner, file, path, configured))) if file else ()
    except Refused as refused:
        fault = str(refused)
    root = partner.root
    return Shown(
        name=name,
        drops=root / "in",
        acks=root / "out",
        order_book=root / "book",
        claimed=root / CLAIMED,
        login=file.login if file else "",
        keys=file.keys if file else (),
        login_here=_login_here(partner),
        server=_server(partner),
        left=left,
        fault=fault,
    )


def _login_here(partner: PartnerFile) -> str:
    if partner.login is None:
        return ""
    doors = [f"keys in {partner.login.keys}"] if partner.login.keys else []
    doors += ["a password"] if partner.login.password_hash else []
    return f"{partner.login.user or partner.name} ({', '.join(doors)})"


def _server(partner: PartnerFile) -> str:
    table = partner.sftp
    if table is None:
        return ""
    ways = [f"files from {table.fetch_from}"] if table.fetch_from else []
    ways += [f"acks to {table.deliver_to}"] if table.deliver_to else []
    return f"{table.user}@{table.host}:{table.port}, {', '.join(ways)}"


def _counted(keys: Sequence[AdmittedKey]) -> str:
    return "1 key" if len(keys) == 1 else f"{len(keys)} keys"


def _front(partner: PartnerFile, file: KeyFile, path: Path, configured: Configured) -> Front:
    gateway = gateway_user(file.gateway_user, configured.state_dir)
    return front(partner.name, partner.root, file.login, file.group, gateway, path)


def _left(one: Front) -> Iterator[str]:
    yield from account_commands(one)
    yield from (folder.command for folder in wanted_folders(one) if not as_wanted(folder))
    yield from key_path_commands(one)

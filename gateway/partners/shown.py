"""What `gateway partner show` and `list` tell of a partner: folders, login, keys, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.config.senders import PartnerFile
from gateway.partners.accounts import account_commands
from gateway.partners.folders import CLAIMED, as_wanted, key_path_commands, wanted_folders
from gateway.partners.front import Front, front, gateway_user
from gateway.partners.key_file import AdmittedKey, KeyFile, key_path, read_key_file
from gateway.partners.partner_file import Configured


@dataclass(frozen=True, slots=True)
class Shown:
    """One partner, for people (`lines`) or programs (`as_json`). `login` is empty for one without OpenSSH."""

    name: str
    drops: Path
    acks: Path
    order_book: Path
    claimed: Path
    login: str
    keys: tuple[AdmittedKey, ...]
    left: tuple[str, ...]  #: commands for root that would make it right

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.name}"
        yield f"  drops into     {self.drops}"
        yield f"  acks appear in {self.acks}"
        yield f"  order books in {self.order_book}"
        yield f"  SFTP login     {self.login or 'none of OpenSSH (gateway partner add gives it one)'}"
        for one in self.keys:
            yield f"  key            {one}"
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
    """What there is to tell. Raises `Refused` for a name that is not known, or a key file that is not ours."""
    partner = configured.partner(name)
    path = key_path(configured.folder, name)
    file = read_key_file(path)
    left = tuple(_left(_front(partner, file, path, configured))) if file else ()
    root = partner.root
    keys, login = (file.keys, file.login) if file else ((), "")
    return Shown(name, root / "in", root / "out", root / "book", root / CLAIMED, login, keys, left)


def _front(partner: PartnerFile, file: KeyFile, path: Path, configured: Configured) -> Front:
    gateway = gateway_user(file.gateway_user, configured.state_dir)
    return front(partner.name, partner.root, file.login, file.group, gateway, path)


def _left(one: Front) -> Iterator[str]:
    yield from account_commands(one)
    yield from (folder.command for folder in wanted_folders(one) if not as_wanted(folder))
    yield from key_path_commands(one)

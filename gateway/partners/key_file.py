"""The `authorized_keys` of one partner: `keys.d/NAME` beside `partners.d/`, which sshd reads at each login.

Its head also says to which login, group and gateway user it belongs, so that the other commands need not be told
again. It is read strictly: a line that we would not have written is refused, not passed on to sshd.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gateway.config.addresses import read_network
from gateway.partners.files import one_at_a_time, write_over
from gateway.partners.keys import PublicKey, parse_key
from gateway.partners.refused import Refused

FOLDER: Final = "keys.d"
_HEAD: Final = re.compile(r"# partner ([^ ]+), login ([^ ]+), group ([^ ]+), gateway user ([^ ]+)")
_LONGEST_HEAD: Final = 1000
_LINE: Final = re.compile(r'(?:from="([^"]*)",)?restrict ([^ ]+ .+)')


@dataclass(frozen=True, slots=True)
class AdmittedKey:
    """A key, and the addresses and networks from which it is taken; from anywhere if there are none."""

    key: PublicKey
    sources: tuple[str, ...] = ()

    @property
    def opens(self) -> tuple[bytes, frozenset[str]]:
        """What counts for sshd: two that are equal here let in the same, whatever their comments."""
        return self.key.blob, frozenset(self.sources)

    @property
    def line(self) -> str:
        """The line of `authorized_keys`. `restrict` forbids forwarding, terminal and rc files a second time."""
        options = f'from="{",".join(self.sources)}",restrict' if self.sources else "restrict"
        return f"{options} {self.key.line}"

    def __str__(self) -> str:
        return f"{self.key}, from {', '.join(self.sources) or 'anywhere'}"


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All of one partner's file."""

    partner: str
    login: str
    group: str
    gateway_user: str
    keys: tuple[AdmittedKey, ...]

    @property
    def text(self) -> str:
        """As it is written."""
        head = f"# partner {self.partner}, login {self.login}, group {self.group}, gateway user {self.gateway_user}\n"
        note = "# Changed by `gateway partner key`; sshd reads it at each login, so that nothing needs a restart.\n"
        return head + note + "".join(f"{admitted.line}\n" for admitted in self.keys)

    def having(self, added: Iterable[AdmittedKey]) -> KeyFile:
        """With further keys; one that is there already takes the new addresses."""
        return replace(self, keys=tuple({one.key.blob: one for one in (*self.keys, *added)}.values()))


def key_path(folder: Path, partner: str) -> Path:
    """Where the keys of a partner stand, below the folder of the configuration."""
    return folder / FOLDER / partner


def read_key_file(path: Path) -> KeyFile | None:
    """The file as written by us; None when there is none. Raises `Refused` when somebody else wrote into it."""
    try:
        lines = path.read_text("utf-8").split("\n")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{path}: cannot be read ({error})") from None
    head = _HEAD.fullmatch(lines[0])
    if head is None:
        raise Refused(f"{path}: not written by `gateway partner add`; move it away, then run that again")
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line and not line.startswith("#")]
    keys = tuple(_admitted(line, f"{path}, line {n}") for n, line in numbered)
    return KeyFile(head[1], head[2], head[3], head[4], keys)


def partners_with_login(folder: Path, login: str) -> list[str]:
    """Whose file in `keys.d` names that login; partners that are configured no longer, too: sshd may know them still.

    Heads only, for what is wrong further down is a fault of that partner alone. Raises `Refused`, or OSError.
    """
    try:
        # Not `glob`, which takes a folder that cannot be read for an empty one. Hidden files were left by a crash.
        files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.is_file())
    except FileNotFoundError:
        return []
    return [path.name for path in files if (head := _head(path)) is not None and head[2] == login]


def _head(path: Path) -> re.Match[str] | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _HEAD.fullmatch(file.readline(_LONGEST_HEAD).rstrip("\n"))
    except OSError as error:
        raise Refused(f"{path}: cannot be read ({error.strerror}), so that its login is not known") from None


def add_keys(path: Path, keys: Iterable[PublicKey], sources: tuple[str, ...] | None) -> KeyFile:
    """Admit further keys, from the addresses of the first key where `sources` is None. Raises `Refused`."""
    with one_at_a_time(path.parent):
        file = _existing(path)
        wanted = sources if sources is not None else file.keys[0].sources if file.keys else ()
        changed = file.having(AdmittedKey(key, wanted) for key in keys)
        if changed != file:
            write_over(path, changed.text)
        return changed


def remove_key(path: Path, fingerprint: str, *, even_last: bool = False) -> AdmittedKey:
    """Stop admitting the key of this fingerprint (its beginning is enough). Raises `Refused`."""
    with one_at_a_time(path.parent):
        file = _existing(path)
        wanted = fingerprint if fingerprint.startswith("SHA256:") else f"SHA256:{fingerprint}"
        found = [one for one in file.keys if one.key.fingerprint.startswith(wanted)]
        if len(found) != 1:
            known = "; ".join(str(one.key) for one in file.keys) or "none"
            raise Refused(f"{fingerprint} names {len(found)} keys of {file.partner}, not one; it has: {known}")
        if len(file.keys) == 1 and not even_last:
            raise Refused(f"this is the last key of {file.partner}: add the new one first, or say --even-last")
        write_over(path, replace(file, keys=tuple(one for one in file.keys if one is not found[0])).text)
        return found[0]


def checked_sources(texts: Iterable[str], where: str = "--from") -> tuple[str, ...]:
    """Addresses and networks in the form that sshd compares. Raises `Refused`, naming `where`."""
    return tuple(_source(text, where) for text in texts)


def _source(text: str, where: str) -> str:
    try:
        network = read_network(text)
    except ValueError as error:
        raise Refused(
            f"{where}: {text!r}, expected an address or a network, such as 192.0.2.10 or 192.0.2.0/24 ({error})"
        ) from None
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _existing(path: Path) -> KeyFile:
    file = read_key_file(path)
    if file is None:
        raise Refused(f"{path}: no such file; `gateway partner add` writes it with the first key")
    return file


def _admitted(line: str, where: str) -> AdmittedKey:
    found = _LINE.fullmatch(line)
    if found is None:
        raise Refused(f"{where}: not written by `gateway partner key`; remove the line and add the key with it")
    return AdmittedKey(parse_key(found[2], where), checked_sources(found[1].split(","), where) if found[1] else ())

"""The keys by which clients know this server: made at first start, kept in one folder, never replaced by us.

An ed25519 key, and an RSA key of 3072 bits for old clients. A changed host key makes every partner's client refuse, so
a key that cannot be used (readable by others, a link, damaged) stops the start with the remedy, and is not remade.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import paramiko
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_LARGEST_BYTES: Final = 64 * 1024
_RSA_BITS: Final = 3072


class HostKeyUnusable(Exception):
    """A host key cannot be used; the text says which, why, and the remedy."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """One key of the server. `fingerprint` is what clients show: `SHA256:…`."""

    path: Path
    key: paramiko.PKey

    @property
    def fingerprint(self) -> str:
        return str(self.key.fingerprint)

    @property
    def public_line(self) -> str:
        """As in a `.pub` file or after the host name in `known_hosts`."""
        return f"{self.key.get_name()} {self.key.get_base64()}"


def load_or_make(folder: Path) -> tuple[HostKey, ...]:
    """The host keys of `folder`, ed25519 first; what is missing is made. Raises HostKeyUnusable."""
    _private_folder(folder)
    return (
        _load(folder / "ssh_host_ed25519_key", _make_ed25519, _read_ed25519),
        _load(folder / "ssh_host_rsa_key", _make_rsa, _read_rsa),
    )


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = folder.stat()
    except OSError as error:
        raise HostKeyUnusable(
            f"folder of host keys {folder}: {error.strerror}. Make it, owned by this user, 0700"
        ) from error
    if facts.st_mode & 0o022:
        raise HostKeyUnusable(f"folder of host keys {folder} may be written by others: chmod 700 {folder}")


def _load(path: Path, make: Callable[[], bytes], read: Callable[[str], paramiko.PKey]) -> HostKey:
    if not os.path.lexists(path):
        _write(path, make())
    try:
        return HostKey(path, read(_private_text(path)))
    except (paramiko.SSHException, ValueError, UnicodeError) as error:
        raise HostKeyUnusable(
            f"host key {path} cannot be read ({error}). Restore it from the backup; only if no partner has pinned it, "
            "move it away and a new one is made at the next start"
        ) from error


def _private_text(path: Path) -> str:
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise HostKeyUnusable(
            f"host key {path}: {error.strerror}. It must be a plain file of this user, 0600"
        ) from error
    with os.fdopen(opened, "rb") as file:
        facts = os.fstat(opened)
        if not stat.S_ISREG(facts.st_mode):
            raise HostKeyUnusable(f"host key {path} is no plain file: move it away")
        if facts.st_mode & 0o077:
            raise HostKeyUnusable(
                f"host key {path} may be read by others (mode {stat.S_IMODE(facts.st_mode):04o}): chmod 600 {path}. "
                "If others had access to this machine, make a new key and tell the partners its fingerprint"
            )
        if facts.st_uid not in (0, os.geteuid()):
            raise HostKeyUnusable(f"host key {path} belongs to another user: chown it to the user of the gateway")
        return file.read(_LARGEST_BYTES).decode("ascii")


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all; never over a key that another process made meanwhile."""
    hidden = path.with_name(f".{path.name}.{os.getpid()}.writing")
    try:
        made = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(made, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(made)
        with suppress(FileExistsError):
            os.link(hidden, path, follow_symlinks=False)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise HostKeyUnusable(f"host key {path} cannot be written: {error.strerror}") from error
    finally:
        hidden.unlink(missing_ok=True)


def _make_ed25519() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def _make_rsa() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def _read_ed25519(text: str) -> paramiko.PKey:
    return paramiko.Ed25519Key(file_obj=io.StringIO(text))


def _read_rsa(text: str) -> paramiko.PKey:
    return paramiko.RSAKey(file_obj=io.StringIO(text))

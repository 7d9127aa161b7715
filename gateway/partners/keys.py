"""Public keys as partners send them: one OpenSSH line each, without options, of a kind that is still safe.

A file from a partner is hostile: whatever else stands on a line of `authorized_keys` is an order to sshd
(`command=`, `environment=`, `cert-authority`), so that a line is taken apart and written anew, never copied.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from gateway.domain.finding import printable
from gateway.partners.refused import Refused

#: NIST and ANSSI ask for 3072 bits from 2031 on; below 2048 OpenSSH itself will soon refuse.
RSA_BITS: Final = (2048, 16384)
_KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_LIMIT_BYTES: Final = 64 * 1024
_COMMENT: Final = 100
_PRIVATE: Final = ("PRIVATE KEY", "PuTTY-User-Key-File")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. `blob` is its wire form, `comment` printable ASCII, `bits` None where the kind says it all."""

    kind: str
    blob: bytes
    comment: str = ""
    bits: int | None = None

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it: SHA256:… without padding."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode("ascii").rstrip("=")

    @property
    def line(self) -> str:
        """As OpenSSH writes it."""
        return f"{self.kind} {base64.b64encode(self.blob).decode('ascii')} {self.comment}".rstrip()

    def __str__(self) -> str:
        bits = f" {self.bits} bits" if self.bits else ""
        return f"{self.fingerprint} {self.kind}{bits} {self.comment}".rstrip()


def read_keys(file: Path) -> tuple[PublicKey, ...]:
    """The keys of a file, at least one, each once. Raises `Refused`."""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LIMIT_BYTES + 1)
    except OSError as error:
        raise Refused(f"{file}: cannot be read ({error.strerror})") from None
    if len(content) > _LIMIT_BYTES:
        raise Refused(f"{file}: larger than any file of public keys")
    text = content.decode("utf-8", "replace")
    if any(sign in text for sign in _PRIVATE):
        raise Refused(
            f"{file}: this is a private key. It must stay where it was made: give the file that ends in .pub, and "
            "make a new pair if the private one has travelled"
        )
    if "---- BEGIN SSH2 PUBLIC KEY" in text:
        raise Refused(f"{file}: another form of public key; turn it into OpenSSH's with: ssh-keygen -i -f {file}")
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1)]
    keys = [parse_key(line, f"{file}, line {n}") for n, line in lines if line and not line.startswith("#")]
    if not keys:
        raise Refused(f"{file}: no public key in it")
    return tuple({key.blob: key for key in keys}.values())


def parse_key(line: str, where: str) -> PublicKey:
    """One line `kind base64 [comment]`. Raises `Refused`, naming `where`."""
    kind, _, rest = line.partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if kind == "ssh-dss":
        raise Refused(f"{where}: a DSA key, which OpenSSH no longer takes; ask for ssh-ed25519")
    if kind.endswith("-cert-v01@openssh.com"):
        raise Refused(f"{where}: a certificate; give the public key that it was made of")
    if kind not in _KINDS:
        raise Refused(
            f"{where}: begins with {printable(kind, 40)!r}, expected one of {', '.join(_KINDS)}. Options before the "
            "key are not taken from a partner (addresses are given with --from)"
        )
    try:
        blob = base64.b64decode(encoded, validate=True)
        loaded = load_ssh_public_key(f"{kind} {encoded}".encode("ascii"))
    except (ValueError, binascii.Error, UnsupportedAlgorithm, UnicodeEncodeError):
        raise Refused(f"{where}: no whole public key of the kind {kind}; was it cut by a mail program?") from None
    bits = loaded.key_size if isinstance(loaded, rsa.RSAPublicKey) else None
    if bits is not None and not RSA_BITS[0] <= bits <= RSA_BITS[1]:
        raise Refused(f"{where}: an RSA key of {bits} bits, expected at least {RSA_BITS[0]}; better ssh-ed25519")
    return PublicKey(kind, blob, _plain(comment), bits)


def _plain(comment: str) -> str:
    # Cut first: a blank at the cut would be lost when the line is read again.
    return "".join(sign if " " <= sign <= "~" else "?" for sign in comment.strip())[:_COMMENT].rstrip()

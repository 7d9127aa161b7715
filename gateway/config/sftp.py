"""The tables of SFTP: a partner's own server (`[sftp]`), its login at ours (`[login]`), our server (`[sftp_server]`).

Nothing is reached from here: whether a key opens a door is what `gateway doctor` asks.
"""

from __future__ import annotations

import posixpath
import re
from datetime import timedelta
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from gateway.config.addresses import is_address
from gateway.config.section import MB, Chosen, Name, Poll, Section, Timeout
from gateway.config.values import ConfiguredPath, ConfiguredSecret, Size, wrong


class Algorithms(StrEnum):
    """Which algorithms may be agreed on with a partner's server."""

    MODERN = "modern"
    LEGACY = "legacy"


class RemoteClaim(StrEnum):
    """How a remote file is made ours before it is fetched."""

    RENAME = "rename"
    LOOK_TWICE = "look-twice"


class Afterwards(StrEnum):
    """What becomes of a remote file that is durable here."""

    DELETE = "delete"
    ARCHIVE = "archive"
    LEAVE = "leave"


_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


def _host(value: str) -> str:
    if not is_address(value) and _HOST.fullmatch(value) is None:
        raise wrong("the name or address of a host, without sftp:// and without port")
    return value


def _fingerprint(value: str) -> str:
    if _FINGERPRINT.fullmatch(value) is None:
        raise wrong('a fingerprint as "ssh-keygen -lf" shows it: SHA256: and 43 characters')
    return value


def _remote_folder(value: str) -> str:
    if value and (not value.startswith("/") or "\0" in value or ".." in PurePosixPath(value).parts):
        raise wrong("an absolute folder on the partner's server such as /out, or nothing")
    return value


def _one_name(folder: str) -> str:
    """The same text for the same folder."""
    # normpath keeps two slashes at the beginning, which POSIX lets a system give a meaning of their own.
    return "/" + posixpath.normpath(folder).lstrip("/")


def _listen(value: str) -> str:
    address, _, port = value.rpartition(":")
    allowed = is_address(address.strip("[]")) and port.isascii() and port.isdigit() and int(port) <= 65535
    if value and not allowed:
        raise wrong('an address and a port such as "127.0.0.1:2222", or nothing')
    return value


RemoteFolder = Annotated[str, AfterValidator(_remote_folder)]


class SftpTable(Section):
    """The partner's own SFTP server: where its files are fetched, and where its acknowledgements are delivered."""

    host: Annotated[str, AfterValidator(_host)] = Field(description="Name or address of the partner's server.")
    port: int = Field(default=22, ge=1, le=65535, description="Its port.")
    user: str = Field(min_length=1, max_length=128, description="Our user name there.")
    host_keys: Annotated[
        tuple[Annotated[str, AfterValidator(_fingerprint)], ...], Field(strict=False, max_length=8)
    ] = Field(default=(), description="Fingerprints of its host keys, as the partner told them; two during a change.")
    known_hosts: ConfiguredPath | None = Field(
        default=None, description="A known_hosts file of OpenSSH, instead of or beside host_keys."
    )
    trust_first_use: bool = Field(
        default=False,
        description="Take the first host key that is offered, and remember it; refused afterwards if it changes.",
    )
    key: ConfiguredPath | None = Field(default=None, description="Our private key (mode 0600).")
    certificate: ConfiguredPath | None = Field(default=None, description="An OpenSSH certificate for that key.")
    passphrase: ConfiguredSecret | None = Field(default=None, description="Passphrase of the key, by reference.")
    password: ConfiguredSecret | None = Field(default=None, description="Password instead of a key, by reference.")
    agent: bool = Field(default=False, description="Ask the SSH agent of the service for its keys.")
    algorithms: Annotated[Algorithms, Chosen] = Field(
        default=Algorithms.MODERN, description="legacy only for a server that knows nothing better."
    )
    fetch_from: RemoteFolder = Field(default="", description="Folder there that is emptied; nothing: not fetched.")
    deliver_to: RemoteFolder = Field(
        default="", description="Folder there for acknowledgements; nothing: they stay in out/."
    )
    claim: Annotated[RemoteClaim, Chosen] = Field(
        default=RemoteClaim.RENAME,
        description="rename: into .taken/ there, where the server allows it. look-twice: read where it stands.",
    )
    afterwards: Annotated[Afterwards, Chosen] = Field(
        default=Afterwards.DELETE,
        description="What becomes of a file there once it is durable here: delete, archive (into archive/) or leave.",
    )
    every: Poll = Field(default=timedelta(minutes=1), description="How often we look there.")
    connections: int = Field(default=4, ge=1, le=16, description="Connections to it at once.")
    connect_timeout: Timeout = Field(default=timedelta(seconds=15), description="For a connection and the login.")
    answer_timeout: Timeout = Field(default=timedelta(seconds=30), description="For each answer.")
    rate_bytes: Size = Field(default=0, description="Bytes a second at most; 0: as many as come.")

    @model_validator(mode="after")
    def _doors(self) -> Self:
        if not (self.host_keys or self.known_hosts or self.trust_first_use):
            raise wrong("host_keys, known_hosts or trust_first_use: whom would we trust?", "none", key="host_keys")
        if not (self.key or self.password or self.agent):
            raise wrong("key, password or agent: how would we log in?", "none", key="key")
        for name in ("certificate", "passphrase"):
            if getattr(self, name) is not None and self.key is None:
                raise wrong("a key that it belongs to", f"{name} without key", key="key")
        if not (self.fetch_from or self.deliver_to):
            raise wrong("fetch_from, deliver_to or both", "neither", key="fetch_from")
        if self.fetch_from and self.deliver_to:
            self._apart()
        return self

    def _apart(self) -> None:
        fetched, delivered = _one_name(self.fetch_from), _one_name(self.deliver_to)
        if fetched == delivered:
            raise wrong("another folder than deliver_to: we would fetch our own acknowledgements", key="fetch_from")
        if delivered in (posixpath.join(fetched, name) for name in (".taken", "archive")):
            # What lies in .taken/ was claimed and waits to be fetched: acknowledgements, too.
            raise wrong(
                "another folder than .taken/ and archive/ of fetch_from: fetched files go there", key="deliver_to"
            )


class LoginTable(Section):
    """The partner's login at our own SFTP server; without keys and without a password nobody gets in."""

    user: Name | None = Field(default=None, description="Its user name; the partner's name if left out.")
    keys: ConfiguredPath | None = Field(default=None, description="Its public keys, as an authorized_keys file.")
    password_hash: ConfiguredSecret | None = Field(
        default=None, description="Hash of a password, by reference (gateway partner hash-password); keys are better."
    )
    quota_bytes: Size = Field(default=10_000 * MB, ge=1, description="Bytes that may stand in in/ and book/ at once.")
    quota_files: int = Field(default=200_000, ge=1, description="Files and folders that may stand there at once.")
    rate_bytes: Size = Field(default=0, description="Bytes a second at most; 0: as many as come.")

    @model_validator(mode="after")
    def _a_door(self) -> Self:
        if self.keys is None and self.password_hash is None:
            raise wrong("keys or password_hash: how would the partner log in?", "neither", key="keys")
        if self.password_hash is not None:
            # Here, since the server's package brings the whole of SSH with it, and most programs load a configuration.
            from gateway.transports.sftp_server.passwords import BadHash, check_hash

            try:
                check_hash(self.password_hash.reveal())
            except BadHash:
                expected = "a hash as `gateway partner hash-password` prints it"
                raise wrong(expected, "something else (not shown)", key="password_hash") from None
        return self


class SftpServer(Section):
    """Our own SFTP server; an exposed front is better OpenSSH (`gateway partner add`)."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        default="", description='Address and port such as "127.0.0.1:2222"; nothing: there is no server of ours.'
    )
    host_keys: ConfiguredPath | None = Field(
        default=None, description="Folder of its host keys, made at the first start; sftp/ in state_dir if left out."
    )
    connections: int = Field(default=200, ge=1, le=10_000, description="Connections at once, all partners together.")
    connections_per_partner: int = Field(default=32, ge=1, le=10_000, description="Connections of one partner at once.")
    login_timeout: Timeout = Field(default=timedelta(seconds=30), description="For a login, then it is cut.")
    idle_timeout: Timeout = Field(default=timedelta(minutes=10), description="A connection silent this long is cut.")
    sync: bool = Field(
        default=True,
        description="A close is answered when the file is on the disk; false: when it is written, as OpenSSH does.",
    )

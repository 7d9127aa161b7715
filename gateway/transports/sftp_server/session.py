"""One client: who it is, whether it may come in, what it may ask for (SFTP and nothing else)."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_RESOURCE_SHORTAGE,
    OPEN_SUCCEEDED,
)

from gateway.domain.finding import printable
from gateway.transports.sftp_server.audit import Audit, Outcome, Trail
from gateway.transports.sftp_server.authorized_keys import KeyFiles
from gateway.transports.sftp_server.connection import Connection, UnusableKey
from gateway.transports.sftp_server.desk import Desk, HandleBudget
from gateway.transports.sftp_server.partner import Partners
from gateway.transports.sftp_server.passwords import PasswordCheck
from gateway.transports.sftp_server.requests import Requests
from gateway.transports.sftp_server.settings import Account, Accounts, OnComplete, ServerSettings
from gateway.transports.sftp_server.share import Share
from gateway.transports.sftp_server.stream import Stream
from gateway.transports.sftp_server.throttle import Throttle, address_key
from gateway.transports.sftp_server.uploads import Uploads

_REFUSED: Final = b"This server speaks SFTP only: use sftp, or scp without -O.\r\n"
_LONGEST_NAME: Final = 128
#: Channels over the life of a connection: each leaves a trace in paramiko.
_CHANNELS_EVER: Final = 10_000
_TOO_MANY_ATTEMPTS: Final = "Too many login attempts"
#: Why a password was refused without a look at it.
_NOT_CHECKED: Final = "too many failures for this name"


@dataclass(frozen=True, slots=True)
class House:
    """What all sessions share."""

    settings: ServerSettings
    accounts: Accounts
    audit: Audit
    on_complete: OnComplete | None
    monotonic: Callable[[], float]
    partners: Partners
    budget: HandleBudget
    #: Asked after a successful login: makes the session one of this partner, or gives a reason why not.
    admit: Callable[[Session, Account], str]
    throttle: Throttle  #: by address
    names: Throttle  #: by user name, for passwords
    uploads: Uploads = field(default_factory=Uploads)
    keys: KeyFiles = field(default_factory=KeyFiles)
    password_is: PasswordCheck = field(default_factory=PasswordCheck)


class Session(paramiko.ServerInterface):
    """Decides for one connection. All methods but `stop` run in the connection's thread."""

    def __init__(self, house: House, number: int, address: str) -> None:
        self.address = address
        self.account: Account | None = None  #: once logged in
        self.started_at = self.active_at = house.monotonic()
        self.ending = threading.Event()  #: told to end
        self.over = threading.Event()  #: has ended
        self._house = house
        self._number = number
        self._trail = Trail(house.audit, number, address)
        self._attempts = 0
        self._why = ""  #: why the last attempt failed
        self._candidate: Account | None = None
        self._budget = HandleBudget(house.settings.handles_per_session, above=house.budget)
        self._share = Share()
        self._channels: dict[int, paramiko.Channel] = {}
        self._streams: dict[int, Stream] = {}
        self._to_explain: set[int] = set()  #: channels whose client wants more than SFTP
        self._ever = 0
        self._refusals = 0  #: of what is not SFTP
        self._connection: Connection | None = None

    def bind(self, connection: Connection) -> None:
        """The connection that this session decides for."""
        self._connection = connection

    @property
    def stopped(self) -> bool:
        """It was told to end."""
        return self.ending.is_set()

    def stop(self, why: str) -> None:
        """End the connection, from any thread; its own thread tidies up."""
        if self._connection is not None and not self.stopped and not self.over.is_set():
            self.ending.set()
            self._trail.tell("disconnect", Outcome.OK, detail=why)
            _shut(self._connection)

    # Login.

    def get_allowed_auths(self, username: str) -> str:
        """The same for every name, known or not."""
        return "publickey,password" if self._house.settings.passwords else "publickey"

    def check_auth_none(self, username: str) -> int:
        self._why = ""
        return AUTH_FAILED

    def check_auth_password(self, username: str, password: str | bytes) -> int:
        self._candidate = None
        self._why = self._wrong_password(username, password)
        return AUTH_FAILED if self._why else AUTH_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._candidate = None
        self._trail.key = _fingerprint(key)
        if isinstance(key, UnusableKey):
            self._trail.key, self._why = "", f"keys of type {key.algorithm} are not taken"
        else:
            self._why = self._wrong_key(username, key)
        return AUTH_FAILED if self._why else AUTH_SUCCESSFUL

    def attempted(self, name: str, method: str, succeeded: bool) -> str:
        """Count and tell the attempt; a reason to hang up, or nothing."""
        self._trail.account = name[:_LONGEST_NAME]
        if method not in ("password", "publickey"):
            self._trail.key = ""
            return self._too_many(1 if method != "none" else 0)
        if succeeded and self._candidate is not None:
            return self._welcome(self._candidate)
        self._trail.tell("login", Outcome.REFUSED, detail=f"{method}: {self._why or 'signature does not match'}")
        if self._why != _NOT_CHECKED:  # else one try now and then would keep the name locked for ever
            self._house.throttle.failed(address_key(self.address))
            if method == "password":
                self._house.names.failed(name[:_LONGEST_NAME])
        return self._too_many(1)

    def _too_many(self, more: int) -> str:
        self._attempts += more
        return _TOO_MANY_ATTEMPTS if self._attempts >= self._house.settings.attempts_per_connection else ""

    def _welcome(self, account: Account) -> str:
        objection = self._house.admit(self, account)
        if objection:
            self._trail.tell("login", Outcome.REFUSED, detail=objection)
            return objection
        self._house.throttle.succeeded(address_key(self.address))
        self._house.names.succeeded(account.name)
        self.active_at = self._house.monotonic()
        self._trail.tell("login", Outcome.OK)
        return ""

    def _wrong_password(self, name: str, password: str | bytes) -> str:
        house = self._house
        if not house.settings.passwords:
            return "passwords are off"
        if house.names.wait_s(name[:_LONGEST_NAME]) > 0:
            return _NOT_CHECKED
        account = self._account(name)
        raw = password.encode() if isinstance(password, str) else password
        if not house.password_is(raw, account.password_hash if account else ""):
            return "wrong password" if account else "no such account"
        self._candidate = account
        return ""

    def _wrong_key(self, name: str, key: paramiko.PKey) -> str:
        account = self._account(name)
        if account is None:
            return "no such account"
        if account.keys is None:
            return "no keys configured"
        ring = self._house.keys.ring(account.keys)
        objection = ring.objection(key.asbytes(), self.address, self._trail.now())
        if objection and ring.refused:
            objection += "; " + "; ".join(ring.refused[:3])
        if not objection:
            self._candidate = account
        return objection

    def _account(self, name: str) -> Account | None:
        return self._house.accounts.find(name) if len(name) <= _LONGEST_NAME else None

    # What a client may ask for: session channels, and the sftp subsystem on them. paramiko refuses the rest.

    def check_channel_request(self, kind: str, chanid: int) -> int:
        if kind != "session":
            self._refuse("channel", kind)
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        self._ever += 1
        if len(self._channels) >= self._house.settings.channels_per_connection or self._ever > _CHANNELS_EVER:
            return OPEN_FAILED_RESOURCE_SHORTAGE
        return OPEN_SUCCEEDED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        self._refuse("channel", f"port forwarding to {destination[0]}:{destination[1]}")
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_port_forward_request(self, address: str, port: int) -> bool:
        self._refuse("channel", f"port forwarding from {address}:{port}")
        return False

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self._explain(channel, "shell")

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._explain(channel, "exec " + command[:200].decode("utf-8", "replace"))

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        connection, account = self._connection, self.account
        if name != "sftp" or channel.chanid in self._streams or connection is None or account is None:
            self._refuse("subsystem", name)
            return False
        house = self._house
        desk = Desk(
            self._number,
            house.partners.of(account),
            house.uploads,
            self._trail,
            house.settings,
            self._budget,
            house.on_complete,
            self.ending,
        )
        self._streams[channel.chanid] = Stream(
            channel, Requests(desk), connection.can_send, connection.send, self._share
        )
        return True

    def _explain(self, channel: paramiko.Channel, what: str) -> bool:
        """Nothing is run. To a plain refusal OpenSSH's clients show "request failed" only, so the request is granted
        and its whole output is the reason."""
        self._refuse("channel", what)
        if channel.closed or channel.chanid in self._streams:
            return False
        self._to_explain.add(channel.chanid)
        return True

    def _refuse(self, operation: str, detail: str) -> None:
        """Tell it; whoever is refused so often that it fills the audit is hung up on."""
        if self.stopped:
            return
        self._trail.tell(operation, Outcome.REFUSED, detail=detail)
        self._refusals += 1
        if self._refusals >= self._house.settings.refusals_outside:
            self.stop("too many refused requests")

    # What the connection tells.

    def opened(self, channel: paramiko.Channel) -> None:
        self._channels[channel.chanid] = channel

    def requested(self, channel: paramiko.Channel) -> None:
        if channel.chanid in self._to_explain:
            self._to_explain.discard(channel.chanid)
            if channel.out_window_size >= len(_REFUSED) and not channel.closed:
                channel.send_stderr(_REFUSED)
                channel.send_exit_status(1)
                channel.close()

    def stream_of(self, channel: paramiko.Channel) -> Stream | None:
        self.active_at = self._house.monotonic()
        return self._streams.get(channel.chanid)

    def streams(self) -> list[Stream]:
        return list(self._streams.values())

    def closed(self, channel: paramiko.Channel) -> None:
        self._channels.pop(channel.chanid, None)
        stream = self._streams.pop(channel.chanid, None)
        if stream is not None:
            stream.lost()

    def ended(self) -> None:
        """The connection is gone: let go of everything, and say so to who waits."""
        try:
            for stream in self.streams():
                stream.lost()
            self._streams.clear()
            self._channels.clear()
            if self.account is not None:
                self._trail.tell("logout", Outcome.OK)
        finally:
            self.over.set()


def _fingerprint(key: paramiko.PKey) -> str:
    digest = hashlib.sha256(key.asbytes()).digest()
    return printable("SHA256:" + base64.b64encode(digest).decode().rstrip("="), 60)


def _shut(connection: Connection) -> None:
    """Wake the connection's thread, which then finds the end. Closing the socket here would not wake it."""
    connection.active = False
    with suppress(OSError):  # gone already
        connection.sock.shutdown(socket.SHUT_RDWR)

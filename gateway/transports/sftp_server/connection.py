"""One SSH connection: paramiko's transport with the holes of a public server closed, and SFTP in its own thread.

Overridden, each for a reason: what is negotiated; packets (`packets.py`); loops that run as often as a counter of the
client says (extension info, keyboard-interactive answers); messages that only a server sends; channel data, which
paramiko queues without regard to the window. These are internals of paramiko: its version is locked, and the tests
of this package fail when one of them moves.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Protocol

import paramiko
from paramiko import Message, SSHException
from paramiko import transport as paramiko_transport
from paramiko.auth_handler import AuthHandler
from paramiko.common import (
    AUTH_SUCCESSFUL,
    MSG_CHANNEL_CLOSE,
    MSG_CHANNEL_DATA,
    MSG_CHANNEL_EOF,
    MSG_CHANNEL_OPEN_FAILURE,
    MSG_CHANNEL_OPEN_SUCCESS,
    MSG_CHANNEL_REQUEST,
    MSG_CHANNEL_WINDOW_ADJUST,
    MSG_EXT_INFO,
    MSG_REQUEST_FAILURE,
    MSG_REQUEST_SUCCESS,
    cMSG_DISCONNECT,
)

from gateway.transports.sftp_server import algorithms
from gateway.transports.sftp_server.audit import complain
from gateway.transports.sftp_server.packets import BoundedPacketizer
from gateway.transports.sftp_server.share import FIRST_WINDOW
from gateway.transports.sftp_server.stream import Stream

#: More than paramiko's 32 KiB: fewer packets for large files.
_CHANNEL_PACKET: Final = 128 * 1024
_GREETING: Final = "SSH-2.0-ChorusGateway"
_TOO_MANY_CONNECTIONS: Final = 12
_LOG: Final = "gateway.sftp_server.ssh"


class Events(Protocol):
    """What a connection tells its session."""

    def attempted(self, name: str, method: str, succeeded: bool) -> str:
        """A login was tried, and its signature or password checked. Gives a reason to hang up, or nothing."""

    def opened(self, channel: paramiko.Channel) -> None: ...

    def requested(self, channel: paramiko.Channel) -> None:
        """A request on the channel was answered."""

    def stream_of(self, channel: paramiko.Channel) -> Stream | None: ...

    def streams(self) -> list[Stream]: ...

    def closed(self, channel: paramiko.Channel) -> None: ...

    def ended(self) -> None: ...


class Connection(paramiko.Transport):
    """The server's end of one connection. It is a thread; start it with `start_server`."""

    _preferred_kex = algorithms.KEX
    _preferred_ciphers = algorithms.CIPHERS
    _preferred_macs = algorithms.MACS
    _preferred_keys = algorithms.HOST_KEYS
    _preferred_pubkeys = algorithms.CLIENT_KEYS
    _preferred_compression = ("none",)
    #: How often a waiting thread looks up. paramiko's 0.1 s costs 2,000 wake-ups a second with 200 idle clients.
    _active_check_timeout = 5.0

    def __init__(self, sock: socket.socket, events: Events, login_s: float) -> None:
        super().__init__(
            sock,
            default_window_size=FIRST_WINDOW,
            default_max_packet_size=_CHANNEL_PACKET,
            packetizer_class=BoundedPacketizer,
        )
        self.local_version = _GREETING
        self.banner_timeout = self.handshake_timeout = login_s
        self._events = events
        self.set_log_channel(_LOG)
        handlers: dict[int, Callable[[Message], None]] = self._handler_table  # type: ignore[attr-defined]
        handlers[MSG_EXT_INFO] = _ignored
        for only_servers_send in (
            MSG_CHANNEL_OPEN_SUCCESS,
            MSG_CHANNEL_OPEN_FAILURE,
            MSG_REQUEST_SUCCESS,
            MSG_REQUEST_FAILURE,
        ):
            handlers[only_servers_send] = _ignored
        self._channel_handler_table = {
            MSG_CHANNEL_DATA: self._data,
            MSG_CHANNEL_WINDOW_ADJUST: self._window,
            MSG_CHANNEL_REQUEST: self._request,
            MSG_CHANNEL_EOF: self._eof,
            MSG_CHANNEL_CLOSE: self._close,
        }

    def run(self) -> None:
        try:
            super().run()
        except Exception:
            complain("sftp_connection_broke")
        finally:
            self._let_go()
            self._events.ended()

    def _let_go(self) -> None:
        """paramiko leaves the socket open, and itself in its list for ever, when its handling of an error fails."""
        self.active = False
        with suppress(ValueError):  # as it should be: it has done so itself
            paramiko_transport._active_threads.remove(self)  # type: ignore[attr-defined]
        with suppress(OSError):
            self.sock.close()

    def can_send(self) -> bool:
        """No keys are being changed: data may be sent."""
        return self.clear_to_send.is_set()

    def send(self, message: Message) -> None:
        self.packetizer.send_message(message)

    def hang_up(self, text: str) -> None:
        """Tell the client why, and end."""
        message = Message()
        message.add_byte(cMSG_DISCONNECT)
        message.add_int(_TOO_MANY_CONNECTIONS)
        message.add_string(text)
        message.add_string("en")
        self.send(message)
        self.close()

    def attempted(self, name: str, method: str, succeeded: bool) -> str:
        return self._events.attempted(name, method, succeeded)

    def _parse_newkeys(self, m: Message) -> None:
        if self.auth_handler is None:
            self.auth_handler = _Login(self)
        super()._parse_newkeys(m)  # type: ignore[misc]
        for stream in self._events.streams():
            stream.work()

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        self._events.opened(channel)

    def _data(self, channel: paramiko.Channel, m: Message) -> None:
        stream = self._events.stream_of(channel)
        if stream is not None:
            stream.receive(m.get_binary())

    def _request(self, channel: paramiko.Channel, m: Message) -> None:
        channel._handle_request(m)  # type: ignore[attr-defined]
        self._events.requested(channel)

    def _window(self, channel: paramiko.Channel, m: Message) -> None:
        channel._window_adjust(m)  # type: ignore[attr-defined]
        stream = self._events.stream_of(channel)
        if stream is not None:
            stream.work()

    def _eof(self, channel: paramiko.Channel, m: Message) -> None:
        channel._handle_eof(m)  # type: ignore[attr-defined]
        stream = self._events.stream_of(channel)
        if stream is not None:
            stream.end()

    def _close(self, channel: paramiko.Channel, m: Message) -> None:
        self._events.closed(channel)
        channel._handle_close(m)  # type: ignore[attr-defined]


class _Login(AuthHandler):
    """paramiko's login, which tells how each attempt ended."""

    transport: Connection

    def _send_auth_result(self, username: str, method: str, result: Any) -> None:
        hang_up = self.transport.attempted(username, method, result == AUTH_SUCCESSFUL)
        if hang_up:
            self.transport.hang_up(hang_up)
            return
        # The count of failures is the session's: paramiko counts the harmless "none" of every client.
        self.auth_fail_count = 0
        super()._send_auth_result(username, method, result)  # type: ignore[misc]

    def _generate_key_from_request(self, algorithm: str, keyblob: bytes) -> paramiko.PKey:
        """paramiko hangs up at a key it does not know; the client's next key may be a good one."""
        try:
            key = None if "-cert-" in algorithm else super()._generate_key_from_request(algorithm, keyblob)  # type: ignore[misc]
        except Exception:
            key = None
        return key if isinstance(key, paramiko.PKey) else UnusableKey(algorithm)

    def _parse_userauth_info_response(self, m: Message) -> None:
        raise SSHException("keyboard-interactive was not offered")


class UnusableKey(paramiko.PKey):
    """A key of a kind that we do not take (certificates, SHA-1, hardware keys), or a damaged one: equals none."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm

    def asbytes(self) -> bytes:
        return b""


def _ignored(m: Message) -> None:
    pass


def quiet_log() -> None:
    """paramiko logs what clients send as it is, with tracebacks; what matters is in our audit."""
    log = logging.getLogger(_LOG)
    log.propagate = False
    log.setLevel(logging.CRITICAL + 1)

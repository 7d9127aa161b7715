"""Opening a connection: TCP, SSH with the algorithms agreed to, the host key, the login, and the SFTP subsystem.

In that order: nothing of us is said before the host key was found to be the right one. Each stage has its time-out and
fails as one of the few exceptions of `errors`.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from functools import partial
from typing import Any, Final

import paramiko

from gateway.domain.finding import printable
from gateway.transports.sftp_client import host_keys
from gateway.transports.sftp_client.algorithms import host_key_kinds, restrict, transport_class
from gateway.transports.sftp_client.errors import HostKeyRefused, Lost, Unreachable
from gateway.transports.sftp_client.login import log_in
from gateway.transports.sftp_client.opening import Opening
from gateway.transports.sftp_client.packets import BoundedPacketizer, Deaf, Inbox
from gateway.transports.sftp_client.peer import Peer
from gateway.transports.sftp_client.session import Session

#: More than all that may be asked for at once (`session.py`), so that the server never waits for the window.
_WINDOW_BYTES: Final = 16 * 1024 * 1024
_PACKET_BYTES: Final = 128 * 1024
_LOG_NAME: Final = "gateway.sftp.ssh"


class Connection:
    """An SFTP session, and the SSH transport that carries it."""

    def __init__(self, transport: paramiko.Transport, session: Session) -> None:
        self._transport = transport
        self.session = session

    @property
    def alive(self) -> bool:
        """Whether it was still there when last looked at; the truth shows with the next request."""
        return self._transport.is_active() and not self.session.closed

    @property
    def cipher(self) -> str:
        """As agreed with the server."""
        return str(getattr(self._transport, "remote_cipher", ""))

    def close(self) -> None:
        """Hang up, with no word more: while a server negotiates keys, and then says nothing, none could be sent. Never
        raises."""
        self.session.close()
        with contextlib.suppress(Exception):
            self._transport.close()


def connect(peer: Peer, opening: Opening | None = None) -> Connection:
    """A new connection; `opening` may be broken off meanwhile. Raises Unreachable, HostKeyRefused, LoginRefused, Lost
    or Strange."""
    transport = _trusted(peer, opening or Opening())
    try:
        log_in(transport, peer)
        session = _subsystem(transport, peer)
        transport.set_keepalive(peer.timeouts.keepalive_s)
    except BaseException:
        transport.close()
        raise
    return Connection(transport, session)


def _trusted(peer: Peer, opening: Opening) -> paramiko.Transport:
    """A transport to a server whose host key is the right one.

    A server has a key of each kind and shows the kind that we ask for first. Where the one it shows is not pinned we
    ask for the next kind: a partner may have told us the fingerprint of any of them. With each round at least the kind
    that was agreed on is done with, whatever key was shown for it, so that there is an end.
    """
    kinds = _wished_kinds(peer)
    offered: list[paramiko.PKey] = []
    while kinds:
        try:
            transport = _handshake(peer, kinds, opening)
        except Unreachable:
            if offered:
                break  # it has no key of the other kinds
            raise
        key = _shown_key(peer, transport)
        if _checked(peer, transport, key):
            return transport
        offered.append(key)
        done = {_family(transport.host_key_type or ""), key.get_name()}
        kinds = tuple(kind for kind in kinds if _family(kind) not in done)
    raise host_keys.refusal(peer, offered)


def _shown_key(peer: Peer, transport: paramiko.Transport) -> paramiko.PKey:
    try:
        return transport.get_remote_server_key()
    except Exception as error:  # it has hung up meanwhile
        transport.close()
        raise Unreachable(_no_ssh(peer, error)) from error


def _checked(peer: Peer, transport: paramiko.Transport, key: paramiko.PKey) -> bool:
    try:
        good = host_keys.check(peer, key)
    except HostKeyRefused:
        transport.close()
        raise
    if not good:
        transport.close()
    return good


def _wished_kinds(peer: Peer) -> tuple[str, ...]:
    """All kinds of host key, those known of this server first."""
    known = host_keys.known_kinds(peer)
    return tuple(sorted(host_key_kinds(peer.algorithms), key=lambda kind: _family(kind) not in known))


def _family(kind: str) -> str:
    """The kind of key that an algorithm goes with: RSA has several."""
    return "ssh-rsa" if "rsa" in kind else kind


def _handshake(peer: Peer, kinds: tuple[str, ...], opening: Opening) -> paramiko.Transport:
    sock = _tcp(peer)
    opening.hold(sock)
    packetizer: Any = partial(BoundedPacketizer, stall_s=peer.timeouts.answer_s)
    transport = transport_class(peer.algorithms)(
        sock,
        default_window_size=_WINDOW_BYTES,
        default_max_packet_size=_PACKET_BYTES,
        packetizer_class=packetizer,
    )
    transport.set_log_channel(_quiet_log())
    transport.banner_timeout = peer.timeouts.banner_s
    transport.handshake_timeout = peer.timeouts.handshake_s
    transport.auth_timeout = peer.timeouts.auth_s
    transport.channel_timeout = peer.timeouts.answer_s
    restrict(transport, peer.algorithms, kinds)
    opening.hold(transport)
    try:
        transport.start_client(timeout=peer.timeouts.banner_s + peer.timeouts.handshake_s)
        if not transport.initial_kex_done:  # paramiko says nothing when that time is over
            raise TimeoutError("the key exchange takes too long")
    except Exception as error:  # paramiko passes on whatever its reading of hostile bytes ends with
        transport.close()
        raise Unreachable(_no_ssh(peer, error)) from error
    return transport


def _no_ssh(peer: Peer, error: Exception) -> str:
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        return (
            f"{peer}: no algorithm in common ({printable(str(error), 200)}); we allow {peer.algorithms}. "
            "→ Ask the partner to update the server, or allow older algorithms for this partner alone."
        )
    what = printable(str(error), 200) or type(error).__name__
    return f"{peer}: something answers, but no SSH session came about: {what}"


def _tcp(peer: Peer) -> socket.socket:
    try:
        sock = socket.create_connection((peer.host, peer.port), timeout=peer.timeouts.connect_s)
    except (OSError, UnicodeError) as error:
        raise Unreachable(
            f"{peer}: cannot be reached ({printable(str(error), 200)}). → Check name, port and firewall."
        ) from error
    # paramiko sets neither. Without NODELAY each small request waits some 40 ms for the ack of the one before.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _subsystem(transport: paramiko.Transport, peer: Peer) -> Session:
    # paramiko waits for the answer to this request without end.
    watch = threading.Timer(peer.timeouts.answer_s, transport.close)
    watch.daemon = True
    watch.start()
    try:
        channel = transport.open_session(window_size=_WINDOW_BYTES, max_packet_size=_PACKET_BYTES)
        _bound(channel)
        channel.settimeout(peer.timeouts.answer_s)
        channel.invoke_subsystem("sftp")
    except Exception as error:  # as in the handshake
        raise Lost(
            f"{peer}: logged in, but there is no SFTP: {printable(str(error), 200) or type(error).__name__}. "
            "→ Ask the partner to allow the sftp subsystem for this account."
        ) from error
    finally:
        watch.cancel()
    return Session(channel, str(peer), peer.timeouts.answer_s, peer.bounds.in_flight)


def _bound(channel: Any) -> None:
    channel.in_buffer = Inbox(_WINDOW_BYTES + _PACKET_BYTES)
    channel.in_stderr_buffer = Deaf()


def _quiet_log() -> str:
    """paramiko logs what the network sends, tracebacks and all; what matters of it comes to us as an exception."""
    log = logging.getLogger(_LOG_NAME)
    if not log.handlers:
        log.addHandler(logging.NullHandler())
        log.propagate = False
        log.setLevel(logging.CRITICAL)
    return _LOG_NAME

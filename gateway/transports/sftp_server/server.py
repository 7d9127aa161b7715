"""The built-in SFTP server: listens, bounds who is connected, ends who is too slow or too idle, stops cleanly.

One thread accepts and watches; each connection has one thread of its own, which is paramiko's and does everything for
that client. Runs unprivileged, usually on a high port. For an exposed front, OpenSSH with chroot is recommended.
"""

from __future__ import annotations

import itertools
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import structlog

from gateway.clock import Clock, SystemClock
from gateway.transports.sftp_server.audit import Audit, AuditEvent, AuditListener, Outcome, complain
from gateway.transports.sftp_server.connection import Connection, quiet_log
from gateway.transports.sftp_server.desk import HandleBudget
from gateway.transports.sftp_server.doorway import first_to_go, hindmost
from gateway.transports.sftp_server.host_keys import HostKey, load_or_make
from gateway.transports.sftp_server.partner import Partners
from gateway.transports.sftp_server.requests import most_handles, open_files_limit
from gateway.transports.sftp_server.session import House, Session
from gateway.transports.sftp_server.settings import Account, Accounts, OnComplete, ServerSettings
from gateway.transports.sftp_server.sweep import sweep
from gateway.transports.sftp_server.throttle import Throttle, address_key

#: How often the accept loop looks who is too slow or too idle.
_LOOK_S: Final = 0.5
_BACKLOG: Final = 128
#: When the process may open no more files, or something else fails, trying again at once would only burn time.
_PAUSE_S: Final = 0.5
#: A dead network is noticed after two minutes. Not every system has all of them.
_TCP_OPTIONS: Final = {
    "TCP_NODELAY": 1,
    "TCP_KEEPIDLE": 60,
    "TCP_KEEPINTVL": 15,
    "TCP_KEEPCNT": 4,
    "TCP_USER_TIMEOUT": 120_000,
}
#: A flood of connections is told once in this time.
_TELL_REFUSED_S: Final = 1.0


class SftpServer:
    """`start`, then `port` and `host_keys` are known; `stop` ends everything."""

    def __init__(
        self,
        settings: ServerSettings,
        accounts: Accounts,
        *,
        on_complete: OnComplete | None = None,
        on_audit: AuditListener | None = None,
        clock: Clock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        clock = clock or SystemClock()
        self._settings = settings
        self._accounts = accounts
        self._clock = clock
        self._monotonic = monotonic
        self._stopping = threading.Event()
        self._numbers = itertools.count(1)
        self._sessions: dict[Session, Connection] = {}
        self._lock = threading.Lock()
        self._log = structlog.get_logger("gateway.sftp_server")
        self._listening: socket.socket | None = None
        self._refused = 0  #: connections refused since it was told
        self._told_refused_at = float("-inf")
        self._wake, self._woken = socket.socketpair()
        self._thread: threading.Thread | None = None
        self.host_keys: tuple[HostKey, ...] = ()
        self._house = House(
            settings=settings,
            accounts=accounts,
            audit=Audit(clock, on_audit),
            on_complete=on_complete,
            monotonic=monotonic,
            partners=Partners(monotonic),
            budget=HandleBudget(most_handles(settings.handles_in_all, open_files_limit())),
            admit=self._admit,
            throttle=_throttle(settings, monotonic, settings.longest_refusal_s),
            names=_throttle(settings, monotonic, settings.longest_name_refusal_s),
        )

    def start(self) -> None:
        """Listen, and serve in the background. Raises HostKeyUnusable, and OSError when the port cannot be had."""
        quiet_log()
        self.host_keys = load_or_make(self._settings.host_keys)
        family = socket.AF_INET6 if ":" in self._settings.address else socket.AF_INET
        everywhere = self._settings.address == "::" and socket.has_dualstack_ipv6()
        self._listening = socket.create_server(
            (self._settings.address, self._settings.port),
            family=family,
            backlog=_BACKLOG,
            dualstack_ipv6=everywhere,
        )
        self._listening.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="sftp-server", daemon=True)
        self._thread.start()
        self._log.info(
            "sftp_server_listening",
            address=self._settings.address,
            port=self.port,
            fingerprints=[key.fingerprint for key in self.host_keys],
        )

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._listening is not None, "start the server first"
        return int(self._listening.getsockname()[1])

    @property
    def sessions(self) -> int:
        """Connections now, logged in or not."""
        return len(self._sessions)

    def stop(self) -> None:
        """Listen no more and end all sessions; waits no longer than `stop_s`."""
        self._stopping.set()
        self._wake.close()  # the accept loop looks up
        if self._thread is not None:
            self._thread.join(self._settings.stop_s)
        self._woken.close()
        if self._listening is not None:
            self._listening.close()
        until = time.monotonic() + self._settings.stop_s
        with self._lock:
            left = list(self._sessions.items())
        for session, _ in left:
            session.stop("server stops")
        for session, connection in left:
            session.over.wait(max(0.0, until - time.monotonic()))
            connection.join(max(0.0, until - time.monotonic()))
        if any(connection.is_alive() for _, connection in left):
            self._log.warning("sftp_sessions_still_running")

    def end_sessions(self, account: str) -> int:
        """End what a partner has open (its access was taken away). Gives how many."""
        with self._lock:
            found = [s for s in self._sessions if s.account is not None and s.account.name == account]
        for session in found:
            session.stop("access taken away")
        return len(found)

    def sweep(self) -> int:
        """Remove partial files that nobody resumed; to be called now and then. Gives how many."""
        now_s = self._clock.now().timestamp()
        kept_s = self._settings.partials_kept_s
        return sum(sweep(account, self._house.uploads, now_s, kept_s) for account in self._accounts.all())

    def _run(self) -> None:
        assert self._listening is not None
        looked_at = self._monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._listening, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._stopping.is_set():
                try:
                    if selector.select(_LOOK_S) and not self._stopping.is_set():
                        self._accept(self._listening)
                    if self._monotonic() - looked_at >= _LOOK_S:
                        looked_at = self._monotonic()
                        self._look_after()
                except Exception:  # without this thread nobody is let in any more
                    complain("sftp_accept_loop_failed")
                    self._stopping.wait(_PAUSE_S)

    def _accept(self, listening: socket.socket) -> None:
        try:
            connected, peer = listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._log.warning("sftp_accept_failed", error=error.strerror)
            self._stopping.wait(_PAUSE_S)
            return
        address = str(peer[0]).removeprefix("::ffff:")
        objection = self._objection(address)
        if objection:
            connected.close()
            self._tell_refused(address, objection)
            return
        try:
            self._serve(connected, address)
        except Exception:  # a client that is gone already, or no thread to be had: the next one may fare better
            connected.close()
            complain("sftp_connection_failed", address=address)

    def _tell_refused(self, address: str, objection: str) -> None:
        self._refused += 1
        if self._monotonic() - self._told_refused_at < _TELL_REFUSED_S:
            return
        also = f" (and {self._refused - 1} more)" if self._refused > 1 else ""
        self._told_refused_at, self._refused = self._monotonic(), 0
        self._house.audit.tell(
            AuditEvent(self._clock.now(), 0, address, "", "connect", Outcome.REFUSED, detail=objection + also)
        )

    def _objection(self, address: str) -> str:
        """Why nobody from there is let in now."""
        if self._house.throttle.wait_s(address_key(address)) > 0:
            return "too many failed logins"
        with self._lock:
            sessions = [s for s in self._sessions if not (s.stopped or s.over.is_set())]
        if (
            sum(address_key(s.address) == address_key(address) for s in sessions)
            >= self._settings.connections_per_address
        ):
            return "too many connections from this address"
        waiting = [s for s in sessions if s.account is None]
        goes = first_to_go(waiting, address, self._settings.half_open, self._settings.half_open // 4)
        if goes is None and len(sessions) >= self._settings.connections:
            goes = hindmost(waiting)
            if goes is None:
                return "too many connections"
        if goes is not None:
            goes.stop("too many connections that do not log in")
        return ""

    def _serve(self, connected: socket.socket, address: str) -> None:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _TCP_OPTIONS.items():
            if hasattr(socket, option):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        session = Session(self._house, next(self._numbers), address)
        connection = Connection(connected, session, self._settings.login_s)
        session.bind(connection)
        for key in self.host_keys:
            connection.add_server_key(key.key)
        with self._lock:
            self._sessions[session] = connection
        try:
            connection.start_server(event=threading.Event(), server=session)
        except BaseException:
            with self._lock:
                self._sessions.pop(session, None)
            raise

    def _look_after(self) -> None:
        now = self._monotonic()
        with self._lock:
            for session in [s for s in self._sessions if s.over.is_set()]:
                del self._sessions[session]
            sessions = list(self._sessions)
        for session in sessions:
            if session.account is None and now - session.started_at > self._settings.login_s:
                session.stop("no login in time")
            elif session.account is not None and now - session.active_at > self._settings.idle_s:
                session.stop("idle")

    def _admit(self, session: Session, account: Account) -> str:
        with self._lock:
            if session.stopped:
                return "The connection is being ended"
            held = Counter(s.account.name for s in self._sessions if s.account is not None and not s.over.is_set())
            if held.total() >= self._settings.connections:
                return "Too many connections"
            if held[account.name] >= self._settings.connections_per_partner:
                return f"Too many connections of this partner: {self._settings.connections_per_partner} at most"
            session.account = account
        return ""


def _throttle(settings: ServerSettings, monotonic: Callable[[], float], longest_s: float) -> Throttle:
    return Throttle(
        monotonic,
        allowed=settings.failures_allowed,
        window_s=settings.failure_window_s,
        refusal_s=settings.refusal_s,
        longest_s=longest_s,
    )

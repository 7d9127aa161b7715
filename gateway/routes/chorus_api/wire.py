"""One HTTP exchange, bounded in size and time, that always knows whether the request can have arrived.

Whether a deposit may be repeated hangs on that one question, and the exception classes of HTTP libraries do not
answer it (a `ConnectionError` may mean "refused" or "cut after the invoice was booked"). So the connection itself
notes when the last byte of a request was handed to the system: before that no server can have read a whole
request; after that the answer alone can tell.

A total deadline is kept by a timer that shuts the socket: read time-outs count silence only, and a server that
sends one byte a minute (headers included) would hold a worker for days.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from gateway.routes.chorus_api.settings import ChorusSettings

_CHUNK: Final = 64 * 1024
_POOL: Final = 16


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: a status, two headers that tell something, and at most the bytes that were allowed."""

    status: int
    body: bytes
    authenticate: str = ""  #: WWW-Authenticate
    retry_after_s: float | None = None


class WireFailure(Exception):
    """No usable reply. `arrived` is False only when the server cannot have had the whole request."""

    def __init__(self, reason: str, *, arrived: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.arrived = arrived


class _Watch:
    """The deadline of the exchange that the current thread is in, and what its connection noted."""

    def __init__(self, total_s: float) -> None:
        self.ends = time.monotonic() + total_s
        self.handed_over = False
        self.cut = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(total_s, self._shut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _CURRENT.watch = self
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        _CURRENT.watch = None

    def left_s(self) -> float:
        """Seconds until the deadline, never quite zero: zero would mean "do not block" to a socket."""
        return max(0.05, self.ends - time.monotonic())

    def over(self) -> bool:
        return self.cut or time.monotonic() >= self.ends

    def _shut(self) -> None:
        self.cut = True
        if self.socket is not None:
            try:
                # The plain method: ssl.SSLSocket.shutdown would pull the TLS state from under the reading thread.
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
            except OSError:
                return


class _Current(threading.local):
    watch: _Watch | None = None


_CURRENT: Final = _Current()


class _Noting(HTTPConnection):
    """Notes in the watch when a request has wholly left us, and gives uploads their own time."""

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        watch = _CURRENT.watch
        if watch is not None and self.sock is not None:
            watch.socket = self.sock
            # urllib3 sends under the *connect* time-out, and sendall counts it over all bytes: 10 s for 40 MB.
            self.sock.settimeout(watch.left_s())
        super().send(data)

    def request(self, *args: Any, **kwargs: Any) -> None:
        super().request(*args, **kwargs)
        if _CURRENT.watch is not None:
            _CURRENT.watch.handed_over = True


class _NotingTLS(_Noting, HTTPSConnection):
    """The same over TLS."""


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Noting


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _NotingTLS


class _ClosingMixin:
    """Closes a connection when it is given back. `Connection: close` alone does not: a server that forgets to answer
    it has its connection kept and used again, and closes it in the middle of the next deposit."""

    def _put_conn(self, connection: Any) -> None:
        if connection is not None:
            connection.close()
        super()._put_conn(connection)  # type: ignore[misc]


class _ClosingPlainPool(_ClosingMixin, _PlainPool):
    pass


class _ClosingTLSPool(_ClosingMixin, _TLSPool):
    pass


class _Adapter(HTTPAdapter):
    """The pools of noting connections; no retries of its own."""

    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _PlainPool, "https": _TLSPool}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self.pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self.pools
        return manager


class _ClosingAdapter(_Adapter):
    pools: ClassVar[dict[str, type[HTTPConnectionPool]]] = {"http": _ClosingPlainPool, "https": _ClosingTLSPool}


class Wire:
    """Posts to one platform; shared by threads. Deposits open their own connection: on one kept alive, a server
    that closes it just then leaves us not knowing what it read."""

    def __init__(self, settings: ChorusSettings) -> None:
        self._settings = settings
        self._pooled = _session(settings, _Adapter)
        self._single = _session(settings, _ClosingAdapter)
        self._single.headers["Connection"] = "close"

    def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, total_s: float, own_connection: bool = False
    ) -> Reply:
        """One POST. Raises `WireFailure`; redirects and compressed answers are never followed or unpacked."""
        session = self._single if own_connection else self._pooled
        timeouts = self._settings.timeouts
        with _Watch(total_s) as watch:
            try:
                with session.post(
                    url,
                    data=body,
                    headers=headers,
                    timeout=(min(timeouts.connect_s, total_s), min(timeouts.read_s, total_s)),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return Reply(
                        status=response.status_code,
                        body=self._read(response, watch),
                        authenticate=response.headers.get("WWW-Authenticate", ""),
                        retry_after_s=_seconds(response.headers.get("Retry-After", "")),
                    )
            except _FAILURES as error:
                reason = "no answer in time" if watch.over() else _reason(error)
                raise WireFailure(reason, arrived=watch.handed_over) from error

    def close(self) -> None:
        """Drop the pooled connections."""
        self._pooled.close()
        self._single.close()

    def _read(self, response: requests.Response, watch: _Watch) -> bytes:
        limit = self._settings.limits.answer_bytes
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise WireFailure("the answer is compressed although that was not asked for", arrived=True)
        parts: list[bytes] = []
        size = 0
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            parts.append(chunk)
            size += len(chunk)
            if size > limit:
                raise WireFailure("the answer is too large", arrived=True)
            if watch.over():
                raise WireFailure("the answer did not end in time", arrived=True)
        return b"".join(parts)


_FAILURES: Final = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


def _session(settings: ChorusSettings, adapters: type[_Adapter]) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = str(settings.ca_bundle) if settings.ca_bundle else True
    if settings.proxy:
        session.proxies = {"http": settings.proxy, "https": settings.proxy}
    # No cookie is ever kept: they would be state shared by accounts and threads.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"Accept-Encoding": "identity", "User-Agent": "chorus-gateway"})
    adapter = adapters(pool_connections=4, pool_maxsize=_POOL, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _seconds(value: str) -> float | None:
    """Retry-After in seconds; the HTTP-date form is not used by API gateways and is left out."""
    return float(min(int(value), 86_400)) if value.isascii() and value.isdigit() and len(value) < 9 else None


def _reason(error: BaseException) -> str:
    """The innermost cause, in words; never the library's text, which may hold addresses and half a request."""
    causes = list(_chain(error))
    for kind, words in _REASONS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    return f"connection failed ({type(causes[-1]).__name__})"


def _chain(error: BaseException | None) -> Any:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        nested = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
        error = (
            getattr(error, "reason", None)
            if isinstance(getattr(error, "reason", None), BaseException)
            else (nested or error.__cause__ or error.__context__)
        )


_REASONS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "the TLS handshake failed"),
    (socket.gaierror, "its name cannot be resolved"),
    (urllib3.exceptions.NameResolutionError, "its name cannot be resolved"),
    (ConnectionRefusedError, "the connection was refused"),
    (urllib3.exceptions.ProxyError, "the proxy refused"),
    (TimeoutError, "no answer in time"),
    (requests.Timeout, "no answer in time"),
    (urllib3.exceptions.TimeoutError, "no answer in time"),
    (ConnectionError, "the connection was cut"),
    (urllib3.exceptions.ProtocolError, "the connection was cut"),
)

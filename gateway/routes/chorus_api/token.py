"""The OAuth2 token of the application: one for all threads, renewed in time, fetched by one thread at a time.

Its life is measured with the monotonic clock, never with a clock that a test or a demo drives: tokens age in the
platform's time.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from gateway.domain.finding import Text, printable
from gateway.routes.chorus_api import diagnosis
from gateway.routes.chorus_api.answers import Garbage, read_object
from gateway.routes.chorus_api.settings import ChorusSettings
from gateway.routes.chorus_api.wire import Wire, WireFailure
from gateway.routes.protocol import NotAllowed, Unreachable

_VISIBLE: Final = re.compile(r"[\x21-\x7e]{1,8192}")  # it goes into a header: no blank, no line break
_LIFE_IF_UNSAID_S: Final = 300
_LONGEST_LIFE_S: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Token:
    """`serial` tells one token from the next without comparing secrets."""

    serial: int
    value: str
    issued_at: float  #: monotonic, as the next
    renew_at: float

    def __repr__(self) -> str:
        return f"Token({self.serial})"


class Tokens:
    """Hands out the token in force."""

    def __init__(self, settings: ChorusSettings, wire: Wire, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._wire = wire
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._serial = 0

    def current(self) -> Token:
        """The token in force, fetched first where there is none or it is about to end."""
        with self._lock:
            if self._token is None or self._monotonic() >= self._token.renew_at:
                self._token = self._fetch()
            return self._token

    def drop(self, refused: Token) -> None:
        """Forget a token that was refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token is not None and self._token.serial == refused.serial:
                self._token = None

    def _fetch(self) -> Token:
        settings = self._settings
        form = {
            "grant_type": "client_credentials",
            "client_id": settings.client_id,
            "client_secret": settings.client_secret,
            "scope": settings.scope,
        }
        asked_at = self._monotonic()
        try:
            reply = self._wire.post(
                settings.token_url,
                urlencode(form).encode("ascii"),
                {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
                total_s=settings.timeouts.total_s,
            )
        except WireFailure as failure:
            raise Unreachable(diagnosis.unreachable("PISTE", failure.reason)) from failure
        if reply.status == 200:
            return self._read(reply.body, asked_at)
        if reply.status in {400, 401} and _error(reply.body) in {"invalid_client", "unauthorized_client"}:
            raise NotAllowed(diagnosis.wrong_application(settings.client_id))
        if reply.status in {400, 401, 403}:
            raise NotAllowed(diagnosis.token_refused(reply.status, _error(reply.body)))
        raise Unreachable(diagnosis.unreachable("PISTE", f"HTTP {reply.status}"), retry_after_s=reply.retry_after_s)

    def _read(self, body: bytes, asked_at: float) -> Token:
        try:
            fields = read_object(body)
        except Garbage as garbage:
            raise Unreachable(diagnosis.unreachable("PISTE", str(garbage))) from garbage
        value = fields.text("access_token", 10_000)
        if not _VISIBLE.fullmatch(value):
            raise Unreachable(_NO_TOKEN)
        life_s = min(fields.whole("expires_in") or _LIFE_IF_UNSAID_S, _LONGEST_LIFE_S)
        self._serial += 1
        # A tenth of its life early, a minute at most: a deposit must not start with a token about to end.
        return Token(self._serial, value, asked_at, asked_at + life_s - min(60.0, life_s / 10))


_NO_TOKEN: Final = Text(
    "PISTE répond sans jeton lisible. Nouvel essai plus tard.",
    "PISTE answers without a readable token. It will be tried again.",
)


def _error(body: bytes) -> str:
    try:
        return printable(read_object(body).text("error"), 60)
    except Garbage:
        return ""

"""Calls of Chorus Pro's services: token, technical account, one repeat where it is harmless, and what went wrong.

The rule of repeats: an answer of 400, 401, 403 or 429 was given at the door, so the call had no effect and may be
made again with another token. A deposit without a whole answer may have been taken: it is `Uncertain`, and never
made again here. Reads have no effect, so for them everything is `Unreachable`, and a cut is tried once more.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from gateway.domain.finding import printable
from gateway.domain.issuer import Issuer
from gateway.routes.chorus_api import diagnosis
from gateway.routes.chorus_api.answers import BusinessError, Fields, Garbage, read_answer, read_object
from gateway.routes.chorus_api.settings import Account, ChorusSettings
from gateway.routes.chorus_api.token import Token, Tokens
from gateway.routes.chorus_api.wire import Reply, Wire, WireFailure
from gateway.routes.protocol import Misunderstood, NotAllowed, Uncertain, Unreachable

_SUSPECT_S: Final = 300.0
_YOUNG_S: Final = 60.0
_RENEWALS: Final = 2  # another thread's token may end just as ours did
_DOOR: Final = frozenset({400, 401, 403, 404, 405, 406, 415, 429})


class Session:
    """One Chorus Pro; shared by threads."""

    def __init__(self, settings: ChorusSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.settings = settings
        self._wire = Wire(settings)
        self._tokens = Tokens(settings, self._wire, monotonic)
        self._monotonic = monotonic
        self._suspects: dict[str, float] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self._wire.close()

    def read(self, service: str, body: Mapping[str, object], issuer: Issuer) -> Fields:
        """Call a service that changes nothing. Raises `Unreachable`, `NotAllowed` or `BusinessError`."""
        encoded = json.dumps(body).encode()
        try:
            reply = self._exchange(service, encoded, issuer, repeat_cuts=True)
        except WireFailure as failure:
            raise Unreachable(diagnosis.unreachable(self._host, failure.reason)) from failure
        if not 200 <= reply.status < 300:
            raise self._at_the_door(service, reply, issuer) or Unreachable(
                diagnosis.unreachable(self._host, f"HTTP {reply.status}"), retry_after_s=reply.retry_after_s
            )
        try:
            return read_answer(service, reply.body)
        except Garbage as garbage:
            raise Unreachable(diagnosis.unreachable(self._host, str(garbage))) from garbage

    def send(self, service: str, encoded: bytes, issuer: Issuer) -> Fields:
        """Call a service that takes a deposit. Raises as `read`, and `Uncertain` where it may have been taken."""
        try:
            reply = self._exchange(service, encoded, issuer, repeat_cuts=False)
        except WireFailure as failure:
            if failure.arrived:
                raise Uncertain(diagnosis.uncertain(service, failure.reason)) from failure
            raise Unreachable(diagnosis.unreachable(self._host, failure.reason)) from failure
        if reply.status == 413:
            raise BusinessError(service, 413, "HTTP 413 : le flux dépasse la taille admise par Chorus Pro")
        if not 200 <= reply.status < 300:
            raise self._at_the_door(service, reply, issuer) or Uncertain(
                diagnosis.uncertain(service, f"HTTP {reply.status}"), retry_after_s=reply.retry_after_s
            )
        try:
            return read_answer(service, reply.body)
        except Garbage as garbage:
            raise Uncertain(diagnosis.uncertain(service, str(garbage))) from garbage

    @property
    def _host(self) -> str:
        return urlsplit(self.settings.api_url).hostname or "?"

    def _exchange(self, service: str, encoded: bytes, issuer: Issuer, *, repeat_cuts: bool) -> Reply:
        account = self._account(issuer)
        token = self._tokens.current()
        try:
            reply = self._post(service, encoded, account, token, own_connection=not repeat_cuts)
        except WireFailure as failure:
            if not repeat_cuts or "cut" not in failure.reason:
                raise
            # A kept-alive connection may be closed by the server just as we use it.
            reply = self._post(service, encoded, account, token, own_connection=True)
        for _ in range(_RENEWALS):
            if not self._may_be_the_token(reply, token, issuer.account):
                break
            self._tokens.drop(token)
            token = self._tokens.current()
            reply = self._post(service, encoded, account, token, own_connection=not repeat_cuts)
            if not reply.authenticate:
                break
        self._note(issuer.account, reply)
        return reply

    def _post(self, service: str, encoded: bytes, account: Account, token: Token, *, own_connection: bool) -> Reply:
        timeouts = self.settings.timeouts
        return self._wire.post(
            f"{self.settings.api_url.rstrip('/')}/cpro/{service}",
            encoded,
            {
                "Authorization": f"Bearer {token.value}",
                "cpro-account": base64.b64encode(f"{account.login}:{account.password}".encode()).decode("ascii"),
                "Content-Type": "application/json;charset=utf-8",
                "Accept": "application/json",
            },
            total_s=timeouts.upload_s if own_connection else timeouts.total_s,
            own_connection=own_connection,
        )

    def _account(self, issuer: Issuer) -> Account:
        account = self.settings.accounts.get(issuer.account)
        if account is None:
            raise NotAllowed(diagnosis.no_account(issuer.siret, issuer.account))
        return account

    def _at_the_door(self, service: str, reply: Reply, issuer: Issuer) -> Unreachable | None:
        """The error of an answer that proves that the call was not taken; None for every other answer."""
        if reply.status == 503 and reply.retry_after_s is not None:
            return Unreachable(diagnosis.closed(service), retry_after_s=reply.retry_after_s)
        if reply.status not in _DOOR:
            return None
        if reply.status == 429:
            return Unreachable(diagnosis.too_many_calls(service), retry_after_s=reply.retry_after_s)
        if reply.status == 401 and reply.authenticate:
            return NotAllowed(diagnosis.token_not_accepted(service, self._account(issuer).login))
        if reply.status == 401:
            return NotAllowed(diagnosis.wrong_account(issuer.siret, self._account(issuer).login))
        if reply.status == 403 and not reply.body.strip():
            return NotAllowed(diagnosis.not_subscribed(service))
        if reply.status == 403:
            return NotAllowed(diagnosis.forbidden(service, self._account(issuer).login, _said(reply)))
        return Misunderstood(diagnosis.misunderstood(service, reply.status, _said(reply)))

    def _may_be_the_token(self, reply: Reply, token: Token, account: str) -> bool:
        """401 was documented, 400 was measured in 2026-09 (domain facts 1.2); a wrong account gives 401 too. So an
        account that was refused with a fresh token a moment ago does not make us fetch a token for every call."""
        if reply.status not in {400, 401}:
            return False
        with self._lock:
            suspected = self._suspects.get(account, 0.0) > self._monotonic()
        return not (suspected and self._monotonic() - token.issued_at < _YOUNG_S)

    def _note(self, account: str, reply: Reply) -> None:
        with self._lock:
            if reply.status != 401:
                self._suspects.pop(account, None)
            elif self._suspects.get(account, 0.0) <= self._monotonic():
                self._suspects[account] = self._monotonic() + _SUSPECT_S


def _said(reply: Reply) -> str:
    """What the body says, if it is short and readable."""
    try:
        fields = read_object(reply.body)
    except Garbage:
        return ""
    return printable(fields.text("libelle") or fields.text("message") or fields.text("error"), 120)

"""The doors of PISTE and Chorus Pro, in the order in which they refuse: token, subscription, account, JSON.

What each refusal looks like: chorus-pro.md 1.2. A service is a function from a call to an answer, run in a thread.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gateway.simulator import service_deposit, service_invoices, service_structures
from gateway.simulator.asked import Asked, BadRequest, Call, done
from gateway.simulator.control import control
from gateway.simulator.platform import Platform
from gateway.simulator.reading import SYNTAXES
from gateway.simulator.seed import Account

Service = Callable[[Call], dict[str, Any]]

TOKEN_PATH: Final = "/api/oauth/token"  # noqa: S105 - a path
HEALTH_PATH: Final = "/cpro/transverses/v1/health-check"
CONTROL_PATH: Final = "/_simulator/"
#: 30 MB in base64 and room to spare: what is larger never reaches a service.
BODY_LIMIT: Final = 64 * 1024 * 1024
TOKEN_BODY_LIMIT: Final = 16 * 1024


def formats(_: Call) -> dict[str, Any]:
    """recuperer/formatflux. No public OpenAPI names its fields; ours are read off its path and sisters."""
    return done(
        listeFormatsFlux=[
            {"syntaxeFlux": name, "codeInterfaceFlux": syntax.interface, "libelleSyntaxeFlux": name}
            for name, syntax in SYNTAXES.items()
        ]
    )


SERVICES: Final[Mapping[str, Service]] = {
    "/cpro/factures/v1/deposer/flux": service_deposit.deposit,
    "/cpro/factures/v1/rechercher/fournisseur": service_invoices.search,
    "/cpro/factures/v1/consulter/historique": service_invoices.history,
    "/cpro/structures/v1/rechercher": service_structures.search,
    "/cpro/structures/v1/consulter": service_structures.look,
    "/cpro/structures/v1/rechercher/services": service_structures.services,
    "/cpro/structures/v1/consulter/service": service_structures.look_at_service,
    "/cpro/transverses/v1/consulterCRDetaille": service_deposit.detailed_report,
    "/cpro/transverses/v1/consulterCR": service_deposit.report,
    "/cpro/transverses/v1/recuperer/formatflux": formats,
    "/cpro/utilisateurs/v1/monCompte/recuperer/rattachements": service_structures.attachments,
}


class TooLong(Exception):
    """The body is above what this server reads."""


class Door:
    """The whole HTTP application, as ASGI."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        except TooLong:
            response = Response(status_code=413, headers={"connection": "close"})
        except BadRequest as error:
            response = JSONResponse({"error": "bad_request", "error_description": str(error)}, 400)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        path = request.url.path
        if path.startswith(CONTROL_PATH):
            body = await _body(request, BODY_LIMIT)
            return await run_in_threadpool(
                control, self._platform, request.method, path.removeprefix(CONTROL_PATH), body
            )
        self._platform.count(path if path in SERVICES or path in (TOKEN_PATH, HEALTH_PATH) else "unknown")
        if path == TOKEN_PATH:
            body = await _body(request, TOKEN_BODY_LIMIT)
            return await run_in_threadpool(self._token, request.method, body)
        body = await _body(request, BODY_LIMIT)
        return await run_in_threadpool(self._serve, request, path, body)

    def _token(self, method: str, body: bytes) -> Response:
        if method != "POST":
            return Response(status_code=405)
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        secret = self._platform.seed.clients.get(form.get("client_id", ""))
        given = form.get("client_secret", "")
        # The same answer for an unknown client and a wrong secret, as measured.
        if secret is None or not hmac.compare_digest(secret.encode(), given.encode()):
            return JSONResponse({"error": "invalid_client"}, 400)
        if not self._platform.issues_tokens:
            return Response(status_code=503)
        return JSONResponse(
            {
                "access_token": self._platform.new_token(),
                "token_type": "Bearer",
                "expires_in": int(self._platform.options.token_ttl_s),
                "scope": form.get("scope", "openid"),
            }
        )

    def _serve(self, request: Request, path: str, body: bytes) -> Response:
        service = SERVICES.get(path)
        known = service is not None or path == HEALTH_PATH
        if not self._has_token(request.headers.get("authorization", "")):
            realm = "PISTE" if known else "DefaultRealm"
            return Response(
                status_code=self._platform.options.missing_bearer_status,
                headers={"WWW-Authenticate": f'Bearer realm="{realm}"'},
            )
        if not known or path.split("/")[2] not in self._platform.subscriptions:
            return Response(status_code=403)
        if path == HEALTH_PATH:
            if request.method != "GET":
                return Response(status_code=405)
            return JSONResponse({"body": "OK", "statusCode": "OK", "statusCodeValue": 200})
        assert service is not None
        if request.method != "POST":
            return Response(status_code=405)
        account = self._account(request.headers.get("cpro-account", ""))
        if account is None:
            return Response(status_code=401)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return Response(status_code=415)
        return JSONResponse(
            service(Call(self._platform, account, _json(body))),
            headers={"content-type": "application/json;charset=utf-8"},
        )

    def _has_token(self, header: str) -> bool:
        kind, _, token = header.partition(" ")
        return kind.lower() == "bearer" and self._platform.knows_token(token.strip())

    def _account(self, header: str) -> Account | None:
        try:
            login, _, password = base64.b64decode(header, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        account = self._platform.seed.accounts.get(login)
        if account is None or not hmac.compare_digest(account.password.encode(), password.encode()):
            return None
        return account


async def _body(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLong
        parts.append(part)
    return b"".join(parts)


def _json(body: bytes) -> Asked:
    try:
        fields = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is not JSON") from error
    if not isinstance(fields, dict):
        raise BadRequest("the body is not a JSON object")
    return Asked(fields)

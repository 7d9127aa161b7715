"""A running simulator, and a plain HTTP client of it that knows nothing of the gateway."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from gateway.simulator import Simulator, running_simulator

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LOGIN = "TECH_1_000001@cpro.fr:Simulateur-1"
OTHER_LOGIN = "TECH_2_000002@cpro.fr:Simulateur-2"
PUBLIC_LOGIN = "TECH_3_000003@cpro.fr:Simulateur-3"
FORM = {"grant_type": "client_credentials", "client_id": "simulator-app", "client_secret": "simulator-secret"}


@dataclass
class Client:
    """Just enough HTTP."""

    url: str
    login: str = LOGIN
    session: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def sign_in(self) -> Client:
        answer = self.session.post(f"{self.url}/api/oauth/token", data=FORM, timeout=10)
        self.token = answer.json()["access_token"]
        return self

    def headers(self, **more: str) -> dict[str, str]:
        account = base64.b64encode(self.login.encode()).decode()
        return {"Authorization": f"Bearer {self.token}", "cpro-account": account, **more}

    def post(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        options.setdefault("headers", self.headers())
        options.setdefault("timeout", 20)
        return self.session.post(f"{self.url}/cpro/{path}", json={} if body is None else body, **options)

    def ask(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.post(path, body)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        told: dict[str, Any] = answer.json()
        return told

    def send(self, content: bytes, syntax: str = "IN_DP_E1_UBL_INVOICE", name: str = "flux.xml") -> dict[str, Any]:
        encoded = base64.b64encode(content).decode()
        return self.ask(
            "factures/v1/deposer/flux",
            fichierFlux=encoded,
            nomFichier=name,
            syntaxeFlux=syntax,
            avecSignature=False,
        )

    def deposit(self, content: bytes, syntax: str = "IN_DP_E1_UBL_INVOICE", name: str = "flux.xml") -> str:
        told = self.send(content, syntax, name)
        assert told["codeRetour"] == 0, told
        return str(told["numeroFluxDepot"])

    def report(self, flow: str) -> dict[str, Any]:
        return self.ask("transverses/v1/consulterCRDetaille", numeroFluxDepot=flow)

    def search(self, **filters: Any) -> dict[str, Any]:
        return self.ask("factures/v1/rechercher/fournisseur", **filters)

    def found(self, **filters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.search(**filters)["listeFactures"]
        return found

    def history(self, number: str, **more: Any) -> dict[str, Any]:
        (invoice,) = self.found(numeroFacture=number)
        return self.ask("factures/v1/consulter/historique", idFacture=invoice["identifiantFactureCPP"], **more)


@pytest.fixture
def start() -> Iterator[Callable[..., Simulator]]:
    """Start simulators with options of one's own."""
    with ExitStack() as stack:
        yield lambda path=None, **options: stack.enter_context(running_simulator(path, **{"start": START, **options}))


@pytest.fixture
def chorus(start: Callable[..., Simulator]) -> Simulator:
    return start()


@pytest.fixture
def client(chorus: Simulator) -> Client:
    return Client(chorus.url).sign_in()


@pytest.fixture
def processed(chorus: Simulator, client: Client) -> Callable[..., dict[str, Any]]:
    """Deposit, let the flow be processed, and hand back its report."""

    def run(content: bytes, syntax: str = "IN_DP_E1_UBL_INVOICE") -> dict[str, Any]:
        flow = client.deposit(content, syntax)
        chorus.advance(timedelta(minutes=2))
        return client.report(flow)

    return run


def shared() -> Path:
    return Path(os.environ.get("GATEWAY_SHARED", Path(__file__).parents[3] / "shared"))


def corpus() -> Path:
    return Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).parents[3] / "shared" / "corpus"))

"""What the tests of this route share: settings for a server on this machine, an issuer, a packet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gateway.domain.issuer import Issuer, Route
from gateway.routes.chorus_api import Account, ChorusApi, ChorusSettings, Limits, Timeouts
from gateway.routes.protocol import Packet

SUPPLIER_1, SUPPLIER_2, SUPPLIER_3 = "90000001900019", "90000002700012", "90000003500015"


def issuer_of(siret: str, account: str) -> Issuer:
    return Issuer(siret, "FOURNISSEUR FICTIF", Route.CHORUS_API, frozenset({"p"}), account)


def settings_for(server, **changes) -> ChorusSettings:
    given = {
        "token_url": server.token_url,
        "api_url": server.url,
        "client_id": "simulator-app",
        "client_secret": "simulator-secret",
        "accounts": {
            "one": Account("TECH_1_000001@cpro.fr", "Simulateur-1"),
            "two": Account("TECH_2_000002@cpro.fr", "Simulateur-2"),
        },
    }
    return ChorusSettings(**{**given, **changes})


@pytest.fixture
def issuer() -> Issuer:
    return issuer_of(SUPPLIER_1, "one")


@pytest.fixture
def packet() -> Packet:
    return Packet("FSO1100A_test.xml", "IN_DP_E1_UBL_INVOICE", b"<Invoice/>", ("d1",), ("FSO1100A_test.xml",))


@pytest.fixture
def impatient() -> Iterator[Callable[..., ChorusApi]]:
    """Makes clients that give up within a second, so that tests of hanging servers are short."""
    made: list[ChorusApi] = []

    def make(server, **changes) -> ChorusApi:
        changes.setdefault("timeouts", Timeouts(connect_s=0.5, read_s=0.5, total_s=0.8, upload_s=0.8))
        changes.setdefault("limits", Limits(answer_bytes=100_000))
        made.append(ChorusApi(settings_for(server, **changes)))
        return made[-1]

    yield make
    for client in made:
        client.close()

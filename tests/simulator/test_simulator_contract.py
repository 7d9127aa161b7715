"""Every answer has the fields of the official OpenAPI: none that it does not know, each that it requires."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from .conftest import shared
from .paper import DEMANDS_SERVICE, Paper, flow_of


@pytest.fixture(scope="module")
def contracts() -> dict[str, Any]:
    found = {}
    for api in ("factures", "structures"):
        path = shared() / "reference" / f"chorus-pro-{api}.openapi.json"
        if not path.exists():
            pytest.skip(f"no official OpenAPI at {path}")
        found[api] = json.loads(path.read_text(encoding="utf-8"))
    return found


def faults(contract: dict[str, Any], schema: dict[str, Any], value: Any, at: str) -> list[str]:
    """Where `value` departs from a Swagger 2.0 schema."""
    if "$ref" in schema:
        schema = contract["definitions"][schema["$ref"].rpartition("/")[2]]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at}: {value!r} is none of the enum"]
    kind = schema.get("type", "object" if "properties" in schema else "")
    expected = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if kind in expected and (not isinstance(value, expected[kind]) or (isinstance(value, bool) != (kind == "boolean"))):
        return [f"{at}: {value!r} is no {kind}"]
    if kind == "array":
        return [f for n, item in enumerate(value) for f in faults(contract, schema["items"], item, f"{at}[{n}]")]
    if kind != "object":
        return []
    known = schema.get("properties", {})
    found = [f"{at}.{name}: required" for name in schema.get("required", ()) if name not in value]
    for name, item in value.items():
        found += faults(contract, known[name], item, f"{at}.{name}") if name in known else [f"{at}.{name}: unknown"]
    return found


def test_every_answer_is_as_the_openapi_says(contracts, chorus, client):
    paper = Paper(buyer=DEMANDS_SERVICE, service="SERVICEEJ", ej="EJ1")
    deposited = client.send(flow_of([paper, Paper(number="F-2", service="NOWHERE")]))
    chorus.advance(timedelta(days=2))
    structure = client.ask("structures/v1/rechercher", structure={"identifiantStructure": DEMANDS_SERVICE})
    id_ = structure["listeStructures"][0]["idStructureCPP"]
    services = client.ask("structures/v1/rechercher/services", idStructure=id_)
    service = services["listeServices"][0]["idService"]
    answers = {
        ("factures", "deposer/flux"): deposited,
        ("factures", "rechercher/fournisseur"): client.search(recupererTaille=True),
        ("factures", "consulter/historique"): client.history("F-1"),
        ("structures", "rechercher"): structure,
        ("structures", "rechercher/services"): services,
        ("structures", "consulter"): client.ask("structures/v1/consulter", idStructureCPP=id_),
        ("structures", "consulter/service"): client.ask(
            "structures/v1/consulter/service", idStructure=id_, idService=service
        ),
    }

    for (api, path), answer in answers.items():
        contract = contracts[api]
        schema = contract["paths"][f"/v1/{path}"]["post"]["responses"]["200"]["schema"]
        assert answer["codeRetour"] == 0
        assert faults(contract, schema, answer, path) == []


def test_the_two_reports_have_the_fields_that_were_seen(chorus, client):
    flow = client.deposit(flow_of([Paper(), Paper(number="F-2", buyer="12345678299999")]))
    chorus.advance(timedelta(minutes=2))

    detailed = client.report(flow)
    plain = client.ask("transverses/v1/consulterCR", numeroFluxDepot=flow)

    assert set(detailed) == {
        "codeRetour",
        "libelle",
        "nomFichier",
        "dateDepotFlux",
        "codeInterfaceDepotFlux",
        "etatCourantDepotFlux",
        "dateHeureEtatCourantFlux",
        "listeErreurDP",
    }
    assert set(detailed["listeErreurDP"][0]) == {
        "numeroDP",
        "identifiantFournisseur",
        "identifiantDestinataire",
        "libelleErreurDP",
    }
    assert plain["etatCourantFlux"] == "IN_INTEGRE_PARTIEL"
    assert plain["numeroFluxDepot"] == flow


def test_the_accepted_syntaxes_the_health_and_ones_own_structures_are_told(client):
    formats = client.ask("transverses/v1/recuperer/formatflux")["listeFormatsFlux"]
    own = client.ask("utilisateurs/v1/monCompte/recuperer/rattachements")["listeRattachements"]
    health = client.session.get(f"{client.url}/cpro/transverses/v1/health-check", headers=client.headers(), timeout=5)

    assert "IN_DP_E2_CII_FACTURX" in {one["syntaxeFlux"] for one in formats}
    assert [one["identifiantStructure"] for one in own] == ["90000001900019", "90000002700012"]
    assert health.json()["statusCodeValue"] == 200

"""Chorus Pro's decision table (chorus-pro.md 2.1): every row, with and without EJ, against every kind of service."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from gateway.domain.facts import Buyer, Service
from gateway.domain.finding import Severity
from gateway.rules import chorus
from gateway.rules.chorus.demands import DECISION_TABLE, Demand, demand_of
from gateway.rules.chorus.service import PUBLIC_SERVICE
from gateway.rules.samples import CLOSED, EITHER_MANDATORY, EXPIRED, FREE, ISSUER, OPEN, WITH_EJ, sample

EJ = "1501966748"
FUTURE = replace(OPEN, valid_from=date(2027, 1, 1))
LAST_DAY = replace(OPEN, valid_to=date(2026, 11, 23))

#: (either, ej, service) as the directory says it → what must be there. Written out here a second time, on purpose.
ROWS = {
    (True, False, False): "either",
    (True, True, False): "either",
    (True, False, True): "either",
    (True, True, True): "either",
    (False, True, True): "both",
    (False, True, False): "ej",
    (False, False, True): "service",
    (False, False, False): "nothing",
}
#: How the invoice names a service → the finding about that service itself.
SERVICES: dict[str, tuple[Service | str | None, str | None]] = {
    "none": (None, None),
    "open": (OPEN, None),
    "last day": (LAST_DAY, None),
    "demands ej": (WITH_EJ, None),
    "inactive": (CLOSED, "CHORUS-SERVICE-INACTIVE"),
    "expired": (EXPIRED, "CHORUS-SERVICE-OUTSIDE-DATES"),
    "not yet": (FUTURE, "CHORUS-SERVICE-OUTSIDE-DATES"),
    "unknown": ("SERV9", "CHORUS-SERVICE-UNKNOWN"),
}


def objections(**terms: object) -> set[str]:
    shown = sample(**terms)  # type: ignore[arg-type]
    result = chorus.pack().run(shown.document, None, shown.facts)
    return {f.rule for f in result.findings if f.severity in (Severity.FATAL, Severity.HOLD)}


def expected(row: str, named: str, ej: bool) -> set[str]:
    """The table, in the words of its source."""
    found = {SERVICES[named][1]} - {None}
    given = named != "none"
    if row in ("ej", "both") and not ej:
        found.add("CHORUS-EJ-MISSING")
    if row in ("service", "both") and not given:
        found.add("CHORUS-SERVICE-MISSING")
    if row == "either" and not ej and not given:
        found.add("CHORUS-EJ-OR-SERVICE-MISSING")
    if named == "demands ej" and row not in ("ej", "both") and not ej:
        found.add("CHORUS-EJ-MISSING-FOR-SERVICE")
    return {rule for rule in found if rule}


@pytest.mark.parametrize(("flags", "named", "ej"), list(product(ROWS, SERVICES, (True, False))), ids=str)
def test_every_row_of_the_table_against_every_kind_of_service(
    flags: tuple[bool, bool, bool], named: str, ej: bool
) -> None:
    either, needs_ej, needs_service = flags
    buyer = replace(FREE, ej_or_service=either, ej_mandatory=needs_ej, service_mandatory=needs_service)

    found = objections(buyer=buyer, service=SERVICES[named][0], ej=EJ if ej else None)

    assert found == expected(ROWS[flags], named, ej)


def test_the_table_in_the_code_has_every_row() -> None:
    assert {flags: demand.value for flags, demand in DECISION_TABLE.items()} == ROWS


def test_ej_or_service_of_a_body_without_active_service_leaves_the_ej() -> None:
    buyer = replace(EITHER_MANDATORY, has_active_service=False)

    assert demand_of(buyer) is Demand.EJ
    assert objections(buyer=buyer) == {"CHORUS-EJ-MISSING"}
    assert objections(buyer=buyer, service=CLOSED) == {"CHORUS-EJ-MISSING", "CHORUS-SERVICE-INACTIVE"}
    assert objections(buyer=buyer, ej=EJ) == set()


@pytest.mark.parametrize(
    ("public", "found"), [(False, {"CHORUS-SERVICE-PUBLIC-ONLY"}), (True, set())], ids=["company", "public body"]
)
def test_the_service_of_public_invoices_is_for_public_bodies(public: bool, found: set[str]) -> None:
    issuer = replace(ISSUER, public=public)
    service = replace(OPEN, code=PUBLIC_SERVICE)

    assert objections(service=service, facts={"issuer": issuer}) == found


def test_a_company_that_names_the_public_service_where_there_is_none_gets_one_finding() -> None:
    assert objections(service=PUBLIC_SERVICE) == {"CHORUS-SERVICE-PUBLIC-ONLY"}


def test_a_refusal_names_the_buyer_and_the_term() -> None:
    shown = sample(buyer=Buyer(FREE.siret, "la Ville d'Exempleville", ej_mandatory=True))

    (finding,) = (f for f in chorus.pack().run(shown.document, None, shown.facts).findings)

    assert finding.message.fr == (
        "la Ville d'Exempleville (21987654700015) exige un numéro d'engagement juridique (EJ) ; "
        "la facture n'en porte pas."
    )
    assert finding.term == "BT-13"
    assert "BT-13" in finding.remedy.fr

"""Deposits: what is taken, what is refused at once, what the report of a flow says."""

from __future__ import annotations

import base64
import gzip
import hashlib
import random
import re
import tracemalloc
from datetime import timedelta

import pytest

from gateway.simulator.checks import DUPLICATE, SERVICE_UNKNOWN

from .conftest import PUBLIC_LOGIN, Client, corpus
from .paper import (
    DEMANDS_EITHER,
    DEMANDS_EJ,
    DEMANDS_NOTHING,
    DEMANDS_SERVICE,
    DISSOLVED,
    OTHER_ACCOUNTS_SUPPLIER,
    PUBLIC_SUPPLIER,
    SECOND_SUPPLIER,
    STATE,
    Paper,
    flow_of,
    tar_gz,
    zipped,
)


def state(report):
    return report["etatCourantDepotFlux"]


@pytest.mark.parametrize(
    ("content", "syntax"),
    [
        (Paper().ubl(), "IN_DP_E1_UBL_INVOICE"),
        (Paper().cii(), "IN_DP_E1_CII_16B"),
        (Paper(attachment=b"%PDF-1.7").ubl(), "IN_DP_E2_UBL_INVOICE_MIN"),
        (Paper().facturx(), "IN_DP_E2_CII_FACTURX"),
        (Paper().facturx("zugferd-invoice.xml"), "IN_DP_E2_CII_FACTURX"),
        (tar_gz([("a.xml", Paper().ubl()), ("b.xml", Paper("F-2").ubl())]), "IN_DP_E1_UBL_INVOICE"),
        (zipped([("a.pdf", Paper().facturx())]), "IN_DP_E2_CII_FACTURX"),
    ],
)
def test_each_syntax_is_integrated(processed, content, syntax):
    assert state(processed(content, syntax)) == "IN_INTEGRE"


def test_the_flow_number_names_application_interface_and_sequence(client):
    first, second = client.deposit(Paper().cii(), "IN_DP_E1_CII_16B"), client.deposit(Paper("F-2").ubl())
    assert (first, second) == ("CPP0011106000000000000001", "CPP0011100000000000000002")


def test_a_flow_passes_the_states_that_were_seen_on_the_portal(chorus, client):
    flow = client.deposit(Paper().ubl())
    seen = []
    for _ in range(13):
        seen.append(state(client.report(flow)))
        chorus.advance(timedelta(seconds=5))
    assert list(dict.fromkeys(seen)) == [
        "IN_DEPOT_PORTAIL_EN_ATTENTE_TRAITEMENT_SE_CPP",
        "IN_RECU",
        "IN_TRAITE_SE_CPP",
        "IN_EN_COURS_TRAITEMENT_CPP",
        "IN_INTEGRE",
    ]


def test_every_deposit_is_in_the_receipts_before_anything_is_compared(chorus, client):
    flow = tar_gz([("a.xml", Paper("F-1").ubl()), ("b.xml", Paper("F-2").ubl())])
    numbers = [client.deposit(flow), client.deposit(flow)]
    assert client.send(b"", "IN_DP_E1_UBL_INVOICE")["codeRetour"] != 0

    first, second, refused = chorus.deposits()

    assert [first["flow"], second["flow"]] == numbers
    assert first["sha256"] == second["sha256"] == hashlib.sha256(flow).hexdigest()
    assert [(d["issuer"], d["number"], d["year"]) for d in first["documents"]] == [
        ("90000001900019", "F-1", "2026"),
        ("90000001900019", "F-2", "2026"),
    ]
    assert first["documents"][0]["sha256"] == hashlib.sha256(Paper("F-1").ubl()).hexdigest()
    assert (refused["flow"], refused["code"]) == (None, 20002)


def test_a_single_file_above_ten_megabytes_is_20001(client, chorus):
    told = client.send(b"<a>" + b" " * (10 * 1024 * 1024) + b"</a>")
    assert (told["codeRetour"], told["libelle"][:14]) == (20001, "GDP_MSG_11.022")
    assert chorus.deposits()[0]["code"] == 20001


def test_a_compressed_flow_above_thirty_megabytes_is_20001(client):
    noise = random.Random(1).randbytes(31 * 1024 * 1024)
    assert client.send(b"\x1f\x8b" + noise)["codeRetour"] == 20001


def test_a_bomb_is_refused_without_being_unpacked(client, monkeypatch):
    monkeypatch.setattr("gateway.simulator.unpack.UNPACKED_LIMIT", 1024 * 1024)
    bomb = gzip.compress(bytes(50 * 1024 * 1024), 9)
    tracemalloc.start()
    try:
        assert client.send(bomb)["codeRetour"] == 20001
        assert tracemalloc.get_traced_memory()[1] < 10 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_member_above_ten_megabytes_is_20001(client):
    assert client.send(tar_gz([("a.xml", b" " * (10 * 1024 * 1024 + 1))]))["codeRetour"] == 20001


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"fichierFlux": "%%%"}, 20002),
        ({"fichierFlux": None}, 20002),
        ({"syntaxeFlux": "IN_DP_E9"}, 20003),
        ({"syntaxeFlux": None}, 20003),
        ({"nomFichier": ""}, 20004),
    ],
)
def test_a_deposit_without_what_it_needs_is_a_business_error(client, changed, code):
    body = {
        "fichierFlux": base64.b64encode(Paper().ubl()).decode(),
        "nomFichier": "a.xml",
        "syntaxeFlux": "IN_DP_E1_UBL_INVOICE",
        "avecSignature": False,
    }
    told = client.ask("factures/v1/deposer/flux", **{**body, **changed})
    assert told["codeRetour"] == code
    assert "numeroFluxDepot" not in told


@pytest.mark.parametrize(
    "content",
    [
        Paper().ubl().replace(b"<cbc:IssueDate>", b"<cbc:Nonsense>x</cbc:Nonsense><cbc:IssueDate>"),
        Paper(net="'-1 324,60").ubl(),
        b"<Invoice/>",
        b"not xml at all",
        Paper().ubl()[:-30],
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        Paper().cii(),
        b"%PDF-1.7 broken",
        Paper().facturx(),
        tar_gz([("good.xml", Paper().ubl()), ("bad.xml", b"<a>")]),
        tar_gz([]),
        tar_gz([("inner.tar.gz", tar_gz([("a.xml", Paper().ubl())]))]),
        flow_of([Paper()])[:-40],
        zipped([("a.xml", Paper().ubl())])[:-30],
    ],
)
def test_an_unreadable_or_invalid_member_rejects_the_whole_flow_with_line_and_position(processed, client, content):
    report = processed(content)
    assert state(report) == "IN_REJETE"
    for error in report["listeErreurTechnique"]:
        assert (error["natureErreur"], error["codeErreur"]) == ("ERR_XSD", "ERR_XSD_001")
        assert re.search(r" - ligne: \d+ - position: \d+$", error["libelleErreur"])
    assert client.found() == []


@pytest.mark.parametrize(
    ("paper", "text"),
    [
        (Paper(number="F" * 21), "ne doit pas depasser 20 caracteres"),
        (Paper(cadre="B1"), "cadre de facturation B1"),
        (Paper(cadre="S1"), "cadre de facturation S1"),
        (Paper(seller="900000019"), "n'est pas un SIRET"),
        (Paper(seller="FR12900000019"), "n'est pas un SIRET"),
        (Paper(seller="99999999999999"), "structure fournisseur est inconnue"),
        (Paper(seller=OTHER_ACCOUNTS_SUPPLIER), "n'est pas rattachée"),
        (Paper(means=""), "PaymentMeans.TypeCode.value est obligatoire"),
        (Paper(means="54"), "mode de règlement 54"),
        (Paper(buyer="12345678299999"), "destinataire est inconnue ou inactive"),
        (Paper(buyer=SECOND_SUPPLIER), "destinataire est inconnue ou inactive"),
        (Paper(buyer=DISSOLVED), "destinataire est inconnue ou inactive"),
        (Paper(buyer=DEMANDS_SERVICE), "code service est obligatoire"),
        (Paper(buyer=DEMANDS_SERVICE, service="NOWHERE"), SERVICE_UNKNOWN),
        (Paper(buyer=DEMANDS_SERVICE, service="FERME"), SERVICE_UNKNOWN),
        (Paper(buyer=DEMANDS_SERVICE, service="ANCIEN"), SERVICE_UNKNOWN),
        (Paper(buyer=DEMANDS_SERVICE, service="FACTURES_PUBLIQUES"), SERVICE_UNKNOWN),
        (Paper(buyer=DEMANDS_SERVICE, service="SERVICEEJ"), "engagement juridique est obligatoire"),
        (Paper(buyer=DEMANDS_EJ), "engagement juridique est obligatoire"),
        (Paper(buyer=DEMANDS_EITHER), "engagement juridique ou le code service"),
        (Paper(buyer=DEMANDS_EITHER, ej="EJ1", service="NOWHERE"), SERVICE_UNKNOWN),
        (Paper(buyer=STATE, ej="1501966748"), "code service est obligatoire"),
        (Paper(buyer=STATE, service="SFACETAT"), "engagement juridique est obligatoire"),
        (Paper(buyer=DEMANDS_NOTHING, service="SERVICEEJ"), "engagement juridique est obligatoire"),
    ],
)
def test_a_document_that_chorus_would_not_take_is_refused_with_its_reason(processed, paper, text):
    report = processed(paper.ubl())
    (refused,) = report["listeErreurDP"]
    assert state(report) == "IN_REJETE"
    assert refused["numeroDP"] == paper.number
    assert text in refused["libelleErreurDP"]
    assert "listeErreurTechnique" not in report


@pytest.mark.parametrize(
    "paper",
    [
        Paper(buyer=DEMANDS_SERVICE, service="SERVICE1"),
        Paper(buyer=DEMANDS_SERVICE, service="SERVICEEJ", ej="EJ1"),
        Paper(buyer=DEMANDS_EJ, ej="EJ1"),
        Paper(buyer=DEMANDS_EITHER, ej="EJ1"),
        Paper(buyer=DEMANDS_EITHER, service="SERVICE1"),
        Paper(buyer=STATE, ej="1501966748", service="SFACETAT"),
        Paper(cadre=""),
        Paper(cadre="A25"),
    ],
)
def test_a_document_that_gives_what_its_buyer_demands_is_integrated(processed, paper):
    content = paper.ubl() if paper.cadre else paper.ubl().replace(b"<cbc:ProfileID></cbc:ProfileID>", b"")
    assert state(processed(content)) == "IN_INTEGRE"


def test_a_mixed_syntax_demands_the_attachment(processed):
    report = processed(Paper().ubl(), "IN_DP_E2_UBL_INVOICE_MIN")
    assert "pièce jointe" in report["listeErreurDP"][0]["libelleErreurDP"]


def test_a_public_supplier_may_use_the_service_of_public_invoices(chorus):
    client = Client(chorus.url, PUBLIC_LOGIN).sign_in()
    flow = client.deposit(Paper(seller=PUBLIC_SUPPLIER, buyer=DEMANDS_SERVICE, service="FACTURES_PUBLIQUES").ubl())
    chorus.advance(timedelta(minutes=2))
    assert state(client.report(flow)) == "IN_INTEGRE"


def test_an_unknown_ej_is_refused_where_the_buyer_knows_its_own(start):
    rows = [{"identifiantStructure": STATE, "structurePriveePublique": "PUBLIQUE", "engagements": ["1501966748"]}]
    chorus = start(seed={"structures": rows})
    client = Client(chorus.url).sign_in()
    flow = client.deposit(flow_of([Paper("F-1", buyer=STATE, ej="1501966748"), Paper("F-2", buyer=STATE, ej="1")]))
    chorus.advance(timedelta(minutes=2))
    (refused,) = client.report(flow)["listeErreurDP"]
    assert (refused["numeroDP"], "inconnu" in refused["libelleErreurDP"]) == ("F-2", True)


def test_several_reasons_are_joined_and_cut(processed):
    paper = Paper(number="F" * 30, cadre="B1", seller="1", buyer=DEMANDS_SERVICE, service="NOWHERE", means="")
    text = processed(paper.ubl())["listeErreurDP"][0]["libelleErreurDP"]
    assert len(text) == 255
    assert text.count("|") >= 2


def test_partial_integration_keeps_the_good_and_names_the_bad(processed, client):
    papers = [Paper(f"F-{n}", service="NOWHERE" if n in (3, 7) else "") for n in range(12)]
    report = processed(flow_of(papers))
    assert state(report) == "IN_INTEGRE_PARTIEL"
    assert [one["numeroDP"] for one in report["listeErreurDP"]] == ["F-3", "F-7"]
    assert client.search()["parametresRetour"]["total"] == 10


def test_the_same_issuer_number_and_year_is_refused_twice_even_within_one_flow(processed):
    assert state(processed(flow_of([Paper(), Paper()]))) == "IN_INTEGRE_PARTIEL"
    again = processed(Paper(net="50.00", gross="60.00").ubl())
    assert again["listeErreurDP"][0]["libelleErreurDP"] == DUPLICATE
    assert state(processed(Paper(day="2025-12-31").ubl())) == "IN_INTEGRE"
    assert state(processed(Paper(seller=SECOND_SUPPLIER).ubl())) == "IN_INTEGRE"


def test_the_year_may_be_that_of_the_deposit(start):
    chorus = start(duplicate_year="deposit")
    client = Client(chorus.url).sign_in()
    flows = [client.deposit(Paper(day=day).ubl()) for day in ("2025-12-31", "2026-03-01")]
    chorus.advance(timedelta(minutes=2))
    assert [state(client.report(flow)) for flow in flows] == ["IN_INTEGRE", "IN_REJETE"]


def test_what_was_rejected_does_not_count_as_deposited(processed):
    assert state(processed(Paper(service="NOWHERE").ubl())) == "IN_REJETE"
    assert state(processed(Paper().ubl())) == "IN_INTEGRE"


def test_with_duplicate_refusal_off_everything_is_integrated_and_counted(chorus, client, processed):
    chorus.refuse_duplicates(False)
    assert [state(processed(Paper().ubl())) for _ in range(2)] == ["IN_INTEGRE", "IN_INTEGRE"]
    assert len(client.found(numeroFacture="F-1")) == 2
    assert chorus.state()["counters"]["documents"] == 2


def test_an_unknown_flow_is_20001_of_another_service(client):
    told = client.report("CPP0011100000000000000099")
    assert (told["codeRetour"], told["libelle"]) == (20001, "POQ_MSG_01.003 : Flux introuvable")


def test_the_samples_of_the_aife_are_integrated_but_the_one_that_fails_its_schema(start):
    files = sorted((corpus() / "aife-chorus-pro" / "cii").glob("FSO1116A_*.xml"))
    if not files:
        pytest.skip(f"no AIFE samples under {corpus()}")
    public = {"structurePriveePublique": "PUBLIQUE"}
    sellers = [("81034732800017", "SIRET"), ("1234567890", "RIDET")]
    buyers = [
        ("53514650090018", ""),
        ("75356054900010", "SERV1"),
        ("00000000000000", "DSJPFGU057"),
        (STATE, "AAASCPV"),
    ]
    structures = [{"identifiantStructure": id_, "typeIdentifiantStructure": type_} for id_, type_ in sellers]
    for id_, service in buyers:
        services = [{"codeService": service}] if service else []
        structures.append({"identifiantStructure": id_, "services": services, **public})
    accounts = [{"login": "AIFE", "password": "p:w", "structures": [seller for seller, _ in sellers]}]
    # Several samples share one number.
    chorus = start(seed={"accounts": accounts, "structures": structures}, refuse_duplicates=False)
    client = Client(chorus.url, "AIFE:p:w").sign_in()

    flows = {file.stem: client.deposit(file.read_bytes(), "IN_DP_E2_CII_MIN_16B") for file in files}
    chorus.advance(timedelta(minutes=2))
    states = {stem: state(client.report(flow)) for stem, flow in flows.items()}

    assert [stem for stem, found in states.items() if found != "IN_INTEGRE"] == ["FSO1116A_P01"]

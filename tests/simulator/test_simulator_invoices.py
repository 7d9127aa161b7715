"""The invoices: search with its pages and filters, history with its pages, statuses by the clock and the scenario."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from .conftest import START, Client
from .paper import DEMANDS_EITHER, DEMANDS_NOTHING, SECOND_SUPPLIER, TELLS_NO_PAYMENT, Paper, flow_of

PAID = ["DEPOSEE", "EN_COURS_ACHEMINEMENT", "MISE_A_DISPOSITION", "MANDATEE", "COMPTABILISEE", "MISE_EN_PAIEMENT"]


def statuses(history):
    return [passage["histoStatutCode"] for passage in history["historiquesDesStatuts"]["histoStatut"]]


def page(number, size=None, **more):
    asked = {"pageResultatDemandee": number, **more}
    return {"rechercheFactureParFournisseur": asked if size is None else {**asked, "nbResultatsParPage": size}}


@pytest.fixture
def integrated(chorus, client):
    """Twenty-five invoices of one flow; they are DEPOSEE."""
    flow = client.deposit(flow_of(Paper(f"F-{n:02}", net=f"{n}.00", gross=f"{n}.00") for n in range(25)))
    chorus.advance(timedelta(minutes=1))
    return flow


def test_a_search_gives_ten_invoices_unless_asked_for_more(client, integrated):
    told = client.search(numeroFluxDepot=integrated)
    assert len(told["listeFactures"]) == 10
    assert told["parametresRetour"] == {"pageCourante": 1, "pages": 3, "nbResultatsParPage": 10, "total": 25}


def test_all_pages_together_are_all_invoices_once(client, integrated):
    numbers = [one["numeroFacture"] for p in range(1, 5) for one in client.found(**page(p))]
    assert sorted(numbers) == [f"F-{n:02}" for n in range(25)]
    assert client.found(**page(5)) == []


def test_a_search_is_sorted_as_asked_and_may_be_limited(client, integrated):
    rising = client.found(**page(1, 3, triColonne="NumeroFacture", triSens="Ascendant"))
    falling = client.found(**page(1, 3, triColonne="MontantTTC", triSens="Descendant"))
    limited = client.search(**page(2, 10, nbResultatsMaximum=12))
    assert [one["numeroFacture"] for one in rising] == ["F-00", "F-01", "F-02"]
    assert [one["numeroFacture"] for one in falling] == ["F-24", "F-23", "F-22"]
    assert (len(limited["listeFactures"]), limited["parametresRetour"]["total"]) == (2, 12)


@pytest.fixture
def various(chorus, client):
    """Three invoices: other issuer, buyer, status and day each. START is 10:00 in Paris."""
    papers = [
        Paper("F-A", day="2026-01-31"),
        Paper("F-B", seller=SECOND_SUPPLIER, day="2026-02-15", net="500.00"),
        Paper("F-C", buyer=DEMANDS_EITHER, service="SERVICE1", day="2026-03-01"),
    ]
    for paper in papers:
        client.deposit(paper.ubl())
        chorus.advance(timedelta(minutes=50))


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({}, "ABC"),
        ({"numeroFacture": "F-B"}, "B"),
        ({"numeroFluxDepot": "CPP0011100000000000000003"}, "C"),
        ({"idFournisseur": 25_000_002}, "B"),
        ({"idFournisseur": 1}, ""),
        ({"listeDestinataire": [{"idDestinataire": 25_000_008}]}, "C"),
        ({"listeDestinataire": [{"idDestinataire": 25_000_008, "listeIdServiceExecutant": [1]}]}, ""),
        ({"periodeDateDepotDu": "2026-03-02T10:50:00+01:00"}, "BC"),
        ({"periodeDateDepotAu": "2026-03-02T10:30:00.000+01:00"}, "A"),
        ({"periodeDateDepotDu": "2026-03-02", "periodeDateDepotAu": "2026-03-02"}, "ABC"),
        ({"periodeDateDepotDu": "02/03/2026", "periodeDateDepotAu": "02/03/2026"}, "ABC"),
        ({"periodeDateDepotDu": "2026-03-03"}, ""),
        ({"periodeDateHeureEtatCourantDu": "2026-03-02T11:00:00Z"}, "A"),
        ({"periodeDateHeureEtatCourantAu": "2026-03-02T11:45:00+01:00"}, "C"),
        ({"periodeDateFactureDu": "2026-02-01", "periodeDateFactureAu": "2026-02-28"}, "B"),
        ({"statutCourant": ["EN_COURS_ACHEMINEMENT", "MISE_A_DISPOSITION"]}, "AB"),
        ({"statutCourant": ["DEPOSEE"]}, "C"),
        ({"montantHTMin": 200}, "B"),
        ({"montantHTMax": 200}, "AC"),
        ({"cadreFacturation": "A1_FACTURE_FOURNISSEUR"}, "ABC"),
        ({"typeFacture": "AVOIR"}, ""),
        ({"modeDepot": "UPLOAD_API", "rejetTraite": False}, "ABC"),
    ],
)
def test_each_filter_finds_what_it_says(client, various, filters, numbers):
    assert sorted(one["numeroFacture"] for one in client.found(**filters)) == [f"F-{one}" for one in numbers]


def test_a_date_that_is_none_is_a_bad_request(client):
    assert client.post("factures/v1/rechercher/fournisseur", {"periodeDateDepotDu": "tomorrow"}).status_code == 400


def test_an_empty_search_is_an_empty_list_or_20000_as_switched(chorus, client):
    assert client.search()["listeFactures"] == []
    chorus.switch("empty_search_is_an_error", True)
    assert client.search()["codeRetour"] == 20000


def test_amounts_dates_and_references_are_those_of_the_invoice(chorus, client):
    client.deposit(Paper(buyer=DEMANDS_EITHER, service="SERVICE1", ej="EJ1").cii(), "IN_DP_E1_CII_16B")
    chorus.advance(timedelta(minutes=1))
    (told,) = client.found(recupererTaille=True)
    assert (told["montantHT"], told["montantTTC"], told["montantAPayer"]) == (100.0, 120.0, 120.0)
    assert told["dateFacture"] == "2026-03-01T00:00:00.000+01:00"
    assert told["dateDepot"] == "2026-03-02T10:00:00.000+01:00"
    assert (told["codeServiceExecutant"], told["numeroBonCommande"]) == ("SERVICE1", "EJ1")
    assert told["taille"] == len(Paper(buyer=DEMANDS_EITHER, service="SERVICE1", ej="EJ1").cii())


def test_nothing_happens_until_the_clock_is_moved(chorus, client):
    client.deposit(Paper().ubl())
    assert client.found() == []
    chorus.advance(timedelta(minutes=1))
    assert client.found()[0]["statut"] == "DEPOSEE"
    chorus.advance(timedelta(minutes=59, seconds=59))
    assert client.found()[0]["statut"] == "DEPOSEE"
    chorus.advance(timedelta(seconds=1))
    assert client.found()[0]["statut"] == "EN_COURS_ACHEMINEMENT"
    assert chorus.now() == START + timedelta(minutes=61)


def test_a_week_at_once_leaves_the_history_that_a_week_would_have_left(chorus, client):
    client.deposit(Paper().ubl())
    chorus.advance(timedelta(days=7))
    told = client.history("F-1", paramRechercheHistoStatuts={"triSensListeHistoStatut": "Ascendant"})
    passages = told["historiquesDesStatuts"]["histoStatut"]
    assert statuses(told) == PAID
    assert passages[0]["histoStatutDatePassage"] == "2026-03-02T10:01:00.000+01:00"
    assert passages[5]["histoStatutDatePassage"] == "2026-03-02T15:01:00.000+01:00"


def test_a_history_names_a_person_who_does_not_exist(chorus, client):
    client.deposit(Paper().ubl())
    chorus.advance(timedelta(minutes=1))
    (passage,) = client.history("F-1")["historiquesDesStatuts"]["histoStatut"]
    for field in ("Prenom", "Nom", "Email", "Telephone"):
        assert passage[f"histoStatutUtilisateur{field}"]


def test_a_history_has_pages_too_newest_first(chorus, client):
    client.deposit(Paper().ubl())
    chorus.advance(timedelta(days=1))
    for n in range(6):
        chorus.set_status("F-1", f"S{n}")
    first = client.history("F-1")
    second = client.history("F-1", paramRechercheHistoStatuts={"pageResultatDemandeeListeHistoStatut": 2})
    assert statuses(first)[0] == "S5"
    assert len(statuses(first)) == 10
    assert statuses(second) == ["EN_COURS_ACHEMINEMENT", "DEPOSEE"]
    assert first["historiquesDesStatuts"]["pagesHistoStatut"] == 2


def test_an_unknown_invoice_is_a_business_error(client):
    assert client.ask("factures/v1/consulter/historique", idFacture=99)["codeRetour"] == 20001
    assert client.ask("factures/v1/consulter/historique")["codeRetour"] == 20001


def test_the_scenario_chooses_the_path_by_number_buyer_and_issuer(start):
    chorus = start(
        scenario={
            "rules": [
                {"number": "R-*", "path": "rejected:Taux de TVA erroné"},
                {"number": "C-*", "buyer": DEMANDS_NOTHING, "path": "recycle"},
                {"issuer": SECOND_SUPPLIER, "path": "suspended"},
                {"number": "M-*", "path": "mandated-only"},
                {"number": "I-*", "path": "invented"},
                {"number": "L-*", "path": ["DEPOSEE", {"status": "SERVICE_FAIT", "comment": "ok", "after_s": 5}]},
            ]
        }
    )
    client = Client(chorus.url).sign_in()
    papers = [Paper(number) for number in ("R-1", "C-1", "M-1", "I-1", "L-1", "P-1")]
    client.deposit(flow_of([*papers, Paper("S-1", seller=SECOND_SUPPLIER), Paper("H-1", buyer=TELLS_NO_PAYMENT)]))
    chorus.advance(timedelta(minutes=1, seconds=5))
    early = {one["numeroFacture"]: one["statut"] for one in client.found()}
    chorus.advance(timedelta(days=2))
    late = {one["numeroFacture"]: (one["statut"], one.get("commentaireEtatCourant", "")) for one in client.found()}

    assert (early["L-1"], early["P-1"]) == ("SERVICE_FAIT", "DEPOSEE")
    assert late == {
        "R-1": ("REJETEE", "Taux de TVA erroné"),
        "C-1": ("A_RECYCLER", "SE/EJ incorrect (retransmission possible)"),
        "S-1": ("SUSPENDUE", "Justificatif absent ou insuffisant"),
        "M-1": ("MANDATEE", ""),
        "I-1": ("INVENTED", "A status that nobody documented"),
        "L-1": ("SERVICE_FAIT", "ok"),
        "P-1": ("MISE_EN_PAIEMENT", ""),
        "H-1": ("COMPTABILISEE", ""),
    }


def test_a_scenario_that_means_nothing_is_refused_at_the_start(start):
    for wrong in (
        {"rules": [{"path": "nowhere"}]},
        {"rules": [{"path": "paid", "nombre": "*"}]},
        {"rulez": []},
        {"options": {"speeed": 3}},
        {"rules": [{"path": []}]},
    ):
        with pytest.raises(ValueError, match="simulator"):
            start(scenario=wrong)


def test_a_status_set_by_hand_ends_the_foreseen_path(chorus, client):
    client.deposit(Paper().ubl())
    chorus.advance(timedelta(hours=2, minutes=1))
    chorus.set_status("F-1", "REJETEE", "Erreur RIB")
    chorus.advance(timedelta(days=3))
    (told,) = client.found()
    assert (told["statut"], told["commentaireEtatCourant"]) == ("REJETEE", "Erreur RIB")
    with pytest.raises(KeyError):
        chorus.set_status("F-2", "REJETEE")


def test_a_real_clock_runs_by_itself_as_fast_as_asked(start):
    chorus = start(clock="real", speed=36_000, start=None)
    client = Client(chorus.url).sign_in()
    client.deposit(Paper().ubl())
    deadline = datetime.now(UTC) + timedelta(seconds=15)
    while (found := client.found()) == [] or found[0]["statut"] != "MISE_EN_PAIEMENT":
        assert datetime.now(UTC) < deadline


def test_structures_services_and_their_demands_are_told(client):
    asked = {"structure": {"typeStructure": "PUBLIQUE"}, "parametres": {"nbResultatsParPage": 3}}
    public = client.ask("structures/v1/rechercher", **asked)
    (one,) = client.ask("structures/v1/rechercher", structure={"identifiantStructure": "12345678200028"})[
        "listeStructures"
    ]
    looked = client.ask("structures/v1/consulter", idStructureCPP=one["idStructureCPP"])
    services = client.ask("structures/v1/rechercher/services", idStructure=one["idStructureCPP"])["listeServices"]
    demands = {
        service["codeService"]: client.ask(
            "structures/v1/consulter/service", idStructure=one["idStructureCPP"], idService=service["idService"]
        )["parametres"]
        for service in services
    }

    assert (len(public["listeStructures"]), public["parametresRetour"]["pages"]) == (3, 3)
    assert looked["parametres"]["codeServiceDoitEtreRenseigne"] is True
    assert looked["parametres"]["numeroEJDoitEtreRenseigne"] is False
    assert demands["SERVICEEJ"]["numeroEngagement"] is True
    assert demands["ANCIEN"]["dateFinValidite"].startswith("2020-12-31")
    assert {s["codeService"]: s["estActif"] for s in services}["FERME"] is False
    assert client.ask("structures/v1/consulter", idStructureCPP=1)["codeRetour"] == 20001
    assert (
        client.ask("structures/v1/consulter/service", idStructure=one["idStructureCPP"], idService=1)["codeRetour"]
        == 20002
    )

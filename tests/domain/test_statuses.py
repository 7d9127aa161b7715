"""Chorus Pro's statuses and flow states: the whole published list, and what is not on it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.ack import Action, Source
from gateway.domain.flow_states import FLOW_STATES, FlowOutcome, flow_state
from gateway.domain.states import ENDED, DocumentState
from gateway.domain.statuses import STATUSES, Amendment, Turn, status

SHARED = Path(os.environ.get("GATEWAY_SHARED", Path(__file__).resolve().parents[2] / ".." / "shared"))

CPP = {
    "01": "DEPOSEE", "02": "EN_COURS_ACHEMINEMENT", "03": "MISE_A_DISPOSITION", "04": "A_RECYCLER",
    "05": "REJETEE", "06": "SUSPENDUE", "07": "SERVICE_FAIT", "08": "MANDATEE",
    "09": "MISE_A_DISPOSITION_COMPTABLE", "10": "COMPTABILISEE", "11": "MISE_EN_PAIEMENT", "12": "COMPLETEE",
    "37": "NON_CONFORME",
}  # fmt: skip


def published_enum(name: str) -> set[str]:
    path = SHARED / "reference" / "chorus-pro-factures.openapi.json"
    if not path.exists():
        pytest.skip(f"no published API description at {path}")
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, dict):
            wanted = node.get(name)
            if isinstance(wanted, dict):
                found.update(wanted.get("enum", ()))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(json.loads(path.read_text(encoding="utf-8")))
    return found


def test_every_status_of_the_published_api_is_in_the_table():
    published = published_enum("statutCourant") | published_enum("statutCourantCode")
    assert len(published) >= 50
    assert published - set(STATUSES) == set()


def test_the_numbers_of_cppstatut_are_those_of_its_schema():
    assert {known.cpp: code for code, known in STATUSES.items() if known.cpp} == CPP


@pytest.mark.parametrize("code", STATUSES)
def test_a_known_status_has_a_label_in_both_languages_and_hangs_together(code):
    known = status(code)
    assert known.known and known.label.fr and known.label.en
    if known.state is DocumentState.TO_AMEND:
        assert known.turn is Turn.SUPPLIER and known.always_told and known.action is not Action.NONE
    if known.terminal:
        assert known.always_told and known.state in ENDED
    if known.amendment is not Amendment.NONE:
        assert known.state is DocumentState.TO_AMEND and known.action is Action.INSTRUCT


@pytest.mark.parametrize(
    ("code", "state", "action", "reform", "retransmittable"),
    [
        ("DEPOSEE", DocumentState.LIVE, Action.NONE, "200", None),
        ("MISE_A_DISPOSITION", DocumentState.LIVE, Action.NONE, "203", None),
        ("A_RECYCLER", DocumentState.TO_AMEND, Action.INSTRUCT, "", True),
        ("SUSPENDUE", DocumentState.TO_AMEND, Action.INSTRUCT, "208", False),
        ("REJETEE", DocumentState.REJECTED, Action.REISSUE, "210", False),
        ("MISE_EN_PAIEMENT", DocumentState.PAID, Action.NONE, "211", None),
        ("SUPPRIMEE", DocumentState.FINAL, Action.NONE, "", False),
        ("ABANDONNEE", DocumentState.FINAL, Action.NONE, "", False),
    ],
)
def test_the_statuses_that_matter_lead_where_they_should(code, state, action, reform, retransmittable):
    found = status(code)
    assert (found.state, found.action, found.reform, found.retransmittable) == (
        state, action, reform, retransmittable,
    )  # fmt: skip


def test_only_a_recycler_lets_the_same_number_go_again():
    assert [code for code in STATUSES if status(code).retransmittable] == ["A_RECYCLER"]


def test_a_draft_is_no_invoice():
    assert status("BROUILLON").state is None
    assert status("INTERPRETEE_OCR").state is None


def test_the_state_answers_through_chorus_and_the_buyer_for_itself():
    assert status("DEPOSEE").source is Source.CHORUS
    assert status("REJETEE").source is Source.BUYER


@given(st.text(max_size=200))
def test_an_unknown_status_is_kept_told_and_alerted_and_never_pending(code):
    found = status(code)
    if code.strip() in STATUSES:
        return
    assert not found.known and found.alert and found.always_told and not found.terminal
    assert found.state is None and found.action is Action.CONTACT and found.retransmittable is None
    assert found.code.isprintable() and len(found.code) <= 60


def test_the_code_of_an_unknown_status_stands_in_its_label():
    assert status("INVENTED").code == "INVENTED"
    assert "INVENTED" in status("INVENTED").label.fr


@pytest.mark.parametrize(
    ("code", "outcome", "alert"),
    [
        ("IN_RECU", FlowOutcome.PENDING, False),
        ("IN_DEPOT_PORTAIL_EN_ATTENTE_TRAITEMENT_SE_CPP", FlowOutcome.PENDING, False),
        ("IN_TRAITE_SE_CPP", FlowOutcome.PENDING, False),
        ("IN_EN_ATTENTE_TRAITEMENT_CPP", FlowOutcome.PENDING, False),
        ("IN_EN_COURS_TRAITEMENT_CPP", FlowOutcome.PENDING, False),
        ("IN_EN_ATTENTE_RETRAITEMENT_CPP", FlowOutcome.PENDING, True),
        ("IN_A_RELANCER", FlowOutcome.PENDING, True),
        ("IN_ERREUR_INTERNE", FlowOutcome.PENDING, True),
        ("IN_INCIDENTE", FlowOutcome.INCIDENT, True),
        ("IN_REJETE", FlowOutcome.REJECTED, False),
        ("IN_INTEGRE_PARTIEL", FlowOutcome.PARTIAL, False),
        ("IN_INTEGRE", FlowOutcome.INTEGRATED, False),
        ("QP_IRRECEVABLE", FlowOutcome.REJECTED, False),
        ("QP_RECEVABLE_AVEC_ERREUR", FlowOutcome.PARTIAL, False),
    ],
)
def test_each_flow_state_has_its_outcome(code, outcome, alert):
    found = flow_state(code)
    assert (found.outcome, found.alert, found.known) == (outcome, alert, True)
    assert found.label.fr and found.label.en


def test_no_flow_state_is_left_out_of_the_test_above():
    assert len(FLOW_STATES) == 14


@given(st.text(max_size=200))
def test_an_unknown_flow_state_never_ends_a_flow(code):
    found = flow_state(code)
    if code.strip() not in FLOW_STATES:
        assert found.outcome is FlowOutcome.UNKNOWN_STATE and not found.outcome.terminal and found.alert

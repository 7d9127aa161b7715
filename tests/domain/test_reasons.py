"""The State's 16 reasons: the catalogue is whole, and free texts are recognised however they are written."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.ack import Action
from gateway.domain.reason_text import Certainty, recognise
from gateway.domain.reasons import CATALOGUE, Reason, Treatment, action_for, remedy_for
from gateway.domain.statuses import STATUSES, status

R = Reason

WORDINGS = [
    (R.SE_EJ_INCORRECT, "Motif : SE/EJ incorrect (retransmission possible)"),
    (R.SE_EJ_INCORRECT, "n° EJ erroné"),
    (R.SE_EJ_INCORRECT, "CODE SERVICE INCONNU"),
    (R.SE_EJ_INCORRECT, "L'EJ 1501966748 n'existe pas"),
    (R.SE_EJ_INCORRECT, "Engagement juridique soldé"),
    (R.SE_EJ_INCORRECT, "numéro de commande absent"),
    (R.SE_EJ_INCORRECT, "Mauvais destinataire"),
    (R.CREANCIER_INCONNU, "Créancier inconnu / ≠ EJ"),
    (R.CREANCIER_INCONNU, "le créancier est différent de celui de l'EJ"),
    (R.CREANCIER_INCONNU, "Fournisseur ne correspond pas au titulaire du marché"),
    (R.MARCHE_TERMINE, "Marché terminé"),
    (R.MARCHE_TERMINE, "MARCHE CLOS depuis le 31/12"),
    (R.MARCHE_TERMINE, "contrat échu"),
    (R.ST_CT_NON_DECLARE, "ST/CT non déclaré"),
    (R.ST_CT_NON_DECLARE, "Sous-traitant non déclaré au marché"),
    (R.ST_CT_NON_DECLARE, "cotraitant inconnu, DC4 attendu"),
    (R.COMPENSATION_AVOIRS, "Suppression pour compensation d'avoirs"),
    (R.COMPENSATION_AVOIRS, "facture supprimée : compensée par l’avoir A12"),
    (R.COMPENSATION_AVOIRS, "compensation avec avoir n° 44"),
    (R.JUSTIFICATIF_ABSENT, "Justificatif absent ou insuffisant"),
    (R.JUSTIFICATIF_ABSENT, "Merci de joindre le bon de livraison"),
    (R.JUSTIFICATIF_ABSENT, "il manque le PV de réception"),
    (R.MONTANT_ERRONE, "Montant erroné"),
    (R.MONTANT_ERRONE, "le total TTC est supérieur à la commande"),
    (R.MONTANT_ERRONE, "Erreur de calcul"),
    (R.TVA_ERRONEE, "Taux de TVA erroné"),
    (R.TVA_ERRONEE, "TVA incorrecte : 10% au lieu de 20%"),
    (R.TVA_ERRONEE, "taux tva faux"),
    (R.RETRAITEMENT_MANUEL, "Retraitement manuel par les services"),
    (R.RETRAITEMENT_MANUEL, "facture traitée manuellement"),
    (R.RETRAITEMENT_MANUEL, "traitement manuel hors Chorus"),
    (R.PAIEMENT_REGIE, "Transfert pour paiement en régie"),
    (R.PAIEMENT_REGIE, "payée par le régisseur"),
    (R.PAIEMENT_REGIE, "Réglée en REGIE"),
    (R.RIB_ERRONE, "Erreur de RIB"),
    (R.RIB_ERRONE, "coordonnées bancaires incorrectes"),
    (R.RIB_ERRONE, "Il se trouve que l'IBAN est différent de celui du marché"),
    (R.LIVRAISON_INCOMPLETE, "Livraison incomplète / non effectuée"),
    (R.LIVRAISON_INCOMPLETE, "marchandise non reçue"),
    (R.LIVRAISON_INCOMPLETE, "service non fait"),
    (R.NON_CONFORME, "Facture non conforme à la commande"),
    (R.NON_CONFORME, "ne correspond pas au bon de commande"),
    (R.NON_CONFORME, "prix unitaire erroné"),
    (R.DOUBLE_FACTURATION, "Double facturation"),
    (R.DOUBLE_FACTURATION, "doublon"),
    (R.DOUBLE_FACTURATION, "facture déjà payée"),
    (R.CONTACTER_ACHETEUR, "Contacter votre acheteur"),
    (R.CONTACTER_ACHETEUR, "merci de contacter le service gestionnaire"),
    (R.CONTACTER_ACHETEUR, "Veuillez vous rapprocher de votre acheteur"),
    (R.SUPPRESSION_MASSE, "Suppression en masse"),
    (R.SUPPRESSION_MASSE, "factures supprimées en masse"),
    (R.SUPPRESSION_MASSE, "rejet massif après migration"),
]


def test_all_sixteen_reasons_are_in_the_catalogue_with_texts_in_both_languages():
    assert len(CATALOGUE) == len(Reason) == 16
    for reason, entry in CATALOGUE.items():
        assert entry.reason is reason and entry.codes
        assert all((entry.label.fr, entry.label.en, entry.remedy.fr, entry.remedy.en))


def test_no_published_code_belongs_to_two_reasons():
    codes = [code for entry in CATALOGUE.values() for code in entry.codes]
    assert len(codes) == len(set(codes))


def test_the_honest_count_of_what_is_foreseen_is_that_of_the_order_book():
    counts = dict.fromkeys(Treatment, 0)
    for entry in CATALOGUE.values():
        counts[entry.treatment] += 1
    assert counts == {Treatment.PREVENTED: 5, Treatment.PREDICTED: 7, Treatment.REPORTED: 4}


def test_only_the_wrong_service_or_order_number_may_be_sent_again_by_the_states_own_list():
    assert [reason for reason, entry in CATALOGUE.items() if entry.retransmittable] == [R.SE_EJ_INCORRECT]


@pytest.mark.parametrize(("reason", "text"), WORDINGS)
def test_a_wording_is_recognised(reason, text):
    found = recognise(text, "REJETEE")
    assert (found.reason, found.certainty) == (reason, Certainty.TEXT), found


def test_each_reason_is_tried_in_three_wordings():
    assert {reason: sum(r is reason for r, _ in WORDINGS) >= 3 for reason in Reason} == dict.fromkeys(Reason, True)


@given(st.sampled_from(WORDINGS), st.data())
@settings(deadline=None)
def test_case_accents_apostrophes_and_blanks_change_nothing(wording, data):
    reason, text = wording
    changed = data.draw(
        st.sampled_from(
            [
                text.upper(),
                text.lower(),
                "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c)),
                unicodedata.normalize("NFD", text),
                text.replace("'", "’"),
                text.replace(" ", "   "),
                f"  {text} .",
                f"Rejet : {text}",
                text.replace(" ", "\u00a0"),
            ]
        )
    )
    assert recognise(changed, "REJETEE").reason is reason


@pytest.mark.parametrize(("reason", "entry"), CATALOGUE.items())
def test_a_published_code_is_surer_than_words(reason, entry):
    for code in (code for code in entry.codes if "_" in code):  # DOUBLON is also a plain word
        found = recognise(f"motif {code.lower()} : RIB erroné", "REJETEE")
        assert (found.reason, found.certainty) == (reason, Certainty.CODE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("LE CODE SERVICE EST ERRO", R.SE_EJ_INCORRECT),
        ("Facture non conforme à la comm", R.NON_CONFORME),
        ("Double factur", R.DOUBLE_FACTURATION),
        ("Transfert pour paiement en régi", R.PAIEMENT_REGIE),
    ],
)
def test_a_text_that_was_cut_off_is_still_recognised(text, reason):
    assert recognise(text, "REJETEE").reason is reason


@pytest.mark.parametrize("text", ["", "Bonjour", "voir mail", "Adresse erronée", "l'éjection", "Il se peut", "\0\n"])
def test_what_is_not_recognised_has_no_reason(text):
    assert recognise(text, "REJETEE").reason is None


def test_several_reasons_are_all_given_the_first_named_first():
    found = recognise("RIB erroné ; taux de TVA faux", "REJETEE")
    assert found.reason is R.RIB_ERRONE
    assert found.certainty is Certainty.SEVERAL and R.TVA_ERRONEE in found.others


def test_a_request_to_call_does_not_hide_the_fault_named_beside_it():
    found = recognise("merci de contacter votre acheteur, EJ incorrect", "REJETEE")
    assert found.reason is R.SE_EJ_INCORRECT


def test_a_comment_on_a_status_that_refuses_nothing_gives_no_reason():
    assert recognise("déjà payée", "MISE_EN_PAIEMENT").reason is None


def test_a_recycler_says_by_itself_that_the_routing_is_wrong():
    found = recognise("voir courrier", "A_RECYCLER")
    assert (found.reason, found.certainty) == (R.SE_EJ_INCORRECT, Certainty.STATUS)


def test_the_remedy_says_how_to_send_again_by_the_status_not_by_the_reason():
    recycled = remedy_for(R.SE_EJ_INCORRECT, status("A_RECYCLER"))
    rejected = remedy_for(R.SE_EJ_INCORRECT, status("REJETEE"))
    completed = remedy_for(R.JUSTIFICATIF_ABSENT, status("SUSPENDUE"))
    assert "sous le même numéro" in recycled.fr and "same number" in recycled.en
    assert "nouveau numéro" in rejected.fr and "new number" in rejected.en
    assert "pièces jointes" in completed.fr and "sous le même numéro" in completed.fr


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        (R.COMPENSATION_AVOIRS, Action.NONE),
        (R.PAIEMENT_REGIE, Action.NONE),
        (R.MONTANT_ERRONE, Action.REISSUE),
        (R.CONTACTER_ACHETEUR, Action.CONTACT),
        (None, Action.REISSUE),
    ],
)
def test_a_rejected_invoice_is_reissued_only_where_the_reason_calls_for_it(reason, action):
    assert action_for(reason, status("REJETEE")) is action
    if action is not Action.REISSUE:
        assert "nouvelle facture sous un nouveau numéro" not in remedy_for(reason, status("REJETEE")).fr


def test_whatever_the_reason_an_amendable_invoice_is_amended():
    for reason in (None, *Reason):
        assert action_for(reason, status("A_RECYCLER")) is Action.INSTRUCT
        assert action_for(reason, status("SUSPENDUE")) is Action.INSTRUCT


def test_every_reason_under_every_status_has_a_remedy_where_something_is_asked():
    for code in (*STATUSES, "INVENTED"):
        for reason in (None, *Reason):
            if action_for(reason, status(code)) is not Action.NONE:
                assert remedy_for(reason, status(code)).fr and remedy_for(reason, status(code)).en


@given(st.text(max_size=500), st.sampled_from([*STATUSES, "INVENTED", ""]))
@settings(deadline=None)
def test_no_text_breaks_the_recogniser(text, code):
    assert recognise(text, code).certainty in Certainty


@pytest.mark.parametrize("unit", ["n ", "ej ", "ne correspond ", "ﷺ", "é", "numero d ", "non "])
def test_a_hostile_text_of_a_megabyte_takes_no_longer_than_its_bound(unit):
    text = unit * (1_000_000 // len(unit))
    began = time.process_time()
    recognise(text, "REJETEE")
    assert time.process_time() - began < 30, "a hang guard: back-tracking took for ever"

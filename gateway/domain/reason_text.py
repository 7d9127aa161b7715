"""Which of the State's reasons a buyer's free text gives. The API has no code for it (domain facts 3.4).

What is not recognised stays as it came, with no reason; nothing is guessed from a comment on a status that refuses
nothing ("payé le 12" is no rejection).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.domain.reason_patterns import Pattern, Words, patterns
from gateway.domain.reasons import CATALOGUE, Reason
from gateway.domain.states import DocumentState
from gateway.domain.statuses import Amendment, status


class Certainty(StrEnum):
    """How the reason is known, the surest first."""

    CODE = "code"  #: the text carries a published code
    TEXT = "text"  #: one reason is met
    SEVERAL = "several"  #: several are; the one named first is given, the others stand beside it
    STATUS = "status"  #: the status alone says it
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Recognised:
    """A reason, or none. `others` are reasons that the text names as well."""

    reason: Reason | None
    certainty: Certainty
    others: tuple[Reason, ...] = ()


_NOTHING: Final = Recognised(None, Certainty.NONE)

_WRONG: Final = (
    "erron|erreur|incorrect|inexact|faux|fausse|invalid|non_valide|pas_valide|pas_bon|pas_bonne|mauvais|inconnu"
    "|non_conforme|n_existe|inexistant|manqu|absen|non_renseign|oubli"
)
_MISSING: Final = "absen|manqu|insuffis|non_joint|incompl|oubli|fournir|joindre|transmettre|illisible|pas_de"
_NOT_DONE: Final = "incompl|partiel|non_effectu|pas_effectu|non_recu|pas_recu|non_livr|pas_livr|non_fait"

_PATTERNS: Final[Mapping[Reason, tuple[Pattern, ...]]] = {
    Reason.SE_EJ_INCORRECT: patterns(
        f"ej|engagement_juridique|numero_d_engagement|n_engagement|engagement & {_WRONG}",
        f"service_executant|code_service|service_destinataire & {_WRONG}",
        f"numero_de_commande|n_commande|n_de_commande|bon_de_commande|reference_commande & {_WRONG}",
        f"siret & destinataire|debiteur|acheteur & {_WRONG}",
        "erreur|mauvais|donnees & routage|acheminement|aiguillage",
        "mauvais_destinataire|mauvais_service|erreur_de_destinataire|erreur_destinataire|erreur_de_service",
        # "se" is also a common French word: it counts only beside its fellow words
        "se_ej|ej_se|code_se|se_incorrect|se_inconnu|se_erron|se_absent",
        "retransmission_possible",
        "ej|engagement_juridique & cloture|solde|ferme|annule",
    ),
    Reason.CREANCIER_INCONNU: patterns(
        f"creancier|titulaire|emetteur|tiers_fournisseur & {_WRONG}|differ",
        "fournisseur & differ|inconnu|ne_correspond",
    ),
    Reason.MARCHE_TERMINE: patterns("marche|contrat|convention & termin|clos|echu|expir|cloture|fini|resili|arrive_a"),
    Reason.ST_CT_NON_DECLARE: patterns(
        "sous_traitan|soustraitan|cotraitan|co_traitan|st|ct & non_declar|pas_declar|inconnu|non_agre|non_accept|dc4",
        "st_ct",
    ),
    Reason.COMPENSATION_AVOIRS: patterns("compens & avoir", "supprim|suppression & avoir"),
    Reason.JUSTIFICATIF_ABSENT: patterns(
        f"justificatif|piece|pj|attestation|proces_verbal|pv|annexe|bon_de_livraison|bl|bordereau & {_MISSING}",
        "manque|absence & justificatif|piece|attestation|bon_de_livraison|bl|pv",
    ),
    Reason.MONTANT_ERRONE: patterns(
        "montant|total|somme|totaux|ht|ttc & erron|erreur|incorrect|inexact|faux|fausse|differ|superieur|depass",
        "erreur_de_calcul|calcul_errone",
    ),
    Reason.TVA_ERRONEE: patterns("tva & erron|erreur|incorrect|inexact|faux|fausse|mauvais|differ|taux|autoliquid"),
    Reason.RETRAITEMENT_MANUEL: patterns("retrait|traite|traitement & manuel", "hors_chorus & traite|paye"),
    Reason.PAIEMENT_REGIE: patterns("regie|regisseur & paie|paye|transf|regl", "carte_achat"),
    Reason.RIB_ERRONE: patterns(
        f"rib|iban|bic|coordonnees_bancaires|compte_bancaire|domiciliation & {_WRONG}|differ|modif|change|joindre",
        "changement|modification & rib|iban|coordonnees_bancaires|compte_bancaire",
    ),
    Reason.LIVRAISON_INCOMPLETE: patterns(
        f"livr|reception|prestation|service_fait|marchandise|intervention & {_NOT_DONE}",
        "non_livr|pas_livr|non_effectu|livraison_non|service_non_fait|service_fait_non",
    ),
    Reason.NON_CONFORME: patterns(
        "conform & non|pas & commande|bon|bc|devis|marche|facture",
        "ne_correspond|ne_correspondent|correspond_pas & commande|bon|devis|bc",
        "quantite|prix|prix_unitaire|article|pu & erron|erreur|incorrect|differ|faux|non_conforme",
    ),
    Reason.DOUBLE_FACTURATION: patterns(
        "doublon|double_factur|double_emploi|doublonne|deux_fois|en_double|facture_double",
        "deja & factur|paye|paie|regl|recu|depos|trait",
    ),
    Reason.CONTACTER_ACHETEUR: patterns(
        "contact|appel|rapproch|joindre|prendre_attache & acheteur|service|gestionnaire|prescripteur|correspondant"
    ),
    Reason.SUPPRESSION_MASSE: patterns("suppression|supprim|rejet & masse|massif|massive"),
}

#: A general request beside a named fault says nothing more.
_WEAK: Final = frozenset({Reason.CONTACTER_ACHETEUR})

_SPECIFIC_FIRST: Final[Mapping[Reason, frozenset[Reason]]] = {
    # "taux de TVA erroné, montant TVA faux" is about VAT; "RIB à joindre" is no missing document in general.
    Reason.TVA_ERRONEE: frozenset({Reason.MONTANT_ERRONE}),
    Reason.RIB_ERRONE: frozenset({Reason.JUSTIFICATIF_ABSENT}),
    Reason.COMPENSATION_AVOIRS: frozenset({Reason.SUPPRESSION_MASSE}),
    Reason.SUPPRESSION_MASSE: frozenset({Reason.DOUBLE_FACTURATION}),
    # "Facture non conforme à la commande" has the words of a wrong order number.
    Reason.NON_CONFORME: frozenset({Reason.SE_EJ_INCORRECT}),
    # "Créancier différent de l'EJ" and "marché terminé, EJ clôturé" name the EJ without calling it wrong.
    Reason.CREANCIER_INCONNU: frozenset({Reason.SE_EJ_INCORRECT}),
    Reason.MARCHE_TERMINE: frozenset({Reason.SE_EJ_INCORRECT}),
}

#: Published codes, and those of routing and addressing that mean the same mending.
_CODES: Final[Mapping[str, Reason]] = {
    **{code: entry.reason for entry in CATALOGUE.values() for code in entry.codes},
    **dict.fromkeys(("SIRET_ERR", "DEST_ERR", "DEST_INC", "ROUTAGE_ERR"), Reason.SE_EJ_INCORRECT),
}

_REFUSING: Final = frozenset({DocumentState.TO_AMEND, DocumentState.REJECTED, DocumentState.FINAL})


def recognise(text: str, status_code: str) -> Recognised:
    """The reason that `text` gives under the native status; an empty or foreign text gives what the status says."""
    native = status(status_code)
    if native.state not in _REFUSING and native.known:
        return _NOTHING
    found = _by_code(text) or _by_words(Words.of(text))
    if found:
        return found
    if native.amendment is Amendment.RECYCLE:
        return Recognised(Reason.SE_EJ_INCORRECT, Certainty.STATUS)
    if native.amendment is Amendment.COMPLETE and not text.strip():
        return Recognised(Reason.JUSTIFICATIF_ABSENT, Certainty.STATUS)
    return _NOTHING


def _by_code(text: str) -> Recognised | None:
    """A published code stands in the text as a word of its own. NON_CONFORME is one with its underscore only."""
    words = "".join(c if c.isalnum() or c == "_" else " " for c in text[:4000].upper()).split()
    found = dict.fromkeys(_CODES[word] for word in words if "_" in word and word in _CODES)
    return _given(tuple(found), Certainty.CODE)


def _by_words(words: Words) -> Recognised | None:
    met = {reason: place for reason in _PATTERNS if (place := _place(reason, words)) is not None}
    beaten = {other for reason in met for other in _SPECIFIC_FIRST.get(reason, frozenset())}
    strong = [reason for reason in met if reason not in beaten and reason not in _WEAK]
    kept = strong or [reason for reason in met if reason not in beaten]
    return _given(tuple(sorted(kept, key=met.__getitem__)), Certainty.TEXT)


def _place(reason: Reason, words: Words) -> int | None:
    places = [place for pattern in _PATTERNS[reason] if (place := pattern.position(words)) is not None]
    return min(places, default=None)


def _given(reasons: tuple[Reason, ...], certainty: Certainty) -> Recognised | None:
    if not reasons:
        return None
    return Recognised(reasons[0], certainty if len(reasons) == 1 else Certainty.SEVERAL, reasons[1:])

"""How the invoice is to be handled: profile, cadre de facturation (BT-23), payment means.

Legacy and reform profiles contradict each other (chorus-pro.md 5.6); a document of the one on a route of the other
gets one finding that explains both, not one for every term that differs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.domain.document import Document, Profile
from gateway.domain.facts import Facts
from gateway.domain.finding import Severity, Text
from gateway.domain.issuer import Route
from gateway.rules.rule import LEGACY_ROUTES, Faults, at, rule
from gateway.rules.samples import sample

#: Cadres that are performed (DESIGN 5).
PERFORMED: Final = frozenset({"A1", "A2", "A9", "A12"})

#: The others, by name (chorus-pro.md 2.4); the road that serves them is the portal, or E4/E5 flows for works.
_WORKS: Final = Text(
    "déposez-la sur le portail Chorus Pro (espace Factures de travaux) ou par un flux EDI E4/E5 (FSO de marchés de "
    "travaux)",
    "deposit it on the Chorus Pro portal (works invoices) or by an EDI flow E4/E5 (works contracts)",
)
_JUSTICE: Final = Text(
    "déposez-le sur le portail Chorus Pro (mémoires de frais de justice) ou par un flux E3 (FSO1120A)",
    "deposit it on the Chorus Pro portal (justice-cost memos) or by an E3 flow (FSO1120A)",
)
_REFUND: Final = Text(
    "déposez-la sur le portail Chorus Pro (demandes de remboursement)",
    "deposit it on the Chorus Pro portal (refund requests)",
)
OTHER_CADRES: Final[Mapping[str, tuple[Text, Text]]] = {
    "A3": (Text("mémoire de frais de justice", "justice-cost memo"), _JUSTICE),
    "A4": (Text("projet de décompte mensuel", "draft monthly statement"), _WORKS),
    "A5": (Text("état d'acompte", "statement of instalment"), _WORKS),
    "A6": (Text("état d'acompte validé", "validated statement of instalment"), _WORKS),
    "A7": (Text("projet de décompte final", "draft final statement"), _WORKS),
    "A8": (Text("décompte général et définitif", "general and final statement"), _WORKS),
    "A10": (
        Text("projet de décompte mensuel d'un sous-traitant", "subcontractor's draft monthly statement"),
        _WORKS,
    ),
    "A11": (Text("projet de décompte final d'un sous-traitant", "subcontractor's draft final statement"), _WORKS),
    "A13": (Text("projet de décompte mensuel d'un cotraitant", "co-contractor's draft monthly statement"), _WORKS),
    "A14": (Text("projet de décompte final d'un cotraitant", "co-contractor's draft final statement"), _WORKS),
    "A15": (Text("état d'acompte de la maîtrise d'œuvre", "instalment by the project manager"), _WORKS),
    "A16": (Text("état d'acompte validé de la maîtrise d'œuvre", "validated instalment by the manager"), _WORKS),
    "A17": (Text("projet de décompte général de la maîtrise d'œuvre", "draft general statement, manager"), _WORKS),
    "A18": (Text("décompte général de la maîtrise d'œuvre", "general statement by the project manager"), _WORKS),
    "A19": (Text("état d'acompte de la maîtrise d'ouvrage", "instalment by the owner"), _WORKS),
    "A20": (Text("décompte général de la maîtrise d'ouvrage", "general statement by the owner"), _WORKS),
    "A21": (Text("demande de remboursement de la TIC", "refund request of the TIC tax"), _REFUND),
    "A22": (Text("projet de décompte général tacite", "tacit draft general statement"), _WORKS),
    "A23": (Text("décompte général tacite du fournisseur", "supplier's tacit general statement"), _WORKS),
    "A24": (Text("décompte général tacite de la maîtrise d'œuvre", "project manager's tacit statement"), _WORKS),
    "A25": (
        Text("décompte général de la maîtrise d'œuvre (procédure tacite)", "statement, tacit procedure"),
        _WORKS,
    ),
}

#: Accepted payment means (UNTDID 4461): S2.05 of the EDI annex, and the pivot.
PAYMENT_MEANS: Final = frozenset({"01", "1", "10", "20", "30", "31", "42", "48", "49", "58", "59", "97"})
_CADRE: Final = re.compile(r"A[0-9]{1,2}")


def cadre(document: Document) -> str:
    """The cadre: BT-23, or BT-24 where a known writer puts it (gobl.cii, chorus-pro.md 2.3)."""
    return document.process or (document.guideline if _CADRE.fullmatch(document.guideline) else "")


@rule(
    "CHORUS-PROFILE-REFORM",
    asks="On a Chorus route: does the document follow the legacy profile?",
    terms=("BT-23",),
    source="chorus-pro.md 5.6 (INV live: S1/B1 rejected; DLB #562: rejected without notice)",
    routes=LEGACY_ROUTES,
    fr="La facture suit le profil de la réforme (cadre « {cadre} », SIREN, adresses électroniques) ; le dépôt "
    "direct dans Chorus Pro attend l'ancien profil (cadre A1…, SIRET à 14 chiffres) et la rejetterait.",
    en='The invoice follows the reform\'s profile (process "{cadre}", SIREN, electronic addresses); direct deposit '
    "with Chorus Pro expects the legacy profile (A1…, 14-digit SIRET) and would reject it.",
    remedy_fr="Produisez-la au profil Chorus Pro (BT-23 = A1, SIRET en BT-30 et BT-47), ou faites passer cet "
    "émetteur par une plateforme agréée (route « pa »), puis redéposez-la.",
    remedy_en="Produce it in the Chorus Pro profile (BT-23 = A1, SIRET in BT-30 and BT-47), or send this issuer's "
    'invoices by an approved platform (route "pa"), then drop it again.',
    fires=sample(profile=Profile.REFORM, process="S1"),
    passes=sample(),
)
def profile_reform(document: Document, facts: Facts) -> Faults:
    if document.profile is Profile.REFORM:
        yield at("BT-23", cadre=document.process or "—")


@rule(
    "CHORUS-PROFILE-LEGACY",
    asks="On the reform's route: does the document follow the reform's profile?",
    terms=("BT-23",),
    source="chorus-pro.md 5.6",
    routes=frozenset({Route.PA}),
    fr="La facture suit l'ancien profil Chorus Pro (cadre « {cadre} ») ; une plateforme agréée attend celui de la "
    "réforme (cadre B1, S1…, SIREN, adresses électroniques).",
    en='The invoice follows Chorus Pro\'s legacy profile (process "{cadre}"); an approved platform expects the '
    "reform's (B1, S1…, SIREN, electronic addresses).",
    remedy_fr="Produisez-la au profil de la réforme, ou faites passer cet émetteur par la route « chorus-api », "
    "puis redéposez-la.",
    remedy_en="Produce it in the reform's profile, or send this issuer's invoices by the route \"chorus-api\", "
    "then drop it again.",
    fires=sample(facts={"route": Route.PA}),
    passes=sample(profile=Profile.REFORM, process="S1", facts={"route": Route.PA}),
)
def profile_legacy(document: Document, facts: Facts) -> Faults:
    if document.profile is Profile.LEGACY:
        yield at("BT-23", cadre=cadre(document) or "—")


@rule(
    "CHORUS-CADRE-NOT-SERVED",
    asks="Is the cadre de facturation one that this gateway performs (A1, A2, A9, A12)?",
    terms=("BT-23",),
    source="chorus-pro.md 2.4; DESIGN 5",
    routes=LEGACY_ROUTES,
    fr="Le cadre de facturation {cadre} ({label_fr}) n'est pas pris en charge par cette passerelle.",
    en="The cadre de facturation {cadre} ({label_en}) is not served by this gateway.",
    remedy_fr="S'il s'agit bien de cela : {road_fr}. S'il s'agit d'une facture ordinaire : indiquez A1 en BT-23, "
    "puis redéposez-la.",
    remedy_en="If that is what it is: {road_en}. If it is an ordinary invoice: put A1 into BT-23 and drop it again.",
    fires=sample(process="A4"),
    passes=sample(process="A9"),
)
def cadre_not_served(document: Document, facts: Facts) -> Faults:
    code = cadre(document)
    if code in OTHER_CADRES:
        label, road = OTHER_CADRES[code]
        yield at("BT-23", cadre=code, label_fr=label.fr, label_en=label.en, road_fr=road.fr, road_en=road.en)


@rule(
    "CHORUS-CADRE-UNKNOWN",
    asks="Is the cadre de facturation one that Chorus Pro lists?",
    terms=("BT-23",),
    source="chorus-pro.md 2.4 (what Chorus Pro does with another value was not seen, so a warning)",
    severity=Severity.WARNING,
    routes=LEGACY_ROUTES,
    fr="« {given} » n'est pas un cadre de facturation de Chorus Pro ; il risque de rejeter la facture.",
    en='"{given}" is no cadre de facturation of Chorus Pro, which may reject the invoice.',
    remedy_fr="Indiquez en BT-23 A1 (facture), A2 (déjà payée), A9 (sous-traitant) ou A12 (cotraitant).",
    remedy_en="Put A1 (invoice), A2 (already paid), A9 (subcontractor) or A12 (co-contractor) into BT-23.",
    fires=sample(process="urn:fdc:peppol.eu:2017:poacc:billing:01:1.0", profile=Profile.UNDETERMINED),
    passes=sample(process="A12"),
)
def cadre_unknown(document: Document, facts: Facts) -> Faults:
    code = cadre(document)
    known = code in PERFORMED or code in OTHER_CADRES
    if code and not known and document.profile is not Profile.REFORM:
        yield at("BT-23", given=code)


@rule(
    "CHORUS-CADRE-ABSENT",
    asks="Is the cadre de facturation given?",
    terms=("BT-23",),
    source="chorus-pro.md 2.3 (absent in 3 of AIFE's 24 Factur-X samples)",
    severity=Severity.INFO,
    routes=LEGACY_ROUTES,
    fr="La facture n'indique pas de cadre de facturation : A1 (facture d'un fournisseur) est supposé.",
    en="The invoice gives no cadre de facturation: A1 (a supplier's invoice) is assumed.",
    remedy_fr="Indiquez-le en BT-23 si ce n'est pas A1.",
    remedy_en="Put it into BT-23 if it is not A1.",
    fires=sample(process=""),
    passes=sample(),
)
def cadre_absent(document: Document, facts: Facts) -> Faults:
    if not cadre(document) and document.profile is not Profile.REFORM:
        yield at("BT-23")


@rule(
    "CHORUS-PAYMENT-MEANS-MISSING",
    asks="Is a means of payment given?",
    terms=("BT-81",),
    source="chorus-pro.md 2.4, 6 (OCA #414, #612: the whole flow is rejected)",
    routes=LEGACY_ROUTES,
    fr="La facture n'indique aucun moyen de paiement ; Chorus Pro rejetterait tout le flux qui la porte.",
    en="The invoice gives no means of payment; Chorus Pro would reject the whole flow that carries it.",
    remedy_fr="Indiquez en BT-81 le code du moyen de paiement (30 pour un virement), puis redéposez la facture.",
    remedy_en="Put the code of the payment means into BT-81 (30 for a transfer) and drop the invoice again.",
    fires=sample(payment_means=()),
    passes=sample(payment_means=("48",)),
)
def payment_means_missing(document: Document, facts: Facts) -> Faults:
    if not any(document.payment_means):
        yield at("BT-81")


@rule(
    "CHORUS-PAYMENT-MEANS-UNLISTED",
    asks="Is the means of payment one that Chorus Pro lists?",
    terms=("BT-81",),
    source="chorus-pro.md 2.4 (S2.05; G1.14: another is treated as a transfer)",
    severity=Severity.WARNING,
    routes=LEGACY_ROUTES,
    fr="Le moyen de paiement « {given} » n'est pas dans la liste de Chorus Pro, qui le traite comme un virement.",
    en='The payment means "{given}" is not in Chorus Pro\'s list, which treats it as a transfer.',
    remedy_fr="Indiquez en BT-81 un code admis (30 virement, 48 carte, 49 prélèvement, 20 chèque, 10 espèces).",
    remedy_en="Put a listed code into BT-81 (30 transfer, 48 card, 49 direct debit, 20 cheque, 10 cash).",
    fires=sample(payment_means=("ZZZ",)),
    passes=sample(payment_means=("58",)),
)
def payment_means_unlisted(document: Document, facts: Facts) -> Faults:
    for code in dict.fromkeys(document.payment_means):
        if code and code not in PAYMENT_MEANS:
            yield at("BT-81", given=code)

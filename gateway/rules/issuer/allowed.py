"""The seller must be an issuer that we know, and that lets this partner send for it. Not judged where the issuers
are not known (`gateway validate` outside a configuration)."""

from __future__ import annotations

from dataclasses import replace

from gateway.domain import routing
from gateway.domain.document import Document
from gateway.domain.facts import Facts
from gateway.domain.finding import Layer
from gateway.domain.reasons import Reason
from gateway.rules.rule import Faults, Need, at, rule
from gateway.rules.samples import ISSUER, sample


@rule(
    "ISSUER-UNKNOWN",
    layer=Layer.ISSUER,
    asks="Is the seller one of our issuers?",
    terms=("BT-30", "BT-29"),
    foresees=Reason.CREANCIER_INCONNU,
    source="DESIGN 2; order-book.md 4.3 row 2",
    needs=Need.ISSUERS,
    fr="Le fournisseur « {seller} » n'est pas un émetteur connu de cette passerelle.",
    en='The seller "{seller}" is no issuer known to this gateway.',
    remedy_fr="Vérifiez le SIRET du fournisseur en {where} ; s'il est juste, demandez à l'exploitant de la "
    "passerelle de déclarer cet émetteur (issuers.d), puis redéposez la facture.",
    remedy_en="Check the seller's SIRET in {where}; if it is right, ask the gateway's operator to declare this "
    "issuer (issuers.d), then drop the invoice again.",
    fires=sample(facts={"issuer": None}),
    passes=sample(),
)
def issuer_unknown(document: Document, facts: Facts) -> Faults:
    seller = routing.seller_identifier(document)
    if seller and facts.issuer is None:
        yield at(seller.term, seller=seller.value)


@rule(
    "ISSUER-NOT-ALLOWED",
    layer=Layer.ISSUER,
    asks="May this partner send in the issuer's name?",
    terms=("BT-30", "BT-29"),
    foresees=Reason.CREANCIER_INCONNU,
    source="DESIGN 2",
    needs=Need.PARTNER,
    fr="Le partenaire « {partner} » n'est pas autorisé à envoyer des factures au nom de {issuer}.",
    en='The partner "{partner}" may not send invoices in the name of {issuer}.',
    remedy_fr="Déposez la facture dans le dossier du bon partenaire, ou demandez à l'exploitant de la passerelle "
    "d'ajouter ce partenaire à l'émetteur (issuers.d, clé partners).",
    remedy_en="Drop the invoice into the right partner's folder, or ask the gateway's operator to add this "
    "partner to the issuer (issuers.d, key partners).",
    fires=sample(facts={"partner": "other"}),
    passes=sample(facts={"issuer": replace(ISSUER, partners=frozenset({"erp", "other"}))}),
)
def issuer_not_allowed(document: Document, facts: Facts) -> Faults:
    if facts.issuer is not None and not facts.issuer.allows(facts.partner):
        term = routing.seller_identifier(document).term or "BT-30"
        yield at(term, partner=facts.partner, issuer=facts.issuer.name)

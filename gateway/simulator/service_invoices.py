"""factures/v1/rechercher/fournisseur and consulter/historique: the invoices of one's own structures, paged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select

from gateway.simulator import store as sql
from gateway.simulator.asked import Asked, Call, Page, done, failed, without_nothing
from gateway.simulator.seed import Seed
from gateway.simulator.store import INVOICES, AnyRow
from gateway.simulator.times import iso, iso_day

NOTHING_FOUND: Final = failed(20000, "TRA_MSG_00.015 : Aucun résultat ne correspond à la recherche")
INVOICE_UNKNOWN: Final = failed(20001, "GDP_MSG_11.008 : La demande de paiement est inconnue")

#: triColonne of the OpenAPI → our column; the others sort by deposit date.
SORT_COLUMNS: Final = {
    "CodeFournisseur": INVOICES.c.issuer,
    "CodeDestinataire": INVOICES.c.buyer,
    "CodeServiceExecutant": INVOICES.c.service,
    "TypeFacture": INVOICES.c.type,
    "NumeroFacture": INVOICES.c.number,
    "DateFacture": INVOICES.c.issued,
    "DateDepot": INVOICES.c.deposited_at,
    "MontantHT": INVOICES.c.net,
    "MontantTTC": INVOICES.c.gross,
    "MontantAPayer": INVOICES.c.due,
    "Devise": INVOICES.c.currency,
    "Statut": INVOICES.c.status,
    "NumeroMarche": INVOICES.c.contract,
    "NumeroBonCommande": INVOICES.c.ej,
    "NumeroFluxDepot": INVOICES.c.flow,
}
EQUAL: Final = {
    "numeroFacture": INVOICES.c.number,
    "numeroFluxDepot": INVOICES.c.flow,
    "typeFacture": INVOICES.c.type,
    "numeroMarche": INVOICES.c.contract,
    "numeroBonCommande": INVOICES.c.ej,
    "numeroFactureOrigine": INVOICES.c.origin,
    "modeDepot": INVOICES.c.mode,
}
PERIODS: Final = {
    "periodeDateDepot": INVOICES.c.deposited_at,
    "periodeDateHeureEtatCourant": INVOICES.c.status_at,
}
AMOUNTS: Final = {"montantHT": INVOICES.c.net, "montantTTC": INVOICES.c.gross, "montantApayer": INVOICES.c.due}

#: Fictitious, and present on purpose: a client must not let these four out (DESIGN 4.5).
SOMEBODY: Final = {
    "histoStatutUtilisateurPrenom": "Prénom-Fictif",
    "histoStatutUtilisateurNom": "NOM-FICTIF",
    "histoStatutUtilisateurEmail": "agent.fictif@example.invalid",
    "histoStatutUtilisateurTelephone": "0100000000",
}


def search(call: Call) -> dict[str, Any]:
    platform, asked = call.platform, call.asked
    platform.settle()
    parameters = asked.object("rechercheFactureParFournisseur")
    page = Page.asked(parameters)
    conditions = [INVOICES.c.issuer.in_(sorted(call.account.structures)), *_conditions(asked, platform.seed)]
    most = parameters.integer("nbResultatsMaximum")
    column = SORT_COLUMNS.get(parameters.text("triColonne"), INVOICES.c.deposited_at)
    # Newest first unless asked otherwise; the id makes pages stable where values are equal.
    ascending = parameters.text("triSens") == "Ascendant"
    order = (column.asc(), INVOICES.c.id.asc()) if ascending else (column.desc(), INVOICES.c.id.desc())
    wanted = select(INVOICES).where(*conditions).order_by(*order).limit(page.size).offset(page.offset)
    with platform.store.begin() as connection:
        total = connection.execute(select(func.count()).select_from(INVOICES).where(*conditions)).scalar_one()
        rows = connection.execute(wanted).all()
    if most is not None and 0 < most < total:
        total = most
        rows = rows[: max(0, most - page.offset)]
    if not total and platform.options.empty_search_is_an_error:
        return NOTHING_FOUND
    with_size = bool(asked.boolean("recupererTaille"))
    return done(
        parametresRetour=page.returned(total), listeFactures=[_told(row, platform.seed, with_size) for row in rows]
    )


def history(call: Call) -> dict[str, Any]:
    call.platform.settle()
    parameters = call.asked.object("paramRechercheHistoStatuts")
    page = Page.asked(parameters, "pageResultatDemandeeListeHistoStatut", "nbResultatsParPageListeHistoStatut")
    wanted = {"id": call.asked.integer("idFacture")}
    with call.platform.store.begin() as connection:
        invoice = connection.execute(sql.ONE_INVOICE, wanted).first()
        if invoice is None or invoice.issuer not in call.account.structures:
            return INVOICE_UNKNOWN
        rows = list(connection.execute(sql.HISTORY, {"invoice": invoice.id}).all())
    if parameters.text("triSensListeHistoStatut") != "Ascendant":
        rows.reverse()
    most = call.asked.integer("nbResultatsMaximum")
    if most is not None and most > 0:
        rows = rows[:most]
    return done(
        idFacture=invoice.id,
        numeroFacture=invoice.number,
        modeDepot=invoice.mode,
        statutCourantCode=invoice.status,
        historiquesDesStatuts={
            "histoStatut": [
                {
                    "histoStatutId": row.id,
                    "histoStatutCode": row.status,
                    "histoStatutDatePassage": iso(row.at),
                    "histoStatutCommentaire": row.comment,
                    **SOMEBODY,
                }
                for row in page.of(rows)
            ],
            "pageCouranteHistoStatut": page.number,
            "pagesHistoStatut": page.pages(len(rows)),
            "nbResultatsParPageHistoStatut": page.size,
            "totalHistoStatut": len(rows),
        },
        historiquesDesEvenementsComplementaires={"evenement": [], "totalEvenement": 0},
        historiquesDesActionsUtilisateurs={"histoAction": [], "totalHistoAction": 0},
    )


def _conditions(asked: Asked, seed: Seed) -> Iterator[ColumnElement[bool]]:
    for name, column in EQUAL.items():
        if value := asked.text(name):
            yield column == value
    for name, column in PERIODS.items():
        start, end = asked.bound(f"{name}Du", end=False), asked.bound(f"{name}Au", end=True)
        if start is not None:
            yield column >= start
        if end is not None:
            yield column <= end
    for name, column in AMOUNTS.items():
        least, most = asked.number(f"{name}Min"), asked.number(f"{name}Max")
        if least is not None:
            yield column >= least
        if most is not None:
            yield column <= most
    if day := asked.text("periodeDateFactureDu"):
        yield INVOICES.c.issued >= day[:10]
    if day := asked.text("periodeDateFactureAu"):
        yield INVOICES.c.issued <= day[:10]
    if statuses := asked.texts("statutCourant"):
        yield INVOICES.c.status.in_(statuses)
    if cadre := asked.text("cadreFacturation"):
        yield INVOICES.c.cadre == cadre.partition("_")[0]
    if (dealt_with := asked.boolean("rejetTraite")) is not None:
        yield INVOICES.c.dealt_with.is_(dealt_with)
    if (id_ := asked.integer("idFournisseur")) is not None:
        yield INVOICES.c.issuer == _identifier(seed, id_)
    if wanted := asked.objects("listeDestinataire"):
        yield _buyers(wanted, seed)


def _buyers(wanted: Any, seed: Seed) -> ColumnElement[bool]:
    """Any of the buyers asked for, each with its services where they are named."""
    any_of: ColumnElement[bool] = INVOICES.c.id < 0
    for one in wanted:
        id_ = one.integer("idDestinataire")
        condition: ColumnElement[bool] = INVOICES.c.buyer == _identifier(seed, id_ or 0)
        services = set(one.integers("listeIdServiceExecutant"))
        structure = seed.structure_by_id(id_ or 0)
        if services and structure is not None:
            codes = [service.code for service in structure.services if service.id in services]
            condition = condition & INVOICES.c.service.in_(codes)
        any_of = any_of | condition
    return any_of


def _identifier(seed: Seed, id_: int) -> str:
    structure = seed.structure_by_id(id_)
    return structure.identifier if structure else "-"


def _told(row: AnyRow, seed: Seed, with_size: bool) -> dict[str, Any]:
    issuer, buyer = seed.structures.get(row.issuer), seed.structures.get(row.buyer)
    service = buyer.service(row.service) if buyer and row.service else None
    return without_nothing(
        {
            "identifiantFactureCPP": row.id,
            "typeDemandePaiement": "FACTURE",
            "codeFournisseur": row.issuer,
            "typeIdentifiantFournisseur": row.issuer_type,
            "designationFournisseur": issuer.name if issuer else None,
            "idDestinataire": buyer.id if buyer else None,
            "codeDestinataire": row.buyer,
            "designationDestinataire": buyer.name if buyer else None,
            "idServiceExecutant": service.id if service else None,
            "codeServiceExecutant": row.service or None,
            "nomServiceExecutant": service.name if service else None,
            "typeFacture": row.type,
            "numeroFacture": row.number,
            "dateFacture": iso_day(row.issued),
            "dateDepot": iso(row.deposited_at),
            "montantHT": row.net,
            "montantTTC": row.gross,
            "montantAPayer": row.due,
            "devise": row.currency,
            "statut": row.status,
            "numeroMarche": row.contract or None,
            "numeroBonCommande": row.ej or None,
            "numeroFluxDepot": row.flow,
            "numeroFactureOrigine": row.origin or None,
            "modeDepot": row.mode,
            "taille": row.size if with_size else None,
            "dateHeureEtatCourant": iso(row.status_at),
            "commentaireEtatCourant": row.comment or None,
            "rejetTraite": row.dealt_with,
        }
    )

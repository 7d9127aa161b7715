"""The end of a flow: which of its documents become invoices, and which are refused with what words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.simulator import store as sql
from gateway.simulator.checks import Case, objections
from gateway.simulator.invoice import Invoice, Party
from gateway.simulator.options import DuplicateYear, Options
from gateway.simulator.reading import SYNTAXES
from gateway.simulator.scenario import Scenario
from gateway.simulator.seed import Account, Seed
from gateway.simulator.store import AnyRow
from gateway.simulator.times import PARIS, to_datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end state of a flow, when, and its `listeErreurDP`."""

    state: str
    at: int
    refused: list[dict[str, str]]


def process(flow: AnyRow, seed: Seed, options: Options, scenario: Scenario, connection: Connection) -> Outcome:
    """Integrate what is good of a flow that is due. Invoices begin their life at the flow's own due time."""
    at: int = flow.due_at
    if flow.incident:
        return Outcome("IN_INCIDENTE", at, [])
    if flow.technical or not flow.documents:
        return Outcome("IN_REJETE", at, [])
    account = seed.accounts.get(flow.account) or Account(flow.account, "", frozenset())
    refused: list[dict[str, str]] = []
    for kept in flow.documents:
        invoice = _invoice(kept["invoice"])
        twin = options.refuse_duplicates and _has_twin(connection, invoice, flow.deposited_at, options)
        today = to_datetime(flow.deposited_at).astimezone(PARIS).date()
        text = objections(Case(invoice, SYNTAXES[flow.syntax], seed, account, today, twin))
        if text:
            refused.append(_refused(invoice, text))
        else:
            _integrate(connection, flow, kept, invoice, at, seed, options, scenario)
    if not refused:
        return Outcome("IN_INTEGRE", at, [])
    return Outcome("IN_INTEGRE_PARTIEL" if len(refused) < len(flow.documents) else "IN_REJETE", at, refused)


def _invoice(kept: Mapping[str, Any]) -> Invoice:
    return Invoice(**{**kept, "seller": Party(**kept["seller"]), "buyer": Party(**kept["buyer"])})


def _has_twin(connection: Connection, invoice: Invoice, deposited_at: int, options: Options) -> bool:
    rows = connection.execute(sql.NAMESAKES, {"issuer": invoice.seller.identifier, "number": invoice.number}).all()
    if options.duplicate_year is DuplicateYear.DEPOSIT:
        return any(row.deposit_year == _year(deposited_at) for row in rows)
    return any(row.year == invoice.issued[:4] for row in rows)


def _integrate(
    connection: Connection,
    flow: AnyRow,
    kept: Mapping[str, Any],
    invoice: Invoice,
    at: int,
    seed: Seed,
    options: Options,
    scenario: Scenario,
) -> None:
    """The invoice stands as DEPOSEE at once; the rest of its path is written as passages to come."""
    path = scenario.path_of(invoice.number, invoice.buyer.identifier, invoice.seller.identifier)
    buyer = seed.structures[invoice.buyer.identifier]
    service = buyer.service(invoice.service)
    if buyer.flag("statutMiseEnPaiementNestPasRemonte") or (service is not None and not service.tells_payment):
        path = tuple(passage for passage in path if passage.status != "MISE_EN_PAIEMENT")
    added = connection.execute(
        sql.ADD_INVOICE,
        {
            "flow": flow.flow,
            "account": flow.account,
            "issuer": invoice.seller.identifier,
            "issuer_type": invoice.seller.type,
            "number": invoice.number,
            "year": invoice.issued[:4],
            "deposit_year": _year(flow.deposited_at),
            "buyer": invoice.buyer.identifier,
            "service": invoice.service,
            "ej": invoice.ej,
            "contract": invoice.contract,
            "origin": invoice.origin,
            "cadre": invoice.cadre,
            "type": "AVOIR" if invoice.is_credit else "FACTURE",
            "mode": "UPLOAD_API",
            "currency": invoice.currency,
            "issued": invoice.issued,
            "deposited_at": flow.deposited_at,
            "net": invoice.net,
            "gross": invoice.gross,
            "due": invoice.due,
            "size": kept["size"],
            "sha256": kept["sha256"],
            "status": "DEPOSEE",
            "status_at": at,
            "comment": "",
            "dealt_with": False,
        },
    )
    key = added.inserted_primary_key
    assert key is not None
    passages = []
    for place, passage in enumerate(path):
        after = passage.after_s if passage.after_s is not None else (options.status_delay_s if place else 0.0)
        at += int(after * 1_000_000)
        passages.append(
            {"invoice": key[0], "at": at, "status": passage.status, "comment": passage.comment, "passed": False}
        )
    if passages:
        connection.execute(sql.ADD_PASSAGES, passages)


def _refused(invoice: Invoice, text: str) -> dict[str, str]:
    return {
        "numeroDP": invoice.number,
        "identifiantFournisseur": invoice.seller.identifier,
        "identifiantDestinataire": invoice.buyer.identifier,
        "libelleErreurDP": text,
    }


def _year(us: int) -> str:
    return str(to_datetime(us).astimezone(PARIS).year)

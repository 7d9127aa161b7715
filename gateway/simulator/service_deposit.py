"""factures/v1/deposer/flux, and the two reports on a flow: transverses/v1/consulterCRDetaille and consulterCR.

Known numbers and texts: chorus-pro.md 1.2 and 1.5. The numbers 20002 to 20004 of the deposit are ours.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any, Final

import pikepdf

from gateway.simulator import store as sql
from gateway.simulator.asked import Call, done, failed
from gateway.simulator.platform import APPLICATION
from gateway.simulator.reading import SYNTAXES
from gateway.simulator.store import AnyRow
from gateway.simulator.times import iso

FLOW_UNKNOWN: Final = failed(20001, "POQ_MSG_01.003 : Flux introuvable")
TECHNICAL: Final = {"natureErreur": "ERR_XSD", "codeErreur": "ERR_XSD_001"}


def deposit(call: Call) -> dict[str, Any]:
    name, syntax, encoded = (call.asked.text(field) for field in ("nomFichier", "syntaxeFlux", "fichierFlux"))
    call.asked.boolean("avecSignature")
    platform, account = call.platform, call.account
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if not content:
        text = "GDP_MSG_11.001 : Le fichier est obligatoire et doit être encodé en base64"
        receipt = platform.record_refusal(account, name, syntax, encoded.encode(), 20002, text)
    elif syntax not in SYNTAXES:
        text = "GDP_MSG_11.002 : La syntaxe du flux est inconnue"
        receipt = platform.record_refusal(account, name, syntax, content, 20003, text)
    elif not name:
        text = "GDP_MSG_11.003 : Le nom du fichier est obligatoire"
        receipt = platform.record_refusal(account, name, syntax, content, 20004, text)
    else:
        receipt = platform.deposit(account, name, syntax, content)
    if receipt.code:
        return failed(receipt.code, receipt.libelle)
    return {
        "codeRetour": 0,
        "libelle": receipt.libelle,
        "numeroFluxDepot": receipt.flow,
        "dateDepot": iso(receipt.at),
        "syntaxeFlux": syntax,
    }


def detailed_report(call: Call) -> dict[str, Any]:
    """The report to rely on. It does not echo the flow number; lists are there only when they hold something."""
    found = _flow(call)
    if found is None:
        return FLOW_UNKNOWN
    flow, state, since = found
    technical = flow.technical if state == "IN_REJETE" else []
    return done(
        nomFichier=_file_name(flow),
        dateDepotFlux=iso(flow.deposited_at),
        codeInterfaceDepotFlux=flow.interface,
        etatCourantDepotFlux=state,
        dateHeureEtatCourantFlux=iso(since),
        listeErreurDP=flow.refused or None,
        listeErreurTechnique=[{**TECHNICAL, "libelleErreur": text} for text in technical] or None,
    )


def report(call: Call) -> dict[str, Any]:
    found = _flow(call)
    if found is None:
        return FLOW_UNKNOWN
    flow, state, since = found
    return done(
        numeroFluxDepot=flow.flow,
        nomFichierFlux=_file_name(flow),
        codeAppliPartenaire=APPLICATION,
        designationPartenaire="PORTAIL CHORUS PRO",
        codeInterfaceFlux=flow.interface,
        dateDepotFlux=iso(flow.deposited_at),
        etatCourantFlux=state,
        dateHeureEtatCourantFlux=iso(since),
        fichierCR=base64.b64encode(_empty_pdf()).decode(),
    )


def _flow(call: Call) -> tuple[AnyRow, str, int] | None:
    """The flow asked for, if it is this account's."""
    now = call.platform.settle()
    with call.platform.store.begin() as connection:
        flow = connection.execute(sql.ONE_FLOW, {"flow": call.asked.text("numeroFluxDepot")}).first()
    if flow is None or flow.account != call.account.login:
        return None
    return flow, *call.platform.state_of(flow, now)


def _file_name(flow: AnyRow) -> str:
    return f"{flow.interface}_{APPLICATION}_{flow.flow}"


def _empty_pdf() -> bytes:
    out = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()

"""XML that is no invoice we take, by its root: what it is, and what to send instead.

Enterprises drop what their systems make: orders, life-cycle messages, foreign formats, and invoices inside an
envelope. An envelope is never opened: what is deposited is what was received, byte for byte, and Chorus Pro takes
no envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from gateway.domain.document import Kind
from gateway.domain.finding import Finding, Text, printable
from gateway.parsers import refusals
from gateway.parsers.cii import CII_NAMESPACE
from gateway.parsers.ubl import CREDIT_NOTE_NAMESPACE, INVOICE_NAMESPACE

#: The roots that are invoices.
INVOICES: Final[Mapping[tuple[str, str], Kind]] = {
    (INVOICE_NAMESPACE, "Invoice"): Kind.UBL_INVOICE,
    (CREDIT_NOTE_NAMESPACE, "CreditNote"): Kind.UBL_CREDITNOTE,
    (CII_NAMESPACE, "CrossIndustryInvoice"): Kind.CII,
}


class _Known(NamedTuple):
    """A root by its local name and the start of its namespace ("" = any)."""

    local: str
    namespace: str
    what: Text
    remedy: Text


_SEND_INVOICE: Final = Text(
    "Déposez la facture en UBL 2.1 (Invoice, CreditNote), en CII D16B/D22B ou en Factur-X.",
    "Drop the invoice as UBL 2.1 (Invoice, CreditNote), CII D16B/D22B or Factur-X.",
)
_UNWRAP: Final = Text(
    "Déposez la facture seule, sans enveloppe : la racine doit être Invoice, CreditNote ou CrossIndustryInvoice.",
    "Drop the bare invoice without its envelope: the root must be Invoice, CreditNote or CrossIndustryInvoice.",
)
_NOT_HERE: Final = Text(
    "Ne le déposez pas ici : ce dossier ne prend que des factures et des avoirs.",
    "Do not drop it here: this folder takes invoices and credit notes only.",
)
_UPGRADE: Final = Text(
    "Produisez la facture en CII D16B/D22B (CrossIndustryInvoice:100), en Factur-X 1.0 ou en UBL 2.1.",
    "Make the invoice as CII D16B/D22B (CrossIndustryInvoice:100), Factur-X 1.0 or UBL 2.1.",
)
_NAMESPACE: Final = Text(
    "Déclarez à la racine l'espace de noms exact de la norme (UBL 2.1 : "
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2).",
    "Declare the exact namespace of the standard on the root (UBL 2.1: "
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2).",
)

_UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_KNOWN: Final = (
    _Known(
        "StandardBusinessDocument",
        "",
        Text("une enveloppe SBDH (Peppol)", "an SBDH envelope (Peppol)"),
        _UNWRAP,
    ),
    _Known("ExchangeHeaderEnvelope", "", Text("une enveloppe XHE", "an XHE envelope"), _UNWRAP),
    _Known("XHE", "", Text("une enveloppe XHE", "an XHE envelope"), _UNWRAP),
    _Known("Envelope", "http://schemas.xmlsoap.org/", Text("un message SOAP", "a SOAP message"), _UNWRAP),
    _Known("Envelope", "http://www.w3.org/2003/05/soap", Text("un message SOAP", "a SOAP message"), _UNWRAP),
    _Known(
        "AttachedDocument",
        _UBL,
        Text("une enveloppe UBL AttachedDocument", "a UBL AttachedDocument envelope"),
        _UNWRAP,
    ),
    _Known(
        "CrossIndustryDocument",
        "urn:ferd:",
        Text("une facture ZUGFeRD 1 (ancien format)", "a ZUGFeRD 1 invoice (old format)"),
        _UPGRADE,
    ),
    _Known(
        "CrossIndustryInvoice",
        "",
        Text("une facture CII d'une autre version que D16B/D22B", "a CII invoice of another version than D16B/D22B"),
        _UPGRADE,
    ),
    _Known(
        "CrossDomainAcknowledgementAndResponse",
        "",
        Text("un message de cycle de vie CDAR", "a CDAR life-cycle message"),
        _NOT_HERE,
    ),
    _Known(
        "SCRDMCCBDACIOMessageStructure",
        "",
        Text("une commande (Order-X)", "an order (Order-X)"),
        _NOT_HERE,
    ),
    _Known("CrossIndustryOrder", "", Text("une commande CII", "a CII order"), _NOT_HERE),
    _Known("Order", "", Text("une commande", "an order"), _NOT_HERE),
    _Known("OrderResponse", "", Text("une réponse à commande", "an order response"), _NOT_HERE),
    _Known("DespatchAdvice", "", Text("un avis d'expédition", "a despatch advice"), _NOT_HERE),
    _Known(
        "ApplicationResponse",
        _UBL,
        Text("une réponse UBL (ApplicationResponse)", "a UBL ApplicationResponse"),
        _NOT_HERE,
    ),
    _Known(
        "SelfBilledInvoice",
        _UBL,
        Text("une autofacture UBL (SelfBilledInvoice)", "a UBL SelfBilledInvoice"),
        Text("Déposez-la en Invoice de type 389.", "Drop it as an Invoice of type 389."),
    ),
    _Known(
        "SelfBilledCreditNote",
        _UBL,
        Text("un avoir autofacturé UBL (SelfBilledCreditNote)", "a UBL SelfBilledCreditNote"),
        Text("Déposez-le en CreditNote de type 261.", "Drop it as a CreditNote of type 261."),
    ),
    _Known(
        "DebitNote",
        _UBL,
        Text("une note de débit UBL (DebitNote)", "a UBL DebitNote"),
        Text("Déposez-la en Invoice de type 380.", "Drop it as an Invoice of type 380."),
    ),
    _Known(
        "FatturaElettronica",
        "",
        Text("une facture italienne FatturaPA", "an Italian FatturaPA invoice"),
        _SEND_INVOICE,
    ),
    _Known("Facturae", "", Text("une facture espagnole Facturae", "a Spanish Facturae invoice"), _SEND_INVOICE),
    _Known("Finvoice", "", Text("une facture finlandaise Finvoice", "a Finnish Finvoice invoice"), _SEND_INVOICE),
    _Known(
        "CPPFacturePivot",
        "",
        Text(
            "une facture pivot que Chorus Pro remet aux acheteurs",
            "a pivot invoice that Chorus Pro hands to buyers",
        ),
        _SEND_INVOICE,
    ),
    _Known("CPPStatut", "", Text("un compte rendu de Chorus Pro (CPPStatut)", "a Chorus Pro status report"), _NOT_HERE),
    _Known("PES_Facture", "", Text("une facture PES", "a PES invoice"), _SEND_INVOICE),
    _Known("cXML", "", Text("un message cXML", "a cXML message"), _SEND_INVOICE),
    _Known("INVOIC02", "", Text("un IDoc SAP INVOIC02", "a SAP INVOIC02 IDoc"), _SEND_INVOICE),
    _Known("html", "", Text("une page HTML", "an HTML page"), _SEND_INVOICE),
    _Known(
        "Invoice",
        "",
        Text(
            "une racine Invoice sans l'espace de noms UBL 2.1",
            "an Invoice root without the UBL 2.1 namespace",
        ),
        _NAMESPACE,
    ),
    _Known(
        "CreditNote",
        "",
        Text(
            "une racine CreditNote sans l'espace de noms UBL 2.1",
            "a CreditNote root without the UBL 2.1 namespace",
        ),
        _NAMESPACE,
    ),
)


def not_an_invoice(namespace: str, local: str) -> Finding:
    """The finding that names what an XML of this root is."""
    what, remedy = _describe(namespace, local)
    return refusals.NOT_AN_INVOICE.at(
        what_fr=what.fr,
        what_en=what.en,
        remedy_fr=remedy.fr,
        remedy_en=remedy.en,
        location=f"/{printable(local, 100)}",
    )


def _describe(namespace: str, local: str) -> tuple[Text, Text]:
    for known in _KNOWN:
        if known.local == local and namespace.startswith(known.namespace):
            return known.what, known.remedy
    root = printable(local, 80)
    if namespace.startswith(_UBL):
        return Text(f"un document UBL « {root} »", f"a UBL document “{root}”"), _NOT_HERE
    return Text(f"un XML de racine « {root} »", f"an XML with root “{root}”"), _SEND_INVOICE

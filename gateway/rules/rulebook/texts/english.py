"""English for the official sentences of the BR-FR packs, which are written in French: one short sentence a family.

A family is what stands before the term in an id (`BR-FR-09` in `BR-FR-09_BT-29`). The term is told with it, and the
official text, with the value that it quotes, stays in the French message. What has no family here is told by its
number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gateway.rules.rulebook.texts.term_names import capital

_FAMILY: Final = re.compile(r"BR-FR-(?:[A-Z]{2,3}-)?[0-9A-Z]+")

#: `{}` is the term.
FAMILIES: Final[Mapping[str, str]] = {
    "BR-FR-01": "{} is longer than 35 characters or holds characters that are not allowed (letters, digits, + - _ /)",
    "BR-FR-02": "{} holds characters that are not allowed (letters, digits, + - _ /), or blanks at an end",
    "BR-FR-03": "{} is no valid date between 2000 and 2099",
    "BR-FR-04": "{} is none of the document types that the French reform allows",
    "BR-FR-05": "A note that French law demands is missing (PMT recovery costs, PMD late penalties, AAB discount)",
    "BR-FR-06": "{} is used twice, which is allowed once (PMT, PMD, AAB, TXD)",
    "BR-FR-08": "{} is missing or none of the processes of the French reform (B1, S1, M1, …)",
    "BR-FR-09": "{} is no SIRET of 14 digits that begins with the SIREN",
    "BR-FR-10": "The seller's SIREN is missing or not 9 digits under scheme 0002 (BT-30)",
    "BR-FR-11": "The buyer's SIREN, demanded for B2B, is missing or not 9 digits under scheme 0002 (BT-47)",
    "BR-FR-12": "{} is missing",
    "BR-FR-13": "{} is missing",
    "BR-FR-15": "{} is none that is used in France (S, E, AE, K, G, O, Z)",
    "BR-FR-16": "{} is none that is allowed in France, or not written as a plain percentage",
    "BR-FR-17": "{} is none of the attachment codes that the French reform allows",
    "BR-FR-18": "More than one attachment is described as LISIBLE (BT-123)",
    "BR-FR-20": "The BAR note names none of the treatments that are allowed (B2B, B2BINT, B2C, B2CINT, …)",
    "BR-FR-21": "{} must begin with the buyer's SIREN, as the treatment B2B demands",
    "BR-FR-22": "{} must begin with the seller's SIREN, as self-billing in B2B demands",
    "BR-FR-23": "{} holds characters that an electronic address may not (letters, digits, - _ . only)",
    "BR-FR-24": "{} holds characters that an identifier may not (letters, digits, - _ . only)",
    "BR-FR-25": "{} is longer than 125 characters",
    "BR-FR-26": "{} is longer than 100 characters",
    "BR-FR-27": "An item attribute has neither a name (BT-160) nor a code (EXT-FR-FE-159)",
    "BR-FR-28": "An item attribute must have a value or a quantity with its unit, and not both",
    "BR-FR-29": "The schemes AFL and AVV may each be used once only in {}",
    "BR-FR-30": "The schemes AFL and AVV may each be used once only in {}",
    "BR-FR-31": "The BAR notes name more than one treatment (BT-22)",
    "BR-FR-32": "A legal identifier under scheme 0002 is no SIREN of 9 digits",
    "BR-FR-CO-03": "A global discount credit note (262) must state contract (BT-12) and invoicing period (BG-14)",
    "BR-FR-CO-04": "A corrective invoice must name exactly one preceding invoice (BT-25) with its date (BT-26)",
    "BR-FR-CO-05": "A credit note must name the preceding invoice (BT-25, BT-26), as a whole or on each line",
    "BR-FR-CO-07": "The due date (BT-9) is before the issue date (BT-2)",
    "BR-FR-CO-08": "A final invoice after a down payment (B4, S4, M4) cannot be of a down payment type (386, 500, 503)",
    "BR-FR-CO-09": "An invoice already paid (B2, S2, M2) must state its total with VAT (BT-112) as paid (BT-113)",
    "BR-FR-CO-10": "{} has no scheme, or one scheme is used for two identifiers",
    "BR-FR-CO-12": "The invoice is not in euros: BT-6 must be EUR and the VAT in euros (BT-111) be stated",
    "BR-FR-CO-14": "The seller is a member of a VAT group (scheme 0231): a note TXD must say so (BT-21, BT-22)",
    "BR-FR-CO-15": "The seller is a member of a VAT group (scheme 0231): BG-11 must carry its VAT number (BT-63)",
    "BR-FR-DEC-01": "{} is no amount with at most 2 decimals, a point, and 19 characters",
    "BR-FR-DEC-02": "{} is no quantity with at most 4 decimals, a point, and 19 characters",
    "BR-FR-DEC-03": "{} is no positive amount with at most 6 decimals, a point, and 19 characters",
    "BR-FR-DEC-04": "{} is no positive rate with at most 2 decimals and 4 characters",
    "BR-FR-MV": "The lines of this invoice of several sellers (S8, B8, M8, S9, B9, M9) do not fit together: {}",
    "BR-FR-BD": "The lines of this two-way invoice (S9, B9, M9) do not fit together: {}",
}


def english_of(rule: str, subject: str) -> str:
    """The sentence of one rule about `subject`, a term with its name, or ""."""
    found = _FAMILY.match(rule)
    family = found[0] if found else ""
    said = FAMILIES.get(family) or FAMILIES.get(family.rpartition("-")[0])
    if said is None:
        return f"Rule {rule} is not met" + (f": {subject}" if subject else "")
    return capital(said.format(subject or f"a value of rule {rule}"))

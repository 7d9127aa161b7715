"""Which specification a UBL or a plain CII declares (BT-24), and the finding when it is none that we have rules for.

The guideline chooses the pack (see packs.toml): the core norm and every CIUS of it (`#compliant#`, such as Peppol BIS
or XRechnung: narrower, so that all of the norm's rules hold) are judged by the base rules of EN 16931, France's
extension by its own. Any other, an extension (`#conformant#`) above all, may lift rules of the norm; it is judged by
the base rules, for want of its own, and that is told. Without a guideline rule BR-01 says so itself.
A Factur-X is `facturx.py`'s business.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Definition, Layer, Severity, Text
from gateway.rules.facturx import KNOWN_GUIDELINE
from gateway.rules.own import source_digest
from gateway.rules.pack import PackResult, Tree

_CORE: Final = re.compile(r"urn:cen\.eu:en16931:2017(?:[#:]compliant[#:](?!.*[#:]conformant[#:]).+)?")
_FRENCH: Final = re.compile(r"urn:cen\.eu:en16931:2017#conformant#urn\.cpro\.gouv\.fr:1p0:extended-ctc-fr")

_UNKNOWN: Final = Definition(
    "EN16931-GUIDELINE-UNKNOWN",
    Layer.EN16931,
    Severity.WARNING,
    Text(
        "La spécification déclarée en BT-24 (« {guideline} ») n'est pas connue ici : la facture a été contrôlée avec "
        "les règles de base EN 16931, sans les règles propres à cette spécification.",
        'The specification declared in BT-24 ("{guideline}") is not known here: the invoice was checked with the base '
        "rules of EN 16931, without the rules of that specification.",
    ),
    Text(
        "Si la facture suit la norme sans extension, indiquez urn:cen.eu:en16931:2017 en BT-24.",
        "If the invoice follows the norm without an extension, put urn:cen.eu:en16931:2017 into BT-24.",
    ),
)


class GuidelineDeclaration:
    """Pack `guideline`: do we have the rules that a UBL or a plain CII declares?"""

    name = "guideline"
    layer = Layer.EN16931
    version = "1"
    sha256 = source_digest(__file__, "guideline.py")

    def applies(self, document: Document, facts: Facts) -> bool:
        """UBL and plain CII."""
        return document.kind in (Kind.UBL_INVOICE, Kind.UBL_CREDITNOTE, Kind.CII)

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """One finding at most."""
        declared = document.guideline
        known = not declared or _CORE.fullmatch(declared) or _FRENCH.fullmatch(declared)
        if known or (document.kind is Kind.CII and KNOWN_GUIDELINE.fullmatch(declared)):
            return PackResult.of(())
        return PackResult.of([_UNKNOWN.at(term="BT-24", line=document.line_of("BT-24"), guideline=declared)])

"""Which Factur-X profile a document declares (BT-24), and the finding when it is none that we know.

The profile schemas are packs of their own (`facturx-minimum` … `facturx-extended`, see packs.toml): one of them
judges every Factur-X that declares it, and a plain CII only where its guideline is one of Factur-X's or ZUGFeRD's
own; `urn:cen.eu:en16931:2017` alone is the core norm's, which any CII may declare without promising Factur-X's
narrower schema. `extended-ctc-fr` has no narrower schema than D22B itself: `xsd` is its check. A Factur-X of
unknown guideline is judged by `xsd` alone, and told.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Definition, Layer, Severity, Text
from gateway.rules.own import source_digest
from gateway.rules.pack import PackResult, Tree

#: Guidelines that a Factur-X may declare: its five profiles, the reference profiles that ZUGFeRD and France add on
#: EN 16931, and the forms with ":" for "#" that early writers used. packs.toml sends each to its schema.
KNOWN_GUIDELINE: Final = re.compile(
    r"urn:factur-x\.eu:1p0:(?:minimum|basicwl)"
    r"|urn:zugferd\.de:2p0:(?:minimum|basicwl)"
    r"|urn:cen\.eu:en16931:2017"
    r"|urn:cen\.eu:en16931:2017[#:]compliant[#:](?:urn:)?(?:factur-x\.eu:1p0|zugferd\.de:2p0):basic"
    r"|urn:cen\.eu:en16931:2017[#:]conformant[#:](?:urn:)?(?:factur-x\.eu:1p0|zugferd\.de:2p0):extended"
    r"|urn:cen\.eu:en16931:2017#compliant#urn:(?:xoev-de:kosit:standard|xeinkauf\.de:kosit):xrechnung_.*"
    r"|urn:cen\.eu:en16931:2017#compliant#urn\.cpro\.gouv\.fr:1p0:en16931-ctc-fr"
    r"|urn:cen\.eu:en16931:2017#conformant#urn\.cpro\.gouv\.fr:1p0:extended-ctc-fr"
)

_UNKNOWN: Final = Definition(
    "FACTURX-PROFILE-UNKNOWN",
    Layer.FACTURX,
    Severity.FATAL,
    Text(
        "Le profil déclaré en BT-24 (« {guideline} ») n'est aucun des profils Factur-X : seule la syntaxe CII a "
        "été contrôlée.",
        'The profile declared in BT-24 ("{guideline}") is none of Factur-X\'s: only the CII syntax was checked.',
    ),
    Text(
        "Indiquez en BT-24 l'identifiant exact du profil (par exemple urn:cen.eu:en16931:2017), puis redéposez la "
        "facture.",
        "Put the exact identifier of the profile into BT-24 (for instance urn:cen.eu:en16931:2017), then drop the "
        "invoice again.",
    ),
)


class FacturxDeclaration:
    """Pack `facturx`: does a Factur-X declare a profile that exists?"""

    name = "facturx"
    layer = Layer.FACTURX
    version = "1"
    sha256 = source_digest(__file__, "facturx.py")

    def applies(self, document: Document, facts: Facts) -> bool:
        """Factur-X only."""
        return document.kind is Kind.FACTURX

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """One finding at most."""
        if KNOWN_GUIDELINE.fullmatch(document.guideline):
            return PackResult.of(())
        shown = document.guideline or "—"
        return PackResult.of([_UNKNOWN.at(term="BT-24", line=document.line_of("BT-24"), guideline=shown)])

"""Which Factur-X profile a document declares (BT-24), and the findings when it is none that we know, or when the PDF
around it claims another one.

The profile schemas and sheets are packs of their own (`facturx-minimum`, `facturx-minimum-rules` …, see packs.toml):
a schema judges every Factur-X that declares its profile, and a plain CII only where its guideline is one of
Factur-X's or ZUGFeRD's own; `urn:cen.eu:en16931:2017` alone is the core norm's, which any CII may declare without
promising Factur-X's narrower schema. `extended-ctc-fr` has no narrower schema than D22B itself: `xsd` is its check.
A Factur-X of unknown guideline is judged by `xsd` and the rules of profile EN 16931, and told.
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
        "Le profil déclaré en BT-24 (« {guideline} ») n'est aucun des profils Factur-X : la facture a été contrôlée "
        "avec les règles du profil EN 16931.",
        'The profile declared in BT-24 ("{guideline}") is none of Factur-X\'s: the invoice was checked with the rules '
        "of profile EN 16931.",
    ),
    Text(
        "Indiquez en BT-24 l'identifiant exact du profil (par exemple urn:cen.eu:en16931:2017), puis redéposez la "
        "facture.",
        "Put the exact identifier of the profile into BT-24 (for instance urn:cen.eu:en16931:2017), then drop the "
        "invoice again.",
    ),
)
_MISMATCH: Final = Definition(
    "FACTURX-PROFILE-MISMATCH",
    Layer.FACTURX,
    Severity.FATAL,  # the specification wants the two equal; FNFE's own validator refuses such a file
    Text(
        "Le PDF annonce le profil {claimed} (métadonnées XMP), la facture qu'il contient déclare {declared} en BT-24. "
        "C'est la facture qui a été contrôlée.",
        "The PDF announces profile {claimed} (XMP metadata), the invoice inside declares {declared} in BT-24. The "
        "invoice is what was checked.",
    ),
    Text(
        "Mettez dans les métadonnées du PDF (fx:ConformanceLevel) le profil de la facture, ou corrigez BT-24, puis "
        "redéposez la facture.",
        "Put the profile of the invoice into the metadata of the PDF (fx:ConformanceLevel), or correct BT-24, then "
        "drop the invoice again.",
    ),
)
#: What fx:ConformanceLevel may say for a guideline, blanks and hyphens aside; the first is the name to show.
_LEVELS: Final = (
    (re.compile(r".*:minimum"), ("MINIMUM",)),
    (re.compile(r".*:basicwl"), ("BASIC WL",)),
    (re.compile(r".*:basic"), ("BASIC",)),
    (re.compile(r".*:extended"), ("EXTENDED",)),
    # Factur-X names no level of its own for France's extension, which is a part of EXTENDED.
    (re.compile(r".*:extended-ctc-fr"), ("EXTENDED-CTC-FR", "EXTENDED")),
    (re.compile(r".*:xrechnung_.*"), ("XRECHNUNG", "EN 16931")),
    (re.compile(r"urn:cen\.eu:en16931:2017(?:#.*:en16931-ctc-fr)?"), ("EN 16931", "COMFORT")),
)


class FacturxDeclaration:
    """Pack `facturx`: does a Factur-X declare a profile that exists, and its PDF the same?"""

    name = "facturx"
    layer = Layer.FACTURX
    version = "1"
    sha256 = source_digest(__file__, "facturx.py")

    def applies(self, document: Document, facts: Facts) -> bool:
        """Factur-X only."""
        return document.kind is Kind.FACTURX

    def run(self, document: Document, tree: Tree | None, facts: Facts) -> PackResult:
        """One finding at most."""
        line = document.line_of("BT-24")
        if not KNOWN_GUIDELINE.fullmatch(document.guideline):
            return PackResult.of([_UNKNOWN.at(term="BT-24", line=line, guideline=document.guideline or "—")])
        levels = next((names for guideline, names in _LEVELS if guideline.fullmatch(document.guideline)), ())
        claimed = document.claimed_profile
        if not claimed or not levels or _plain(claimed) in map(_plain, levels):
            return PackResult.of(())
        return PackResult.of([_MISMATCH.at(term="BT-24", line=line, claimed=claimed, declared=levels[0])])


def _plain(level: str) -> str:
    return re.sub(r"[\s_-]", "", level).upper()

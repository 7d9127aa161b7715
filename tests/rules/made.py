"""What the tests of Schematron packs share: a small document, and an engine that says what it is told to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lxml import etree

from gateway.domain.document import Document, Kind
from gateway.domain.facts import Facts
from gateway.domain.finding import Finding
from gateway.domain.issuer import Route
from gateway.rules.pack import PackResult, Tree
from gateway.rules.rulebook.outcome import Abort, Fired, Outcome
from gateway.rules.rulebook.pack import RulebookPack
from gateway.rules.spec import PackSpec, packs_file, read_specs

DAY = date(2026, 11, 23)
UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
INVOICE = f'<Invoice xmlns="{UBL}Invoice-2" xmlns:cbc="{UBL}CommonBasicComponents-2"><cbc:ID/></Invoice>'
ROOT = f"/*:Invoice[namespace-uri()='{UBL}Invoice-2'][1]"
ID = f"{ROOT}/*:ID[namespace-uri()='{UBL}CommonBasicComponents-2'][1]"
DOCUMENT = Document(Kind.UBL_INVOICE)
BR_02 = "[BR-02]-An Invoice shall have an Invoice number (BT-1)."
SPECS = {spec.name: spec for spec in read_specs(packs_file()) if spec.engine == "rulebook"}


def tree(xml: str = INVOICE) -> Tree:
    return etree.ElementTree(etree.fromstring(xml))


def fired(
    rule: str = "BR-02", flag: str = "fatal", message: str = BR_02, location: str = ID, *, report: bool = False
) -> Fired:
    return Fired(rule, flag, report, location, 3, "cbc:ID", message)


@dataclass(frozen=True)
class Made:
    """An engine that says what it is given."""

    outcome: Outcome | Exception

    def run(self, tree: Tree, seconds: float, most: int) -> Outcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def run(
    *found: Fired,
    aborts: tuple[Abort, ...] = (),
    spec: PackSpec = SPECS["en16931-ubl"],
    day: date = DAY,
    route: Route = Route.CHORUS_API,
    xml: str = INVOICE,
) -> PackResult:
    pack = RulebookPack(spec, {Kind.UBL_INVOICE: Made(Outcome(found, aborts))})
    return pack.run(DOCUMENT, tree(xml), Facts(today=day, route=route))


def only(result: PackResult) -> Finding:
    (finding,) = result.findings
    return finding

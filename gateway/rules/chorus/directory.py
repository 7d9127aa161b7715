"""Can the directory be trusted today? Without it the rules about buyers cannot judge, and the document waits."""

from __future__ import annotations

from gateway.domain.document import Document
from gateway.domain.facts import Directory, Facts
from gateway.domain.finding import Severity
from gateway.rules.rule import Faults, at, rule
from gateway.rules.samples import sample

_REMEDY_FR = (
    "Rien à corriger dans la facture. L'exploitant de la passerelle doit rafraîchir l'annuaire "
    "(gateway buyers refresh) ; la facture sera alors jugée de nouveau."
)
_REMEDY_EN = (
    "Nothing to mend in the invoice. The gateway's operator must refresh the directory (gateway buyers refresh); "
    "the invoice is then judged again."
)


@rule(
    "CHORUS-DIRECTORY-MISSING",
    asks="Is there a snapshot of Chorus Pro's directory to judge with?",
    terms=("BT-46",),
    source="DESIGN 5",
    severity=Severity.HOLD,
    fr="L'annuaire de Chorus Pro n'a pas été consulté pour ce destinataire : ses exigences (EJ, service) n'ont "
    "pas pu être vérifiées.",
    en="Chorus Pro's directory was not asked about this buyer: what it demands (EJ, service) was not checked.",
    remedy_fr=_REMEDY_FR,
    remedy_en=_REMEDY_EN,
    fires=sample(buyer=None, facts={"directory": Directory.MISSING, "directory_age_days": None}),
    passes=sample(),
)
def directory_missing(document: Document, facts: Facts) -> Faults:
    if facts.directory is Directory.MISSING:
        yield at("BT-46")


@rule(
    "CHORUS-DIRECTORY-AGED",
    asks="Is the directory snapshot younger than a day?",
    terms=("BT-46",),
    source="DESIGN 5",
    severity=Severity.WARNING,
    fr="L'annuaire de Chorus Pro utilisé date de {days} jours : le destinataire a pu changer ses exigences depuis.",
    en="The snapshot of Chorus Pro's directory is {days} days old: the buyer may have changed its demands since.",
    remedy_fr=_REMEDY_FR,
    remedy_en=_REMEDY_EN,
    fires=sample(facts={"directory": Directory.AGED, "directory_age_days": 3}),
    passes=sample(),
)
def directory_aged(document: Document, facts: Facts) -> Faults:
    if facts.directory is Directory.AGED:
        yield at("BT-46", days=_days(facts))


@rule(
    "CHORUS-DIRECTORY-STALE",
    asks="Is the directory snapshot within the age up to which this route sends?",
    terms=("BT-46",),
    source="DESIGN 5",
    severity=Severity.HOLD,
    fr="L'annuaire de Chorus Pro utilisé date de {days} jours, au-delà de la limite : la facture est retenue.",
    en="The snapshot of Chorus Pro's directory is {days} days old, beyond the limit: the invoice is held.",
    remedy_fr=_REMEDY_FR,
    remedy_en=_REMEDY_EN,
    fires=sample(facts={"directory": Directory.STALE, "directory_age_days": 12}),
    passes=sample(facts={"directory": Directory.AGED, "directory_age_days": 7}),
)
def directory_stale(document: Document, facts: Facts) -> Faults:
    if facts.directory is Directory.STALE:
        yield at("BT-46", days=_days(facts))


def _days(facts: Facts) -> str:
    return "?" if facts.directory_age_days is None else str(facts.directory_age_days)

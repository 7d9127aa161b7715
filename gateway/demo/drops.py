"""What is dropped in the demo, and what is foreseen for each file: declared beside its making, compared at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from gateway.demo.bodies import Body
from gateway.demo.scene import CLEANER, STATIONER, WORKSHOP
from gateway.demo.spec import Company, InvoiceSpec


class End(StrEnum):
    """What becomes of a document, or of a file that holds none. In the order in which they are shown."""

    PAID = "paid"
    FINAL = "ended unpaid"
    WITH_BUYER = "with the buyer"
    TO_RECYCLE = "to be recycled"
    SUSPENDED = "suspended"
    REJECTED = "rejected by buyer"
    BOUNCED = "refused by Chorus"
    HELD = "held by us"
    REFUSED = "refused by us"
    DUPLICATE = "duplicate"
    UNTOUCHED = "not touched"
    UNFINISHED = "not at its end"


@dataclass(frozen=True, slots=True)
class Ending:
    """An end and why: a rule where we refuse or hold, one of the State's reasons where the buyer does."""

    end: End
    why: str = ""


PAID: Final = Ending(End.PAID)


class How(StrEnum):
    """How a file gets into the drop folder."""

    WHOLE = "whole"  #: written under a temporary name, renamed when complete
    COMPLETED = "completed"  #: half of it under its own name, the rest with the second drop
    CUT = "cut"  #: half of it under its own name, and no more
    LINK = "link"  #: a symbolic link out of the folder


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file: who drops it, what it is, and what must become of each of its documents."""

    partner: str
    name: str
    content: bytes
    about: str
    endings: tuple[Ending, ...]
    second: bool = False  #: dropped when the first ones have come to their ends
    how: How = How.WHOLE


#: A path of the simulator's scenario: a name, or a list of statuses.
Fate = str | list[Any]
_PREFIXES: Final = {STATIONER.siret: "PON", WORKSHOP.siret: "LEV", CLEANER.siret: "PRO"}


@dataclass
class Script:
    """The files as they are written down, with numbers handed out and the fates that the platform must play."""

    today: date
    files: list[DemoFile] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    _count: int = 0

    def invoice(
        self,
        seller: Company,
        buyer: Body | Company,
        service: str = "",
        ej: str = "",
        *,
        fate: Fate = "paid",
        **more: Any,
    ) -> InvoiceSpec:
        """A new invoice; `fate` is what the platform does with it if it ever gets there."""
        self._count += 1
        issued = self.today - timedelta(days=3)
        number = f"{_PREFIXES.get(seller.siret, 'INC')}-{issued.year}-{self._count:03d}"
        if fate != "paid":
            self.fates[number] = fate
        company = buyer.company if isinstance(buyer, Body) else buyer
        told: dict[str, Any] = {"number": number, "issued": issued, "service": service, "ej": ej, **more}
        return InvoiceSpec(seller=seller, buyer=company, **told)

    def drop(
        self,
        partner: str,
        name: str,
        content: bytes,
        about: str,
        *endings: Ending,
        second: bool = False,
        how: How = How.WHOLE,
    ) -> None:
        """A file for a drop folder."""
        self.files.append(DemoFile(partner, name, content, about, endings, second, how))

    def scenario(self) -> Mapping[str, Any]:
        """The fates, for the simulator."""
        return {"rules": [{"number": number, "path": path} for number, path in self.fates.items()]}


def rejected(reason: str, words: str) -> tuple[Fate, Ending]:
    """A rejection in the buyer's own words, and the reason to be recognised in them."""
    return f"rejected:{words}", Ending(End.REJECTED, reason)


def refused(rule: str) -> Ending:
    """Refused by us, by this rule."""
    return Ending(End.REFUSED, rule)


def held(rule: str) -> Ending:
    """Held by us, by this rule."""
    return Ending(End.HELD, rule)

"""An invoice to be made, as values: who bills whom for what, and the amounts that follow from it.

All companies, numbers and accounts are invented; SIRET, VAT number and IBAN carry right check digits so that the
rules have something to check. Money is `Decimal`, rounded as EN 16931 rounds: each line, then the VAT of each rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import cached_property
from typing import Final

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

_CENT: Final = Decimal("0.01")
_PAYMENT_DAYS: Final = timedelta(days=30)


class Profile(StrEnum):
    """Which French use the invoice follows (domain facts 5.6)."""

    LEGACY = "legacy"  #: A1, SIRET of 14 digits as legal identifier
    REFORM = "reform"  #: S1, SIREN of 9 digits as legal identifier, SIRET under 0009, electronic addresses


def made_up_siret(company: int, establishment: int = 1) -> str:
    """A SIRET that belongs to nobody and has right check digits; the same numbers give the same SIRET."""
    stem = f"90{company:06d}"
    siren = stem + luhn.calc_check_digit(stem)
    stem = f"{siren}{establishment:04d}"
    return stem + luhn.calc_check_digit(stem)


def made_up_iban(account: int) -> str:
    """A French IBAN of no bank, with right check digits; its national key is right as well."""
    bank, desk, number = 99999, 12345, account % 10**11
    key = 97 - (89 * bank + 15 * desk + 3 * number) % 97
    plain = f"{bank:05d}{desk:05d}{number:011d}{key:02d}"
    return f"FR{mod_97_10.calc_check_digits(plain + 'FR')}{plain}"


@dataclass(frozen=True)
class Company:
    """A seller or a public body."""

    name: str
    siret: str
    street: str = "1 rue de l'Exemple"
    postcode: str = "99000"
    city: str = "Exempleville"
    iban: str = ""

    @property
    def siren(self) -> str:
        return self.siret[:9]

    @cached_property
    def vat(self) -> str:
        """The French VAT number that belongs to the SIREN."""
        return f"FR{(12 + 3 * (int(self.siren) % 97)) % 97:02d}{self.siren}"


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    item: str
    quantity: Decimal
    price: Decimal
    vat_rate: Decimal = Decimal(20)

    @property
    def net(self) -> Decimal:
        return cents(self.quantity * self.price)


@dataclass(frozen=True, slots=True)
class VatGroup:
    """The lines of one rate together."""

    rate: Decimal
    base: Decimal
    tax: Decimal


@dataclass(frozen=True, slots=True)
class Destination:
    """A public body with what an invoice to it must carry."""

    buyer: Company
    service: str = ""
    ej: str = ""


DEFAULT_LINES: Final = (
    Line("Ramettes de papier A4", Decimal(40), Decimal("3.95")),
    Line("Livraison", Decimal(1), Decimal("12.50")),
)


@dataclass(frozen=True)
class InvoiceSpec:
    """What an invoice says. `payment_means` empty: none is given. `credits`: number and date of what is credited."""

    number: str
    issued: date
    seller: Company
    buyer: Company
    service: str = ""
    ej: str = ""
    contract: str = ""
    lines: Sequence[Line] = DEFAULT_LINES
    profile: Profile = Profile.LEGACY
    process: str = ""  #: A1 or S1 where left out
    payment_means: str = "30"
    credits: tuple[str, date] | None = None
    note: str = ""

    @property
    def cadre(self) -> str:
        """BT-23."""
        return self.process or ("S1" if self.profile is Profile.REFORM else "A1")

    @property
    def due(self) -> date:
        return self.issued + _PAYMENT_DAYS

    @cached_property
    def vat_groups(self) -> tuple[VatGroup, ...]:
        bases: dict[Decimal, Decimal] = {}
        for line in self.lines:
            bases[line.vat_rate] = bases.get(line.vat_rate, Decimal(0)) + line.net
        return tuple(VatGroup(rate, base, cents(base * rate / 100)) for rate, base in bases.items())

    @cached_property
    def net(self) -> Decimal:
        return sum((line.net for line in self.lines), Decimal(0))

    @cached_property
    def vat(self) -> Decimal:
        return sum((group.tax for group in self.vat_groups), Decimal(0))

    @property
    def gross(self) -> Decimal:
        return self.net + self.vat

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """Notes with their subject codes; the reform demands three (BR-FR-05)."""
        own = (("AAI", self.note),) if self.note else ()
        return own + (_REFORM_NOTES if self.profile is Profile.REFORM else ())


_REFORM_NOTES: Final = (
    ("PMT", "Indemnité forfaitaire pour frais de recouvrement : 40 €."),
    ("PMD", "Pénalités de retard : trois fois le taux d'intérêt légal."),
    ("AAB", "Pas d'escompte pour paiement anticipé."),
)


def cents(amount: Decimal) -> Decimal:
    """Rounded to two places, halves away from zero (EN 16931)."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """Without exponent or needless zeros."""
    return f"{number.normalize():f}"

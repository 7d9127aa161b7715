"""Invoices of our own making, for demo, tests and benchmarks: UBL, CII, Factur-X, and batches of small ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from gateway.demo.cii import cii_invoice
from gateway.demo.pdf import facturx_pdf, readable
from gateway.demo.spec import Company, Destination, InvoiceSpec, Line, Profile, made_up_iban, made_up_siret
from gateway.demo.ubl import ubl_credit_note, ubl_invoice

__all__ = [
    "Company",
    "Destination",
    "InvoiceSpec",
    "Line",
    "Maker",
    "Profile",
    "cii_invoice",
    "facturx_pdf",
    "made_up_iban",
    "made_up_siret",
    "readable",
    "small_batch",
    "small_specs",
    "ubl_credit_note",
    "ubl_invoice",
]

Maker = Callable[[InvoiceSpec], bytes]

#: Long past, so that no day of deposit comes before it.
_FIRST_DAY: Final = date(2025, 1, 6)
_ITEMS: Final = ("Papier", "Encre", "Entretien des locaux", "Location de matériel", "Formation", "Réparation")
_RATES: Final = (Decimal(20), Decimal(10), Decimal("5.5"))


def small_batch(
    count: int, sellers: Sequence[Company], buyers: Sequence[Destination], seed: int = 0
) -> Iterator[tuple[str, bytes]]:
    """`count` valid invoices of one to three lines, UBL and CII in turn, as (file name, bytes). The same seed gives
    the same bytes; numbers are unique, and differ between seeds below 1000."""
    makers: tuple[Maker, Maker] = (ubl_invoice, cii_invoice)
    for at, spec in enumerate(small_specs(count, sellers, buyers, seed)):
        yield f"{spec.number}.xml", makers[at % 2](spec)


def small_specs(
    count: int, sellers: Sequence[Company], buyers: Sequence[Destination], seed: int = 0
) -> Iterator[InvoiceSpec]:
    """What `small_batch` makes, before it is written."""
    # Random, but the same on each run: nothing here is secret.
    chance = random.Random(seed)  # noqa: S311
    for at in range(count):
        place = chance.choice(buyers)
        yield InvoiceSpec(
            number=f"L{seed % 1000:03d}-{at:07d}",
            issued=_FIRST_DAY + timedelta(days=at % 90),
            seller=chance.choice(sellers),
            buyer=place.buyer,
            service=place.service,
            ej=place.ej,
            lines=tuple(_line(chance) for _ in range(chance.randint(1, 3))),
        )


def _line(chance: random.Random) -> Line:
    price = Decimal(chance.randint(100, 99_999)) / 100
    return Line(chance.choice(_ITEMS), Decimal(chance.randint(1, 50)), price, chance.choice(_RATES))

"""Documents made to hurt. Each maker says what it aims at; the largest go beyond what the gateway's parser lets in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Final

from lxml import etree

from tests.rules.rulebook.big import Syntax, at, clean, copied, grouped, nested, parsed, qualified, spoilt

Maker = Callable[[Syntax, int], etree._ElementTree]

_LINE: Final = {
    Syntax.UBL: "/*/cac:InvoiceLine[1]",
    Syntax.CII: "/*/rsm:SupplyChainTradeTransaction/ram:IncludedSupplyChainTradeLineItem[1]",
}
_HEADER: Final = "/*/rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTrade"
_VAT: Final = {
    Syntax.UBL: "/*/cac:TaxTotal/cac:TaxSubtotal[1]",
    Syntax.CII: f"{_HEADER}Settlement/ram:ApplicableTradeTax[1]",
}
_TOTALS: Final = {
    Syntax.UBL: "/*/cac:LegalMonetaryTotal",
    Syntax.CII: f"{_HEADER}Settlement/ram:SpecifiedTradeSettlementHeaderMonetarySummation",
}
#: An allowance: where it says that it is none of the charges, and how much it is.
_ALLOWANCE: Final = {
    Syntax.UBL: ("cac:AllowanceCharge", ("cbc:ChargeIndicator",), "cbc:Amount"),
    Syntax.CII: ("ram:SpecifiedTradeAllowanceCharge", ("ram:ChargeIndicator", "udt:Indicator"), "ram:ActualAmount"),
}
_ID: Final = {Syntax.UBL: "cbc:ID", Syntax.CII: "ram:ID"}
#: What the rules look at in a line, and amounts that may be anywhere.
_LEVELS: Final = {
    Syntax.UBL: ("cac:InvoiceLine", "cac:Item"),
    Syntax.CII: ("ram:IncludedSupplyChainTradeLineItem", "ram:SpecifiedTradeProduct"),
}
_AMOUNTS: Final = {
    Syntax.UBL: ("cbc:LineExtensionAmount", "cbc:TaxAmount", "cbc:PriceAmount", "cbc:Amount"),
    Syntax.CII: ("ram:LineTotalAmount", "ram:ChargeAmount", "ram:GrandTotalAmount", "ram:ActualAmount"),
}
_LONG_TEXTS: Final = ("1", " ", "1 ", "é", "#BAR#B2B", "2026-01-01")


def paths(syntax: Syntax, size: int) -> etree._ElementTree:
    """As many chains of tags: the tables of places and plans."""
    tree = parsed(clean(syntax, 2))
    line = at(tree, _LINE[syntax])
    for number in range(size):
        etree.SubElement(line if number % 2 else tree.getroot(), f"p{number}")
    return tree


def depth(syntax: Syntax, size: int) -> etree._ElementTree:
    """Lines in items in lines: every rule of a line matches at every level."""
    tree = parsed(clean(syntax, 2))
    tree.getroot().append(nested(_LEVELS[syntax], size))
    return tree


def deep_and_wide(syntax: Syntax, size: int) -> etree._ElementTree:
    """Findings far below: each has a long location."""
    tree = depth(syntax, 190)
    inner = tree.getroot()[-1]
    while len(inner):
        inner = inner[0]
    for number in range(size):
        etree.SubElement(inner, f"p{number % 1000}")
        etree.SubElement(inner, qualified(_ID[syntax]), schemeID="?", listID="?", schemeAgencyID="?").text = " "
    return tree


def nested_amounts(syntax: Syntax, size: int) -> etree._ElementTree:
    """The string value of an element is that of all below it: nested, they add up to the square."""
    tree = parsed(clean(syntax, 2))
    tree.getroot().append(nested(_AMOUNTS[syntax], size, "1" * 1000))
    at(tree, _LINE[syntax]).append(nested(_AMOUNTS[syntax][:1], size, "1" * 1000))
    return tree


def long_texts(syntax: Syntax, size: int, every: int = 1) -> etree._ElementTree:
    """A text of so many characters in every field, each of another kind."""
    tree = parsed(grouped(syntax, 3))
    for number, leaf in enumerate(_leaves(tree)[::every]):
        kind = _LONG_TEXTS[number % len(_LONG_TEXTS)]
        leaf.text = (kind * (size // len(kind) + 1))[:size]
        for name in leaf.attrib:
            leaf.set(name, "x" * size)
    return tree


def some_long_texts(syntax: Syntax, size: int) -> etree._ElementTree:
    """The same in one field of seven: with 5 MB each, as much as a file may hold."""
    return long_texts(syntax, size, every=7)


def huge_numbers(syntax: Syntax, size: int) -> etree._ElementTree:
    """Amounts of so many digits, before and after the point, below the limit for numbers, and with huge exponents."""
    tree = parsed(grouped(syntax, 60))
    kinds = (
        "9" * size,
        "0." + "0" * size + "1",
        "9" * 1990 + ".99",
        "-" + "9" * 1000 + "." + "9" * 900,
        "1e999999",
        "1E-999999",
    )
    for number, leaf in enumerate(_leaves(tree)):
        if leaf.text and leaf.text.replace(".", "", 1).isdigit():
            leaf.text = kinds[number % len(kinds)]
    return tree


def lines(syntax: Syntax, size: int) -> etree._ElementTree:
    """Lines that each break several rules."""
    return parsed(spoilt(syntax, size))


def groups(syntax: Syntax, size: int) -> etree._ElementTree:
    """Lines in groups, all of one parent: what belongs to it is looked for from each of its lines."""
    return parsed(grouped(syntax, size, group=size))


def groups_without_value(syntax: Syntax, size: int) -> etree._ElementTree:
    """The same, the last line with all that it has twice: what is computed of all lines fails after the last one."""
    tree = groups(syntax, size)
    for each in list(_lines_of(tree, syntax)[-1].iter(etree.Element))[1:]:
        each.addnext(deepcopy(each))
    return tree


def attributes(syntax: Syntax, size: int) -> etree._ElementTree:
    """Elements with many attributes, known and unknown."""
    tree = parsed(clean(syntax, 2))
    for _ in range(size // 1000):
        element = etree.SubElement(tree.getroot(), qualified(_ID[syntax]))
        for number in range(1000):
            element.set(f"a{number}" if number else "schemeID", "x")
    return tree


def breakdowns(syntax: Syntax, size: int, lines: int = 0) -> etree._ElementTree:
    """VAT breakdowns, and lines (a twentieth, if not told): each breakdown adds up all lines."""
    return copied(parsed(clean(syntax, lines or size // 20)), _VAT[syntax], size)


def totals(syntax: Syntax, size: int) -> etree._ElementTree:
    """A portion of totals, and allowances: each total adds up all allowances."""
    tree = copied(parsed(clean(syntax, 2)), _TOTALS[syntax], 255)
    beside = tree.getroot() if syntax is Syntax.UBL else at(tree, f"{_TOTALS[syntax]}[1]/..")
    name, indicator, amount = _ALLOWANCE[syntax]
    allowance = etree.Element(qualified(name))
    allowance.append(nested(indicator, len(indicator), "false"))
    etree.SubElement(allowance, qualified(amount)).text = "1"
    beside.extend([deepcopy(allowance) for _ in range(size)])
    return tree


def headers(syntax: Syntax, size: int) -> etree._ElementTree:
    """The part that stands once, many times: what is asked of `all there are` is asked for each."""
    tree = parsed(grouped(syntax, 3))
    if syntax is Syntax.CII:
        return copied(tree, "/*/rsm:SupplyChainTradeTransaction", size)
    for path in ("cac:AccountingSupplierParty", "cac:TaxTotal", "cac:LegalMonetaryTotal", "cbc:DocumentCurrencyCode"):
        tree = copied(tree, f"/*/{path}", size)
    return tree


def identifiers(syntax: Syntax, size: int) -> etree._ElementTree:
    """One field that stands once, many times: a rule that asks of each about all beside it."""
    where = {
        Syntax.UBL: "/*/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID",
        Syntax.CII: f"{_HEADER}Agreement/ram:SellerTradeParty/ram:SpecifiedTaxRegistration/ram:ID",
    }
    return copied(parsed(clean(syntax, 2)), where[syntax], size)


def quoted(syntax: Syntax, size: int) -> etree._ElementTree:
    """A long field of the header that the messages of every line quote."""
    tree = parsed(spoilt(syntax, 200).replace(b">S1<", b">M8<"))
    for leaf in _leaves(tree):
        if leaf.text and leaf.text.isdigit() and len(leaf.text) in (9, 14):
            leaf.text = "9" * size
    return tree


def invoices_inside(syntax: Syntax, size: int) -> etree._ElementTree:
    """An invoice in an extension of an invoice, so many times one in the other."""
    tree = parsed(clean(syntax, 2))
    outer = tree.getroot()
    for _ in range(size):
        inner = deepcopy(parsed(clean(syntax, 2)).getroot())
        content = outer
        for name in ("ext:UBLExtensions", "ext:UBLExtension", "ext:ExtensionContent"):
            content = etree.SubElement(content, qualified(name))
        content.append(inner)
        outer = inner
    return tree


def _lines_of(tree: etree._ElementTree, syntax: Syntax) -> list[etree._Element]:
    first = at(tree, _LINE[syntax])
    return [first, *first.itersiblings(first.tag)]


def _leaves(tree: etree._ElementTree) -> list[etree._Element]:
    return [each for each in tree.getroot().iter(etree.Element) if not len(each)]


MAKERS: Final[Mapping[str, Maker]] = {
    make.__name__: make
    for make in (
        paths,
        depth,
        deep_and_wide,
        nested_amounts,
        long_texts,
        some_long_texts,
        huge_numbers,
        lines,
        groups,
        groups_without_value,
        attributes,
        breakdowns,
        totals,
        headers,
        identifiers,
        quoted,
        invoices_inside,
    )
}

"""Mutants that aim at nothing: each does one to three things to a document that no ERP would, or that one just did."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Final

from lxml import etree

from tests.rules.rulebook.mutation.guess import NUMBER
from tests.rules.rulebook.mutation.vocabulary import Vocabulary

#: Texts of every type, and of none.
TEXTS: Final = (
    *("", " ", "\u00a0", "\u00a012\u00a0", " \n 12.00\t", "A1", "zz", "é€𝄞", "x" * 3000),
    *("0", "-0", "00", "1", "12.00", "1.005", "-12.50", "+5", "+5.00", ".5", "5.", "1e3", "1.0E-2", "1E400", "0x10"),
    *("NaN", "INF", "-INF", "12,50", "1 000.00", "9" * 25, f"{'9' * 25}.{'9' * 25}", "-" + "9" * 40, "0.0000000001"),
    *("true", "false", "TRUE", "1.", "maybe", "#AAB#", "<![CDATA[x]]>", "{1}", "'\""),
    *("2024-02-29", "2023-02-29", "2024-1-1", "20240229", "2024-01-01Z", "2024-01-01+02:00", "2024-01-01T00:00:00"),
    *("-0001-01-01", "10000-01-01", " 2024-01-01 "),
    *("S", "E", "AE", "Z", "O", "K", "G", "L", "M", "VAT", "vat", "EUR", "FR", "380", "381", "0002", "0009", "0225"),
)
#: Elements in a document beyond which nothing is doubled any more.
_LARGEST: Final = 4000


def mutate(tree: etree._ElementTree, vocabulary: Vocabulary, rng: Random) -> list[str]:
    """Change the tree; the names of what was done, in order."""
    done = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        change = rng.choice(CHANGES)
        elements = list(tree.getroot().iter(etree.Element))
        change(elements, vocabulary, rng)
        done.append(change.__name__.strip("_"))
    return done


Change = Callable[[list[etree._Element], Vocabulary, Random], None]


def _any(elements: list[etree._Element], rng: Random) -> etree._Element:
    """Any element but the root, if there is another."""
    return rng.choice(elements[1:] or elements)


def _leaf(elements: list[etree._Element], rng: Random) -> etree._Element:
    return rng.choice([element for element in elements if len(element) == 0])


def _delete(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = _any(elements, rng)
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _duplicate(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = _any(elements, rng)
    parent = element.getparent()
    if parent is not None and len(elements) < _LARGEST:
        parent.insert(rng.randint(0, len(parent)), copy.deepcopy(element))


def _empty(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = _any(elements, rng)
    del element[:]
    element.text = None


def _retext(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    _leaf(elements, rng).text = rng.choice(TEXTS)


def _revalue(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    """A text of the same tag elsewhere, or of any other tag."""
    element = _leaf(elements, rng)
    element.text = vocabulary.text(rng.choice((str(element.tag), *vocabulary.tags)), rng)


def _swap(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    one, other = _leaf(elements, rng), _leaf(elements, rng)
    one.text, other.text = other.text, one.text


def _scale(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    numbers = [element for element in elements if len(element) == 0 and NUMBER.fullmatch((element.text or "").strip())]
    if numbers:
        element = rng.choice(numbers)
        factor = Decimal(rng.choice(("-1", "0", "10", "0.1", "1.01", "1000000", "0.333")))
        element.text = format(Decimal((element.text or "").strip()) * factor, "f")


def _pad(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = _leaf(elements, rng)
    blank = rng.choice((" ", "\n\t", "\u00a0", "0", "+", "-"))
    element.text = blank + (element.text or "") if rng.random() < 0.6 else (element.text or "") + blank


def _reorder(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    parents = [element for element in elements if len(element) > 1]
    if parents:
        parent = rng.choice(parents)
        children = list(parent)
        rng.shuffle(children)
        parent[:] = children


def _nest(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = _any(elements, rng)
    parent = element.getparent()
    if parent is not None and len(parent) > 1:
        rng.choice([child for child in parent if child is not element]).append(element)


def _move(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element, home = _any(elements, rng), rng.choice(elements)
    if element is not home and element not in home.iterancestors():
        home.append(element)


def _insert(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    """Any element of the language, anywhere."""
    tag = rng.choice(vocabulary.tags)
    made = etree.SubElement(rng.choice(elements), tag)
    made.text = vocabulary.text(tag, rng)


def _namespace(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    element = rng.choice(elements)
    element.tag = "{urn:other}" + etree.QName(element).localname


def _unattribute(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    bearing = [element for element in elements if element.attrib]
    if bearing:
        element = rng.choice(bearing)
        del element.attrib[rng.choice(sorted(map(str, element.attrib)))]


def _reattribute(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    bearing = [element for element in elements if element.attrib]
    if bearing:
        element = rng.choice(bearing)
        name = rng.choice(sorted(map(str, element.attrib)))
        element.set(name, rng.choice((vocabulary.value(str(element.tag), name, rng), rng.choice(TEXTS))))


def _attribute(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    """Any attribute of the language, anywhere, now and then in a namespace of its own."""
    name = rng.choice(vocabulary.names or ["schemeID"])
    qualified = name if rng.random() < 0.8 or name.startswith("{") else "{urn:other}" + name
    rng.choice(elements).set(qualified, vocabulary.value("", name, rng))


def _extend(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    """The whole document once more, in an extension of itself."""
    root = elements[0]
    uri = "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2"
    if len(elements) > _LARGEST:
        return
    inner = copy.deepcopy(root)
    home = rng.choice(elements) if rng.random() < 0.3 else root
    for name in ("UBLExtensions", "UBLExtension", "ExtensionContent"):
        made = etree.Element(f"{{{uri}}}{name}")
        home.insert(0, made)
        home = made
    home.append(inner)


def _wrap(elements: list[etree._Element], vocabulary: Vocabulary, rng: Random) -> None:
    """An element becomes the child of a new one."""
    element = _any(elements, rng)
    parent = element.getparent()
    if parent is not None:
        made = etree.Element(rng.choice(vocabulary.tags))
        parent.replace(element, made)
        made.append(element)


#: What is listed twice is done twice as often.
CHANGES: Final[tuple[Change, ...]] = (
    *(_delete, _delete, _duplicate, _duplicate, _empty, _insert, _insert, _reorder, _nest, _move, _wrap, _extend),
    *(_retext, _retext, _retext, _revalue, _swap, _scale, _scale, _pad, _namespace),
    *(_unattribute, _reattribute, _reattribute, _attribute, _attribute),
)

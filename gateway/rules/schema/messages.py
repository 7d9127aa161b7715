"""From libxml2's English to a sentence in French and English, for the classes of fault that invoices show.

The patterns are those of libxml2 2.9 to 2.14 (xmlschemas.c). What matches none is told in libxml2's own words:
a fault is never dropped because its message is new.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.finding import Text

_PREFIXES: Final[Mapping[str, str]] = {
    "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100": "rsm:",
    "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100": "ram:",
    "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100": "udt:",
    "urn:un:unece:uncefact:data:standard:QualifiedDataType:100": "qdt:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2": "cac:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2": "cbc:",
    "urn:oasis:names:specification:ubl:schema:xsd:CommonExtensionComponents-2": "ext:",
    "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2": "",
    "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2": "",
}
_TYPES: Final[Mapping[str, Text]] = {
    "decimal": Text(
        "un nombre décimal (point décimal, ni espace ni exposant)",
        "a decimal number (decimal point, no blanks, no exponent)",
    ),
    "date": Text("une date AAAA-MM-JJ", "a date YYYY-MM-DD"),
    "time": Text("une heure HH:MM:SS", "a time HH:MM:SS"),
    "dateTime": Text("une date et heure ISO 8601", "an ISO 8601 date and time"),
    "boolean": Text("« true » ou « false »", '"true" or "false"'),
    "integer": Text("un nombre entier", "a whole number"),
    "base64Binary": Text("du contenu en base64", "base64 content"),
}
#: What an element is, by the end of its name, where its schema names no type (UBL amounts).
_NAMED: Final[Mapping[str, str]] = {
    "Amount": "decimal",
    "Quantity": "decimal",
    "Percent": "decimal",
    "Rate": "decimal",
    "Date": "date",
    "Time": "time",
    "Indicator": "boolean",
    "BinaryObject": "base64Binary",
}
_PERMITTED: Final = Text("une valeur permise à cet endroit", "a value permitted here")
_EXPECTED_LIMIT: Final = 6
_MESSAGE_LIMIT: Final = 4000

_FIX: Final = Text(
    "Corrigez l'export de la facture dans votre ERP (ou le convertisseur), puis redéposez le fichier.",
    "Correct the invoice export in your ERP (or the converter), then drop the file again.",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Templates and their values, apart: values come from the file and must never be read as templates."""

    message: Text
    remedy: Text
    values: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""  #: local name of the element that should have stood inside the place told


@dataclass(frozen=True, slots=True)
class _Class:
    """One class of libxml2 messages. Groups of `pattern` become values."""

    pattern: re.Pattern[str]
    message: Text
    remedy: Text = _FIX


def _class(pattern: str, fr: str, en: str, remedy: Text = _FIX) -> _Class:
    return _Class(re.compile(pattern, re.DOTALL), Text(fr, en), remedy)


_ELEMENT: Final = r"Element '(?P<element>[^']*)'"
_ATTRIBUTE: Final = _ELEMENT + r", attribute '(?P<attribute>[^']*)'"
_CLASSES: Final = (
    _class(
        _ELEMENT + r": This element is not expected\. Expected is (?:one of )?\( (?P<expected>.*?) ?\)\.",
        "L'élément {element} n'est pas à sa place : à cet endroit le schéma attend {expected}.",
        "The element {element} is out of place: here the schema expects {expected}.",
        Text(
            "Ajoutez l'élément qui manque avant lui, remettez les éléments dans l'ordre du schéma, ou retirez-le ; "
            "puis redéposez le fichier.",
            "Add the element missing before it, put the elements in the schema's order, or remove it; "
            "then drop the file again.",
        ),
    ),
    _class(
        _ELEMENT + r": This element is not expected\.",
        "L'élément {element} n'est pas permis à cet endroit.",
        "The element {element} is not allowed here.",
        Text("Retirez-le, puis redéposez le fichier.", "Remove it, then drop the file again."),
    ),
    _class(
        _ELEMENT + r": Missing child element\(s\)\. Expected is (?:one of )?\( (?P<missing>.*?) ?\)\.",
        "L'élément {element} est incomplet : il manque {missing}.",
        "The element {element} is incomplete: {missing} is missing.",
        Text("Ajoutez ce qui manque, puis redéposez le fichier.", "Add what is missing, then drop the file again."),
    ),
    _class(
        _ATTRIBUTE
        + r": (?:\[facet '\w+'\] The value )?'(?P<value>.*?)' is not a valid value of .*?type(?: '(?P<type>[^']*)')?",
        "La valeur « {value} » de l'attribut {attribute} de {element} n'est pas {type_fr}.",
        'The value "{value}" of the attribute {attribute} of {element} is not {type_en}.',
    ),
    _class(
        _ELEMENT + r": '(?P<value>.*?)' is not a valid value of .*?type(?: '(?P<type>[^']*)')?",
        "La valeur « {value} » de l'élément {element} n'est pas {type_fr}.",
        'The value "{value}" of the element {element} is not {type_en}.',
    ),
    _class(
        _ATTRIBUTE + r": \[facet 'enumeration'\] The value '(?P<value>.*?)' is not an element of the set",
        "La valeur « {value} » de l'attribut {attribute} de {element} n'est pas dans la liste permise.",
        'The value "{value}" of the attribute {attribute} of {element} is not in the permitted list.',
    ),
    _class(
        _ELEMENT + r": \[facet 'enumeration'\] The value '(?P<value>.*?)' is not an element of the set",
        "La valeur « {value} » de l'élément {element} n'est pas dans la liste permise.",
        'The value "{value}" of the element {element} is not in the permitted list.',
    ),
    _class(
        _ELEMENT + r"(?:, attribute '[^']*')?: \[facet '(?P<facet>\w+)'\] The value '(?P<value>.*?)'",
        "La valeur « {value} » de l'élément {element} ne respecte pas la contrainte « {facet} » du schéma.",
        'The value "{value}" of the element {element} breaks the schema\'s constraint "{facet}".',
    ),
    _class(
        _ATTRIBUTE + r": The attribute '[^']*' is not allowed",
        "L'attribut {attribute} n'est pas permis sur l'élément {element}.",
        "The attribute {attribute} is not allowed on the element {element}.",
        Text("Retirez-le, puis redéposez le fichier.", "Remove it, then drop the file again."),
    ),
    _class(
        _ELEMENT + r": The attribute '(?P<attribute>[^']*)' is required but missing",
        "L'attribut obligatoire {attribute} manque sur l'élément {element}.",
        "The mandatory attribute {attribute} is missing from the element {element}.",
        Text("Ajoutez-le, puis redéposez le fichier.", "Add it, then drop the file again."),
    ),
    _class(
        _ELEMENT + r": No matching global (?:element )?declaration",
        "La racine {element} n'est pas celle d'une facture de cette syntaxe (version ou espace de noms inconnus).",
        "The root {element} is not that of an invoice of this syntax (unknown version or namespace).",
        Text(
            "Produisez une facture UBL 2.1, CII D16B/D22B ou Factur-X, puis redéposez-la.",
            "Produce a UBL 2.1, CII D16B/D22B or Factur-X invoice, then drop it again.",
        ),
    ),
    _class(
        _ELEMENT + r": (?:Character content|Element content|Text) .*is not allowed",
        "L'élément {element} ne doit pas contenir ce texte ou ces éléments (type de contenu interdit).",
        "The element {element} must not hold this text or these elements (content not allowed).",
    ),
)
_OTHER: Final = Text("Faute de schéma XML : {raw}", "XML schema fault: {raw}")


def fault_of(message: str) -> Fault:
    """The fault that libxml2's `message` tells. It carries the file's value whole, of any length: the middle of a
    long one is left out before any pattern sees it."""
    if len(message) > _MESSAGE_LIMIT:
        message = message[: _MESSAGE_LIMIT // 2] + "…" + message[-_MESSAGE_LIMIT // 2 :]
    for each in _CLASSES:
        match = each.pattern.match(message)
        if match:
            return _fault(each, match.groupdict())
    return Fault(_OTHER, _FIX, {"raw": message})


def _fault(kind: _Class, groups: Mapping[str, str]) -> Fault:
    values = {name: value for name, value in groups.items() if name in ("value", "facet")}
    for name in ("element", "attribute"):
        if name in groups:
            values[name] = _short(groups[name])
    for name in ("expected", "missing"):
        if name in groups:
            values[name] = _list(groups[name])
    if "type" in groups:
        label = _type(groups["type"] or "", values.get("attribute", values.get("element", "")))
        values["type_fr"], values["type_en"] = label.fr, label.en
    missing = groups.get("missing", "")
    first = missing.split(", ")[0].strip() if missing else ""
    return Fault(kind.message, kind.remedy, values, missing=first.rpartition("}")[2])


def _type(given: str, element: str) -> Text:
    """What the schema expects, from its type, else from the name of the element."""
    name = given.removeprefix("xs:")
    by_name = next((kind for end, kind in _NAMED.items() if element.endswith(end)), "")
    return _TYPES.get(name) or _TYPES.get(by_name, _PERMITTED)


def _short(name: str) -> str:
    """`{urn:…}TaxTotal` as `cac:TaxTotal`; a namespace of nobody's is named in full, for it is the fault."""
    namespace, closed, local = name.rpartition("}")
    if not closed:
        return name
    prefix = _PREFIXES.get(namespace.removeprefix("{"))
    return name if prefix is None else prefix + local


def _list(names: str) -> str:
    """The first few of libxml2's list; `##other{…}*` wild cards say nothing to a person."""
    each = [_short(name.strip()) for name in names.split(", ")]
    shown = [name for name in each if not name.startswith("##")] or each
    return ", ".join(shown[:_EXPECTED_LIMIT]) + (", …" if len(shown) > _EXPECTED_LIMIT else "")

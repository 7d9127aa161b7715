"""What is said in French for each form of official sentence, and what to do about it: one function a form.

Each takes the match of its form (`french.py`) and says one sentence. The names of terms are `term_names.py`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.domain.finding import Text
from gateway.rules.rulebook.texts.term_names import TERM_NAMES, bare, capital, named


@dataclass(frozen=True, slots=True)
class Said:
    """The sentence in French, and what to do about it, without a full stop."""

    fr: str
    remedy: Text
    term: str = ""


TERM: Final = re.compile(r"\b(B[TG]-[0-9]+)\b")
#: Extensions have terms too: BT-X-8 in Factur-X, EXT-FR-FE-163 in the French reform.
_IN_BRACKETS: Final = re.compile(r"\(\s*(B[TG]-(?:X-)?[0-9]+|EXT-FR-FE-(?:BG-)?[0-9]+)[^)]*\)")
_CONNECTOR: Final = re.compile(r"(?<![A-Za-z])(and/or|and|or)(?![A-Za-z])")
_FRENCH_CONNECTOR: Final = {"and/or": "et/ou", "and": "et", "or": "ou"}
_TIMES: Final = {"1": Text("une fois", "once"), "2": Text("deux fois", "twice")}
#: What code lists are asked for, as the sheets call it: a term, or our word where none is meant alone.
_CODED: Final = {
    "the document type code": "BT-3",
    "currencyid": "la devise d'un montant (attribut currencyID)",
    "invoice currency code": "BT-5",
    "tax currency code": "BT-6",
    "value added tax point date code": "BT-8",
    "subject code": "BT-21",
    "invoiced note subject code": "BT-21",
    "country codes in an invoice": "un code pays",
    "payment means in an invoice": "BT-81",
    "invoice tax categories": "une catégorie de TVA",
    "coded allowance reasons": "le code motif d'une remise",
    "coded charge reasons": "le code motif de frais",
    "item classification identifier identification scheme identifier": "BT-158",
    "item standard identifier scheme identifier": "BT-157",
    "tax exemption reason code identifier scheme identifier": "BT-121",
    "unit code": "une unité de mesure",
    "endpoint identifier scheme identifier": "le schéma d'une adresse électronique",
    "delivery location identifier scheme identifier": "BT-71",
    "any identifier identification scheme identifier": "le schéma d'un identifiant",
    "any registration identifier identification scheme identifier": "le schéma d'un identifiant légal",
}
_CATEGORIES: Final = {
    "standard rate": "taux normal, S",
    "zero rated": "taux zéro, Z",
    "exempt from vat": "exonéré, E",
    "reverse charge": "autoliquidation, AE",
    "vat reverse charge": "autoliquidation, AE",
    "intra-community supply": "livraison intracommunautaire, K",
    "intracommunity supply": "livraison intracommunautaire, K",
    "export outside the eu": "exportation hors UE, G",
    "not subject to vat": "hors champ de la TVA, O",
    "igic": "IGIC, L",
    "ipsi": "IPSI, M",
}


def not_used(found: re.Match[str]) -> Said:
    kind = "l'attribut" if found["kind"].startswith("Attribute") else "l'élément"
    what, variant, _ = found["what"].partition("[")
    form = ", sous cette forme," if variant else ""
    return Said(
        f"{capital(kind)} {what}{form} n'est pas prévu à cet endroit par ce profil",
        Text(f"Retirez {kind} {what}", f"Remove {what}"),
    )


def count(found: re.Match[str]) -> Said:
    what = found["what"].partition("[")[0]
    how = {"exactly": Text("exactement", "exactly"), "at least": Text("au moins", "at least")}
    words = how.get(found["how"], Text("au plus", "at most"))
    times = _TIMES.get(found["n"], Text(f"{found['n']} fois", f"{found['n']} times"))
    return Said(
        f"L'élément {what} doit figurer {words.fr} {times.fr} à cet endroit",
        Text(f"Faites figurer {what} {words.fr} {times.fr}", f"State {what} {words.en} {times.en}"),
    )


def value(found: re.Match[str]) -> Said:
    what = found["what"].partition("[")[0]
    return Said(
        f"La valeur de {what} n'est pas dans la liste autorisée",
        Text(f"Donnez à {what} une valeur de la liste", f"Give {what} a value of the list"),
    )


def attribute(found: re.Match[str]) -> Said:
    return Said(
        f"L'attribut {found['what']} est obligatoire à cet endroit",
        Text(f"Renseignez l'attribut {found['what']}", f"State the attribute {found['what']}"),
    )


def unused(found: re.Match[str]) -> Said:
    words = found["what"].split()
    is_path = all(word[0].isupper() and word.isalpha() for word in words)
    path = "/".join(words) if is_path or len(words) == 1 else f"« {found['what']} »"
    return Said(
        f"La facture porte {path}, que la norme EN 16931 n'utilise pas à cet endroit",
        Text(f"Retirez {path} de l'export", f"Leave {path} out of the export"),
    )


def decimals(found: re.Match[str]) -> Said:
    name = named(found["term"])
    return Said(
        f"{capital(name.fr)} a plus de {found['n']} décimales",
        Text(f"Arrondissez {name.fr} à {found['n']} décimales", f"Round {name.en} to {found['n']} decimals"),
        found["term"],
    )


def rate(found: re.Match[str]) -> Said:
    name, wanted = named(found["term"]), found["wanted"]
    value = Text("0 ou plus", "0 or more") if "0 (zero) or" in wanted else Text("0", "0")
    if wanted.startswith("greater"):
        value = Text("supérieur à 0", "greater than 0")
    return Said(
        f"{capital(name.fr)} doit être {value.fr}{_category(found.string)}",
        Text(f"Corrigez {name.fr} ou la catégorie de TVA", f"Correct {name.en} or the VAT category"),
        found["term"],
    )


def breakdown(found: re.Match[str]) -> Said:
    how = "exactement une fois" if found["how"] == "exactly one" else "au moins une fois"
    return Said(
        f"La ventilation de la TVA (BG-23) doit porter {how} la catégorie employée dans la facture"
        f"{_category(found.string)}",
        Text("Complétez la ventilation de la TVA (BG-23)", "Complete the VAT breakdown (BG-23)"),
        "BG-23",
    )


def sum(found: re.Match[str]) -> Said:
    name = named(found["term"])
    formula = re.sub(r"[A-Z][A-Za-z ]*\(\s*(B[TG]-[0-9]+)\s*\)", _in_formula, found["formula"])
    # The sheets write "-Paid amount": an operator gets its blanks.
    formula = re.sub(r"\s*([-+×*])\s*(?=[^\d\s])(?![0-9])", r" \1 ", formula).strip(" .")
    formula = re.sub(r"B([TG]) - (?=[0-9])", r"B\1-", formula).replace("Σ ", "")
    return Said(
        f"{capital(name.fr)} n'est pas égal à : {formula}",
        Text(f"Corrigez {name.fr} ou les montants dont il découle", f"Correct {name.en} or the amounts it comes from"),
        found["term"],
    )


def _in_formula(found: re.Match[str]) -> str:
    name = bare(named(found[1]).fr)
    return f"somme de chaque {name}" if found.string[: found.start()].endswith("Σ ") else name


def equal_sum(found: re.Match[str]) -> Said:
    name = named(found["term"])
    parts = ", ".join(dict.fromkeys(bare(named(term).fr) for term in TERM.findall(found["rest"])))
    return Said(
        f"{capital(name.fr)} ne correspond pas au calcul attendu ({parts}){_category(found.string)}",
        Text(f"Corrigez {name.fr} ou les montants dont il découle", f"Correct {name.en} or the amounts it comes from"),
        found["term"],
    )


def country_prefix(found: re.Match[str]) -> Said:
    terms = ", ".join(TERM.findall(found["what"]))
    return Said(
        f"Un numéro de TVA ({terms}) ne commence pas par le code de son pays (FR, DE, EL, …)",
        Text(
            "Écrivez le numéro de TVA avec le code du pays devant", "Write the VAT number with its country code first"
        ),
        _first(found["what"]),
    )


def empty(_: re.Match[str]) -> Said:
    return Said(
        "Un élément est vide",
        Text("Renseignez cet élément ou retirez-le", "Fill this element in or leave it out"),
    )


def forbidden(found: re.Match[str]) -> Said:
    listed = _listed(found["what"])
    english = _listed(found["what"], french=False)
    return Said(
        f"La facture porte {listed}, ce que cette règle interdit{_category(found.string)}",
        Text(f"Retirez {listed} ou corrigez la catégorie de TVA", f"Remove {english} or correct the VAT category"),
        _first(found["what"]),
    )


def missing(found: re.Match[str]) -> Said:
    listed, english = _listed(found["what"]), _listed(found["what"], french=False)
    where = _container(found.groupdict().get("where") or "")
    return Said(
        f"Il manque {listed}{where}{_category(found.string)}",
        Text(f"Renseignez {listed}", f"State {english}"),
        _first(found["what"]),
    )


def none(found: re.Match[str]) -> Said:
    name = named(found["term"])
    what = {"BG-23": "ventilation de la TVA", "BG-25": "ligne"}[found["term"]]
    return Said(
        f"La facture n'a aucune {what} ({found['term']})",
        Text(f"Ajoutez {name.fr}", f"Add {name.en}"),
        found["term"],
    )


def scheme(found: re.Match[str]) -> Said:
    name = named(found["term"])
    return Said(
        f"{capital(name.fr)} n'a pas d'identifiant de schéma (attribut schemeID)",
        Text(f"Ajoutez l'attribut schemeID à : {bare(name.fr)}", f"Add the attribute schemeID to {name.en}"),
        found["term"],
    )


def order(found: re.Match[str]) -> Said:
    late, early = named(found["late"]), named(found["early"])
    return Said(
        f"{capital(late.fr)} vient avant {early.fr}",
        Text(f"Corrigez {late.fr} ou {early.fr}", f"Correct {late.en} or {early.en}"),
        found["late"],
    )


def exclusive(found: re.Match[str]) -> Said:
    one, other = named(found["one"]), named(found["other"])
    return Said(
        f"{capital(one.fr)} et {other.fr} ne vont pas ensemble",
        Text(f"Gardez l'un des deux : {one.fr} ou {other.fr}", f"Keep one of the two: {one.en} or {other.en}"),
        found["one"],
    )


def same(found: re.Match[str]) -> Said:
    one, other = named(found["one"]), named(found["other"])
    return Said(
        f"{capital(one.fr)} et {other.fr} ne disent pas la même chose",
        Text(f"Accordez {one.fr} et {other.fr}", f"Make {one.en} and {other.en} agree"),
        found["one"],
    )


def code(found: re.Match[str]) -> Said:
    codes = found["list"].strip(" .")
    known = _CODED.get(found["subject"].lower(), "")
    name = named(known) if known in TERM_NAMES else Text(known or "un code de la facture", found["subject"])
    return Said(
        f"{capital(name.fr)} n'est pas dans la liste autorisée ({codes})",
        Text(f"Employez un code de cette liste : {codes}", f"Use a code of this list: {codes}"),
        known if known in TERM_NAMES else "",
    )


def often(found: re.Match[str]) -> Said:
    how = Text("exactement", "exactly") if found["how"] == "exactly" else Text("au plus", "at most")
    times = "une fois" if found["n"] == "once" else "deux fois"
    return Said(
        f"« {found['what']} » doit figurer {how.fr} {times} à cet endroit",
        Text(f"Faites figurer « {found['what']} » {how.fr} {times}", f"State “{found['what']}” {how.en} {found['n']}"),
    )


def only_one(found: re.Match[str]) -> Said:
    return Said(
        f"« {found['what']} » ne doit figurer qu'une fois à cet endroit",
        Text(f"N'en gardez qu'un : {found['what']}", f"Keep only one: {found['what']}"),
    )


def negative(found: re.Match[str]) -> Said:
    name = named(found["term"])
    return Said(
        f"{capital(name.fr)} est négatif",
        Text(f"Rendez positif : {bare(name.fr)}", f"Make {name.en} positive"),
        found["term"],
    )


def tolerance(found: re.Match[str]) -> Said:
    term = _first(found["formula"])
    name = named(term)
    return Said(
        f"{capital(name.fr)} s'écarte du calcul attendu de plus que la tolérance{_category(found.string)}",
        Text(f"Corrigez {name.fr} ou les montants dont il découle", f"Correct {name.en} or the amounts it comes from"),
        term,
    )


def _category(sentence: str) -> str:
    """` (catégorie de TVA : …)` for a rule on one category; "" for others."""
    lowered = sentence.lower()
    for english, french in _CATEGORIES.items():
        if re.search(f'["“”] ?{english}', lowered):
            return f" (catégorie de TVA : {french})"
    return ""


def _container(subject: str) -> str:
    """` dans la ligne de facture (BG-25)`, where the subject is a group and not the invoice as a whole."""
    term = None if subject.startswith("An Invoice that") else _IN_BRACKETS.search(subject)
    return f" dans {named(term[1]).fr}" if term else ""


def _listed(words: str, *, french: bool = True) -> str:
    """`the A (BT-1), the B (BT-2) and/or the C (BT-3)`, with our names."""
    parts: list[str] = []
    end = 0
    for term in _IN_BRACKETS.finditer(words):
        name = named(term[1])
        between = _CONNECTOR.search(words, end, term.start())
        joined = f" {_FRENCH_CONNECTOR[between[1]] if french else between[1]} " if between else ", "
        parts.append((joined if parts else "") + (name.fr if french else name.en))
        end = term.end()
    return "".join(parts)


def _first(words: str) -> str:
    found = TERM.search(words)
    return found[1] if found else ""

"""How a rule that fired is told: its official text, a short sentence in the other language, a remedy, and the term.

The official text is kept, without the id in front of it, which stands in the finding already. A wording is made from
the text of the sheet, never from one that quotes a document: it is kept, and another document's values are none of
its business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway.domain.finding import Text
from gateway.rules.rulebook.texts.english import english_of
from gateway.rules.rulebook.texts.french import french_of
from gateway.rules.rulebook.texts.sentences import TERM, Said
from gateway.rules.rulebook.texts.term_names import named

#: `[BR-CO-15]-`, `[BR-FR-09/BT-29] : `, `BR-FR-03/BT-2 : `; some sheets put the values before it.
_ID: Final = re.compile(r"(?:\[(?P<id>[A-Za-z]+-[^\]]*)\]|(?P<bare>BR-FR-[A-Z0-9-]+/[A-Z0-9/-]+)\]?)\s*[-–:,]*\s*")
_EXTENSION: Final = re.compile(r"\b(EXT-FR-FE-(?:BG-)?[0-9]+|BT-X-[0-9]+)\b")
_FRENCH: Final = re.compile(
    r"(?<!\w)(?:le|la|les|des|du|une?|est|doit|doivent|dans|ne|pas|être|d’\w+|l’\w+)(?!\w)", re.I
)
_ENGLISH: Final = re.compile(r"(?<!\w)(?:the|an?|is|shall|must|should|of|not|in|be|for|where)(?!\w)", re.I)
#: Numbers that schema-like rules of Factur-X have; where such a rule is one of the standard's, its text begins with it.
_INTERNAL: Final = re.compile(r"FX-SCH-A-[0-9]+")
_LEADING: Final = re.compile(r"\s*\[(?P<id>[A-Za-z]+-[A-Za-z0-9-]+)\]")
_NOT_USED: Final = re.compile(r"(?:Element(?: variant)?|Attribute) '?@?(?P<what>[\w:]+).* marked as not used")


@dataclass(frozen=True, slots=True)
class Wording:
    """What is the same each time one rule fires. `other` is the sentence in the language that is not official."""

    term: str
    official_is_french: bool
    other: str
    remedy: Text  #: without a full stop


#: Why the engine could not compute a rule, as it says it.
_REASONS: Final = (
    (re.compile(r"“(.*)” is neither true nor false", re.DOTALL), "« {} » n'est ni vrai ni faux (true ou false)"),
    (re.compile(r"“(.*)” is not a date", re.DOTALL), "« {} » n'est pas une date"),
    (re.compile(r"“(.*)” is not a time zone", re.DOTALL), "« {} » n'est pas un fuseau horaire"),
    (re.compile(r"the year of “(.*)”", re.DOTALL), "l'année de « {} » a trop de chiffres"),
    (re.compile(r"“(.*)” is not a (?:decimal )?number", re.DOTALL), "« {} » n'est pas un nombre"),
    (re.compile(r"(\S+) has no decimal value"), "{} n'a pas de valeur décimale"),
    (re.compile(r"(\d+) values where one is expected"), "{} valeurs là où une seule est attendue"),
    (re.compile(r"a (condition) of several values"), "une condition qui a plusieurs valeurs"),
    (re.compile(r"a (value) that has no text here"), "une valeur qui n'a pas de texte ici"),
    (re.compile(r"(\d+ \S+) where one is expected"), "{} là où un seul est attendu"),
    (re.compile(r"(no value) where one is expected"), "une valeur manque"),
    (re.compile(r"a number of (?:more than )?(\d+) (?:digits|characters)"), "un nombre trop long ({} signes)"),
    (re.compile(r"a (division) by zero"), "une division par zéro"),
)


def reason_of(reason: str) -> Text:
    """Why a rule could not be computed, in both languages where the reason is a known one."""
    for pattern, french in _REASONS:
        found = pattern.fullmatch(reason)
        if found:
            return Text(french.format(found[1]), reason)
    return Text(reason, reason)


def is_french(text: str) -> bool:
    """Is an official text written in French?"""
    return len(_FRENCH.findall(text)) > len(_ENGLISH.findall(text))


def wording_of(rule: str, official: str) -> Wording:
    """The wording of a rule by its official text, with `…` for what a document fills in."""
    before, found, sentence = _parts(official)
    french = is_french(sentence)
    term = _first_term(found) or _first_term(sentence) or _first_term(before)
    name = named(term) if term else Text("", "")
    if french:
        said = english_of(found.partition("/")[0] or rule, name.en)
        remedy = Text(
            f"Corrigez {name.fr} comme cette règle le demande" if term else "Corrigez la facture sur ce point",
            f"Correct {name.en} as this rule demands" if term else "Correct the invoice in this point",
        )
        return Wording(term, True, f"{said}.", remedy)
    known = french_of(sentence) or _unknown(rule, sentence, term, name)
    return Wording(known.term or term, False, known.fr if known.fr.endswith(".") else f"{known.fr}.", known.remedy)


def shown(official: str) -> str:
    """The official text without the id in front of it."""
    before, _, sentence = _parts(official)
    return official.strip() if before else sentence


def published_id(pack: str, rule: str, official: str) -> str:
    """The id by which people know a rule.

    A Factur-X number gives way to the standard's own id where the text begins with it: the same rule bears it in the
    other profiles. The few rules that a sheet leaves without an id get one made from pack and name of the element.
    """
    leading = _LEADING.match(official)
    if leading and (not rule or _INTERNAL.fullmatch(rule)):
        return leading["id"]
    if rule:
        return rule
    unused = _NOT_USED.match(official.strip())
    what = unused["what"].rpartition(":")[2] if unused else _slug(official)
    return f"{pack.removesuffix('-rules')}-{'unused-' if unused else ''}{what}".upper()


def _first_term(text: str) -> str:
    """A term of the standard before one of an extension."""
    first = TERM.search(text) or _EXTENSION.search(text)
    return first[1] if first else ""


def _parts(official: str) -> tuple[str, str, str]:
    """What stands before the id, the id, and the sentence."""
    found = None if official.startswith(("Element", "Attribute")) else _ID.search(official)
    if found is None:
        return "", "", official.strip()
    return official[: found.start()].strip(), found["id"] or found["bare"], official[found.end() :].strip()


def _unknown(rule: str, sentence: str, term: str, name: Text) -> Said:
    """A sentence of a form that is not known: the rule, the term, and the official text itself."""
    about = f" ({name.fr})" if term else ""
    which = f"La règle {rule}" if rule else "Une règle"
    return Said(
        f"{which} n'est pas respectée{about}. Texte officiel : {sentence}",
        Text(
            f"Corrigez {name.fr} comme cette règle le demande" if term else "Corrigez la facture sur ce point",
            f"Correct {name.en} as this rule demands" if term else "Correct the invoice in this point",
        ),
    )


def _slug(official: str) -> str:
    """The first words that say something, for an id that stays the same while the text does."""
    words = [word for word in re.findall(r"[A-Za-z0-9]+", official) if len(word) > 3]
    return "-".join(words[:4]) or "rule"

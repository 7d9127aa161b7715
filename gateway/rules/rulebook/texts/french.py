"""French for the official sentences that are written in English: one short sentence, made from its form and terms.

The sheets say some 1,500 things in a few dozen forms. Each form is one entry of `FORMS`, which is asked in order; a
sentence of no known form is left to the caller, who shows the official text itself. A rule speaks only when it is
broken: a condition ("if the payee is different from the seller") holds by then, so the French need not repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.rules.rulebook.texts import sentences as say
from gateway.rules.rulebook.texts.sentences import Said

_NAME: Final = r"[^()]*\((?P<term>B[TG]-[0-9]+)\)"
_GIVEN: Final = r"(?P<what>[^.]*?\(\s*B[TG]-[0-9]+[^)]*\)[^.;]*?)"
_RATE: Final = r"0 \(zero\)(?: or greater than zero)?|greater than (?:zero|0)|0"
_UNLESS: Final = r"(?:,? (?:if|except)\b.*|\.?\s*\.)?$"

#: In this order: the particular before the general.
FORMS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Said]], ...]] = tuple(
    (re.compile(pattern), says)
    for pattern, says in (
        (r"(?P<kind>Element variant|Element|Attribute) ['@]*(?P<what>.+?)'? (?:is )?marked as not used", say.not_used),
        (r"Element(?: variant)? '(?P<what>.+?)' must occur (?P<how>exactly|at least) (?P<n>\d+) times", say.count),
        (r"Element(?: variant)? '(?P<what>.+?)' may occur (?P<how>at maximum) (?P<n>\d+) times", say.count),
        (r"Value of '(?P<what>.+?)' is not allowed", say.value),
        (r"Attribute '(?P<what>.+?)' is required in this context", say.attribute),
        (r"A UBL (?:invoice|credit note) (?:should|shall) not include (?:the |an )?(?P<what>.+?)\.?$", say.unused),
        (r"(?P<what>[\w@/: ]+?) ?(?:should|shall) ?not be (?:present|used)\.?$", say.unused),
        (r"(?P<what>.+?) (?:shall|should|must) (?:occur|exist) "
         r"(?P<how>maximum|at most|exactly) (?P<n>once|twice)", say.often),
        (r"Only one (?P<what>.+?)(?: element)? (?:is allowed|(?:should|shall) be present)", say.only_one),
        (rf"The allowed maximum number of decimals for the {_NAME} is (?P<n>\d+)", say.decimals),
        (rf".*?(?:the|The) {_NAME}(?: [Ii]n a VAT breakdown \(BG-23\).*?)? shall (?:be|equal) "
         rf"(?P<wanted>{_RATE})", say.rate),
        (rf"(?:.* )?[Tt]he {_NAME} shall NOT be negative", say.negative),
        (r".*?Absolute Value of \((?P<formula>.+)$", say.tolerance),
        (r"(?:.* )?shall contain in the VAT [Bb]reakdown \(BG-23\) (?P<how>exactly one|at least one)", say.breakdown),
        (r".* then the [^()]*\((?P<late>BT-\d+)\) shall be later or equal to the "
         r"[^()]*\((?P<early>BT-\d+)\)", say.order),
        (r"An Invoice shall (?:at least have|have at least) one [^()]*\((?P<term>BG-2[35])\)", say.none),
        (r"[^()]*\((?P<one>BT-\d+)\) and [^()]*\((?P<other>BT-\d+)\) are mutually exclusive", say.exclusive),
        (r"[^()]*\((?P<one>BT-\d+)\) and [^()]*\((?P<other>BT-\d+)\) shall indicate the same", say.same),
        (rf"(?:The )?{_NAME} shall have a Scheme identifier", say.scheme),
        (r"[^()]*\((?P<term>BT-\d+)\)\s*= (?P<formula>.+)$", say.sum),
        (rf"(?:.* )?[Tt]he {_NAME}(?: in a VAT breakdown \(BG-23\))?(?: where .*)? shall equal (?P<rest>.+)$",
         say.equal_sum),
        (r"(?P<what>.+) shall have a prefix in accordance with ISO", say.country_prefix),
        (r"Document MUST not contain empty elements", say.empty),
        (r"(?P<subject>.*?) (?:MUST|shall) (?:be coded (?:using|by|according to)|belong to)(?: one of)?(?: the)? "
         r"(?:(?:a restriction|invoice and credit note related code lists) of )?(?P<list>.+)$", say.code),
        (rf".* shall not (?:contain|have|include) {_GIVEN}{_UNLESS}", say.forbidden),
        (rf"(?:(?:If|In) .*?, )?(?:then )?(?:either )?(?:the )?{_GIVEN} shall be "
         r"(?:present|provided|filled)\b", say.missing),
        (rf".* (?:is|\") (?:the )?{_GIVEN} shall not be blank", say.missing),
        (rf"(?P<where>.*?) (?:shall|must)(?: at least)? (?:have|contain|specify|be defined through|"
         rf"be categorized with)(?: at least)? {_GIVEN}{_UNLESS}", say.missing),
    )
)  # fmt: skip


def french_of(sentence: str) -> Said | None:
    """The French of an official English sentence; None where its form is not known."""
    for pattern, says in FORMS:
        found = pattern.match(sentence)
        if found is not None:
            return says(found)
    return None

"""Regular expressions of XPath (F&O 7.6.1) as Python writes them; only what means the same in both.

Python takes more than XPath does: a brace that is no quantifier for itself, a bracket at the beginning of a class, a
quantifier after a quantifier. Saxon refuses such a pattern when it runs, so it is refused here.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.rules.rulebook.compiler.xpath import Refused

_ESCAPED: Final = r"\\[|.?*+(){}\-\[\]^$\\]"
_QUANTIFIER: Final = re.compile(r"[?*+]|\{\d+(?:,\d*)?\}", re.ASCII)
_AFTER_A_QUANTIFIER: Final = frozenset("?*+{")
_ESCAPE: Final = re.compile(rf"{_ESCAPED}|\\[ds]")
_SINGLE: Final = rf"(?:[^\[\]\\\-]|{_ESCAPED})"
#: A hyphen for itself stands first, last or behind a backslash: elsewhere the versions of XML Schema differ.
_CLASS: Final = re.compile(rf"\[\^?(?:-|-?(?:{_SINGLE}-{_SINGLE}|{_SINGLE}|\\[ds])+-?)\]")


def regex(pattern: str) -> str:
    """The pattern as Python writes it. Raises `Refused`."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        if found := _QUANTIFIER.match(pattern, position):
            text = found[0]
            if pattern[found.end() : found.end() + 1] in _AFTER_A_QUANTIFIER:
                raise Refused(f"{text}{pattern[found.end()]} in the regular expression {pattern}")
        elif char == "[":
            found = _CLASS.match(pattern, position)
            if found is None:
                raise Refused(f"a class in a class, or one read in two ways, in the regular expression {pattern}")
            text = _ESCAPE.sub(_in_a_class, found[0])
        elif char == "\\":
            found = _ESCAPE.match(pattern, position)
            if found is None:
                raise Refused(f"the escape {pattern[position : position + 2]} in the regular expression {pattern}")
            text = r"[ \t\n\r]" if found[0] == r"\s" else found[0]
        elif char in ".{}]" or pattern.startswith("(?", position):
            raise Refused(f"{char} in the regular expression {pattern}")
        else:
            text = r"\Z" if char == "$" else char
        out.append(text)
        position = found.end() if found else position + 1
    text = "".join(out)
    try:
        re.compile(text)
    except re.error as error:
        raise Refused(f"the regular expression {pattern}: {error}") from error
    return text


def _in_a_class(escape: re.Match[str]) -> str:
    return r" \t\n\r" if escape[0] == r"\s" else escape[0]

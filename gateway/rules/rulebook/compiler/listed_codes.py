"""`contains(' A B ', concat(' ', x, ' '))`: how the EN 16931 sheets ask whether x is one of the codes of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.rules.rulebook.compiler.code import ONE, Code, Kind, Scope
from gateway.rules.rulebook.compiler.xpath import Binary, Call, Expr, Literal

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler


def listed(c: Compiler, call: Call, scope: Scope) -> Code | None:
    """That call of `contains`, or None when it is another. A blank in x may span several codes."""
    found = _asked(call)
    if found is None:
        return None
    whole, searched = found
    text = c.string(c.value(searched, scope))
    py = f"listed({text.py}, {_known(c, whole)}, {c.module.constant('C', repr(whole))})"
    return Code(Kind.BOOLEAN, ONE, py, text.uses)


def listed_word(c: Compiler, expr: Binary, scope: Scope) -> Code | None:
    """`not(contains(x, ' ')) and` that call, with the same x: then x is one of the codes, as none holds a blank."""
    match expr:
        case Binary("and", Call("not", (Call("contains", (word, Literal(" "))),)), Call("contains") as call):
            found = _asked(call)
            if found is not None and found[1] == word:
                text = c.string(c.value(word, scope))
                return Code(Kind.BOOLEAN, ONE, f"({text.py} in {_known(c, found[0])})", text.uses)
    return None


def _asked(call: Call) -> tuple[str, Expr] | None:
    """The list, and what is looked for in it."""
    match call.arguments:
        case (Literal(str(whole)), Call("concat", (Literal(" "), searched, Literal(" ")))):
            if len(whole) > 2 and whole.startswith(" ") and whole.endswith(" ") and "  " not in whole:
                return whole, searched
    return None


def _known(c: Compiler, whole: str) -> str:
    return c.module.strings(whole[1:-1].split(" "))

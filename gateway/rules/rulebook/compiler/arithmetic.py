"""Arithmetic (XPath 3.4): which type comes of it, and whether an operator of Python may say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.rules.rulebook.compiler.code import ONE, OPTIONAL, Code, Kind, Scope
from gateway.rules.rulebook.compiler.xpath import Binary, Call, Literal

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler

ARITHMETIC: Final = {"+": "add", "-": "subtract", "*": "multiply", "div": "divide", "mod": "modulo"}


def compile_arithmetic(c: Compiler, expr: Binary, scope: Scope) -> Code:
    """`left op right`; what is missing on one side makes the whole empty."""
    rounded = _cents(c, expr, scope) if c.module.hasty else None
    if rounded is not None:
        return rounded
    dividing, c.module.dividing = c.module.dividing, c.module.dividing or expr.op in ("div", "mod")
    left, right = c.number(c.value(expr.left, scope)), c.number(c.value(expr.right, scope))
    c.module.dividing = dividing
    kinds = {left.kind, right.kind}
    if Kind.NUMBER in kinds:
        kind = Kind.NUMBER
    elif Kind.DOUBLE in kinds:
        kind = Kind.DOUBLE
    else:
        kind = Kind.INTEGER if kinds == {Kind.INTEGER} and expr.op != "div" else Kind.DECIMAL
    whole = left.kind is right.kind is Kind.INTEGER and left.card == right.card == ONE
    if expr.op in ("+", "-", "*") and (whole or c.module.natively(left.kind, right.kind)):
        py = f"({left.py} {expr.op} {right.py})"
        return Code(kind, ONE, py, left.uses | right.uses, missing=left.needs + right.needs)
    card = ONE if left.card == right.card == ONE else OPTIONAL
    py = f"{ARITHMETIC[expr.op]}({left.py}, {right.py})"
    if left.card != ONE and c.module.fails(right.py):  # nothing on the left: the right is not computed
        variable = c.module.fresh()
        py = f"next(({ARITHMETIC[expr.op]}({variable}, {right.py}) for {variable} in some({left.py})), None)"
    return Code(kind, card, py, left.uses | right.uses)


def _cents(c: Compiler, expr: Binary, scope: Scope) -> Code | None:
    """`round(x * 10 * 10) div 100`, `round(x * 100) div 100`: how the sheets round an amount."""
    match expr:
        case Binary(
            "div",
            Call("round", (Binary("*", Binary("*", amount, Literal(int(10))), Literal(int(10))),)),
            Literal(int(100)),
        ) | Binary("div", Call("round", (Binary("*", amount, Literal(int(100))),)), Literal(int(100))):
            found = c.number(c.value(amount, scope))
            if c.module.natively(found.kind):
                return Code(Kind.DECIMAL, ONE, f"cents({found.py})", found.uses, missing=found.needs)
    return None

"""Comparisons (XPath 3.5): `=` and its like on sequences, `eq` and its like on single values.

Which conversion applies is known when the rule is compiled. Strings are compared by code point, which is what the
sheets rely on (no collation is declared).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.rules.rulebook.compiler.code import EXACT, MANY, ONE, OPTIONAL, Code, Kind, Scope
from gateway.rules.rulebook.compiler.xpath import Binary, Refused

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler

_VALUE: Final = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_PYTHON: Final = {"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MIRRORED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compare(c: Compiler, expr: Binary, scope: Scope) -> Code:
    """The comparison `expr`."""
    left, right = c.value(expr.left, scope), c.value(expr.right, scope)
    if expr.op in _VALUE:
        return _values(c, _VALUE[expr.op], left, right)
    left, right = c.atoms(left), c.atoms(right)
    uses = left.uses | right.uses
    compared = Code(Kind.BOOLEAN, ONE, _general(c, expr.op, left, right), uses)
    return c.module.keep_answer(compared) if MANY in (left.card, right.card) else compared


def _values(c: Compiler, op: str, left: Code, right: Code) -> Code:
    """`eq`, `le`, …: each side one item or none; untyped counts as a string."""
    left, right = c.single(left), c.single(right)
    uses = left.uses | right.uses
    alike = left.kind == right.kind or (left.is_numeric and right.is_numeric) or (left.is_string and right.is_string)
    if not alike:
        raise Refused(f"a {left.kind.value} {op} a {right.kind.value}")
    if left.card != ONE or right.card != ONE:
        py = f"compare_values({op!r}, {left.py}, {right.py})"
        if left.card != ONE and c.module.fails(right.py):  # nothing on the left: the right is not computed
            variable = c.module.fresh()
            py = f"next((compare_values({op!r}, {variable}, {right.py}) for {variable} in some({left.py})), None)"
        return Code(Kind.BOOLEAN, OPTIONAL, py, uses)
    if left.is_numeric and not (left.kind in EXACT and right.kind in EXACT):
        return Code(Kind.BOOLEAN, ONE, f"compare_numbers({op!r}, {left.py}, {right.py})", uses)
    return Code(Kind.BOOLEAN, ONE, f"({left.py} {_PYTHON[op]} {right.py})", uses)


def _general(c: Compiler, op: str, left: Code, right: Code) -> str:
    if Kind.EMPTY in (left.kind, right.kind):
        return "False"
    if left.is_string and right.is_string:
        return _strings(c, op, left, right)
    if left.is_numeric or right.is_numeric:
        return _numbers(c, op, left, right)
    for kind, cast in ((Kind.BOOLEAN, "boolean"), (Kind.DATE, "to_date")):
        if kind in (left.kind, right.kind):
            return _pairs(c, op, _cast(c, left, kind, cast), _cast(c, right, kind, cast))
    raise Refused(f"a {left.kind.value} {op} a {right.kind.value}")


def _strings(c: Compiler, op: str, left: Code, right: Code) -> str:
    if op == "=":
        for one, other in ((left, right), (right, left)):
            if other.literals is not None and len(other.literals) != 1:
                known = c.module.strings(other.literals)
                return f"({one.py} in {known})" if one.card != MANY else f"(not {known}.isdisjoint({one.py}))"
        if left.card == MANY and right.card == MANY:
            for one, other in ((left, right), (right, left)):
                if not other.uses and other.literals is None:
                    return f"(not {c.module.keep_strings(other)}.isdisjoint({one.py}))"
            return f"(not {{*{left.py}}}.isdisjoint({right.py}))"
        if MANY in (left.card, right.card):
            single, several = (left, right) if right.card == MANY else (right, left)
            return f"({single.py} in {c.module.keep_strings(several)})"
        if left.card == right.card == OPTIONAL:
            variable = c.module.fresh()
            return f"any({variable} == {right.py} for {variable} in some({left.py}))"
        return f"({left.py} == {right.py})"
    if op == "!=":
        if left.card == right.card == ONE:
            return f"({left.py} != {right.py})"
        for one, other in ((left, right), (right, left)):
            if one.loops and other.card == ONE and other.literals is not None:
                return f"(not not [1 {' '.join(one.loops)} if {one.item} != {other.py}])"
        return f"differs({c.items(left)}, {c.items(right)})"
    return _pairs(c, op, left, right)


def _numbers(c: Compiler, op: str, left: Code, right: Code) -> str:
    if right.kind is Kind.UNTYPED and left.is_numeric:
        left, right, op = right, left, _MIRRORED[op]
    if left.kind is Kind.UNTYPED and right.is_numeric and right.card != MANY:
        return _texts(c, op, left, right)
    if left.kind is Kind.UNTYPED:
        raise Refused("untyped values compared with several numbers")
    if right.card != MANY and left.card != MANY:
        left, right = c.number(left), c.number(right)
        if _as_python(c, op, left, right):
            needed = "".join(f"{operand} is not None and " for operand in dict.fromkeys(left.needs + right.needs))
            return f"({needed}{left.py} {_PYTHON[op]} {right.py})"
        call = "equal(" if op == "=" else f"compare_numbers({op!r}, "
        if left.card != ONE and c.module.fails(right.py):  # nothing on the left: the right is not computed
            variable = c.module.fresh()
            return f"any({call}{variable}, {right.py}) for {variable} in some({left.py}))"
        return f"{call}{left.py}, {right.py})"
    if left.card != MANY:  # the side with several items is walked lazily: what decides ends it
        left, right, op = right, left, _MIRRORED[op]
    return f"any_numbers({op!r}, {_doubles(c, left, lazy=True)}, {_doubles(c, right, lazy=False)})"


def _as_python(c: Compiler, op: str, left: Code, right: Code) -> bool:
    """May an operator of Python say it? Where it is worth looking first whether an amount is missing."""
    if not {left.kind, right.kind} <= EXACT:
        return False
    if left.card == right.card == ONE and not left.missing and not right.missing:
        return True
    return bool(left.missing or right.missing) and c.module.natively(left.kind, right.kind)


def _texts(c: Compiler, op: str, texts: Code, number: Code) -> str:
    """Untyped values with one number: `compare_text` says what is special there."""
    if texts.card != MANY:
        return f"compare_text({op!r}, {texts.py}, {number.py})"
    loops, item = c.opened(texts)
    clauses = " ".join(loops)
    if op in (">", "<=") and number.card == ONE and number.kind in EXACT and number.cheap and not number.uses:
        # NaN is greater than any number; what is special about -0 makes no difference here
        negation, against = ("not ", "<=") if op == ">" else ("", "<=")
        return f"any({negation}double({item}) {against} float({number.py}) {clauses})"
    return f"any_texts({op!r}, ({item} {clauses}), {number.py})"


def _doubles(c: Compiler, code: Code, *, lazy: bool) -> str:
    if code.is_numeric:
        return f"({code.item} {' '.join(code.loops)})" if code.loops and lazy else c.items(code)
    if code.kind is not Kind.UNTYPED:
        raise Refused(f"a {code.kind.value} compared with a number")
    loops, item = c.opened(code)
    clauses = " ".join(loops)
    return f"(double({item}) {clauses})" if lazy else f"[double({item}) {clauses}]"


def _cast(c: Compiler, code: Code, kind: Kind, cast: str) -> Code:
    if code.kind is kind:
        return code
    if code.kind is not Kind.UNTYPED:
        raise Refused(f"a {code.kind.value} compared with a {kind.value}")
    if code.card != MANY:
        return replace(code, kind=kind, py=f"{cast}({code.py})", literals=None)
    loops, item = c.opened(code)
    return Code(kind, MANY, f"({cast}({item}) {' '.join(loops)})", code.uses)


def _pairs(c: Compiler, op: str, left: Code, right: Code) -> str:
    if left.card == right.card == ONE:
        return f"({left.py} {_PYTHON[op]} {right.py})"
    if left.card != MANY and right.card == MANY:  # a generator is walked once: it must be the outer one
        left, right, op = right, left, _MIRRORED[op]
    lefts = f"({left.item} {' '.join(left.loops)})" if left.loops else c.items(left)
    if left.card != ONE and c.module.fails(right.py):  # nothing on the left: the right is not computed
        one, other = c.module.fresh(), c.module.fresh()
        return f"any({one} {_PYTHON[op]} {other} for {one} in {lefts} for {other} in {c.items(right)})"
    rights = f"tuple({right.py})" if right.card == MANY else c.items(right)  # a generator can be walked once only
    return f"any_values({op!r}, {lefts}, {rights})"

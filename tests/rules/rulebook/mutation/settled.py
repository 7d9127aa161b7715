"""Tests that can only say one thing, by their form and that of the pattern of their rule alone.

`true()`, `A or not(A)`, a report on `@a` in a rule for `x[not(@a)]`, a test on `self::y` in a rule for `x`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from gateway.rules.rulebook.compiler import xpath as x

_MOST_ATOMS: Final = 12


def settled(pattern: x.Expr, test: x.Expr, report: bool) -> bool:
    """Can the test never say what fires it, whatever its parts say?"""
    return all(_settled(path.steps[-1], test, report) for path in _alternatives(pattern))


def _settled(last: x.Step, test: x.Expr, report: bool) -> bool:
    atoms = list(dict.fromkeys(atom for expr in (test, *last.predicates) for atom in _atoms(expr)))
    if len(atoms) > _MOST_ATOMS:
        return False
    for answers in product((False, True), repeat=len(atoms)):
        values = dict(zip(atoms, answers, strict=True))
        if any(value and _is_another(atom, last) for atom, value in values.items()):
            continue
        if all(_value(predicate, values) for predicate in last.predicates) and _value(test, values) is report:
            return False
    return True


def _is_another(atom: x.Expr, last: x.Step) -> bool:
    """`self::y`, for a node that is an `x`."""
    match atom:
        case x.Path(False, (x.Step(x.Axis.SELF, x.NameTest() as test),)):
            return isinstance(last.test, x.NameTest) and last.test.exact and test.exact and test != last.test
    return False


def _alternatives(pattern: x.Expr) -> Iterator[x.Path]:
    match pattern:
        case x.Binary("|", left, right):
            yield from _alternatives(left)
            yield from _alternatives(right)
        case x.Path():
            yield pattern


def _atoms(expr: x.Expr) -> Iterator[x.Expr]:
    match expr:
        case x.Binary("and" | "or", left, right):
            yield from _atoms(left)
            yield from _atoms(right)
        case x.Call("not", (inner,)):
            yield from _atoms(inner)
        case x.Call("true" | "false", ()):
            return
        case _:
            yield expr


def _value(expr: x.Expr, values: dict[x.Expr, bool]) -> bool:
    match expr:
        case x.Binary("and", left, right):
            return _value(left, values) and _value(right, values)
        case x.Binary("or", left, right):
            return _value(left, values) or _value(right, values)
        case x.Call("not", (inner,)):
            return not _value(inner, values)
        case x.Call("true" | "false" as name, ()):
            return name == "true"
    return values[expr]

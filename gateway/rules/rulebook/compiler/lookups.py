"""Questions that each line of an invoice would put to all lines, answered from an index made once.

Without this, time would grow as the square of the lines: `all[key = value]`, where only the value depends on the
line, and `value = preceding::key`. The index belongs to the document, or to a parent when the list is that of its
children (`../line[key = $value]`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.rules.rulebook.compiler.code import MANY, ONE, OPTIONAL, Code, Focus, Kind, Scope
from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Axis,
    Binary,
    Expr,
    NameTest,
    Path,
    Quantified,
    Step,
    Variable,
)

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler


def parts(predicate: Expr) -> Iterator[Expr]:
    """`[a and b]` asks what `[a][b]` asks."""
    if isinstance(predicate, Binary) and predicate.op == "and":
        yield from parts(predicate.left)
        yield from parts(predicate.right)
    else:
        yield predicate


def looked_up(c: Compiler, code: Code, predicate: Expr, scope: Scope, *, lenient: bool = False) -> Code | None:
    """`code[predicate]` from an index, when the predicate is `key = value`; None when it is not.

    `lenient`: with the nodes whose key cannot be computed.
    """
    predicate = _lifted(predicate, scope)
    if not isinstance(predicate, Binary) or predicate.op != "=":
        return None
    whole = c.module.keep_list(code)
    item = c.module.fresh()
    inner = scope.at(Focus.on(item, code.kind, element=code.element))
    for key_side, value_side in ((predicate.left, predicate.right), (predicate.right, predicate.left)):
        key, value = c.atoms(c.value(key_side, inner)), c.atoms(c.value(value_side, inner))
        if not _fits(key, value, item):
            continue
        some_fail = lenient and c.module.fails(key.py)
        index = c.module.index(whole, item, key, lenient=some_fail)
        if lenient and c.module.fails(value.py):
            py = f"meant({index}, lambda: {c.items(value)}, {whole.py})"
        elif some_fail:
            py = f"candidates({index}, {c.items(value)})"
        elif value.card == OPTIONAL and c.module.fails(key.py) and (key.card == MANY or value_side is predicate.left):
            py = f"sought(lambda: {index}, {c.items(value)})"  # compared with nothing, Saxon makes no keys
        else:
            py = f"{index}.get({value.py}, ())" if value.card == ONE else f"found({index}, {c.items(value)})"
        return Code(code.kind, MANY, py, code.uses | value.uses, flat=code.flat, element=code.element)
    return None


def some_equal(c: Compiler, expr: Quantified, scope: Scope) -> Code | None:
    """`some $x in all satisfies key($x) = value`: is the value among the keys?"""
    if expr.every or len(expr.bindings) != 1:
        return None
    ((name, all_),) = expr.bindings
    items = c.module.keep(c.value(all_, scope))
    condition = expr.condition
    if items.uses or items.literals is not None or not isinstance(condition, Binary) or condition.op != "=":
        return None
    variable = c.module.fresh("v")
    inner = scope.binding(name, Code(items.kind, ONE, variable, frozenset({variable}), element=items.element))
    for key_side, value_side in ((condition.left, condition.right), (condition.right, condition.left)):
        key, value = c.atoms(c.value(key_side, inner)), c.atoms(c.value(value_side, inner))
        if _fits(key, value, variable):
            index = c.module.index(items, variable, key)
            among = f"({value.py} in {index})"
            if value.card != ONE:
                among = f"(not {index}.keys().isdisjoint({c.items(value)}))"
            return Code(Kind.BOOLEAN, ONE, among, value.uses)
    return None


def _fits(key: Code, value: Code, item: str) -> bool:
    """Does the key depend on the item alone, and the value not on it, and are they compared as they are?"""
    alike = (key.is_string and value.is_string) or key.kind is value.kind is Kind.DECIMAL
    return alike and _bases(key.uses) == {item} and item not in _bases(value.uses)


def _bases(uses: frozenset[str]) -> set[str]:
    return {name.partition(".")[0] for name in uses}


def _lifted(predicate: Expr, scope: Scope) -> Expr:
    """`[a[b = $x and c]]` asks what `[a[c]/b = $x]` asks: for an `$x` that is not the same all over."""
    match predicate:
        case Path(False, (*steps, Step(axis=Axis.CHILD) as last)) if last.predicates:
            conditions = [part for condition in last.predicates for part in parts(condition)]
            for i, part in enumerate(conditions):
                match part:
                    case Binary("=", Path(False, inner), Variable() as value) if inner[0].axis is not None:
                        if not scope.variables[value.name].uses:
                            continue
                        rest = replace(last, predicates=tuple(conditions[:i] + conditions[i + 1 :]))
                        return Binary("=", Path(False, (*steps, rest, *inner)), value)
    return predicate


def came_before(c: Compiler, expr: Binary, scope: Scope) -> Code | None:
    """`. = preceding::a[b]/c`: is there such a value in an `a` that ended before this node began?"""
    for here, path in ((expr.left, expr.right), (expr.right, expr.left)):
        match path:
            case Path(False, (Step(Axis.PRECEDING, NameTest() as test) as first, *rest)):
                if here == CONTEXT and test.exact and scope.focus is not None:
                    return _came_before(c, first, tuple(rest), scope, scope.focus.code)
    return None


def _came_before(c: Compiler, first: Step, rest: tuple[Step, ...], scope: Scope, here: Code) -> Code | None:
    candidates = c.value(Path(True, (replace(first, axis=Axis.CHILD, deep=True),)), scope)
    focus = Focus.on(c.module.fresh())
    key = c.atoms(c.value(Path(False, rest), scope.at(focus)) if rest else focus.code)
    if here.kind is not Kind.NODE or candidates.uses or not key.is_string or _bases(key.uses) != {focus.code.py}:
        return None
    index = c.module.index(candidates, focus.code.py, key, first=True)
    return Code(Kind.BOOLEAN, ONE, f"({index}.get({here.py}.text, INF) < {here.py}.order)", here.uses)

"""Predicates: conditions of the comprehension, positions, and look-ups by key.

`[key = value]` on a list that is the same for the whole document, with a value that is not, becomes a look-up in an
index of the keys: else each line of an invoice would ask all lines, and time would grow as the square.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.rules.rulebook.compiler.calls import CONDITIONS
from gateway.rules.rulebook.compiler.code import MANY, NODES, ONE, Code, Focus, Kind, Scope, listing
from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Axis,
    Binary,
    Call,
    Expr,
    Literal,
    NameTest,
    Path,
    Quantified,
    Refused,
    Step,
)

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler

_ASKING: Final = frozenset(name for name, _ in CONDITIONS)
_CHILDREN: Final = re.compile(r" in (?!d\b)[\w.]+\.(?:by_tag\.get\(|children\b)")


def filtered_whole(c: Compiler, code: Code, predicates: tuple[Expr, ...], scope: Scope) -> Code:
    """`(…)[…]`: positions count in the whole."""
    if not predicates:
        return code
    if code.kind not in NODES:
        raise Refused("a predicate on values")
    if isinstance(predicates[0], Literal):
        place = _place(predicates[0])
        code = Code(code.kind, MANY, f"{c.items(code)}{place}", code.uses, element=code.element)
        predicates = predicates[1:]
    if any(isinstance(predicate, Literal) for predicate in predicates):
        raise Refused("a position after another predicate")
    return filtered(c, code, predicates, scope)


def _place(literal: Literal) -> str:
    if not isinstance(literal.value, int) or literal.value < 1:
        raise Refused("a position that is no whole number")
    return f"[{literal.value - 1}:{literal.value}]"


def filtered(c: Compiler, code: Code, predicates: tuple[Expr, ...], scope: Scope) -> Code:
    """The items for which every predicate holds; a position counts among the children of each parent."""
    if code.card == ONE:
        code = listing(code.kind, *c.opened(code), code.uses, flat=code.flat, element=code.element)
    for predicate in predicates:
        if isinstance(predicate, Literal):
            code = _positioned(c, code, predicate)
            continue
        for part in _parts(predicate):
            code = _held(c, code, part, scope)
    return code


def _positioned(c: Compiler, code: Code, literal: Literal) -> Code:
    """`a/b[x][1]`: the last loop, over the children of one parent, becomes a list of its own that is cut."""
    last = max((i for i, loop in enumerate(code.loops) if loop.startswith("for ")), default=-1)
    if code.kind is not Kind.NODE or last < 0 or not _CHILDREN.search(code.loops[last]):
        raise Refused("a position where it is not that of a child")
    variable = c.module.fresh()
    inner = f"[{code.item} {' '.join(code.loops[last:])}]{_place(literal)}"
    loops = (*code.loops[:last], f"for {variable} in {inner}")
    return listing(code.kind, loops, variable, code.uses, flat=code.flat, element=code.element)


def _parts(predicate: Expr) -> Iterator[Expr]:
    """`[a and b]` asks what `[a][b]` asks."""
    if isinstance(predicate, Binary) and predicate.op == "and":
        yield from _parts(predicate.left)
        yield from _parts(predicate.right)
    else:
        yield predicate


def _held(c: Compiler, code: Code, predicate: Expr, scope: Scope) -> Code:
    """One more condition. A list that does not depend on the context is made once before it is filtered by it."""
    if _asks_for_the_first(c, code, predicate):
        return Code(Kind.NODE, MANY, f"first_of_each({code.py})", code.uses, flat=False)
    loops, item = c.opened(code)
    inner = scope.at(Focus.on(item, code.kind, element=code.element))
    condition = c.condition(predicate, inner)
    _refuse_positions(c, predicate, inner)
    uses = condition.uses - bound(loops)
    if not code.uses:
        looked_up = _looked_up(c, code, predicate, scope)
        if looked_up is not None:
            return looked_up
    if uses and not code.uses:
        kept = c.module.keep(replace(code, cheap=False) if code.loops[1:] else code)
        if kept.py != code.py:
            return _held(c, kept, predicate, scope)
    return listing(
        code.kind, (*loops, f"if {condition.py}"), item, code.uses | uses, flat=code.flat, element=code.element
    )


def _asks_for_the_first(c: Compiler, code: Code, predicate: Expr) -> bool:
    """`//a[not(preceding::a/. = .)]`: the first of each value, found without looking back from every node."""
    match predicate:
        case Call(
            "not", (Binary("=", Path(False, (Step(Axis.PRECEDING, NameTest() as test, (), False), *rest)), right),)
        ):
            same = test.exact and code.py == f"d.by_tag.get({c.module.tag(test.tag)}, ())"
            return same and right == CONTEXT and all(step == CONTEXT.steps[0] for step in rest)
    return False


def _refuse_positions(c: Compiler, predicate: Expr, scope: Scope) -> None:
    """A predicate that is a number is a position."""
    asks = isinstance(predicate, Binary | Quantified) or (isinstance(predicate, Call) and predicate.name in _ASKING)
    if not asks and c.value(predicate, scope).is_numeric:
        raise Refused("a position that is computed")


def _looked_up(c: Compiler, code: Code, predicate: Expr, scope: Scope) -> Code | None:
    """`all[key = value]`, where only `value` depends on the context: by an index of the keys."""
    if not isinstance(predicate, Binary) or predicate.op != "=" or code.kind is not Kind.NODE:
        return None
    whole = c.module.keep(code)
    item = c.module.fresh()
    inner = scope.at(Focus.on(item, code.kind, element=code.element))
    for key_side, value_side in ((predicate.left, predicate.right), (predicate.right, predicate.left)):
        key = c.atoms(c.value(key_side, inner))
        value = c.atoms(c.value(value_side, inner))
        alike = (key.is_string and value.is_string) or key.kind is value.kind is Kind.DECIMAL
        if not alike or key.uses != {item} or item in value.uses:
            continue
        index = c.module.index(whole, item, key)
        py = f"{index}.get({value.py}, ())" if value.card == ONE else f"found({index}, {c.items(value)})"
        return Code(code.kind, MANY, py, value.uses, flat=code.flat, element=code.element)
    return None


def bound(loops: tuple[str, ...]) -> frozenset[str]:
    """The names that loops bind."""
    return frozenset(loop.split(" ", 2)[1] for loop in loops if loop.startswith("for "))

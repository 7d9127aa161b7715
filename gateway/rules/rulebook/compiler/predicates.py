"""Predicates: conditions of the comprehension, and positions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gateway.rules.rulebook.compiler.calls import CONDITIONS
from gateway.rules.rulebook.compiler.code import MANY, NODES, ONE, Code, Focus, Kind, Scope, free, listing
from gateway.rules.rulebook.compiler.lookups import looked_up, parts
from gateway.rules.rulebook.compiler.xpath import (
    Binary,
    Call,
    Expr,
    Literal,
    Quantified,
    Refused,
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
        conditions = list(parts(predicate))
        if _may_fail(c, code, conditions[:-1], scope):
            code = _held_together(c, code, predicate, conditions, scope)
            continue
        for condition in conditions:
            code = _held(c, code, condition, scope)
    return code


def _may_fail(c: Compiler, code: Code, conditions: list[Expr], scope: Scope) -> bool:
    inner = scope.at(Focus.on(c.opened(code)[1], code.kind, element=code.element))
    return any(c.module.fails(c.condition(condition, inner).py) for condition in conditions)


def _held_together(c: Compiler, code: Code, predicate: Expr, conditions: list[Expr], scope: Scope) -> Code:
    """`[a and b]` where `a` may fail: what `b` excludes is excluded, whatever `a` does.

    An index on one of them gives the nodes that may be meant, also those of which it cannot tell; then all are asked.
    """
    if (not code.uses or code.anchor) and code.kind is Kind.NODE:
        for condition in sorted(conditions, key=lambda part: not _differs_by_context(c, code, part, scope)):
            found = looked_up(c, code, condition, scope, lenient=True)
            if found is not None:
                return _asked(c, found, predicate, scope)
    return _asked(c, c.module.keep_list(code) if not code.uses or code.anchor else code, predicate, scope)


def _differs_by_context(c: Compiler, code: Code, condition: Expr, scope: Scope) -> bool:
    loops, item = c.opened(code)
    inner = scope.at(Focus.on(item, code.kind, element=code.element))
    return bool(free(c.condition(condition, inner).uses, loops) - code.uses)


def _asked(c: Compiler, code: Code, predicate: Expr, scope: Scope) -> Code:
    """Each item is asked."""
    loops, item = c.opened(code)
    condition = c.condition(predicate, scope.at(Focus.on(item, code.kind, element=code.element)))
    uses = code.uses | free(condition.uses, loops)
    py = condition.py
    if code.kind is Kind.NODE and condition.uses == {item} and " for " in py:
        py = c.module.keep_of(condition, item)
    return listing(code.kind, (*loops, f"if {py}"), item, uses, flat=code.flat, element=code.element)


def _positioned(c: Compiler, code: Code, literal: Literal) -> Code:
    """`a/b[x][1]`: the last loop, over the children of one parent, becomes a list of its own that is cut."""
    last = max((i for i, loop in enumerate(code.loops) if loop.startswith("for ")), default=-1)
    if code.kind is not Kind.NODE or last < 0 or not _CHILDREN.search(code.loops[last]):
        raise Refused("a position where it is not that of a child")
    variable = c.module.fresh()
    _, name, _, source = code.loops[last].split(" ", 3)
    if last == len(code.loops) - 1 and name == code.item:
        inner = f"{source}{_place(literal)}"
        if not code.loops[:-1]:
            return Code(code.kind, MANY, inner, code.uses, flat=code.flat, element=code.element)
    else:
        inner = f"[{code.item} {' '.join(code.loops[last:])}]{_place(literal)}"
    loops = (*code.loops[:last], f"for {variable} in {inner}")
    return listing(code.kind, loops, variable, code.uses, flat=code.flat, element=code.element)


def _held(c: Compiler, code: Code, predicate: Expr, scope: Scope) -> Code:
    """One more condition. What does not depend on the node at hand is made once before that node filters it."""
    loops, item = c.opened(code)
    inner = scope.at(Focus.on(item, code.kind, element=code.element))
    condition = c.condition(predicate, inner)
    _refuse_positions(c, predicate, inner)
    uses = free(condition.uses, loops)
    if (not code.uses or (code.anchor and uses - code.uses)) and code.kind is Kind.NODE:
        found = looked_up(c, code, predicate, scope)
        if found is not None:
            return found
        kept = c.module.keep_list(code) if uses else code
        if kept.py != code.py:
            return _held(c, kept, predicate, scope)
    return _asked(c, code, predicate, scope)


def _refuse_positions(c: Compiler, predicate: Expr, scope: Scope) -> None:
    """A predicate that is a number is a position."""
    asks = (
        isinstance(predicate, Quantified)
        or (isinstance(predicate, Binary) and predicate.op not in ("+", "-", "*", "div", "mod"))
        or (isinstance(predicate, Call) and predicate.name in _ASKING)
    )
    if not asks and c.value(predicate, scope).is_numeric:
        raise Refused("a position that is computed")

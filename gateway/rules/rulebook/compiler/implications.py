"""`(a and b) or not(a)`: how the sheets write that `a` implies `b`. Asked so, `a` is asked once."""

from __future__ import annotations

from gateway.rules.rulebook.compiler.xpath import Binary, Call, Expr, Path


def implication(expr: Binary) -> tuple[Expr, Expr] | None:
    """The `a` and the `b`, if that is what `expr` says when nothing in it fails."""
    if expr.op != "or":
        return None
    for affirmed, denied in ((expr.left, expr.right), (expr.right, expr.left)):
        first, *rest = _conjuncts(affirmed)
        if rest and _plain(first) == _denied(denied):
            then = rest[0]
            for more in rest[1:]:
                then = Binary("and", then, more)
            return first, then
    return None


def _conjuncts(expr: Expr) -> list[Expr]:
    if isinstance(expr, Binary) and expr.op == "and":
        return [*_conjuncts(expr.left), *_conjuncts(expr.right)]
    return [expr]


def _denied(expr: Expr) -> Expr | None:
    """What is not, if `expr` says that something is not."""
    match expr:
        case Call("not", (inner,)):
            return _plain(inner)
        case Binary("and", left, right):
            one, other = _denied(left), _denied(right)
            return None if one is None or other is None else Binary("or", one, other)
    return None


def _is_nodes(expr: Expr) -> bool:
    return isinstance(expr, Path) and all(step.expr is None for step in expr.steps)


def _plain(expr: Expr) -> Expr:
    """As a condition, `exists(a)` is `a` where that is nodes; of a text, which may be empty, it is not."""
    match expr:
        case Call("exists", (inner,)) if _is_nodes(inner):
            return inner
        case Binary("or", left, right):
            return Binary("or", _plain(left), _plain(right))
    return expr

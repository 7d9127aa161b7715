"""What an assert needs to find below its context before it can fire at all.

Seven of ten asserts of EN 16931 only forbid something: `not(cac:Delivery/cbc:ID)`. Each such path is data: the assert
is asked only in documents that have an element there, and costs nothing in all others.

Where it is not asked it must hold, and Saxon must have a value for it: what may fail (a predicate that casts, the other
side of a comparison) must not even be come to. Of `and` and `or` one side is enough: what the other does is no matter
there (`Compiler.joined`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Final

from gateway.rules.rulebook.compiler.failing import may_fail, step_may_fail
from gateway.rules.rulebook.compiler.patterns import alternatives
from gateway.rules.rulebook.compiler.xpath import (
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

#: In place of a chain, before a tag: such an element, wherever it stands in the document.
ANYWHERE: Final = "//"
#: Chains of tags below the context (or one tag anywhere), with how many elements may stand there, and the attribute
#: that they must have to matter ("": none). None: cannot be told.
Guard = frozenset[tuple[tuple[str, ...], int, str]]

_ZERO_IS: Final[dict[str, Callable[[int, int], bool]]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NEVER: Final[Guard] = frozenset()


def guard_of(test: Expr, *, report: bool) -> Guard | None:
    """When no more than allowed stand at any of these chains, the assert holds (or the report is silent)."""
    return _false_without(test) if report else _true_without(test)


def _true_without(expr: Expr) -> Guard | None:
    match expr:
        case Call("not", (inner,)):
            return _false_without(inner)
        case Call("empty", (inner,)):  # of a boolean, which is an item, it is not what `not` is
            return _chains(inner)
        case Call("true", ()):
            return _NEVER
        case Binary("and", left, right):
            return _both(_true_without(left), _true_without(right))
        case Binary("or", left, right):
            return _here(_either(_true_without(left), _true_without(right)))
        case Binary(op, Call("count", (counted,)), Literal(value=int(limit))) if op in _ZERO_IS:
            return _counted(counted, op, limit) if _ZERO_IS[op](0, limit) else None
        case Quantified(True, ((_, items), *_), _):
            return _chains(items)
    return None


def _false_without(expr: Expr) -> Guard | None:
    match expr:
        case Call("not", (inner,)):
            return _true_without(inner)
        case Call("boolean", (inner,)):
            return _false_without(inner)
        case Call("exists", (inner,)):
            return _chains(inner)
        case Call("false", ()):
            return _NEVER
        case Binary("and", left, right):
            return _either(_false_without(left), _false_without(right))
        case Binary("or", left, right):
            return _both(_false_without(left), _false_without(right))
        case Binary(op, Call("count", (counted,)), Literal(value=int(limit))) if op in _ZERO_IS:
            return None if _ZERO_IS[op](0, limit) else _chains(counted)
        case Binary(op, left, right) if op in _ZERO_IS:  # no item on one side: no pair that holds
            return _compared(left, right)
        case Quantified(False, ((_, items), *_), _):
            return _chains(items)
        case Path() | Binary("|"):
            return _chains(expr)
    return None


def _compared(left: Expr, right: Expr) -> Guard | None:
    """Nothing on one side is enough where the other has a value anyway: Saxon may compute that first."""
    lefts, rights = _chains(left), _chains(right)
    if may_fail(left) and may_fail(right):
        return _both(lefts, rights)
    return _either(None if may_fail(right) else lefts, None if may_fail(left) else rights)


def _counted(counted: Expr, op: str, limit: int) -> Guard | None:
    """`count(a/b[c]) <= n`: up to n elements may stand there without harm, with whatever conditions that never fail."""
    chains = _chains(counted)
    if chains is None or op not in ("<", "<=") or not isinstance(counted, Path) or may_fail(counted):
        return chains
    ((chain, _, attribute),) = chains if len(chains) == 1 else (((), 0, ""),)
    whole = len(chain) + bool(attribute) == len(counted.steps) and chain[0] != ANYWHERE
    return frozenset({(chain, limit if op == "<=" else limit - 1, attribute)}) if whole else chains


def _chains(expr: Expr) -> Guard | None:
    """The chains of tags that must stand for `expr` to select anything, and for anything in it to fail."""
    if not isinstance(expr, Path) and not (isinstance(expr, Binary) and expr.op == "|"):
        return None
    try:
        found = [_chain(path) for path in alternatives(expr)]
    except Refused:
        return None
    return _of_one_form(frozenset(found)) if all(chain for chain, _, _ in found) else None


def _chain(path: Path) -> tuple[tuple[str, ...], int, str]:
    tags: list[str] = []
    for step in _up_to_what_may_fail(path):
        exact = isinstance(step.test, NameTest) and step.test.exact
        if path.absolute or step.deep or not exact or step.axis not in (Axis.CHILD, Axis.ATTRIBUTE):
            break
        name = step.test.tag  # type: ignore[union-attr]
        if step.axis is Axis.ATTRIBUTE:
            return tuple(tags), 0, name
        tags.append(name)
    return (tuple(tags), 0, "") if tags else _anywhere(path)


def _up_to_what_may_fail(path: Path) -> Iterator[Step]:
    """`a[b]/c[xs:date(d) = $x]/e`: where no `c` stands nothing is cast, and there may be no `e` all the same."""
    for step in path.steps:
        yield step
        if step_may_fail(step):
            return


def _anywhere(path: Path) -> tuple[tuple[str, ...], int, str]:
    """`//a/b/@c`: no attribute of that name, no such path; else the last tag that is named."""
    tags: list[str] = []
    for step in _up_to_what_may_fail(path):
        if not isinstance(step.test, NameTest) or not step.test.exact:
            if step.axis in (Axis.CHILD, Axis.ATTRIBUTE, Axis.SELF, Axis.PARENT):
                continue
            return (), 0, ""
        if step.axis is Axis.ATTRIBUTE:
            return (ANYWHERE, ""), 0, step.test.tag
        if step.axis is not Axis.CHILD:
            return (), 0, ""
        tags.append(step.test.tag)
    return ((ANYWHERE, tags[-1]), 0, "") if tags else ((), 0, "")


def _both(left: Guard | None, right: Guard | None) -> Guard | None:
    return None if left is None or right is None else _of_one_form(left | right)


def _of_one_form(found: Guard) -> Guard:
    """One form for an assert, which would be asked twice else: what stands below stands anywhere."""
    if not any(chain[0] == ANYWHERE for chain, _, _ in found):
        return found
    return frozenset(((ANYWHERE, "" if attribute else chain[-1]), 0, attribute) for chain, _, attribute in found)


def _here(found: Guard | None) -> Guard | None:
    """Not what must stand anywhere: that pays where something is forbidden, and mostly not there."""
    return None if found is None or any(chain[0] == ANYWHERE for chain, _, _ in found) else found


def _either(left: Guard | None, right: Guard | None) -> Guard | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left, right, key=len)

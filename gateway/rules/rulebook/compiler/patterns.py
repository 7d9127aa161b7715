"""Match patterns (XSLT 5.5): which elements a rule is for.

A pattern is parted into what the chain of tags decides (once per place) and conditions on the nodes (each time). The
alternatives of a union are patterns of their own. Only child steps, anchored at the root or at any depth, are known:
the official sheets use no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Axis,
    Binary,
    Call,
    Expr,
    Literal,
    NameTest,
    Path,
    Refused,
    Step,
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`tests`: of the node, its parent, and so on; `anchored`: the last of them is the root element."""

    tests: tuple[NameTest, ...]
    anchored: bool
    place_condition: str  #: Python text on a place `p`; "" when there is none
    conditions: tuple[tuple[int, Expr], ...]  #: how many levels up, and what must hold there


def patterns_of(expr: Expr) -> Iterator[Pattern]:
    """The patterns that `match` stands for."""
    for path in alternatives(expr):
        yield _pattern(path)


def alternatives(expr: Expr) -> Iterator[Path]:
    """The paths of a union, with unions in parentheses multiplied out: `(a|b)[x]/c` is `a[x]/c` and `b[x]/c`."""
    match expr:
        case Binary("|", left, right):
            yield from alternatives(left)
            yield from alternatives(right)
        case Path():
            place = next((i for i, step in enumerate(expr.steps) if step.expr is not None), None)
            if place is None:
                yield expr
                return
            step, before, after = expr.steps[place], expr.steps[:place], expr.steps[place + 1 :]
            for inner in alternatives(step.expr):  # type: ignore[arg-type]
                if not inner.steps or step.deep or (inner.absolute and (before or expr.absolute)):
                    raise Refused("a union of this form")
                last = replace(inner.steps[-1], predicates=inner.steps[-1].predicates + step.predicates)
                yield from alternatives(
                    Path(expr.absolute or inner.absolute, (*before, *inner.steps[:-1], last, *after))
                )
        case _:
            raise Refused("a union of something that is no path")


def _pattern(path: Path) -> Pattern:
    tests: list[NameTest] = []
    conditions: list[tuple[int, Expr]] = []
    of_place: list[str] = []
    for level, step in enumerate(reversed(path.steps)):
        first = level == len(path.steps) - 1
        if step.axis is not Axis.CHILD or not isinstance(step.test, NameTest):
            raise Refused("a pattern with a step that is no child element")
        if step.deep and not (first and path.absolute):
            raise Refused("a pattern with two slashes inside")
        tests.append(step.test)
        for predicate in step.predicates:
            for part in _parts(predicate):
                if isinstance(part, Literal):
                    raise Refused("a position in a pattern")
                text = _of_place(part, "p" + ".parent" * level)
                if text is None:
                    conditions.append((level, part))
                else:
                    of_place.append(text)
    if not tests:
        raise Refused("a pattern that matches the document node")
    anchored = path.absolute and not path.steps[0].deep
    return Pattern(tuple(tests), anchored, " and ".join(of_place), tuple(conditions))


def _parts(predicate: Expr) -> Iterator[Expr]:
    if isinstance(predicate, Binary) and predicate.op == "and":
        yield from _parts(predicate.left)
        yield from _parts(predicate.right)
    else:
        yield predicate


def _of_place(expr: Expr, place: str) -> str | None:
    """A condition that the chain of tags alone decides, as Python text; None when it does not."""
    match expr:
        case Call("not", (inner,)):
            text = _of_place(inner, place)
            return None if text is None else f"(not {text})"
        case Binary("or", left, right):
            texts = (_of_place(left, place), _of_place(right, place))
            return None if None in texts else f"({texts[0]} or {texts[1]})"
        # A prefix ends in ":", so that an end without one is an end of the local name.
        case Call("ends-with", (Call("name" | "local-name", ()), Literal(value=str(end)))) if ":" not in end:
            return f"{place}.local.endswith({end!r})"
        case Path(False, (Step(Axis.SELF, NameTest() as test, (), False),)) if test.exact:
            return f"({place}.tag == {test.tag!r})"
        case Path(False, (Step(Axis.ANCESTOR, NameTest() as test, (), False),)) if test.exact:
            return f"{place}.inside({test.tag!r})"
    return None


__all__ = ["CONTEXT", "Pattern", "alternatives", "patterns_of"]

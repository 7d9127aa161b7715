"""Small questions about expressions: their alternatives, what they read, which texts they speak of."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.rules.rulebook.compiler import xpath as x


def alternatives(pattern: x.Expr) -> Iterator[x.Path]:
    if isinstance(pattern, x.Binary) and pattern.op == "|":
        yield from alternatives(pattern.left)
        yield from alternatives(pattern.right)
    elif isinstance(pattern, x.Path):
        yield pattern


def anywhere(pattern: x.Expr) -> list[x.Path]:
    """The alternatives of a pattern, as paths from the document."""
    return [from_document(path) for path in alternatives(pattern)]


def from_document(path: x.Path) -> x.Path:
    if path.absolute:
        return path
    first, *others = path.steps
    return x.Path(True, (x.Step(first.axis, first.test, first.predicates, True, first.expr), *others))


def looks_up(path: x.Path) -> bool:
    first = path.steps[0].expr if path.steps else None
    return isinstance(first, x.Call) and first.name == "document"


def leaves(expr: x.Expr) -> Iterator[x.Path | x.Variable]:
    """The paths and variables in it, not those in the predicates of paths."""
    match expr:
        case x.Path(_, steps):
            if steps and isinstance(steps[0].expr, x.Call) and steps[0].expr.name == "document":
                return
            yield expr
        case x.Variable():
            yield expr
        case x.Binary(_, left, right):
            yield from leaves(left)
            yield from leaves(right)
        case x.Call(_, arguments):
            for argument in arguments:
                yield from leaves(argument)
        case x.Sequence(items):
            for item in items:
                yield from leaves(item)
        case x.Negative(operand):
            yield from leaves(operand)
        case x.If(condition, then, otherwise):
            for part in (condition, then, otherwise):
                yield from leaves(part)
        case x.For(bindings, result) | x.Quantified(_, bindings, result):
            for _, bound in bindings:
                yield from leaves(bound)
            yield from leaves(result)


def literals(expr: x.Expr) -> list[str]:
    """The texts in it, those in predicates too."""
    match expr:
        case x.Literal(str() as value):
            return [value]
        case x.Path(_, steps):
            inner = [predicate for step in steps for predicate in step.predicates]
            return [text for predicate in inner for text in literals(predicate)]
        case x.Binary(_, left, right):
            return literals(left) + literals(right)
        case x.Call(_, arguments):
            return [text for argument in arguments for text in literals(argument)]
        case x.Sequence(items):
            return [text for item in items for text in literals(item)]
    return []

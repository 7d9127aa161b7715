"""What an expression of a sheet probably says of a tree: enough to aim mutants, never to judge them.

It reads XPath as the mutation harness needs it, with Python's own types and without the rules of conversion. What it
does not know raises `Unknown`, and the harness then tries blindly. The engines are not compared with it: it only
decides which mutants are worth a look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x
from tests.rules.rulebook.mutation.items import Item, Unknown, along, below, effective, element_of, text_of

NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


@dataclass(frozen=True)
class Scope:
    """Where an expression is read: the context node, the variables (an expression in its own scope, or items)."""

    node: Item
    variables: Mapping[str, tuple[x.Expr, Scope] | list[Item]] = field(default_factory=dict)

    def at(self, node: Item) -> Scope:
        """The same variables, another node."""
        return Scope(node, self.variables)

    def bound(self, name: str, value: tuple[x.Expr, Scope] | list[Item]) -> Scope:
        """One variable more."""
        return Scope(self.node, {**self.variables, name: value})


@dataclass(frozen=True)
class Function:
    """`xsl:function`, parsed."""

    parameters: tuple[str, ...]
    variables: tuple[tuple[str, x.Expr], ...]
    result: x.Expr

    def scope(self, arguments: tuple[x.Expr, ...], scope: Scope) -> Scope:
        """Where its result is read when it is called so."""
        inner = Scope(None)
        for name, argument in zip(self.parameters, arguments, strict=True):
            inner = inner.bound(name, (argument, scope))
        for name, expr in self.variables:
            inner = inner.bound(name, (expr, inner))
        return inner


@lru_cache(maxsize=16)
def code_list(path: Path) -> etree._ElementTree:
    """The codes beside a sheet."""
    return etree.parse(path, etree.XMLParser(resolve_entities=False, no_network=True))


class Guesser:
    """Reads expressions of one sheet."""

    def __init__(self, folder: Path, functions: Mapping[str, Function]) -> None:
        self._folder = folder
        self.functions = functions

    # --- what callers ask ------------------------------------------------------------------------------------

    def truth(self, expr: x.Expr, scope: Scope) -> bool | None:
        """True, false, or None: not known."""
        try:
            return effective(self.items(expr, scope))
        except (Unknown, RecursionError):
            return None

    def values(self, expr: x.Expr, scope: Scope) -> list[Item]:
        """Its items, none when they are not known."""
        try:
            return self.items(expr, scope)
        except (Unknown, RecursionError):
            return []

    # --- expressions -----------------------------------------------------------------------------------------

    def items(self, expr: x.Expr, scope: Scope) -> list[Item]:
        """Its items. Raises `Unknown`."""
        match expr:
            case x.Literal(value):
                return [Decimal(str(value)) if isinstance(value, int | float) else value]
            case x.Variable(name):
                return self._variable(name, scope)
            case x.Path():
                return self._path(expr, scope)
            case x.Sequence(parts):
                return [item for part in parts for item in self.items(part, scope)]
            case x.Negative(operand):
                return [-_number(self.items(operand, scope))]
            case x.If(condition, then, otherwise):
                return self.items(then if effective(self.items(condition, scope)) else otherwise, scope)
            case x.For(bindings, result):
                return [item for inner in self.bindings(bindings, scope) for item in self.items(result, inner)]
            case x.Quantified(every, bindings, condition):
                answers = [effective(self.items(condition, inner)) for inner in self.bindings(bindings, scope)]
                return [all(answers) if every else any(answers)]
            case x.Binary(op, left, right):
                return self._binary(op, left, right, scope)
            case x.Call(name, arguments):
                return self._call(name, arguments, scope)
        raise Unknown

    def bindings(self, bindings: tuple[tuple[str, x.Expr], ...], scope: Scope) -> Iterator[Scope]:
        """One scope for each combination."""
        if not bindings:
            yield scope
            return
        (name, expr), *rest = bindings
        for item in self.items(expr, scope):
            yield from self.bindings(tuple(rest), scope.bound(name, [item]))

    def _variable(self, name: str, scope: Scope) -> list[Item]:
        match scope.variables.get(name):
            case None:
                raise Unknown
            case list() as items:
                return items
            case (expr, inner):
                return self.items(expr, inner)

    def _binary(self, op: str, left: x.Expr, right: x.Expr, scope: Scope) -> list[Item]:
        if op in ("and", "or"):
            first = effective(self.items(left, scope))
            return [first] if first == (op == "or") else [effective(self.items(right, scope))]
        ours, theirs = self.items(left, scope), self.items(right, scope)
        if op == "|":
            return [*ours, *(item for item in theirs if item not in ours)]
        if op in _COMPARE:
            return [any(_compare(op, a, b) for a in ours for b in theirs)]
        if not ours or not theirs:
            return []
        a, b = _number(ours), _number(theirs)
        try:
            return [_ARITHMETIC[op](a, b)]
        except (ArithmeticError, KeyError):
            raise Unknown from None

    # --- paths -----------------------------------------------------------------------------------------------

    def _path(self, path: x.Path, scope: Scope) -> list[Item]:
        found: list[Item] = [scope.node]
        if path.absolute:
            if scope.node is None:
                raise Unknown
            found = [element_of(scope.node).getroottree()]
        for step in path.steps:
            found = self.step(step, found, scope)
        return found

    def step(self, step: x.Step, nodes: list[Item], scope: Scope) -> list[Item]:
        """One step further from all of `nodes`."""
        found: list[Item] = []
        for node in nodes:
            starts = [node, *below(node)] if step.deep else [node]
            for start in starts:
                here = self._from(step, start, scope)
                for predicate in step.predicates:
                    here = self.kept(predicate, here, scope)
                found.extend(item for item in here if item not in found or not isinstance(item, etree._Element))
        return found

    def _from(self, step: x.Step, node: Item, scope: Scope) -> list[Item]:
        return along(step.axis, step.test, node) if step.expr is None else self.items(step.expr, scope.at(node))

    def kept(self, predicate: x.Expr, items: list[Item], scope: Scope) -> list[Item]:
        """The items for which a predicate holds."""
        if isinstance(predicate, x.Literal) and isinstance(predicate.value, int):
            return items[predicate.value - 1 : predicate.value]
        return [item for item in items if effective(self.items(predicate, scope.at(item)))]

    # --- functions -------------------------------------------------------------------------------------------

    def _call(self, name: str, arguments: tuple[x.Expr, ...], scope: Scope) -> list[Item]:
        if name in self.functions:
            function = self.functions[name]
            return self.items(function.result, function.scope(arguments, scope))
        if name == "document":
            return [code_list(self._folder / str(self.items(arguments[0], scope)[0]))]
        if name in ("name", "local-name") and not arguments:
            arguments = (x.CONTEXT,)
        if name == "normalize-space" and not arguments:
            arguments = (x.CONTEXT,)
        called = _FUNCTIONS.get(name)
        if called is None:
            raise Unknown
        try:
            return [called(*(self.items(argument, scope) for argument in arguments))]
        except (ArithmeticError, ValueError, TypeError, re.error):
            raise Unknown from None


def _number(items: list[Item]) -> Decimal:
    if len(items) != 1:
        raise Unknown
    if isinstance(items[0], Decimal):
        return items[0]
    text = text_of(items[0]).strip()
    if not NUMBER.fullmatch(text):
        raise Unknown
    return Decimal(text)


def _text(items: list[Item]) -> str:
    return text_of(items[0]) if items else ""


def _compare(op: str, left: Item, right: Item) -> bool:
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return bool(_COMPARE[op](_number([left]), _number([right])))
    if isinstance(left, bool) or isinstance(right, bool):
        return bool(_COMPARE[op](_boolean(left), _boolean(right)))
    return bool(_COMPARE[op](text_of(left), text_of(right)))


def _boolean(item: Item) -> bool:
    return item if isinstance(item, bool) else text_of(item).strip() in ("true", "1")


def _round(items: list[Item]) -> Decimal:
    number = _number(items) + Decimal("0.5")
    return Decimal(number.__floor__())


_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}
_ARITHMETIC: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "mod": lambda a, b: a % b,
}
_FUNCTIONS: Final[Mapping[str, Callable[..., Item]]] = {
    "true": lambda: True,
    "false": lambda: False,
    "not": lambda a: not effective(a),
    "exists": lambda a: bool(a),
    "empty": lambda a: not a,
    "count": lambda a: Decimal(len(a)),
    "string": lambda *a: _text(a[0]),
    "string-length": lambda a: Decimal(len(_text(a))),
    "normalize-space": lambda a: re.sub(r"[ \t\r\n]+", " ", _text(a)).strip(" "),
    "upper-case": lambda a: _text(a).upper(),
    "lower-case": lambda a: _text(a).lower(),
    "concat": lambda *a: "".join(_text(part) for part in a),
    "contains": lambda a, b: _text(b) in _text(a),
    "starts-with": lambda a, b: _text(a).startswith(_text(b)),
    "ends-with": lambda a, b: _text(a).endswith(_text(b)),
    "substring": lambda a, b, *c: _text(a)[int(_number(b)) - 1 :][: int(_number(c[0])) if c else None],
    "substring-before": lambda a, b: _text(a).partition(_text(b))[0] if _text(b) in _text(a) else "",
    "substring-after": lambda a, b: _text(a).partition(_text(b))[2],
    "matches": lambda a, b: re.search(_text(b), _text(a)) is not None,
    "number": lambda a: _number(a),
    "xs:decimal": lambda a: _number(a),
    "xs:integer": lambda a: _number(a),
    "xs:double": lambda a: _number(a),
    "xs:date": lambda a: _text(a),
    "cast xs:boolean": lambda a: _boolean(a[0]),
    "round": _round,
    "abs": lambda a: abs(_number(a)),
    "sum": lambda a: sum((_number([item]) for item in a), Decimal(0)),
    "name": lambda a: etree.QName(a[0]).localname,
    "local-name": lambda a: etree.QName(a[0]).localname,
    "string-join": lambda a, b: _text(b).join(text_of(item) for item in a),
}

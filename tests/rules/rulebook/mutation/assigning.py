"""Gives expressions the values wanted: a text, a number of nodes, a length."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Final

from lxml import etree

from gateway.rules.rulebook.compiler import xpath as x
from tests.rules.rulebook.mutation.building import Builder, Impossible
from tests.rules.rulebook.mutation.expressions import alternatives, leaves
from tests.rules.rulebook.mutation.guess import Guesser, Scope
from tests.rules.rulebook.mutation.items import Attribute, Unknown, text_of
from tests.rules.rulebook.mutation.vocabulary import Vocabulary

#: Functions of one argument that give back more or less the text of their argument.
_THROUGH: Final = frozenset(
    {
        *("normalize-space", "string", "upper-case", "lower-case", "number", "xs:decimal", "xs:integer", "xs:double"),
        *("xs:date", "xs:string", "round", "abs", "cast xs:boolean", "distinct-values", "replace", "exists", "data"),
    }
)
#: Expressions in expressions, through variables and functions.
DEPTH: Final = 60


class Assigner(Builder):
    """Sets values."""

    def __init__(self, tree: etree._ElementTree, guesser: Guesser, vocabulary: Vocabulary, rng: Random) -> None:
        super().__init__(tree, guesser, vocabulary, rng)
        self._depth = 0

    def assign(self, expr: x.Expr, value: str, scope: Scope, *, every: bool = False) -> None:
        """Give it the value, more or less. Raises `Impossible`."""
        self._depth += 1
        try:
            if self._depth > DEPTH:
                raise Impossible("too deep")
            self._assign(expr, value, scope, every)
        finally:
            self._depth -= 1

    def _assign(self, expr: x.Expr, value: str, scope: Scope, every: bool) -> None:
        match expr:
            case x.Path():
                self._path_assign(expr, value, scope, every)
            case x.Variable(name):
                match scope.variables.get(name):
                    case (inner, elsewhere):
                        self.assign(inner, value, elsewhere, every=every)
                    case [node, *_]:
                        self._set(node, value)
                    case _:
                        raise Impossible("unbound")
            case x.Call(name, arguments) if name in self._guess.functions:
                function = self._guess.functions[name]
                self.assign(function.result, value, function.scope(arguments, scope), every=every)
            case x.Call("count", (counted,)):
                self._cardinality(counted, "=", self._number(x.Literal(value), scope), scope)
            case x.Call("sum", (summed,)):
                self._sum_assign(summed, value, scope)
            case x.Call("concat" | "substring" | "substring-before" | "string-join" | "tokenize", arguments):
                part = next((part for part in arguments if self._has_leaf(part, scope)), None)
                if part is None:
                    raise Impossible("constant")
                self.assign(part, value.strip(), scope, every=every)
            case x.Call("substring-after", (whole, mark)):
                self.assign(whole, "1" + self._text(mark, scope) + value, scope)
            case x.Call(name, arguments) if name in _THROUGH:
                self.assign(arguments[0] if arguments else x.CONTEXT, value, scope, every=every)
            case x.Binary(op, left, right):
                self._arithmetic_assign(op, left, right, value, scope, every)
            case x.If(condition, then, otherwise):
                known = self._guess.truth(condition, scope)
                self.assign(then if known is not False else otherwise, value, scope, every=every)
            case x.For(bindings, result):
                for inner in self._bound(bindings, scope)[:1]:
                    self.assign(result, value, inner, every=every)
            case x.Sequence(items) if items:
                self.assign(items[0], value, scope, every=every)
            case x.Negative(operand):
                self.assign(operand, value[1:] if value.startswith("-") else "-" + value, scope)
            case _:
                raise Impossible("not to be set")

    def _path_assign(self, path: x.Path, value: str, scope: Scope, every: bool) -> None:
        last = path.steps[-1]
        if last.expr is not None and not isinstance(last.expr, x.Variable | x.Binary):
            nodes = [self._ensure_steps(path.steps[:-1], path.absolute, scope)] if len(path.steps) > 1 else [scope.node]
            self.assign(last.expr, value, scope.at(nodes[0]), every=every)
            return
        found = [item for item in self._guess.values(path, scope) if isinstance(item, etree._Element | Attribute)]
        if not found:
            found = [self.ensure(path, scope)]
        for node in found if every else found[:1]:
            self._set(node, value)

    def _sum_assign(self, summed: x.Expr, value: str, scope: Scope) -> None:
        items = [item for item in self._guess.values(summed, scope) if isinstance(item, etree._Element)]
        if not items:
            self.assign(summed, value, scope)
            return
        try:
            rest = sum((Decimal(text_of(item)) for item in items[1:]), Decimal(0))
            self._set(items[0], str(Decimal(value) - rest))
        except ArithmeticError:
            self._set(items[0], value)

    def _arithmetic_assign(self, op: str, left: x.Expr, right: x.Expr, value: str, scope: Scope, every: bool) -> None:
        ours, theirs = self._has_leaf(left, scope), self._has_leaf(right, scope)
        if not ours and not theirs:
            raise Impossible("constant")
        to_left = ours and (not theirs or self._rng.random() < 0.6)
        other = self._guess.values(right if to_left else left, scope)
        try:
            result, known = Decimal(value), Decimal(text_of(other[0]))
            solved = {
                ("+", True): result - known,
                ("+", False): result - known,
                ("-", True): result + known,
                ("-", False): known - result,
                ("*", True): result / known,
                ("*", False): result / known,
                ("div", True): result * known,
                ("div", False): known / result,
            }.get((op, to_left), result)
            value = format(solved.normalize(), "f")
        except (ArithmeticError, IndexError, ValueError):
            pass
        self.assign(left if to_left else right, value, scope, every=every)

    def touch(self, expr: x.Expr, scope: Scope) -> None:
        """Make the first path in it lead somewhere."""
        path = next(iter(leaves(expr)), None)
        if isinstance(path, x.Path):
            self.ensure(path, scope)

    def _cardinality(self, counted: x.Expr, goal: str, number: int, scope: Scope) -> None:
        wanted = {"=": number, "!=": number + 1, "<": number - 1, "<=": number, ">": number + 1, ">=": number}[goal]
        if goal == "!=" and number and self._rng.random() < 0.5:
            wanted = number - 1
        counted = self._seen_through(counted, scope)
        if isinstance(counted, x.Call) and counted.name == "distinct-values":
            counted = counted.arguments[0]
        if isinstance(counted, x.Call) and counted.name == "tokenize":
            self.assign(
                counted.arguments[0], ("x" + self._text(counted.arguments[1], scope)) * max(wanted - 1, 0), scope
            )
            return
        if isinstance(counted, x.Binary):
            counted = self._rng.choice(list(alternatives(counted)))
        if not isinstance(counted, x.Path):
            raise Impossible("not counted")
        for _ in range(12):
            there = self._guess.values(counted, scope)
            if len(there) == max(wanted, 0):
                return
            if len(there) > wanted:
                self._delete(there[-1])
            elif there and isinstance(there[-1], etree._Element) and self._rng.random() < 0.9:
                self._duplicate(self._some_above(there[-1], counted))
            else:
                self.ensure(counted, scope, anew=True)

    def _some_above(self, element: etree._Element, path: x.Path) -> etree._Element:
        """The element, or one of those on the path to it: two lines with a note each, or two notes in a line."""
        levels = 0
        for step in reversed(path.steps[1:]):
            if step.axis is not x.Axis.CHILD or step.deep or self._rng.random() < 0.5:
                break
            levels += 1
        for above in element.iterancestors():
            if levels == 0 or above.getparent() is None:
                break
            element, levels = above, levels - 1
        return element

    def _length(self, text: x.Expr, goal: str, number: int, scope: Scope) -> None:
        wanted = {"=": number, "!=": number + 1, "<": number - 1, "<=": number, ">": number + 1, ">=": number}[goal]
        text = self._seen_through(text, scope)
        if isinstance(text, x.Call) and text.name in ("substring-after", "substring-before"):
            mark = self._text(text.arguments[1], scope)
            here = self._text(text.arguments[0], scope)
            before, after = here.partition(mark)[::2]
            digits = "1" * max(wanted, 0)
            after_it = text.name == "substring-after"
            self.assign(
                text.arguments[0], f"{before or 1}{mark}{digits}" if after_it else f"{digits}{mark}{after}", scope
            )
            return
        here = self._text(text, scope)
        filler = "1" if not here or here.isdigit() else "x"
        self.assign(text, (here + filler * max(wanted, 0))[: max(wanted, 0)], scope)

    def _seen_through(self, expr: x.Expr, scope: Scope) -> x.Expr:
        """A variable's own expression, where that is read in the same place."""
        while isinstance(expr, x.Variable):
            bound = scope.variables.get(expr.name)
            if not isinstance(bound, tuple) or bound[1].node is not scope.node:
                break
            expr = bound[0]
        return expr

    def _bound(self, bindings: tuple[tuple[str, x.Expr], ...], scope: Scope) -> list[Scope]:
        """A scope for each combination there is; one is made when there is none."""
        try:
            found = list(self._guess.bindings(bindings, scope))
        except Unknown:
            found = []
        if found and self._rng.random() >= self._anew:
            return found
        for name, expr in bindings:
            if not self._guess.values(expr, scope) and isinstance(expr, x.Path):
                self.ensure(expr, scope)
            items = self._guess.values(expr, scope)
            scope = scope.bound(name, [self._rng.choice(items)] if items else (expr, scope))
        return [scope]

    def _has_leaf(self, expr: x.Expr, scope: Scope) -> bool:
        """Is there anything in it that the document decides?"""
        for leaf in leaves(expr):
            if isinstance(leaf, x.Path):
                return True
            bound = scope.variables.get(leaf.name)
            if isinstance(bound, tuple):
                if self._has_leaf(bound[0], bound[1]):
                    return True
            elif bound and isinstance(bound[0], etree._Element | Attribute):
                return True
        return False

    def _text(self, expr: x.Expr, scope: Scope) -> str:
        items = self._guess.values(expr, scope)
        return text_of(items[0]) if items else ""

    def _number(self, expr: x.Expr, scope: Scope) -> int:
        try:
            return int(Decimal(self._text(expr, scope)))
        except ArithmeticError:
            return 1

"""Reads XPath 2.0 by recursive descent, in the precedence of the specification (XPath 2.0, appendix A.1).

Names are resolved to namespaces here. What the sheets do not use (other axes, casts to other types, node order,
ranges) is refused with the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Axis,
    Binary,
    Call,
    Expr,
    For,
    If,
    KindTest,
    Literal,
    NameTest,
    Negative,
    Path,
    Quantified,
    Refused,
    Sequence,
    Step,
    Variable,
)

_NAME: Final = r"[^\W\d][\w.\-]*"
_TOKEN: Final = re.compile(
    rf"""\s*(?:
      (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<string>"(?:[^"]|"")*"|'(?:[^']|'')*')
    | (?P<variable>\$\s*{_NAME}(?::{_NAME})?)
    | (?P<name>\*:{_NAME}|{_NAME}:\*|{_NAME}(?::(?!:){_NAME})?)
    | (?P<symbol>::|//|\.\.|!=|<=|>=|<<|>>|[()\[\]@,./|+\-*=<>])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">=", "eq", "ne", "lt", "le", "gt", "ge"})
#: Words that look like calls and are none.
_NO_FUNCTION: Final = frozenset({"if", "text", "node", "comment", "element", "attribute", "processing-instruction"})
_END: Final = ("end", "")
#: The prefixes by which we know functions and types, and what they have to mean: no sheet need declare them so.
_MEANT: Final = {"fn": "http://www.w3.org/2005/xpath-functions", "xs": "http://www.w3.org/2001/XMLSchema"}


def parse(text: str, namespaces: Mapping[str, str]) -> Expr:
    """The expression in `text`. Raises `Refused`."""
    parser = _Parser(text, namespaces)
    expr = parser.expression()
    parser.finish()
    return expr


class _Parser:
    def __init__(self, text: str, namespaces: Mapping[str, str]) -> None:
        self._text = text
        self._namespaces = namespaces
        self._tokens = self._read()
        self._at = 0

    # --- tokens ----------------------------------------------------------------------------------------------

    def _read(self) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        position, text = 0, self._text.rstrip()
        if "(:" in text:
            raise self.refused("a comment")
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise self.refused(f"not understood from “{text[position : position + 30]}”")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return [*tokens, _END, _END, _END]

    def _peek(self, ahead: int = 0) -> str:
        """The token as a symbol or word; a string or number never reads as one."""
        kind, value = self._tokens[self._at + ahead]
        return value if kind in ("name", "symbol") else f"\0{kind}"

    def _take(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, *values: str) -> str | None:
        if self._peek() in values:
            return self._take()[1]
        return None

    def _expect(self, value: str) -> None:
        if self._accept(value) is None:
            raise self.refused(f"{value} expected before “{self._tokens[self._at][1]}”")

    def finish(self) -> None:
        """Nothing may follow."""
        if self._tokens[self._at] != _END:
            raise self.refused(f"“{self._tokens[self._at][1]}” left over")

    def refused(self, why: str) -> Refused:
        """The error, with the expression."""
        shown = " ".join(self._text.split())
        return Refused(f"{why} in “{shown[:200]}”")

    # --- expressions, the loosest first ----------------------------------------------------------------------

    def expression(self) -> Expr:
        """One expression, or several with commas."""
        items = [self._single()]
        while self._accept(","):
            items.append(self._single())
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _single(self) -> Expr:
        word, variable_follows = self._peek(), self._tokens[self._at + 1][0] == "variable"
        if word == "for" and variable_follows:
            bindings = self._bindings()
            self._expect("return")
            return For(bindings, self._single())
        if word in ("some", "every") and variable_follows:
            bindings = self._bindings()
            self._expect("satisfies")
            return Quantified(word == "every", bindings, self._single())
        if word == "if" and self._peek(1) == "(":
            self._take()
            condition = self._parenthesised()
            self._expect("then")
            then = self._single()
            self._expect("else")
            return If(condition, then, self._single())
        return self._left(("or",), lambda: self._left(("and",), self._comparison))

    def _bindings(self) -> tuple[tuple[str, Expr], ...]:
        self._take()
        found: list[tuple[str, Expr]] = []
        while True:
            kind, name = self._take()
            if kind != "variable":
                raise self.refused("a variable expected")
            self._expect("in")
            found.append((name[1:].strip(), self._single()))
            if not self._accept(","):
                return tuple(found)

    def _left(self, operators: tuple[str, ...], operand: Callable[[], Expr]) -> Expr:
        expr = operand()
        while (operator := self._accept(*operators)) is not None:
            expr = Binary(operator, expr, operand())
        return expr

    def _comparison(self) -> Expr:
        left = self._additive()
        operator = self._accept(*_COMPARISONS)
        return left if operator is None else Binary(operator, left, self._additive())

    def _additive(self) -> Expr:
        return self._left(("+", "-"), self._multiplicative)

    def _multiplicative(self) -> Expr:
        return self._left(("*", "div", "mod"), self._union)

    def _union(self) -> Expr:
        expr = self._cast()
        while self._accept("|", "union"):
            expr = Binary("|", expr, self._cast())
        return expr

    def _cast(self) -> Expr:
        expr = self._unary()
        if self._peek() == "cast" and self._peek(1) == "as":
            self._take(), self._take()
            kind, name = self._take()
            if kind != "name":
                raise self.refused("a type expected")
            self._check_prefix(name)
            return Call(f"cast {name}", (expr,))
        return expr

    def _unary(self) -> Expr:
        if self._accept("-"):
            return Negative(self._unary())
        if self._accept("+"):
            raise self.refused("unary plus")
        return self._path()

    # --- paths -----------------------------------------------------------------------------------------------

    def _path(self) -> Expr:
        absolute = deep = False
        if self._accept("//"):
            absolute = deep = True
        elif self._accept("/"):
            absolute = True
            if not self._starts_a_step():
                return Path(True, ())
        first = self._step(deep)
        steps = [first]
        while (slash := self._accept("/", "//")) is not None:
            steps.append(self._step(slash == "//"))
        if not absolute and len(steps) == 1 and first.expr is not None and not first.predicates:
            return first.expr
        return Path(absolute, tuple(steps))

    def _starts_a_step(self) -> bool:
        kind, value = self._tokens[self._at]
        return kind in ("name", "variable", "string", "number") or value in ("*", "@", ".", "..", "(")

    def _step(self, deep: bool) -> Step:
        kind, value = self._tokens[self._at]
        if self._accept("@"):
            return self._axis_step(Axis.ATTRIBUTE, deep)
        if self._accept(".."):
            return Step(Axis.PARENT, KindTest.NODE, self._predicates(), deep)
        if self._accept("."):
            return Step(Axis.SELF, KindTest.NODE, self._predicates(), deep)
        if kind == "name" and self._peek(1) == "::":
            self._take(), self._take()
            try:
                axis = Axis(value)
            except ValueError:
                raise self.refused(f"the axis {value}") from None
            return self._axis_step(axis, deep)
        if kind == "name" and self._peek(1) == "(" and value not in _NO_FUNCTION:
            return Step(None, None, deep=deep, expr=self._call(), predicates=self._predicates())
        if kind == "name" or value == "*":
            return self._axis_step(Axis.CHILD, deep)
        return Step(None, None, deep=deep, expr=self._primary(), predicates=self._predicates())

    def _axis_step(self, axis: Axis, deep: bool) -> Step:
        return Step(axis, self._test(axis), self._predicates(), deep)

    def _test(self, axis: Axis) -> NameTest | KindTest:
        kind, value = self._take()
        if kind == "name" and self._peek() == "(":
            self._take()
            self._expect(")")
            try:
                return KindTest(f"{value}()")
            except ValueError:
                raise self.refused(f"the test {value}()") from None
        if value == "*":
            return NameTest(None, "*")
        if kind != "name":
            raise self.refused(f"a name expected instead of “{value}”")
        prefix, colon, local = value.rpartition(":")
        if not colon:
            return NameTest("", local)
        if prefix == "*":
            raise self.refused("a name in any namespace")
        if prefix not in self._namespaces:
            raise self.refused(f"the prefix {prefix}, which means nothing,")
        return NameTest(self._namespaces[prefix], local)

    def _predicates(self) -> tuple[Expr, ...]:
        found: list[Expr] = []
        while self._accept("["):
            found.append(self.expression())
            self._expect("]")
        return tuple(found)

    # --- primaries -------------------------------------------------------------------------------------------

    def _primary(self) -> Expr:
        if self._peek() == "(":
            return self._parenthesised()
        kind, value = self._take()
        if kind == "variable":
            return Variable(value[1:].strip())
        if kind == "string":
            quote = value[0]
            return Literal(value[1:-1].replace(quote * 2, quote))
        if kind == "number":
            if "e" in value or "E" in value:
                return Literal(float(value))
            return Literal(Decimal(value) if "." in value else int(value))
        raise self.refused(f"an operand expected instead of “{value}”")

    def _parenthesised(self) -> Expr:
        self._expect("(")
        if self._accept(")"):
            return Sequence(())
        expr = self.expression()
        self._expect(")")
        return expr

    def _call(self) -> Expr:
        _, name = self._take()
        self._check_prefix(name)
        self._expect("(")
        arguments: list[Expr] = []
        while not self._accept(")"):
            if arguments:
                self._expect(",")
            arguments.append(self._single())
        return Call(name, tuple(arguments))

    def _check_prefix(self, name: str) -> None:
        prefix, colon, _ = name.rpartition(":")
        if colon and prefix not in self._namespaces:
            raise self.refused(f"the prefix {prefix}, which means nothing,")
        if colon and self._namespaces[prefix] != _MEANT.get(prefix, self._namespaces[prefix]):
            raise self.refused(f"the prefix {prefix}, which means another thing,")


__all__ = ["CONTEXT", "parse"]

"""Expressions other than paths and calls: conditions, comparisons, arithmetic, variables, loops.

`Compiler.value` gives the value of an expression, `Compiler.condition` only its truth, which is often cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.rules.rulebook.compiler import comparisons
from gateway.rules.rulebook.compiler.arithmetic import ARITHMETIC, compile_arithmetic
from gateway.rules.rulebook.compiler.calls import CALLS, CONDITIONS
from gateway.rules.rulebook.compiler.code import (
    MANY,
    NODES,
    NUMBERS,
    ONE,
    OPTIONAL,
    Code,
    Kind,
    Module,
    Scope,
    free,
    listing,
)
from gateway.rules.rulebook.compiler.code_lists import CodeLists
from gateway.rules.rulebook.compiler.disjunctions import gathered
from gateway.rules.rulebook.compiler.implications import implication
from gateway.rules.rulebook.compiler.listed_codes import listed_word
from gateway.rules.rulebook.compiler.literals import common_kind, literal
from gateway.rules.rulebook.compiler.lookups import came_before, some_equal
from gateway.rules.rulebook.compiler.paths import compile_path
from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Binary,
    Call,
    Expr,
    For,
    If,
    Literal,
    Negative,
    Path,
    Quantified,
    Refused,
    Sequence,
    Variable,
)

_TOLERANT: Final = {"and": "both", "or": "either"}


@dataclass(slots=True)
class Compiler:
    """Compiles the expressions of one pack into one module."""

    module: Module
    lists: CodeLists
    namespaces: Mapping[str, str]
    functions: dict[str, Callable[[tuple[Expr, ...], Scope], Code]] = field(default_factory=dict)

    # --- values ----------------------------------------------------------------------------------------------

    def value(self, expr: Expr, scope: Scope) -> Code:
        """The value of an expression."""
        match expr:
            case Literal():
                return literal(expr.value)
            case Variable():
                return self._variable(expr, scope)
            case Path():
                return compile_path(self, expr, scope)
            case Call():
                return self._call(expr, scope)
            case Sequence():
                return self._sequence(expr, scope)
            case If():
                return self._if(expr, scope)
            case For():
                return self._for(expr, scope)
            case Quantified() | Binary(op="and" | "or"):
                condition = self.condition(expr, scope)
                return replace(condition, py=f"bool({condition.py})")
            case Binary(op="|"):
                return self._union(expr, scope)
            case Binary(op=op) if op in ARITHMETIC:
                return compile_arithmetic(self, expr, scope)
            case Binary():
                return comparisons.compare(self, expr, scope)
            case Negative():
                operand = self.number(self.value(expr.operand, scope))
                return replace(operand, py=f"negative({operand.py})", literals=None)
        raise Refused(f"{expr!r}")

    def _variable(self, expr: Variable, scope: Scope) -> Code:
        try:
            return scope.variables[expr.name]
        except KeyError:
            raise Refused(f"the variable ${expr.name}, which is not declared") from None

    def _call(self, expr: Call, scope: Scope) -> Code:
        if expr.name in self.functions:
            return self.functions[expr.name](expr.arguments, scope)
        name = expr.name.removeprefix("fn:")
        if (name, len(expr.arguments)) in CONDITIONS:
            condition = self.condition(expr, scope)
            return replace(condition, py=f"bool({condition.py})")
        make = CALLS.get((name, len(expr.arguments))) or CALLS.get((name, None))
        if make is None:
            raise Refused(f"the function {expr.name}() with {len(expr.arguments)} arguments")
        code = make(self, expr.arguments, scope)
        return self.module.keep(code)

    def _sequence(self, expr: Sequence, scope: Scope) -> Code:
        if not expr.items:
            return Code(Kind.EMPTY, MANY, "()", cheap=True)
        codes = [self.value(item, scope) for item in expr.items]
        kind = common_kind(codes)
        uses = frozenset[str]().union(*(code.uses for code in codes))
        if all(code.literals is not None for code in codes):
            literals = tuple(text for code in codes for text in code.literals or ())
            return Code(kind, MANY, repr(literals), literals=literals, cheap=True)
        if kind in NODES:
            raise Refused("a sequence of nodes with commas")
        parts = ", ".join(code.py if code.card == ONE else f"*{self.items(code)}" for code in codes)
        return Code(kind, MANY, f"({parts},)", uses, cheap=not uses)

    def _if(self, expr: If, scope: Scope) -> Code:
        condition = self.condition(expr.condition, scope)
        then, otherwise = self.value(expr.then, scope), self.value(expr.otherwise, scope)
        if {then.kind, otherwise.kind} & NODES and then.kind != otherwise.kind:
            then, otherwise = self.atoms(then), self.atoms(otherwise)
        kind = common_kind([then, otherwise])
        uses = condition.uses | then.uses | otherwise.uses
        if then.card == otherwise.card != MANY:
            return Code(kind, then.card, f"({then.py} if {condition.py} else {otherwise.py})", uses)
        texts = (self.items(then), self.items(otherwise))
        return Code(kind, MANY, f"({texts[0]} if {condition.py} else {texts[1]})", uses, flat=False)

    def _bind(self, bindings: tuple[tuple[str, Expr], ...], scope: Scope) -> tuple[list[str], Scope, frozenset[str]]:
        loops: list[str] = []
        uses: frozenset[str] = frozenset()
        for name, expr in bindings:
            items = self.module.keep(self.value(expr, scope.orderly()))
            uses |= free(items.uses, loops)
            variable = self.module.fresh("v")
            listed = self.items(items)
            if items.loops and self.module.fails(items.py):  # one by one: what decides ends it before another fails
                listed = f"({items.item} {' '.join(items.loops)})"
            loops.append(f"for {variable} in {listed}")
            item = Code(items.kind, ONE, variable, frozenset({variable}), element=items.element, cheap=True)
            scope = scope.binding(name, item)
        return loops, scope, uses

    def _for(self, expr: For, scope: Scope) -> Code:
        loops, inner, uses = self._bind(expr.bindings, scope)
        result = self.value(expr.result, inner)
        if result.kind in NODES:
            raise Refused("a for that returns nodes")
        uses |= free(result.uses, loops)
        if result.card == ONE:
            return listing(result.kind, tuple(loops), result.py, uses)
        variable = self.module.fresh()
        return listing(result.kind, (*loops, f"for {variable} in {self.items(result)}"), variable, uses)

    def _union(self, expr: Binary, scope: Scope) -> Code:
        left, right = self.value(expr.left, scope), self.value(expr.right, scope)
        if left.kind is not Kind.NODE or right.kind is not Kind.NODE:
            raise Refused("a union of other things than elements")
        element = left.element and right.element
        py = f"union({self.items(left)}, {self.items(right)})"
        union = Code(Kind.NODE, MANY, py, left.uses | right.uses, flat=False, element=element)
        if left.probe and right.probe:
            union = replace(union, probe=f"({left.probe} or {right.probe})")
        return union

    # --- conditions ------------------------------------------------------------------------------------------

    def condition(self, expr: Expr, scope: Scope) -> Code:
        """The effective boolean value (XPath 2.4.3), as Python sees truth."""
        match expr:
            case Binary(op="or") if (together := gathered(expr)) is not None:
                return self.condition(together, scope)
            case Binary(op="and" | "or"):
                implied = implication(expr) if self.module.hasty else None
                if implied is not None:
                    unless, then = self.condition(implied[0], scope), self.condition(implied[1], scope)
                    return _truth(f"(not {unless.py} or {then.py})", unless.uses | then.uses)
                word = listed_word(self, expr, scope)
                if word is not None:
                    return word
                left, right = self.condition(expr.left, scope), self.condition(expr.right, scope)
                return self.joined(expr.op, left, right)
            case Quantified():
                return self.module.keep(self._quantified(expr, scope))
            case Call("normalize-space", arguments) if len(arguments) < 2:  # what is not all blanks
                text = self.string(self.value(arguments[0] if arguments else CONTEXT, scope))
                return _truth(f"{text.py}.strip(BLANKS)", text.uses)
            case Binary("=" | "!=", Call("normalize-space") as spaced, Literal("")):
                full = self.condition(spaced, scope)
                return full if expr.op == "!=" else _truth(f"(not {full.py})", full.uses)
            case Binary("="):
                earlier = came_before(self, expr, scope)
                if earlier is not None:
                    return earlier
            case Call() if expr.name not in self.functions:
                make = CONDITIONS.get((expr.name.removeprefix("fn:"), len(expr.arguments)))
                if make is not None:
                    return make(self, expr.arguments, scope)
        return self.truth(self.value(expr, scope))

    def joined(self, op: str, left: Code, right: Code) -> Code:
        """`and`, `or`: where one side decides, the other may fail (XPath 2.3.4 allows it, and Saxon does it)."""
        uses = left.uses | right.uses
        if not self.module.fails(left.py):
            return _truth(f"({left.py} {op} {right.py})", uses)
        if not self.module.fails(right.py):
            return _truth(f"({right.py} {op} {left.py})", uses)
        return _truth(f"{_TOLERANT[op]}(lambda: {left.py}, lambda: {right.py})", uses)

    def truth(self, code: Code) -> Code:
        """The truth of a value."""
        if code.probe:
            return _truth(code.probe, code.uses)
        if code.kind in NODES and code.loops and self.module.fails(code.py):
            return _truth(f"any(True {' '.join(code.loops)})", code.uses)  # the first one decides
        if code.kind in NODES:
            if code.card == ONE:
                return _truth("True", frozenset())
            return _truth(f"({code.py} is not None)" if code.card == OPTIONAL else code.py, code.uses)
        if code.kind is Kind.EMPTY:
            return _truth("False", frozenset())
        if code.kind is Kind.BOOLEAN:
            return _truth(f"truths({code.py})" if code.card == MANY else code.py, code.uses)
        if code.card == MANY:
            raise Refused(f"a condition of several {code.kind.value}s")
        if code.is_string and code.kind is not Kind.WORD:
            return _truth(code.py, code.uses)
        if code.is_numeric:
            return _truth(f"truth({code.py})", code.uses)
        raise Refused(f"a condition that is a {code.kind.value}")

    def _quantified(self, expr: Quantified, scope: Scope) -> Code:
        among = some_equal(self, expr, scope)
        if among is not None:
            return among
        loops, inner, uses = self._bind(expr.bindings, scope)
        condition = self.condition(expr.condition, inner)
        uses |= free(condition.uses, loops)
        clauses = " ".join(loops)
        if expr.every:
            return _truth(f"all({condition.py} {clauses})", uses)
        return _truth(f"any({condition.py} {clauses})", uses)

    # --- what others build on --------------------------------------------------------------------------------

    def items(self, code: Code) -> str:
        """The text of a list, whatever the card."""
        if code.card == MANY:
            return code.py
        return f"({code.py},)" if code.card == ONE else f"some({code.py})"

    def opened(self, code: Code) -> tuple[tuple[str, ...], str]:
        """The loops over the items of a value, and the name of an item."""
        if code.loops:
            return code.loops, code.item
        variable = self.module.fresh()
        return (f"for {variable} in {self.items(code)}",), variable

    def atoms(self, code: Code) -> Code:
        """Atomised (XPath 2.4.2): nodes become untyped strings."""
        if code.kind in (Kind.TEXT, Kind.CODE):  # a comment, which we do not see, would part a text into two nodes
            raise Refused(f"the value of a {code.kind.value}")
        if code.kind is Kind.LEAF:
            return replace(code, kind=Kind.UNTYPED, probe="")
        if code.kind is not Kind.NODE:
            return code
        if code.card == ONE:
            return Code(Kind.UNTYPED, ONE, f"{code.py}.text", code.uses, cheap=code.cheap)
        if code.card == OPTIONAL:
            return Code(Kind.UNTYPED, OPTIONAL, f"text_or_none({code.py})", code.uses)
        loops, item = self.opened(code)
        return listing(Kind.UNTYPED, loops, f"{item}.text", code.uses)

    def run_together(self, code: Code) -> Code:
        """Atomised to be joined without anything between: then it is no matter where a text node ends."""
        return replace(code, kind=Kind.UNTYPED, probe="") if code.kind is Kind.TEXT else self.atoms(code)

    def single(self, code: Code) -> Code:
        """One atomic item or none; more is an error when it runs."""
        if code.card != MANY:
            return self.atoms(code)
        if code.kind is Kind.EMPTY:
            return Code(Kind.STRING, OPTIONAL, "None")
        if code.kind is Kind.NODE:
            return Code(Kind.UNTYPED, OPTIONAL, f"only_text({code.py})", code.uses)
        return replace(self.atoms(code), card=OPTIONAL, py=f"one({code.py})", loops=(), item="", probe="")

    def string(self, code: Code) -> Code:
        """An argument of type `xs:string?`, the empty sequence taken for ""."""
        if code.kind is Kind.NODE and code.card == MANY:
            return Code(Kind.STRING, ONE, f"the_text({code.py})", code.uses)
        found = self.single(code)
        if not found.is_string:
            raise Refused(f"a {found.kind.value} where a string is expected")
        if found.card == ONE:
            return replace(found, kind=Kind.STRING)
        return replace(found, kind=Kind.STRING, card=ONE, py=f"({found.py} or '')")

    def number(self, code: Code) -> Code:
        """An operand of arithmetic: untyped values become doubles."""
        found = self.single(code)
        if found.kind is Kind.UNTYPED:
            return replace(found, kind=Kind.DOUBLE, py=f"double({found.py})", literals=None)
        if found.kind not in NUMBERS:
            raise Refused(f"arithmetic with a {found.kind.value}")
        return found


def _truth(py: str, uses: frozenset[str]) -> Code:
    return Code(Kind.BOOLEAN, ONE, py, uses)

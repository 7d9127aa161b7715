"""Which expressions have a value on every document, told by their form alone.

A cast, a single item that is demanded and a condition of several values may fail on some document; whatever is not
known here counts as such. `guards.py` asks: where an assert is not asked, Saxon must not fail on it either.
"""

from __future__ import annotations

from typing import Final

from gateway.rules.rulebook.compiler.xpath import (
    CONTEXT,
    Axis,
    Binary,
    Call,
    Expr,
    Literal,
    Path,
    Quantified,
    Sequence,
    Step,
)

_GENERAL: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
#: Functions of single strings that give a string, by number of arguments.
_OF_TEXTS: Final = {"normalize-space": 1, "string": 1, "upper-case": 1, "lower-case": 1, "substring-before": 2} | {
    "substring-after": 2
}
#: The same that give a boolean.
_ASKING_TEXTS: Final = {"contains": 2, "starts-with": 2, "ends-with": 2}
_OF_THE_CONTEXT: Final = frozenset({"normalize-space", "string", "name", "local-name"})


def may_fail(expr: Expr) -> bool:
    """May the value of `expr` be an error? Where in doubt: yes."""
    return not (_are_words(expr) or _is_number(expr) or _is_condition(expr))


def predicate_may_fail(expr: Expr) -> bool:
    """The same of what a predicate asks, which may be a position."""
    return not (isinstance(expr, Literal) or _is_condition(expr))


def step_may_fail(step: Step) -> bool:
    """May a step fail on the node that it comes from, or a predicate on what it finds?"""
    if step.expr is not None and not _are_nodes(step.expr):
        return True
    return any(predicate_may_fail(predicate) for predicate in step.predicates)


def _is_condition(expr: Expr) -> bool:
    """Has it an effective boolean value, whatever the document?"""
    match expr:
        case Call("true" | "false", ()):
            return True
        case Call("not" | "boolean", (inner,)):
            return _is_condition(inner)
        case Call("exists" | "empty", (inner,)):
            return not may_fail(inner)
        case Call(name, arguments) if _ASKING_TEXTS.get(name) == len(arguments):
            return all(_is_text(argument) for argument in arguments)
        case Call("matches", (text, Literal())):
            return _is_text(text)
        case Binary("and" | "or", left, right):
            return _is_condition(left) and _is_condition(right)
        case Binary(op, left, right) if op in _GENERAL:
            return (_are_words(left) and _are_words(right)) or (_is_number(left) and _is_number(right))
        case Quantified(_, bindings, condition):  # what is bound counts as unknown
            return not any(may_fail(items) for _, items in bindings) and _is_condition(condition)
    return _are_nodes(expr) or _is_text(expr) or _is_number(expr)


def _are_nodes(expr: Expr) -> bool:
    match expr:
        case Binary("|", left, right):
            return _are_nodes(left) and _are_nodes(right)
        case Path():
            return not any(step_may_fail(step) for step in expr.steps)
    return False


def _are_words(expr: Expr) -> bool:
    """Strings, or nodes, which are compared with strings as they are."""
    match expr:
        case Sequence(items):
            return all(isinstance(item, Literal) and isinstance(item.value, str) for item in items)
        case Path(_, (*steps, Step(None, None, (), False, Call() as called))) if steps:
            return not any(step_may_fail(step) for step in steps) and _is_text(called)
    return _are_nodes(expr) or _is_text(expr)


def _is_text(expr: Expr) -> bool:
    """One string, or a node that becomes one."""
    match expr:
        case Literal(value):
            return isinstance(value, str)
        case Path(False, (Step(Axis.ATTRIBUTE, _, (), False),)):
            return True
        case Call(name, ()):
            return name in _OF_THE_CONTEXT
        case Call("concat", arguments):
            return all(_is_text(argument) for argument in arguments)
        case Call(name, arguments) if _OF_TEXTS.get(name) == len(arguments):
            return all(_is_text(argument) for argument in arguments)
    return expr == CONTEXT


def _is_number(expr: Expr) -> bool:
    match expr:
        case Literal(value):
            return not isinstance(value, str)
        case Call("count", (counted,)):
            return not may_fail(counted)
        case Call("string-length", (text,)):
            return _is_text(text)
        case Call("string-length", ()):
            return True
    return False

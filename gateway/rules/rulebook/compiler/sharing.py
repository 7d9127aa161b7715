"""What several asserts of one rule ask of a node is computed once, when it is first wanted.

The asserts on totals read `decimal(only_text(get(T69, ())))` a dozen times. Each such expression gets a local variable;
it is set for one node and forgotten for the next. What fails is not remembered, so that each assert fails by itself.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from textwrap import dedent, indent
from typing import Final, cast

from gateway.rules.rulebook.compiler.code import renamed

#: Fewer calls than this cost no more than looking whether the variable is set.
_CALLS: Final = 2
_COMPREHENSIONS: Final = (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp, ast.Lambda)
_LOOP_VARIABLE: Final = re.compile(r"[xv]\d+")


def shared(asserts: str) -> str:
    """The same statements, with what stands in them more than once computed once."""
    module = _Single().visit(ast.parse(dedent(asserts)))
    tests = [node.test for node in ast.walk(module) if isinstance(node, ast.If)]
    once = frozenset(node.target.id for node in ast.walk(module) if isinstance(node, ast.NamedExpr))
    texts = {node: _text(node, once) for test in tests for node in _candidates(test, once)}
    names = _names(Counter(texts.values()), texts, once)
    if not names:
        return indent(ast.unparse(ast.fix_missing_locations(module)), " " * 8) + "\n"
    _Sharing(texts, names).visit(module)
    unset = ast.Assign([ast.Name(name, ast.Store()) for name in names.values()], ast.Name("UNSET", ast.Load()))
    module.body.insert(0, unset)
    return indent(ast.unparse(ast.fix_missing_locations(module)), " " * 8) + "\n"


def _candidates(node: ast.AST, once: frozenset[str]) -> Iterator[ast.expr]:
    """What may be shared: not inside comprehensions, where Python does not let a variable be set.

    `once`: the variables of the function that are set in one place.
    """
    if isinstance(node, ast.Call | ast.BinOp) and _is_worth_it(node, once):
        yield node
    if isinstance(node, ast.ListComp):
        if _is_worth_it(node, once):
            yield node
        return
    if not isinstance(node, _COMPREHENSIONS):
        for child in ast.iter_child_nodes(node):
            yield from _candidates(child, once)


def _is_worth_it(node: ast.expr, once: frozenset[str]) -> bool:
    inside = list(ast.walk(node))
    if any(isinstance(each, ast.NamedExpr) for each in inside):
        return False
    if sum(isinstance(each, ast.Call) for each in inside) < _CALLS:
        return False
    bound = {
        each.target.id for each in inside if isinstance(each, ast.comprehension) if isinstance(each.target, ast.Name)
    }
    return _used(node) <= bound | once


def _used(node: ast.expr) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return {name for name in names if _LOOP_VARIABLE.fullmatch(name)}


def _text(node: ast.expr, once: frozenset[str]) -> str:
    """The same for expressions that mean the same: their own loop variables may have other names, but no others."""
    return " ".join([renamed(ast.unparse(node)), *sorted(_used(node) & once)])


def _names(counts: Counter[str], texts: dict[ast.expr, str], once: frozenset[str]) -> dict[str, str]:
    """The variables, the largest expressions first: what stands only inside of those needs none of its own."""
    example = {text: node for node, text in texts.items()}
    names: dict[str, str] = {}
    for text in sorted(counts, key=len, reverse=True):
        times = counts[text]
        if times > 1:
            names[text] = f"w{len(names)}"
            for inner in _candidates(example[text], once):
                if inner is not example[text]:
                    counts[_text(inner, once)] -= times - 1
    return names


class _Sharing(ast.NodeTransformer):
    """Puts the variables in."""

    def __init__(self, texts: dict[ast.expr, str], names: dict[str, str]) -> None:
        self._texts = texts
        self._names = names

    def visit(self, node: ast.AST) -> ast.AST:
        name = self._names.get(self._texts.get(node, "")) if isinstance(node, ast.expr) else None
        if not isinstance(node, _COMPREHENSIONS):
            node = self.generic_visit(node)
        if name is None:
            return node
        load, store = ast.Name(name, ast.Load()), ast.Name(name, ast.Store())
        is_set = ast.Compare(load, [ast.IsNot()], [ast.Name("UNSET", ast.Load())])
        return ast.IfExp(is_set, load, ast.NamedExpr(store, cast("ast.expr", node)))


class _Single(ast.NodeTransformer):
    """`all(… for v in some(x))` without a loop: there is one item or none."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        match node:
            case ast.Call(
                ast.Name("all" | "any" as function),
                [
                    ast.GeneratorExp(
                        condition, [ast.comprehension(ast.Name() as target, ast.Call(ast.Name("some"), [item]), [])]
                    )
                ],
            ):
                nothing, joined = (ast.Is(), ast.Or()) if function == "all" else (ast.IsNot(), ast.And())
                missing = ast.Compare(ast.NamedExpr(target, item), [nothing], [ast.Constant(None)])
                truth = ast.Call(ast.Name("bool", ast.Load()), [self.visit(condition)], [])
                return ast.BoolOp(joined, [missing, truth])
        return self.generic_visit(node)

    def visit_ListComp(self, node: ast.ListComp) -> ast.AST:
        return node

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> ast.AST:
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        return node

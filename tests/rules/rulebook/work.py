"""Counts the work that a compiled sheet does on a document: what a clock would tell, but the same on every machine.

The generated module is run with a charge on every loop, concatenation and look-up in a list, and the functions of the
runtime with a charge for what they walk through, one for each item and one for each 64 characters.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from lxml import etree

from gateway.rules.rulebook.cache import Compiled
from gateway.rules.rulebook.compiler.program import compiled
from gateway.rules.rulebook.compiler.table import Program
from gateway.rules.rulebook.engine import Rulebook, Run
from gateway.rules.rulebook.outcome import Outcome
from gateway.rules.rulebook.runtime.tree import Branch, Node
from gateway.rules.rulebook.stylesheet import read_stylesheet

_CHARACTERS: Final = 64
_RUNTIME: Final = "gateway.rules.rulebook.runtime"
_OF_THE_DOCUMENT: Final = re.compile(r"k\d+")


class Work:
    """The work of one run, by the function of the module that asked for it."""

    def __init__(self) -> None:
        self.by_function: Counter[str] = Counter()
        self._looked = 0
        self._longest = 0

    @property
    def total(self) -> int:
        return self.by_function.total()

    @property
    def longest(self) -> int:
        """The most that was done without a look at the clock."""
        return max(self._longest, self.total - self._looked)

    def look(self) -> None:
        """The engine looks at the clock."""
        self._longest, self._looked = self.longest, self.total


class CountedRulebook:
    """A sheet whose runs are counted."""

    def __init__(self, sheet: Path) -> None:
        program = compiled(read_stylesheet(sheet))
        self._work = Work()
        self._book = Rulebook(Compiled(program, _charged(program)))
        self._functions: dict[str, Any] = self._book._functions
        self._charge_functions()

    def run(self, tree: etree._ElementTree) -> tuple[Outcome, Work]:
        """What the sheet says of a document, and how much work that was."""
        self._work = work = Work()
        kept, look = Branch.text, Run.look_at_the_clock

        def text(node: Branch) -> str:
            value: str = kept.__get__(node)
            self._spend(len(value) // _CHARACTERS + 1)
            return value

        Branch.text = property(text)  # type: ignore[assignment,method-assign]
        Run.look_at_the_clock = lambda _: work.look()  # type: ignore[method-assign]
        try:
            outcome = self._book.run(tree)
        finally:
            Branch.text = kept  # type: ignore[method-assign]
            Run.look_at_the_clock = look  # type: ignore[method-assign]
        said = sum(len(fired.location) + len(fired.message) for fired in outcome.fired)
        work.by_function["said"] += said // _CHARACTERS
        return outcome, work

    def _spend(self, amount: int, function: str = "") -> None:
        self._work.by_function[function or _asking()] += amount

    # --- what the module calls ---------------------------------------------------------------------------------

    def _charge_functions(self) -> None:
        names = self._functions
        names["each"] = names["walked"] = self._walked
        names["charged"], names["joined"] = self._charged, self._joined
        for name, value in list(names.items()):
            if callable(value) and str(getattr(value, "__module__", "")).startswith(_RUNTIME):
                if name in _PAIRS:
                    names[name] = self._pairing(value)
                elif name not in _FREE:
                    names[name] = self._costing(value, _COSTS.get(name, _sizes))
            if isinstance(value, re.Pattern):
                names[name] = _Pattern(value, self._spend)

    def _walked(self, items: Iterable[Any], each: int = 1) -> Iterator[Any]:
        """As lazily as the runtime walks: what is not reached costs nothing and cannot fail."""
        function = _asking()
        for item in items:
            self._spend(each, function)
            yield item

    def _charged(self, items: Any) -> Any:
        self._spend(len(items) if isinstance(items, list | tuple) else 1)  # nobody walks through a set to look in it
        return items

    def _joined(self, left: Any, right: Any) -> Any:
        if isinstance(left, str):
            self._spend((len(left) + len(right)) // _CHARACTERS)
        return left + right

    def _costing(self, function: Callable[..., Any], cost: Callable[..., int]) -> Callable[..., Any]:
        def costly(*args: Any) -> Any:
            self._spend(cost(*args))
            return function(*(self._walked(arg) if isinstance(arg, Iterator) else arg for arg in args))

        return costly

    def _pairing(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def costly(symbol: str, lefts: Iterable[Any], right: Any) -> Any:
            return function(symbol, self._walked(lefts, len(right) if isinstance(right, list | tuple) else 1), right)

        return costly


class _Pattern:
    """A regular expression that charges for the text it sees (not for walking through it more than once)."""

    def __init__(self, pattern: re.Pattern[str], spend: Callable[[int], None]) -> None:
        self._pattern = pattern
        self._spend = spend

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._pattern, name)

        def costly(*args: Any) -> Any:
            self._spend(len(args[-1]) // _CHARACTERS)
            return method(*args)

        return costly


def _asking() -> str:
    """The function of the module that is running."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_name
        if frame.f_code.co_filename == _FILE and not name.startswith("<"):
            return name
        frame = frame.f_back
    return "engine"


def _sizes(*args: object) -> int:
    """Items and characters."""
    texts = sum(len(arg) for arg in args if isinstance(arg, str))
    return texts // _CHARACTERS + sum(len(arg) for arg in args if isinstance(arg, list | tuple))


def _depths(nodes: Iterable[Node], *_: object) -> int:
    return sum(node.place.depth for node in nodes) if isinstance(nodes, list | tuple) else 0


def _texts(parts: Iterable[object]) -> int:
    return sum(_sizes(part) + 1 for part in parts) if isinstance(parts, list | tuple) else 0


#: What is not told by the size of the arguments.
_COSTS: Final[dict[str, Callable[..., int]]] = {
    "ancestors": _depths,
    "below": lambda nodes, _: len(nodes),
    "filled": _texts,
}
#: What may compare each with each.
_PAIRS: Final = frozenset({"any_numbers", "any_values", "any_texts"})
#: Look-ups: what they give is walked through by whoever asked, and charged then. An exception is caught by its class.
_FREE: Final = frozenset({"found", "sought", "candidates", "meant", "DynamicError"})


# --- the module with charges -----------------------------------------------------------------------------------

_FILE: Final = "<counted>"


def _charged(program: Program) -> Any:
    module = _Charges().visit(ast.parse(program.source))
    return compile(ast.fix_missing_locations(module), _FILE, "exec")


class _Charges(ast.NodeTransformer):
    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        self.generic_visit(node)
        node.iter = _call("walked", node.iter)
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = _call("each" if isinstance(node.iter, ast.Name) else "walked", node.iter)
        return node

    def visit_Starred(self, node: ast.Starred) -> ast.AST:
        self.generic_visit(node)
        if _kept(node.value):
            node.value = _call("charged", node.value)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("isdisjoint", "join"):
            node.args = [_call("charged", arg) if _kept(arg) else arg for arg in node.args]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        node.comparators = [
            _call("charged", other) if isinstance(op, ast.In) and _kept(other) else other
            for op, other in zip(node.ops, node.comparators, strict=True)
        ]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _call("joined", node.left, node.right) if isinstance(node.op, ast.Add) else node


def _kept(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and bool(_OF_THE_DOCUMENT.fullmatch(node.func.id))
    )


def _call(name: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(args), [])

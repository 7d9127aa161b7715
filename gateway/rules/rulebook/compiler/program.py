"""A whole sheet as one Python module and a table of its rules (`table.py`).

All names in the module are made here: `r7` asks nodes the asserts of template 7 that must always be asked, `a12` a
guarded assert, `m12` makes its message, `s12` the same with more
care, `c7_0` gives the nodes that the first alternative of template 7 is for,
`p7_0` says the same of a place, `v3` is a variable, `k5` something kept for the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

from gateway.rules.rulebook.compiler.code import MANY, ONE, OPTIONAL, Code, Focus, Kind, Module, Scope, renamed
from gateway.rules.rulebook.compiler.code_lists import CodeLists
from gateway.rules.rulebook.compiler.expressions import Compiler
from gateway.rules.rulebook.compiler.forms import ASSERT, ASSERT_TWICE, CONDITION, OF_DOCUMENT, VARIABLE, asking
from gateway.rules.rulebook.compiler.guards import Guard, guard_of
from gateway.rules.rulebook.compiler.parser import parse
from gateway.rules.rulebook.compiler.paths import ROOT
from gateway.rules.rulebook.compiler.patterns import Pattern, patterns_of
from gateway.rules.rulebook.compiler.table import Alternative, Asked, Guarded, Program, Rule
from gateway.rules.rulebook.compiler.xpath import Expr, Refused
from gateway.rules.rulebook.outcome import UncompilablePack
from gateway.rules.rulebook.sheet import Assertion, Computed, Function, Stylesheet, Template, Variable

_T = TypeVar("_T")
_NODE: Final = Focus.on("n")
_BLANKS: Final = re.compile(r"[ \t\r\n]+")


def compiled(sheet: Stylesheet, lists: CodeLists | None = None) -> Program:
    """Compile everything, or raise `UncompilablePack` naming the line. `lists` None: those beside the sheet."""
    return _Writer(sheet, lists or CodeLists.beside(sheet.path)).write()


class _Writer:
    def __init__(self, sheet: Stylesheet, lists: CodeLists) -> None:
        self._sheet = sheet
        self._module = Module()
        self._compiler = Compiler(self._module, lists, sheet.namespaces)
        self._asserts: list[Asked] = []
        self._variables = 0

    def write(self) -> Program:
        scope = Scope(Focus(ROOT), {})  # XSLT 9.5: the context of a global variable is the document
        for variable in self._sheet.variables:
            scope = self._at(variable.line, partial(self._declared, variable, scope))
        for function in self._sheet.functions:
            self._at(function.line, partial(self._function, function, scope))
        rules = [
            self._at(template.line, partial(self._rule, i, template, scope))
            for i, template in enumerate(self._sheet.templates)
        ]
        constants = [f"{name} = {text}" for text, name in self._module.constants.items()]
        source = "\n".join([*constants, *self._module.functions, ""])
        return Program(
            source,
            tuple(rules),
            tuple(self._asserts),
            len(self._module.kept),
            self._variables + 1,
            frozenset(self._module.looked_for),
            tuple(empty for empty in self._module.empties.values() if empty.tags),
        )

    def _at(self, line: int, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except Refused as refused:
            raise UncompilablePack(f"{self._sheet.path.name}, line {line}: {refused}") from refused

    def _parsed(self, text: str) -> Expr:
        return parse(text, self._sheet.namespaces)

    # --- variables and functions -----------------------------------------------------------------------------

    def _declared(self, variable: Variable, scope: Scope) -> Scope:
        """A variable, computed when it is first wanted: most are wanted only by asserts that fail."""
        code = self._compiler.value(self._parsed(variable.select), scope.orderly())
        code = self._module.keep(_converted(self._compiler, code, variable.type) if variable.type else code)
        if code.uses:
            self._variables += 1
            name = f"v{self._variables}_"
            self._module.define(name, VARIABLE.format(name=name, number=self._variables, py=code.py))
            uses = _NODE.code.uses  # its text names the node, even where its value only depends on the parent
            code = replace(code, py=f"{name}(n, d)", uses=uses, loops=(), item="", probe="", cheap=True)
        return scope.binding(variable.name, code)

    def _function(self, function: Function, scope: Scope) -> None:
        """`xsl:function`: a Python function; its variables too are computed when wanted."""
        name = self._module.fresh("f")
        inner = Scope(None, scope.variables)
        parameters: list[str] = []
        kinds: list[str] = []
        for parameter, kind in function.parameters:
            python = self._module.fresh("u")
            parameters.append(python)
            kinds.append(kind)
            inner = inner.binding(parameter, _parameter(python, kind))
        locals_: list[str] = []
        for variable in function.variables:
            code = self._compiler.value(self._parsed(variable.select), inner.orderly())
            code = self._module.keep(_converted(self._compiler, code, variable.type) if variable.type else code)
            if code.uses:
                python = self._module.fresh("u")
                locals_.append(python)
                wanted = f"({python}[0] if {python} else kept({python}, {code.py}))"
                uses = code.uses | {python}
                code = replace(code, py=wanted, uses=uses, loops=(), item="", probe="", cheap=True)
            inner = inner.binding(variable.name, code)
        result = _converted(
            self._compiler, self._compiler.value(self._parsed(function.result), inner.orderly()), function.type
        )
        lines = [f"def {name}({', '.join(['d', *parameters])}):"]
        lines += [f"    {python} = []" for python in locals_]
        lines.append(f"    return {result.py}")
        if all(kind.startswith("xs:string") for kind in kinds) and not OF_DOCUMENT.search("\n".join(lines[1:])):
            lines.append(f"{name} = remembered({name})")
        self._module.define(name, "\n".join([*lines, ""]))

        def call(arguments: tuple[Expr, ...], at: Scope) -> Code:
            if len(arguments) != len(kinds):
                raise Refused(f"{function.name}() with {len(arguments)} arguments")
            codes = [
                _converted(self._compiler, self._compiler.value(argument, at), kind)
                for argument, kind in zip(arguments, kinds, strict=True)
            ]
            uses = frozenset[str]().union(*(code.uses for code in codes))
            called = f"{name}({', '.join(['d', *(code.py for code in codes)])})"
            return self._module.keep(replace(result, py=called, uses=uses, cheap=False))

        self._compiler.functions[function.name] = call

    # --- rules -----------------------------------------------------------------------------------------------

    def _rule(self, number: int, template: Template, scope: Scope) -> Rule:
        found = [
            self._alternative(f"{number}_{i}", pattern, scope)
            for i, pattern in enumerate(patterns_of(self._parsed(template.match)))
        ]
        inner = scope.at(_NODE)
        mode = self._sheet.modes.index(template.mode)
        always: list[str] = []
        guards: list[Guarded] = []
        for item in template.items:
            if isinstance(item, Variable):
                inner = self._at(item.line, partial(self._declared, item, inner))
                continue
            asked = len(self._asserts)
            text, guard = self._at(item.line, partial(self._assert, number, mode, item, inner))
            if guard is None:
                always.append(text)
            else:
                self._module.functions.append(asking(f"a{asked}", text))
                guards += [(chain, asked, most, attribute) for chain, most, attribute in sorted(guard)]
        main = f"r{number}" if always else ""
        if always:
            self._module.functions.append(asking(main, "".join(always)))
        return Rule(mode, template.priority, tuple(found), main, template.descends, tuple(guards))

    def _alternative(self, name: str, pattern: Pattern, scope: Scope) -> Alternative:
        by_place = by_node = ""
        if pattern.place_condition:
            by_place = f"p{name}"
            self._module.functions.append(f"def {by_place}(p):\n    return {pattern.place_condition}\n")
        if pattern.conditions:
            by_node = f"c{name}"
            parts: list[str] = []
            for level, expr in pattern.conditions:
                focus = Focus.on("n" + ".parent" * level)
                if self._is_position(expr, scope.at(focus)):
                    raise Refused("a position in a pattern")
                parts.append(self._compiler.condition(expr, scope.at(focus)).py)
            self._module.functions.append(CONDITION.format(name=by_node, py=" and ".join(parts)))
        tests = tuple((test.uri, test.local) for test in pattern.tests)
        return Alternative(tests, pattern.anchored, by_place, by_node)

    def _is_position(self, expr: Expr, scope: Scope) -> bool:
        return self._compiler.value(expr, scope).is_numeric

    def _assert(self, template: int, mode: int, item: Assertion, scope: Scope) -> tuple[str, Guard | None]:
        number = len(self._asserts)
        expr = self._parsed(item.test)
        hasty, careful = self._both_forms(expr, scope)
        computed = any(isinstance(part, Computed) for part in item.message)
        message = None if computed else _normal("".join(part for part in item.message if isinstance(part, str)))
        self._asserts.append(Asked(template, mode, item.rule, item.flag, item.report, item.test, message))
        if computed:
            self._message(number, item, scope)
        negation = "" if item.report else "not "
        text = ASSERT.format(fires=f"{negation}{hasty}", number=number)
        if careful != hasty:
            self._module.functions.append(f"def s{number}(n, d):\n    return {careful}\n")
            text = ASSERT_TWICE.format(fires=f"{negation}{hasty}", again=f"{negation}s{number}(n, d)", number=number)
        return text, guard_of(expr, report=item.report)

    def _both_forms(self, expr: Expr, scope: Scope) -> tuple[str, str]:
        """A test as it is fastest, and as it is asked when that fails: where one side of `and` decides, the other may
        fail (`Compiler.joined`); where an amount is missing, there is no result. Without an error both say the same.
        """
        self._module.hasty, self._module.native = True, False
        try:
            hasty = self._compiler.condition(expr, scope).py
        finally:
            self._module.hasty = False
        if not self._module.native and not self._module.may_fail(hasty):
            return hasty, hasty
        careful = self._compiler.condition(expr, scope).py
        return hasty, hasty if renamed(hasty) == renamed(careful) else careful

    def _message(self, number: int, item: Assertion, scope: Scope) -> None:
        parts: list[str] = []
        for part in item.message:
            if isinstance(part, str):
                parts.append(repr(_BLANKS.sub(" ", part)))  # what is left to do is done when it is filled in
            else:
                code = self._compiler.value(self._parsed(part.select), scope.orderly())
                if code.kind is Kind.DATE:
                    raise Refused("the text of a date")
                # Text nodes beside each other are one before a blank is put between items (XSLT 5.7.2).
                join = "''.join" if code.kind is Kind.TEXT else "filled"
                parts.append(f"{join}({self._compiler.items(self._compiler.run_together(code))})")
        self._module.functions.append(f"def m{number}(n, d):\n    return {' + '.join(parts)}\n")


def _normal(text: str) -> str:
    return _BLANKS.sub(" ", text).strip(" ")


def _parameter(name: str, kind: str) -> Code:
    """What a parameter of a declared type holds."""
    uses = frozenset({name})
    match kind:
        case "xs:string?":
            return Code(Kind.STRING, OPTIONAL, name, uses, cheap=True)
        case "xs:string":
            return Code(Kind.STRING, ONE, name, uses, cheap=True)
        case "element()?":
            return Code(Kind.NODE, OPTIONAL, name, uses, cheap=True)
        case "element()":
            return Code(Kind.NODE, ONE, name, uses, cheap=True)
    raise Refused(f"a parameter of type {kind or 'anything'}")


def _converted(c: Compiler, code: Code, kind: str) -> Code:
    """The function conversion rules (XPath 3.1.5) for the types that the sheets declare."""
    wanted = {"element()": Kind.NODE, "xs:string": Kind.STRING, "xs:boolean": Kind.BOOLEAN}.get(kind.rstrip("?"))
    if wanted is None:
        raise Refused(f"the type {kind or 'anything'}")
    if wanted is Kind.NODE:
        if code.kind is not Kind.NODE or not code.element:
            raise Refused(f"a {code.kind.value} where an element is expected")
        found = code if code.card != MANY else replace(code, card=OPTIONAL, py=f"one({code.py})", loops=(), item="")
    else:
        found = c.single(code)
        if found.is_string and wanted is Kind.STRING:
            found = replace(found, kind=Kind.STRING)
        if found.kind is not wanted:
            raise Refused(f"a {found.kind.value} where {kind} is expected")
    if not kind.endswith("?") and found.card != ONE:
        found = replace(found, card=ONE, py=f"must({found.py})")
    return replace(found, probe="")

"""The functions of XPath that the sheets call (F&O), one maker each. An unknown one is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gateway.rules.rulebook.compiler.code import MANY, NODES, ONE, Code, Kind, Scope
from gateway.rules.rulebook.compiler.listed_codes import listed
from gateway.rules.rulebook.compiler.regexes import regex
from gateway.rules.rulebook.compiler.xpath import CONTEXT, Call, Expr, Literal, Refused

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler

Arguments = tuple[Expr, ...]
Maker = Callable[["Compiler", Arguments, Scope], Code]


def _truth(py: str, uses: frozenset[str]) -> Code:
    return Code(Kind.BOOLEAN, ONE, py, uses)


# --- conditions ------------------------------------------------------------------------------------------------


def _not(c: Compiler, args: Arguments, scope: Scope) -> Code:
    inner = c.condition(args[0], scope)
    return _truth(f"(not {inner.py})", inner.uses)


def _boolean(c: Compiler, args: Arguments, scope: Scope) -> Code:
    return c.condition(args[0], scope)


def _exists(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.value(args[0], scope)
    if found.kind in NODES:
        return c.truth(found)
    return _truth(f"(len({c.items(found)}) > 0)", found.uses)


def _empty(c: Compiler, args: Arguments, scope: Scope) -> Code:
    inner = _exists(c, args, scope)
    return _truth(f"(not {inner.py})", inner.uses)


def _contains(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = listed(c, Call("contains", args), scope)
    if found is not None:
        return found
    text, part = c.string(c.value(args[0], scope)), c.string(c.value(args[1], scope))
    return _truth(f"({part.py} in {text.py})", text.uses | part.uses)


def _starts_with(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text, part = c.string(c.value(args[0], scope)), c.string(c.value(args[1], scope))
    return _truth(f"{text.py}.startswith({part.py})", text.uses | part.uses)


def _ends_with(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text, part = c.string(c.value(args[0], scope)), c.string(c.value(args[1], scope))
    return _truth(f"{text.py}.endswith({part.py})", text.uses | part.uses)


def _matches(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text = c.string(c.value(args[0], scope))
    return _truth(f"({_regex(c, args[1])}.search({text.py}) is not None)", text.uses)


def _constant(py: str) -> Maker:
    return lambda _c, _args, _scope: _truth(py, frozenset())


#: By name and number of arguments.
CONDITIONS: Final[Mapping[tuple[str, int], Maker]] = {
    ("not", 1): _not,
    ("boolean", 1): _boolean,
    ("exists", 1): _exists,
    ("empty", 1): _empty,
    ("contains", 2): _contains,
    ("starts-with", 2): _starts_with,
    ("ends-with", 2): _ends_with,
    ("matches", 2): _matches,
    ("true", 0): _constant("True"),
    ("false", 0): _constant("False"),
}


# --- values ----------------------------------------------------------------------------------------------------


def _compiled(expr: Expr) -> re.Pattern[str]:
    if not isinstance(expr, Literal) or not isinstance(expr.value, str):
        raise Refused("a regular expression that is computed")
    return re.compile(regex(expr.value))


def _regex(c: Compiler, expr: Expr) -> str:
    return c.module.constant("R", f"regex({_compiled(expr).pattern!r})")


def _count(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.value(args[0], scope)
    if found.kind in (Kind.TEXT, Kind.CODE):
        raise Refused(f"count() of {found.kind.value}s")
    return Code(Kind.INTEGER, ONE, f"len({c.items(found)})", found.uses)


def _sum(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.atoms(c.value(args[0], scope))
    if found.kind is Kind.UNTYPED:
        loops, item = c.opened(found)
        return Code(Kind.NUMBER, ONE, f"total([double({item}) {' '.join(loops)}])", found.uses)
    if not found.is_numeric:
        raise Refused(f"sum() of {found.kind.value}s")
    function = "sum" if c.module.natively(found.kind) else "total"
    return Code(found.kind, ONE, f"{function}({c.items(found)})", found.uses)


def _numeric(function: str) -> Maker:
    def make(c: Compiler, args: Arguments, scope: Scope) -> Code:
        found = c.number(c.value(args[0], scope))
        return replace(found, py=f"{function}({found.py})", literals=None, cheap=False)

    return make


def _abs(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.number(c.value(args[0], scope))
    if c.module.natively(found.kind):
        py = f"abs({found.py})"
        return replace(found, card=ONE, py=py, missing=found.needs, literals=None, cheap=False)
    return replace(found, py=f"absolute({found.py})", literals=None, cheap=False)


def _cast(kind: Kind, function: str, *, required: bool = False) -> Maker:
    """A constructor (`xs:decimal(x)`: empty for empty), or `cast as` (an error for empty)."""

    def make(c: Compiler, args: Arguments, scope: Scope) -> Code:
        found = c.single(c.value(args[0], scope))
        if found.kind is not kind:
            if not (found.is_string or (found.is_numeric and kind in (Kind.DECIMAL, Kind.DOUBLE))):
                raise Refused(f"a cast of a {found.kind.value} to {kind.value}")
            found = replace(found, kind=kind, py=f"{function}({found.py})", literals=None, cheap=False)
        if required and found.card != ONE:
            found = replace(found, card=ONE, py=f"must({found.py})")
        return found

    return make


def _number(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.single(c.value(args[0] if args else CONTEXT, scope))
    if not (found.is_string or found.is_numeric):
        raise Refused(f"number() of a {found.kind.value}")
    return Code(Kind.DOUBLE, ONE, f"number({found.py})", found.uses)


def _string(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.single(c.value(args[0] if args else CONTEXT, scope))
    if found.is_string:
        return c.string(found)
    if found.kind is Kind.DATE:
        raise Refused("the text of a date")
    if found.card != ONE:
        return Code(Kind.STRING, ONE, f"optional_text({found.py})", found.uses)
    return Code(Kind.STRING, ONE, f"text_of({found.py})", found.uses)


def _normalize_space(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text = c.string(c.value(args[0] if args else CONTEXT, scope))
    return Code(Kind.STRING, ONE, f"normalize_space({text.py})", text.uses)


def _string_length(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text = c.string(c.value(args[0] if args else CONTEXT, scope))
    return Code(Kind.INTEGER, ONE, f"len({text.py})", text.uses)


def _method(form: str) -> Maker:
    def make(c: Compiler, args: Arguments, scope: Scope) -> Code:
        texts = [c.string(c.value(arg, scope)) for arg in args]
        uses = frozenset[str]().union(*(text.uses for text in texts))
        return Code(Kind.STRING, ONE, form.format(*(text.py for text in texts)), uses)

    return make


def _concat(c: Compiler, args: Arguments, scope: Scope) -> Code:
    codes = [_string(c, (arg,), scope) for arg in args]
    uses = frozenset[str]().union(*(code.uses for code in codes))
    return Code(Kind.STRING, ONE, f"({' + '.join(code.py for code in codes)})", uses)


def _substring(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text = c.string(c.value(args[0], scope))
    numbers = [c.number(c.value(arg, scope)) for arg in args[1:]]
    if any(number.card != ONE or number.kind is not Kind.INTEGER for number in numbers):
        raise Refused("substring() at a place that may be empty, or no whole number")
    uses = text.uses.union(*(number.uses for number in numbers))
    return Code(Kind.STRING, ONE, f"substring({text.py}, {', '.join(number.py for number in numbers)})", uses)


def _replace(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text, new = c.string(c.value(args[0], scope)), args[2]
    if not isinstance(new, Literal) or not isinstance(new.value, str) or set(new.value) & set("$\\"):
        raise Refused("replace() by something computed")
    if _compiled(args[1]).match(""):
        raise Refused("replace() of nothing")
    pattern = _regex(c, args[1])
    return Code(Kind.STRING, ONE, f"{pattern}.sub({new.value!r}, {text.py})", text.uses)


def _tokenize(c: Compiler, args: Arguments, scope: Scope) -> Code:
    text = c.string(c.value(args[0], scope))
    name = _regex(c, args[1])
    pattern = _compiled(args[1])
    if pattern.groups or pattern.match(""):
        raise Refused("tokenize() at groups or at nothing")
    if text.literals is not None:
        literals = tuple(pattern.split(text.literals[0])) if text.literals[0] else ()
        return Code(Kind.STRING, MANY, repr(literals), literals=literals, cheap=True)
    return Code(Kind.STRING, MANY, f"tokenize({text.py}, {name})", text.uses)


def _string_join(c: Compiler, args: Arguments, scope: Scope) -> Code:
    found = c.value(args[0], scope.orderly())
    separator = c.single(c.value(args[1], scope))
    if separator.card != ONE or not separator.is_string:
        raise Refused("string-join() with a separator that may be empty")
    if found.kind is Kind.TEXT and separator.literals != ("",):
        raise Refused("string-join() of text nodes with something between: a comment would part them")
    atoms = c.run_together(found)
    if not atoms.is_string:
        raise Refused(f"string-join() of {atoms.kind.value}s")
    return Code(Kind.STRING, ONE, f"{separator.py}.join({c.items(atoms)})", atoms.uses | separator.uses)


def _distinct(c: Compiler, args: Arguments, scope: Scope) -> Code:
    atoms = c.atoms(c.value(args[0], scope.orderly()))
    if not atoms.is_string:
        raise Refused(f"distinct-values() of {atoms.kind.value}s")
    return Code(atoms.kind, MANY, f"[*dict.fromkeys({c.items(atoms)})]", atoms.uses)


def _name(form: str) -> Maker:
    def make(c: Compiler, args: Arguments, scope: Scope) -> Code:
        found = c.value(args[0] if args else CONTEXT, scope)
        if found.kind is not Kind.NODE:
            raise Refused("the name of something that is no element")
        node = found.py if found.card != MANY else f"one({found.py})"
        return Code(Kind.STRING, ONE, form.format(node), found.uses)

    return make


def _document_root(c: Compiler, args: Arguments, scope: Scope) -> Code:
    raise Refused("document() elsewhere than in a look-up of a code list")


#: By name and number of arguments; None: any number.
CALLS: Final[Mapping[tuple[str, int | None], Maker]] = {
    ("count", 1): _count,
    ("sum", 1): _sum,
    ("abs", 1): _abs,
    ("round", 1): _numeric("round_half_up"),
    ("number", 0): _number,
    ("number", 1): _number,
    ("xs:decimal", 1): _cast(Kind.DECIMAL, "decimal"),
    ("xs:double", 1): _cast(Kind.DOUBLE, "double"),
    ("xs:date", 1): _cast(Kind.DATE, "to_date"),
    ("xs:boolean", 1): _cast(Kind.BOOLEAN, "boolean"),
    ("cast xs:boolean", 1): _cast(Kind.BOOLEAN, "boolean", required=True),
    ("string", 0): _string,
    ("string", 1): _string,
    ("normalize-space", 0): _normalize_space,
    ("normalize-space", 1): _normalize_space,
    ("string-length", 0): _string_length,
    ("string-length", 1): _string_length,
    ("upper-case", 1): _method("{}.upper()"),
    ("lower-case", 1): _method("lower_case({})"),
    ("substring-before", 2): _method("substring_before({}, {})"),
    ("substring-after", 2): _method("substring_after({}, {})"),
    ("substring", 2): _substring,
    ("substring", 3): _substring,
    ("concat", None): _concat,
    ("replace", 3): _replace,
    ("tokenize", 2): _tokenize,
    ("string-join", 2): _string_join,
    ("distinct-values", 1): _distinct,
    ("name", 0): _name("name_of({})"),
    ("name", 1): _name("name_of({})"),
    ("local-name", 0): _name("local_name({})"),
    ("local-name", 1): _name("local_name({})"),
    ("document", 1): _document_root,
}

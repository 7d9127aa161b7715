"""Paths: steps become loops of one list comprehension, over the children of a tag or the index of all tags.

What does not depend on the context is computed once per document (`Module.keep`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.rules.rulebook.compiler.code import MANY, ONE, OPTIONAL, Code, Focus, Kind, Scope, free, listing
from gateway.rules.rulebook.compiler.patterns import alternatives
from gateway.rules.rulebook.compiler.predicates import filtered, filtered_whole
from gateway.rules.rulebook.compiler.xpath import Axis, Binary, Expr, KindTest, Literal, NameTest, Path, Refused, Step

if TYPE_CHECKING:
    from gateway.rules.rulebook.compiler.expressions import Compiler

#: The document node.
ROOT = Code(Kind.NODE, ONE, "d.root", element=False, cheap=True)


def compile_path(c: Compiler, path: Path, scope: Scope) -> Code:
    """The nodes, or the atomic values, that `path` selects."""
    asked = c.lists.asked(path)
    if asked is not None:
        return _listed(c, asked, scope)
    path = _spread(path)
    steps = path.steps
    if path.absolute:
        current = ROOT
    elif steps[0].axis is None:
        counted = any(isinstance(predicate, Literal) for predicate in steps[0].predicates)
        whole = c.value(_expr(steps[0]), scope.orderly(needed=scope.in_order or counted))
        current = filtered_whole(c, whole, steps[0].predicates, scope)
        steps = steps[1:]
    elif scope.focus is None:
        raise Refused("a path where there is no context")
    else:
        current = scope.focus.code
    for step in steps:
        current = _stepped(c, current, step, scope)
    return c.module.keep(current)


def _spread(path: Path) -> Path:
    """`a//(b|c)/d` as `(a//b|a//c)/d`."""
    for i, step in enumerate(path.steps):
        if step.deep and step.expr is not None:
            heads: Expr | None = None
            for inner in alternatives(step.expr):
                if inner.absolute:
                    raise Refused("two slashes before a path from the root")
                first = replace(inner.steps[0], deep=True)
                head = Path(path.absolute, (*path.steps[:i], first, *inner.steps[1:]))
                heads = head if heads is None else Binary("|", heads, head)
            whole = Step(None, None, step.predicates, expr=heads)
            return Path(False, (whole, *path.steps[i + 1 :]))
    return path


def _expr(step: Step) -> Expr:
    if step.expr is None:
        raise Refused("a step of nothing")
    return step.expr


def _listed(c: Compiler, asked: tuple[frozenset[str], Expr], scope: Scope) -> Code:
    """The codes of a code list that are looked for: only whether there is one matters, so the codes themselves."""
    codes, expr = asked
    sought = c.atoms(c.value(expr, scope))
    if not sought.is_string:
        raise Refused(f"a {sought.kind.value} looked for in a code list")
    known = c.module.strings(codes)
    probe = f"({sought.py} in {known})" if sought.card != MANY else f"(not {known}.isdisjoint({sought.py}))"
    variable = c.module.fresh()
    loops = (f"for {variable} in {c.items(sought)}", f"if {variable} in {known}")
    return replace(listing(Kind.CODE, loops, variable, sought.uses), probe=probe)


# --- steps -----------------------------------------------------------------------------------------------------


def _stepped(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    if step.expr is not None:
        return _mapped(c, current, step, scope)
    if current.kind is not Kind.NODE:
        if step.axis is Axis.SELF and step.test is KindTest.NODE and not step.predicates and not step.deep:
            return current
        raise Refused(f"a step from a {current.kind.value}")
    match step.axis:
        case Axis.CHILD:
            found = _children(c, current, step, scope)
        case Axis.ATTRIBUTE:
            found = _attributes(c, current, step, scope)
        case Axis.SELF:
            found = _self(c, current, step, scope)
        case _:
            found = _elsewhere(c, current, step, scope)
    return found


def _mapped(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    """`nodes/f(x)`: the expression for each node."""
    if step.deep or step.predicates:
        raise Refused("a predicate on a computed step, or two slashes before one")
    current = c.module.keep(current)
    if current.card == ONE:
        return c.value(_expr(step), scope.at(Focus(current)))
    loops, item = c.opened(current)
    result = c.value(_expr(step), scope.at(Focus.on(item, current.kind, element=current.element)))
    uses = current.uses | free(result.uses, loops)
    if result.card == ONE:
        mapped = listing(result.kind, loops, result.py, uses)
    else:
        more, inner = c.opened(result)
        mapped = listing(result.kind, (*loops, *more), inner, uses, element=result.element)
    return _ordered(mapped, scope, unique=False) if result.kind is Kind.NODE else mapped


def _children(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    test = step.test
    if step.deep:
        return _below(c, current, step, scope)
    if not isinstance(test, NameTest):
        raise Refused("a child that is no element")
    if current.card != ONE and not current.loops:
        current = c.module.keep(current)
    loops, item = ((), current.py) if current.card == ONE else c.opened(current)
    if test.exact:
        tag = c.module.tag(test.tag)
        source = f"{item}.by_tag.get({tag}, ())"
        asked = f"{tag} in {item}.by_tag"
        probe = asked if not loops else f"[1 {' '.join(loops)} if {asked}]"
        conditions: tuple[str, ...] = ()
    else:
        source, conditions = f"{item}.children", _name_condition(c, test)
        probe = "" if conditions else f"[1 {' '.join(loops)} if {item}.by_tag]" if loops else f"{item}.by_tag"
    variable = c.module.fresh()
    loops = (*loops, f"for {variable} in {source}", *(text.format(variable) for text in conditions))
    found = listing(Kind.NODE, loops, variable, current.uses, flat=current.flat)
    found = filtered(c, found, step.predicates, scope) if step.predicates else replace(found, probe=probe)
    return found if current.flat else _ordered(found, scope)


def _name_condition(c: Compiler, test: NameTest) -> tuple[str, ...]:
    if test.uri is None:
        return ()
    if not test.uri:
        raise Refused("all names without a namespace")
    return (f"if {{}}.tag.startswith({c.module.constant('C', repr('{' + test.uri + '}'))})",)


def _below(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    """`a//b`: from the document node by the index of tags."""
    if step.test is KindTest.TEXT:
        if step.predicates:
            raise Refused("a predicate on text nodes")
        if current.card != ONE:
            loops, item = c.opened(current)
            variable = c.module.fresh()
            if not current.flat:
                raise Refused("text below nodes that may be inside each other")
            return listing(Kind.TEXT, (*loops, f"for {variable} in {item}.texts()"), variable, current.uses)
        return Code(Kind.TEXT, MANY, f"[*{current.py}.texts()]", current.uses)
    test = step.test
    if not isinstance(test, NameTest):
        raise Refused("descendants that are no elements")
    conditions: tuple[str, ...] = ()
    if test.exact:
        whole = c.module.all_of(test.tag)
        part = f"below({c.items(current)}, {whole})"
    else:
        whole, part = "d.nodes", f"below({c.items(current)}, d.nodes)"
        conditions = _name_condition(c, test)
    variable = c.module.fresh()
    source = whole if current is ROOT else part
    loops = (f"for {variable} in {source}", *(text.format(variable) for text in conditions))
    found = listing(Kind.NODE, loops, variable, current.uses, flat=False)
    if any(isinstance(predicate, Literal) for predicate in step.predicates):
        raise Refused("a position among descendants")
    if not step.predicates and not conditions and current is ROOT:
        return replace(found, cheap=True)
    return filtered(c, found, step.predicates, scope)


def _attributes(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    if not isinstance(step.test, NameTest) or not step.test.exact:
        raise Refused("attributes without a name")
    name = repr(step.test.tag)
    if step.deep:
        if current is not ROOT:
            raise Refused("attributes below a node")
        current = Code(Kind.NODE, MANY, f"d.bearing({name})", cheap=True, flat=False)
    if current.card == ONE:
        probe = f"{name} in {current.py}.attributes"
        found = Code(Kind.LEAF, OPTIONAL, f"{current.py}.attributes.get({name})", current.uses, probe=probe)
    else:
        loops, item = c.opened(c.module.keep(current))
        loops = (*loops, f"if {name} in {item}.attributes")
        found = listing(Kind.LEAF, loops, f"{item}.attributes[{name}]", current.uses)
    if step.predicates:
        loops, item = c.opened(replace(found, loops=(), item="", probe=""))
        found = filtered(c, listing(Kind.LEAF, loops, item, current.uses), step.predicates, scope)
    return found


def _self(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    if step.deep:
        raise Refused("all descendants")
    if step.test is KindTest.NODE:
        return filtered(c, current, step.predicates, scope) if step.predicates else current
    if not isinstance(step.test, NameTest):
        raise Refused("a text node that is the context")
    condition = f"{{}}.tag == {c.module.tag(step.test.tag)}" if step.test.exact else None
    if condition is None:
        (clause,) = _name_condition(c, step.test) or ("if True",)
        condition = clause.removeprefix("if ")
    loops, item = c.opened(current)
    probe = condition.format(item) if current.card == ONE else ""
    if current.card == ONE:
        probe, py = condition.format(current.py), f"({current.py} if {condition.format(current.py)} else None)"
        found = Code(Kind.NODE, OPTIONAL, py, current.uses, probe=f"({probe})")
    else:
        loops = (*loops, f"if {condition.format(item)}")
        found = listing(Kind.NODE, loops, item, current.uses, flat=current.flat)
    return filtered(c, found, step.predicates, scope) if step.predicates else found


def _elsewhere(c: Compiler, current: Code, step: Step, scope: Scope) -> Code:
    """Parents, ancestors, and what comes before."""
    if step.deep:
        raise Refused(f"two slashes before the axis {step.axis}")
    if step.axis is Axis.PARENT and step.test is KindTest.NODE:
        if current.card == ONE:
            card = ONE if current.element else OPTIONAL
            parent = f"{current.py}.parent"
            uses = frozenset({parent}) if current.uses == {current.py} else current.uses
            found = Code(Kind.NODE, card, parent, uses, element=False, cheap=current.cheap)
        else:
            found = Code(
                Kind.NODE, MANY, f"parents({c.items(current)})", current.uses, element=False, flat=current.flat
            )
    elif isinstance(step.test, NameTest) and step.test.exact and step.axis in (Axis.ANCESTOR, Axis.PRECEDING):
        nodes = c.items(current)
        if step.axis is Axis.ANCESTOR:
            py = f"ancestors({nodes}, {c.module.tag(step.test.tag)})"
        else:
            py = f"preceding({nodes}, {c.module.all_of(step.test.tag)})"
        found = Code(Kind.NODE, MANY, py, current.uses, flat=False)
    else:
        raise Refused(f"the axis {step.axis} with such a test")
    if any(isinstance(predicate, Literal) for predicate in step.predicates):
        raise Refused("a position on an axis that goes backwards")
    return filtered(c, found, step.predicates, scope) if step.predicates else found


def _ordered(code: Code, scope: Scope, *, unique: bool = True) -> Code:
    """Sorted where that matters, or where a node may be there twice (below different nodes no child is)."""
    if unique and not scope.in_order:
        return replace(code, flat=False)
    return replace(code, py=f"ordered({code.py})", loops=(), item="", probe="", flat=False)

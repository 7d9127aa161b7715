"""The Python text of a compiled module's functions: variables, conditions of patterns, and what asks nodes."""

from __future__ import annotations

import re
from typing import Final

from gateway.rules.rulebook.compiler.sharing import shared

VARIABLE: Final = """\
def {name}(n, d):
    last = d.variables[{number}]
    if last[0] is n:
        return last[1]
    if d.large:
        d.look_at_the_clock()
    value = {py}
    d.variables[{number}] = (n, value)
    return value
"""
CONDITION: Final = """\
def {name}(nodes, d):
    try:
        if len(nodes) == 1:
            (n,) = nodes
            return nodes if {py} else ()
        return [n for n in nodes if {py}]
    except DynamicError:  # XSLT 5.5.4: an error in a pattern is no match
        return [] if len(nodes) == 1 else [n for n in nodes if {name}((n,), d)]
"""
_ASKING: Final = """\
def {name}(nodes, d):
    for n in nodes:
{asserts}"""
_ASKING_BELOW: Final = """\
def {name}(nodes, d):
    for n in nodes:
        children = n.by_tag
        get = children.get
{asserts}"""
#: What a function of strings must not look at for its answers to be remembered.
OF_DOCUMENT: Final = re.compile(r"\bd\b")
_CHILDREN: Final = re.compile(r"(?<![\w.])n\.by_tag\b")
_LOOK_UP: Final = re.compile(r"(?<![\w.])n\.by_tag\.get\(")
ASSERT_TWICE: Final = """\
        try:
            if {fires}:
                d.fired.append(({number}, n))
        except HASTE:
            try:
                if {again}:
                    d.fired.append(({number}, n))
            except DynamicError as error:
                d.stopped.append(({number}, n, str(error)))
"""
ASSERT: Final = """\
        try:
            if {fires}:
                d.fired.append(({number}, n))
        except DynamicError as error:
            d.stopped.append(({number}, n, str(error)))
"""


def asking(name: str, asserts: str) -> str:
    """A function that asks nodes; the children of each are looked up many times."""
    form = _ASKING
    if asserts.count("n.by_tag") > 1:
        form, asserts = _ASKING_BELOW, _CHILDREN.sub("children", _LOOK_UP.sub("get(", asserts))
    return form.format(name=name, asserts=shared(asserts))

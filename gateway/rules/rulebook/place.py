"""The location of a finding, readable: SVRL writes every step with its namespace and position, which nobody reads."""

from __future__ import annotations

import re
from typing import Final

from gateway.domain.finding import printable
from gateway.rules.pack import Tree

_STEP: Final = re.compile(
    r"""/(?:\*:)?(?P<at>@)?(?:\*:)?(?P<name>[^/\[@]+)"""
    r"""(?:\[namespace-uri\(\)\s*=\s*(?P<quote>['"])(?P<uri>.*?)(?P=quote)\])?(?:\[(?P<index>[0-9]+)\])?"""
)
_LIMIT: Final = 600


def readable_location(tree: Tree, location: str) -> str:
    """`/*:Invoice[namespace-uri()='…'][1]/*:ID[namespace-uri()='…'][1]` as `/Invoice/cbc:ID`, with the prefixes of
    the document itself; what is no such path stays as it is."""
    prefixes = {uri: prefix for prefix, uri in tree.getroot().nsmap.items() if prefix}
    default = tree.getroot().nsmap.get(None)
    steps: list[str] = []
    end = 0
    for step in _STEP.finditer(location):
        if step.start() != end:
            return printable(location, _LIMIT)
        end = step.end()
        prefix = "" if step["uri"] == default else prefixes.get(step["uri"] or "", "")
        index = f"[{step['index']}]" if step["index"] and step["index"] != "1" else ""
        steps.append(f"/{step['at'] or ''}{f'{prefix}:' if prefix else ''}{step['name']}{index}")
    return printable("".join(steps) if end == len(location) else location, _LIMIT)

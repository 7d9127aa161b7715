"""That nothing judges which the pin of a pack does not cover.

The digest is over the files that `files` matches, and a pack reads more than one: the files to start from, code lists
(`document('….xml')`), schemas and sheets that are included or imported. All that is read is looked up here before an
engine sees it; one file that is not pinned keeps the pack from loading. What the files say is the engine's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

from lxml import etree

from gateway.rules.rulebook.outcome import UncompilablePack
from gateway.rules.spec import PackSpec, pinned_files

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
#: Elements that bring in a file, and the attribute that names it.
_BRINGS_IN: Final = {
    **{f"{_XS}{name}": "schemaLocation" for name in ("include", "import", "redefine", "override")},
    **{f"{_XSL}{name}": "href" for name in ("include", "import")},
}
#: Functions of XPath that read a file. Told by the bracket alone, for a comment may stand between it and the name.
_READS: Final = re.compile(r"(?<![\w.-])(?:document|doc|doc-available|(?:uri-)?collection|unparsed-text[\w-]*)\s*\(")
_PLAIN: Final = re.compile(r"document\(\s*(?:'([^']*)'|\"([^\"]*)\")\s*\)")
_MAY_READ: Final = "//@*[contains(., 'doc') or contains(., 'collection') or contains(., 'unparsed-text')]"


def check_pinned(spec: PackSpec) -> None:
    """Raises `UncompilablePack` when a file that judges is not one of those that the digest is over."""
    pinned = frozenset(path.resolve() for path in pinned_files(spec.folder, spec.patterns))
    waiting = [(spec.folder / root, f"it starts from {root}") for root in spec.roots.values()]
    seen: set[Path] = set()
    while waiting:
        path, why = waiting.pop()
        file = path.resolve()
        if file not in pinned:
            raise UncompilablePack(f"{why}, which is none of the files that are pinned ({', '.join(spec.patterns)})")
        if file not in seen:
            seen.add(file)
            waiting.extend((path.parent / name, f"{path.name} reads {name}") for name in _read_by(path))


def _read_by(path: Path) -> Iterator[str]:
    """The names of the files that one file reads, as it writes them."""
    parser = etree.XMLParser(no_network=True, load_dtd=False, resolve_entities=False, huge_tree=True)
    try:
        tree = etree.parse(path, parser)
    except (OSError, etree.XMLSyntaxError) as error:
        raise UncompilablePack(f"{path.name}: {error}") from error
    declared: Any = tree.docinfo.internalDTD  # what it declares is not in the stubs
    if declared is not None and any(entity.content is None for entity in declared.iterentities()):
        raise UncompilablePack(f"{path.name}: an entity in another file, which may change what is read")
    for element in tree.iter(*_BRINGS_IN):
        if element.get(_BRINGS_IN[str(element.tag)]) is not None:
            yield element.get(_BRINGS_IN[str(element.tag)], "")
    if next(tree.iter(f"{_XSL}*"), None) is not None:
        for expression in cast("list[str]", tree.xpath(_MAY_READ)):
            yield from _asked_for(expression, path)
    if tree.xpath("//@xml:base"):
        raise UncompilablePack(f"{path.name}: xml:base would move the files that it reads")


def _asked_for(expression: str, path: Path) -> Iterator[str]:
    for asked in _READS.finditer(expression):
        plain = _PLAIN.match(expression, asked.start())
        if plain is None:
            raise UncompilablePack(f"{path.name}: {expression[asked.start() :][:60]} may read any file")
        yield plain[1] or plain[2] or ""

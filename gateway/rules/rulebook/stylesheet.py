"""The official XSLT, read into rules: exactly the shape that the Schematron skeleton produces, else refused.

Nothing is passed over: an element, attribute or helper template that is not known here makes the pack refuse to load
(`UncompilablePack`), for it might be a rule.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, cast

from lxml import etree

from gateway.rules.rulebook.outcome import UncompilablePack
from gateway.rules.rulebook.sheet import Assertion, Computed, Function, Stylesheet, Template, Variable

_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
#: What the skeleton writes in every sheet to make locations, as a digest of its canonical form without blanks.
_HELPERS: Final = "f651fd9093a3b0e18a014fe8a619dd4fa1b620ebdb95c6cbd67a96beccba67a7"
_HELPER_MODE: Final = re.compile(r"schematron-.*|generate-id-.*")
_PARAMETERS: Final = frozenset({"archiveDirParameter", "archiveNameParameter", "fileNameParameter", "fileDirParameter"})
_BLANKS: Final = re.compile(r"[ \t\r\n]+")
_PRIORITY: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_SCHEMA: Final = "http://www.w3.org/2001/XMLSchema"
#: Namespaces in which no sheet may declare a function (XSLT 3.2).
_RESERVED: Final = frozenset({_SCHEMA, "http://www.w3.org/2005/xpath-functions", _XSL[1:-1]}) | {
    "http://www.w3.org/XML/1998/namespace",
    "http://www.w3.org/2001/XMLSchema-instance",
}


def read_stylesheet(path: Path, content: bytes | None = None) -> Stylesheet:
    """Read one sheet. Raises `UncompilablePack`."""
    parser = etree.XMLParser(
        remove_comments=True, remove_pis=True, resolve_entities=False, no_network=True, huge_tree=True
    )
    try:
        root = etree.fromstring(path.read_bytes() if content is None else content, parser)
    except (OSError, etree.XMLSyntaxError) as error:
        raise UncompilablePack(f"{path.name}: {error}") from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        raise UncompilablePack(f"{path.name}: a DOCTYPE, which may change what is read")
    return _Reader(path, root).read()


class _Reader:
    def __init__(self, path: Path, root: etree._Element) -> None:
        self._path = path
        self._root = root

    def read(self) -> Stylesheet:
        root = self._root
        if root.tag != f"{_XSL}stylesheet" or root.get("version") != "2.0":
            raise self._refused(root, "not an XSLT 2.0 stylesheet")
        self._only(root, "version")
        variables: list[Variable] = []
        functions: list[Function] = []
        templates: list[Template] = []
        helpers: list[str] = []
        modes: tuple[str, ...] = ()
        for child in root:
            kind = child.tag
            if kind == f"{_XSL}template":
                mode = child.get("mode", "")
                if _HELPER_MODE.fullmatch(mode):
                    helpers.append(_canonical(child))
                elif mode:
                    templates.extend(self._template(child, mode))
                elif child.get("match") == "/":
                    self._only(child, "match")
                    if modes:
                        raise self._refused(child, "a second template for the document")
                    modes = self._modes(child)
                elif child.get("match") != "text()" or len(child) or child.text:
                    raise self._refused(child, "a template without a mode")
            elif kind == f"{_XSL}function":
                functions.append(self._function(child))
            elif kind == f"{_XSL}variable" and child.get("name") != "document-uri":
                variables.append(self._variable(child))
            elif kind == f"{_XSL}param" and child.get("name") in _PARAMETERS and not len(child):
                continue
            elif kind not in (f"{_XSL}variable", f"{_XSL}output", f"{_SVRL}text"):
                raise self._refused(child, "unknown at the top of a sheet")
        if hashlib.sha256("\n".join(helpers).encode()).hexdigest() != _HELPERS:
            raise self._refused(root, "its templates for locations are not those of the skeleton")
        if not modes or not templates:
            raise self._refused(root, "no rules")
        self._check_modes(modes, templates)
        self._check_names(functions)
        return Stylesheet(self._path, self._namespaces(), tuple(variables), tuple(functions), modes, tuple(templates))

    def _namespaces(self) -> Mapping[str, str]:
        """Prefixes as declared at the root; a sheet that says otherwise further down is refused."""
        known = {prefix: uri for prefix, uri in self._root.nsmap.items() if prefix}
        for element in self._root.iter():
            for prefix, uri in element.nsmap.items():
                if prefix and prefix != "svrl" and known.get(prefix) != uri:
                    raise self._refused(element, f"the prefix {prefix} means two things")
            if element.get("xpath-default-namespace") is not None:
                raise self._refused(element, "xpath-default-namespace")
        return known

    def _check_modes(self, modes: tuple[str, ...], templates: list[Template]) -> None:
        if len(set(modes)) != len(modes):
            raise self._refused(self._root, "a mode that runs twice")
        for template in templates:
            if template.mode not in modes:
                raise UncompilablePack(f"{self._path.name}, line {template.line}: mode {template.mode} never runs")

    def _check_names(self, functions: list[Function]) -> None:
        """Static errors of XSLT, which would leave it to us which of two is meant."""
        named = [child for child in self._root if child.tag in (f"{_XSL}variable", f"{_XSL}param")]
        for names in ([child.get("name") for child in named], [function.name for function in functions]):
            if len(set(names)) != len(names):
                raise self._refused(self._root, "two global variables, or two functions, of one name")
        for function in functions:
            prefix, _, _ = function.name.rpartition(":")
            if self._root.nsmap.get(prefix or None) is None or not prefix or self._root.nsmap[prefix] in _RESERVED:
                raise self._refused(self._root, f"a function {function.name}, which is in no namespace of its own")
            if len({name for name, _ in function.parameters}) != len(function.parameters):
                raise self._refused(self._root, f"a function {function.name} with two parameters of one name")

    def _modes(self, root_template: etree._Element) -> tuple[str, ...]:
        """The patterns in order, from the template that writes the report."""
        (report,) = self._children(root_template, f"{_SVRL}schematron-output")
        modes: list[str] = []
        for child in report:
            if child.tag == f"{_XSL}apply-templates":
                self._only(child, "select", "mode")
                if child.get("select") != "/":
                    raise self._refused(child, "a pattern that does not start at the root")
                modes.append(child.get("mode", ""))
            elif child.tag == f"{_SVRL}active-pattern":
                for inner in child:
                    plain = inner.tag == f"{_XSL}apply-templates" and not inner.attrib
                    if not plain and inner.tag != f"{_XSL}attribute":
                        raise self._refused(inner, "unknown in active-pattern")
            elif child.tag not in (f"{_XSL}comment", f"{_SVRL}ns-prefix-in-attribute-values"):
                raise self._refused(child, "unknown in the report")
        return tuple(modes)

    def _template(self, element: etree._Element, mode: str) -> Iterator[Template]:
        self._only(element, "match", "priority", "mode")
        match = element.get("match", "")
        written = element.get("priority", "")
        if not _PRIORITY.fullmatch(written):
            raise self._refused(element, "a rule without a priority of its own")
        priority = float(written)
        if match == "text()" and priority == -1 and not len(element):
            return
        if match == "@*|node()" and priority == -2 and len(element) == 1:
            self._descent(element[0], mode)
            return
        if priority < 0:
            raise self._refused(element, "a rule without a priority of its own")
        items: list[Variable | Assertion] = []
        descends = False
        for child in element:
            if descends:
                raise self._refused(child, "something after apply-templates")
            if child.tag == f"{_SVRL}fired-rule":
                continue
            if child.tag == f"{_XSL}variable":
                items.append(self._variable(child))
            elif child.tag == f"{_XSL}choose":
                items.append(self._assert(child))
            elif child.tag == f"{_XSL}if":
                (fired,) = self._children(child, f"{_SVRL}successful-report")
                items.append(self._assertion(fired, child, report=True))
            elif child.tag == f"{_XSL}apply-templates":
                self._descent(child, mode)
                descends = True
            else:
                raise self._refused(child, "unknown in a rule")
        yield Template(match, priority, mode, tuple(items), descends, _line(element))

    def _descent(self, element: etree._Element, mode: str) -> None:
        """Attributes are visited by some sheets and never matched: `patterns.py` refuses a rule on one."""
        self._only(element, "select", "mode")
        if (
            element.tag != f"{_XSL}apply-templates"
            or element.get("mode") != mode
            or element.get("select") not in ("*", "@*|*")
            or len(element)
        ):
            raise self._refused(element, "a rule that goes on in another way than into the child elements")

    def _assert(self, choose: etree._Element) -> Assertion:
        when, otherwise = self._children(choose, f"{_XSL}when", f"{_XSL}otherwise")
        self._only(choose)
        self._only(otherwise)
        if len(when) or (when.text or "").strip():
            raise self._refused(when, "something in xsl:when")
        (fired,) = self._children(otherwise, f"{_SVRL}failed-assert")
        return self._assertion(fired, when, report=False)

    def _assertion(self, fired: etree._Element, holder: etree._Element, *, report: bool) -> Assertion:
        self._only(holder, "test")
        self._only(fired, "test")
        said: dict[str, str] = {}
        message: tuple[str | Computed, ...] | None = None
        for child in fired:
            if message is not None:
                raise self._refused(child, "something after the text of an assert")
            if child.tag == f"{_XSL}attribute":
                self._only(child, "name")
                name = child.get("name", "")
                if name == "location":
                    self._location(child)
                elif name in ("id", "flag", "role") and not len(child):
                    said[name] = child.text or ""
                else:
                    raise self._refused(child, "unknown in an assert")
            elif child.tag == f"{_SVRL}text":
                message = self._message(child)
            else:
                raise self._refused(child, "unknown in an assert")
        return Assertion(
            said.get("id", ""), said.get("flag", ""), report, holder.get("test", ""), message or (), _line(holder)
        )

    def _location(self, attribute: etree._Element) -> None:
        (apply,) = self._children(attribute, f"{_XSL}apply-templates")
        if apply.get("select") != "." or apply.get("mode") != "schematron-select-full-path" or len(apply.attrib) != 2:
            raise self._refused(apply, "a location of another form")

    def _message(self, text: etree._Element) -> tuple[str | Computed, ...]:
        self._only(text)
        parts: list[str | Computed] = [_kept(text.text)]
        for child in text:
            if child.tag == f"{_XSL}text" and not len(child):
                self._only(child)
                parts.append(child.text or "")
            elif child.tag == f"{_XSL}value-of" and not len(child):
                self._only(child, "select")
                parts.append(Computed(child.get("select", "")))
            else:
                raise self._refused(child, "unknown in a message")
            parts.append(_kept(child.tail))
        return tuple(part for part in parts if part)

    def _function(self, element: etree._Element) -> Function:
        self._only(element, "name", "as")
        parameters: list[tuple[str, str]] = []
        variables: list[Variable] = []
        result: etree._Element | None = None
        for child in element:
            if result is not None:
                raise self._refused(child, "something after the result of a function")
            if child.tag == f"{_XSL}param" and not len(child):
                self._only(child, "name", "as")
                parameters.append((child.get("name", ""), self._type(child)))
            elif child.tag == f"{_XSL}variable":
                variables.append(self._variable(child))
            elif child.tag == f"{_XSL}sequence" and not len(child):
                self._only(child, "select")
                result = child
            else:
                raise self._refused(child, "unknown in a function")
        if result is None:
            raise self._refused(element, "a function without a result")
        return Function(
            element.get("name", ""),
            tuple(parameters),
            self._type(element),
            tuple(variables),
            result.get("select", ""),
            _line(element),
        )

    def _variable(self, element: etree._Element) -> Variable:
        self._only(element, "name", "select", "as")
        if element.get("select") is None or len(element):
            raise self._refused(element, "a variable without a select")
        return Variable(element.get("name", ""), element.get("select", ""), self._type(element), _line(element))

    def _type(self, element: etree._Element) -> str:
        declared = element.get("as", "")
        if declared.startswith("xs:") and self._root.nsmap.get("xs") != _SCHEMA:
            raise self._refused(element, f"the type {declared}, whose prefix means nothing, or another thing")
        return declared

    def _children(self, element: etree._Element, *tags: str) -> list[etree._Element]:
        """The children, which must be these and no others, without text between them."""
        found = list(element)
        stray = (element.text or "") + "".join(child.tail or "" for child in found)
        if tuple(child.tag for child in found) != tags or stray.strip():
            raise self._refused(element, f"expected {', '.join(tag.rpartition('}')[2] for tag in tags)} in it")
        return found

    def _only(self, element: etree._Element, *names: str) -> None:
        unknown = [name for name in element.attrib if name not in names]
        if unknown:
            raise self._refused(element, f"unknown attribute {unknown[0]!s}")

    def _refused(self, element: etree._Element, why: str) -> UncompilablePack:
        name = str(element.tag).rpartition("}")[2]
        return UncompilablePack(f"{self._path.name}, line {element.sourceline}, {name}: {why}")


def _kept(text: str | None) -> str:
    """XSLT strips the text nodes of a sheet that are blanks only, but in xsl:text (XSLT 4.2)."""
    return text if text and _BLANKS.fullmatch(text) is None else ""


def _canonical(element: etree._Element) -> str:
    text = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    return _BLANKS.sub(" ", text.decode())


def _line(element: etree._Element) -> int:
    return cast("int | None", element.sourceline) or 0

"""Code lists in files beside a sheet, as `document('….xml')/codedb/cl[@id=3]/enumeration[@value=$x]` asks them.

Only this form is known. The file is parsed when the pack is compiled, and the question becomes a look-up in a set.
Which files there are is settled before: what is asked for is among what the key of the cache is made of, or refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path as File

from lxml import etree

from gateway.rules.rulebook.compiler.xpath import Axis, Binary, Call, Expr, Literal, NameTest, Path, Refused, Step


@dataclass(slots=True)
class CodeLists:
    """The code lists beside one sheet, by the names of their files; each is parsed once."""

    contents: Mapping[str, bytes]
    files: dict[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @classmethod
    def beside(cls, sheet: File) -> CodeLists:
        """All XML files in the folder of a sheet, as they are now. Raises `OSError`."""
        return cls({path.name: path.read_bytes() for path in sorted(sheet.parent.glob("*.xml"))})

    def asked(self, path: Path) -> tuple[frozenset[str], Expr] | None:
        """The codes and what is looked for among them, when `path` is such a question."""
        match path.steps:
            case (
                Step(expr=Call(name="document", arguments=(Literal(value=str(name)),)), predicates=()),
                root,
                cl,
                code,
            ):
                chosen = _chosen(cl, "cl", "id")
                sought = _chosen(code, "enumeration", "value")
                if not _plain(root, "codedb") or not isinstance(chosen, Literal) or not isinstance(chosen.value, int):
                    raise Refused("a question to a code list in a form that is not known")
                return self._file(name).get(str(chosen.value), frozenset()), sought
        return None

    def _file(self, name: str) -> Mapping[str, frozenset[str]]:
        if name not in self.files:
            if name not in self.contents:
                raise Refused(f"the code list {name}, which is not beside the sheet as an XML file")
            parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
            try:
                root = etree.fromstring(self.contents[name], parser)
            except etree.XMLSyntaxError as error:
                raise Refused(f"the code list {name}: {error}") from error
            if root.tag != "codedb" or root.getroottree().docinfo.doctype:  # type: ignore[union-attr]
                raise Refused(f"the code list {name}: another root than codedb, or a DOCTYPE")
            self.files[name] = _lists(root, name)
        return self.files[name]


def _lists(root: etree._Element, name: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for codes in root.findall("cl"):
        number = codes.get("id", "")
        if not number.isascii() or not number.isdecimal() or str(int(number)) in found:
            raise Refused(f"the code list {number!r} of {name}")
        found[str(int(number))] = frozenset(
            code.get("value", "") for code in codes.findall("enumeration") if code.get("value") is not None
        )
    return found


def _plain(step: Step, name: str) -> bool:
    return step == Step(Axis.CHILD, NameTest("", name))


def _chosen(step: Step, name: str, attribute: str) -> Expr:
    """What `name[@attribute=…]` is compared with."""
    match step:
        case Step(axis=Axis.CHILD, test=NameTest(uri="", local=local), predicates=(predicate,), deep=False):
            match predicate:
                case Binary("=", Path(False, (Step(Axis.ATTRIBUTE, NameTest("", at), (), False),)), sought):
                    if local == name and at == attribute:
                        return sought
    raise Refused("a question to a code list in a form that is not known")

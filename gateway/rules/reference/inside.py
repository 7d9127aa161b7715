"""What runs inside the process of the reference engine: ceilings first, then one document after the other.

saxonche is a Java program in a native library: it takes the process with it when it runs out of memory, writes its
remarks to stdout and stderr, would follow addresses that a sheet names, and lets no Python code run meanwhile. All of
that ends here: the kernel refuses memory, time and files beyond the ceilings and ends the process with its parent,
file descriptors 1 and 2 lead elsewhere, a sheet may name no file but those in its own folder, and a document reaches
the library only as our own parser has read it and written it again.
"""

from __future__ import annotations

import fcntl
import importlib
import multiprocessing
import os
import re
import resource
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from lxml import etree

#: The parent ends a late process itself and knows why; the alarm is for when it cannot.
_GRACE_S: Final = 2.0
#: Ways for a sheet to read or write something: allowed is `document('name')` alone, with a file of its own folder.
_READS: Final = re.compile(
    r"\b(?:doc|document|doc-available|(?:uri-)?collection|unparsed-text(?:-lines|-available)?|json-doc|transform"
    r"|stream-available|(?:available-)?environment-variables?|function-lookup)\s*(?:#|\(\s*([^)]*)\))"
)
_BESIDE: Final = re.compile(r"""(['"])[\w.-]+\.xml\1\s*""")
_XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
_LOADS: Final = frozenset(
    f"{_XSL}{name}"
    for name in ("import", "include", "import-schema", "use-package", "result-document", "source-document", "evaluate")
)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What one document may use. Memory is what the process may add to what it had when it was ready, in bytes."""

    seconds: float = 60.0
    memory_bytes: int = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Question:
    """One document for one sheet; `fresh`: the sheet is compiled again, and nothing is left of earlier documents."""

    sheet: Path
    xml: bytes
    fresh: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """The library is loaded."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The sheet is compiled: from here on the time is the document's."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The report, or why there is none. `last`: the process has grown too large and makes room for a new one."""

    svrl: str | None
    reason: str
    last: bool


class NotTaken(Exception):
    """A sheet or a document that the library does not get to see."""


def serve(pipe: Connection[Any, Any], ceilings: Ceilings, remarks: Connection[Any, Any]) -> None:
    """Answer the questions from `pipe`; what the library prints goes into the pipe `remarks` while there is room."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's business
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, whatever it is in
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _turn_away_prints(remarks)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    _end_with_parent()
    os.environ["TZ"] = "UTC"  # or a date without a zone would depend on where we run
    time.tzset()
    with suppress(EOFError, OSError):
        library = _Library()
        start = _writable_bytes()
        # The library reserves 32 GB of addresses at its start and fills them as it needs them: a limit on addresses
        # would never be met, one on writable memory is.
        limit = start + ceilings.memory_bytes
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        pipe.send(Ready())
        answer = Answer(None, "", last=False)
        while not answer.last:
            question: Question = pipe.recv()
            answer = _answer(library, question, pipe, ceilings.seconds)
            if _writable_bytes() - start > ceilings.memory_bytes // 2:
                answer = Answer(answer.svrl, answer.reason, last=True)
            pipe.send(answer)
            signal.setitimer(signal.ITIMER_REAL, 0)


class _Library:
    """The one processor of this process, and the sheets that it has compiled."""

    def __init__(self) -> None:
        saxonche: Any = importlib.import_module("saxonche")
        self.error: type[Exception] = saxonche.PySaxonApiError
        self._processor = saxonche.PySaxonProcessor(license=False)
        self._processor.set_configuration_property("http://saxon.sf.net/feature/allowedProtocols", "file")
        self._xslt = self._processor.new_xslt30_processor()
        self._compiled: dict[tuple[Path, int, int], Any] = {}

    def sheet(self, path: Path, *, fresh: bool) -> Any:
        """The sheet, ready to run."""
        try:
            status = path.stat()
        except OSError as error:
            raise NotTaken(str(error)) from None
        key = (path, status.st_mtime_ns, status.st_size)
        if fresh or key not in self._compiled:
            _refuse_loading(path)
            executable = self._xslt.compile_stylesheet(stylesheet_file=str(path))
            executable.set_property("!encoding", "UTF-8")
            executable.set_property("!indent", "no")
            self._compiled[key] = executable
        return self._compiled[key]

    def transform(self, executable: Any, xml: bytes) -> str:
        """The report of one document."""
        node = self._processor.parse_xml(xml_text=_clean(xml).decode("ascii"))
        return str(executable.transform_to_string(xdm_node=node))


def _answer(library: _Library, question: Question, pipe: Connection[Any, Any], seconds: float) -> Answer:
    try:
        executable = library.sheet(question.sheet, fresh=question.fresh)
        pipe.send(Begun())
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_S)
        return Answer(library.transform(executable, question.xml), "", last=False)
    except (library.error, NotTaken) as error:
        return Answer(None, str(error).strip(), last=False)
    except MemoryError:
        return Answer(None, "out of memory", last=True)
    except Exception as error:  # of the library's, or ours: told as such, and nobody knows what it has left behind
        return Answer(None, f"{type(error).__name__}: {error}", last=True)


def _clean(xml: bytes) -> bytes:
    """The document written again, without what a parser could fetch or expand. Raises `NotTaken`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, attribute_defaults=False, huge_tree=True
    )
    try:
        tree = etree.fromstring(xml, parser).getroottree()
    except etree.XMLSyntaxError as error:
        raise NotTaken(f"not well-formed: {error.msg}") from None
    if tree.docinfo.internalDTD is not None or tree.docinfo.externalDTD is not None:
        raise NotTaken("a document with a DOCTYPE is not read")
    return etree.tostring(tree, encoding="us-ascii", xml_declaration=True)


def _refuse_loading(path: Path) -> None:
    """Raises `NotTaken` for a sheet that would load or write anything but `document('…xml')` beside itself."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        tree = etree.fromstring(path.read_bytes(), parser).getroottree()
    except (OSError, etree.XMLSyntaxError) as error:
        raise NotTaken(f"{path.name}: {error}") from None
    if tree.docinfo.internalDTD is not None:
        raise NotTaken(f"{path.name} has a DOCTYPE")
    for element in tree.iter(etree.Element):
        if element.tag in _LOADS or element.base != tree.docinfo.URL:
            raise NotTaken(f"{path.name}, line {element.sourceline}: {element.tag} may load or write files")
        for value in element.attrib.values():
            for call in _READS.finditer(str(value)):
                if not call[0].startswith("document") or not _BESIDE.fullmatch(call[1] or ""):
                    raise NotTaken(f"{path.name}, line {element.sourceline}: {call[0]} reads other files")


def _turn_away_prints(remarks: Connection[Any, Any]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.set_blocking(remarks.fileno(), False)  # when nobody reads them, the last remarks are lost, not our time
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor, target in ((0, nothing), (1, nothing), (2, remarks.fileno())):
        os.dup2(target, descriptor)


def _end_with_parent() -> None:
    """No orphans: the kernel signals the end of the pipe that only the parent holds, and the signal ends us."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(parent.sentinel, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(parent.sentinel, fcntl.F_SETFL, fcntl.fcntl(parent.sentinel, fcntl.F_GETFL) | os.O_ASYNC)


def _writable_bytes() -> int:
    """Private writable memory of this process, which RLIMIT_DATA bounds; a generous guess without /proc."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return 1 << 30
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmData:")), 1 << 30)

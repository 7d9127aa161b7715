"""saxonche as a stop-watch: in a process of its own, warm, with compiled sheets; the time is taken inside.

The reference engine of the gateway guards against crashes and hostile sheets, which costs time that is not the
library's; here is nothing but the library. It is stopped for its parsing (which builds its tree) and for the rules.
"""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import process_time
from types import TracebackType
from typing import Any, Final, Self

_SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Stopped:
    """One document: seconds of the processor, and how many asserts and reports fired."""

    parse_s: float
    rules_s: float
    fired: int


class Oracle:
    """The sheets of one comparison."""

    def __init__(self, sheets: Sequence[Path]) -> None:
        self._sheets = tuple(map(str, sheets))
        self._start()

    def _start(self) -> None:
        ours, theirs = _SPAWN.Pipe()
        self._pipe = ours
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._sheets), daemon=True)
        self._process.start()
        theirs.close()

    def stopped(self, xml: str) -> Stopped | None:
        """Run all sheets on one document; None when the library aborted, or crashed (it does that now and then)."""
        try:
            self._pipe.send(xml)
            answer: Stopped | None = self._pipe.recv()
        except (EOFError, OSError):
            self.close()
            self._start()
            return None
        return answer

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _serve(pipe: Connection[Any, Any], sheets: tuple[str, ...]) -> None:
    saxonche: Any = importlib.import_module("saxonche")  # an optional extra, and only this process may load it
    processor = saxonche.PySaxonProcessor(license=False)
    xslt = processor.new_xslt30_processor()
    compiled = [xslt.compile_stylesheet(stylesheet_file=sheet) for sheet in sheets]
    while True:
        xml = pipe.recv()
        started = process_time()
        try:
            node = processor.parse_xml(xml_text=xml)
            parsed = process_time()
            reports = [sheet.transform_to_string(xdm_node=node) for sheet in compiled]
        except saxonche.PySaxonApiError:
            pipe.send(None)
            continue
        ended = process_time()
        fired = sum(report.count("<svrl:failed-assert") + report.count("<svrl:successful-report") for report in reports)
        pipe.send(Stopped(parsed - started, ended - parsed, fired))

"""What must hold beside the fate of each file: nothing sent twice, nothing sent that was refused, acks without gap."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.demo.drops import End
from gateway.demo.outcome import Result
from gateway.demo.scene import ERP, OPERATOR, Scene

#: Both kinds of name end alike: …_LEVEL_SEQ_… per tick, ….LEVEL.SEQ.… per file received.
_NAME: Final = re.compile(r"[_.](?P<level>receipt|decision|lifecycle)[_.](?P<seq>[0-9]{8})[_.]")
_AT_PLATFORM: Final = frozenset(
    {End.PAID, End.FINAL, End.WITH_BUYER, End.TO_RECYCLE, End.SUSPENDED, End.REJECTED, End.BOUNCED}
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the platform received."""

    flows: int
    documents: int
    doubled: int


def counts(deposits: Sequence[dict[str, Any]]) -> Counts:
    """Of every deposit received, before any de-duplication."""
    seen = Counter(
        (document["issuer"], document["number"], document["year"])
        for deposit in deposits
        for document in deposit["documents"]
    )
    return Counts(len(deposits), seen.total(), sum(times - 1 for times in seen.values()))


def complaints(results: Sequence[Result], sent: Counts, scene: Scene, *, lost_answer: bool) -> Iterator[str]:
    """Everything that is not as foreseen, as sentences."""
    for result in results:
        if not result.as_foreseen:
            foreseen, became = (_told(endings) for endings in (result.file.endings, result.endings))
            yield f"{result.shown_name} ({result.file.about}): foreseen {foreseen}; became {became}"
    expected = sum(ending.end in _AT_PLATFORM for result in results for ending in result.endings)
    if sent.doubled:
        yield f"{sent.doubled} documents reached Chorus Pro twice"
    if sent.documents - sent.doubled != expected:
        yield f"{expected} documents should have reached Chorus Pro, {sent.documents - sent.doubled} did"
    if not lost_answer:
        yield "the answer that was lost on purpose was not noticed"
    yield from _gaps(scene)


def _gaps(scene: Scene) -> Iterator[str]:
    for partner in (ERP, OPERATOR):
        numbers: dict[str, set[int]] = defaultdict(set)
        for path in scene.outbox(partner).iterdir():
            if found := _NAME.search(path.name):
                numbers[found["level"]].add(int(found["seq"]))
            else:
                yield f"{path} is no acknowledgement that we know"
        for level in ("receipt", "decision", "lifecycle"):
            if numbers[level] != set(range(1, len(numbers[level]) + 1)) or not numbers[level]:
                yield f"{partner}: the sequence of {level} acknowledgements has a gap"


def _told(endings: Sequence[Any]) -> str:
    return ", ".join(f"{ending.end} {ending.why}".strip() for ending in endings) or "nothing"

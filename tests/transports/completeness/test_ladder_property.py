"""Any mix of files and proofs, arriving in any order under any ladder: no file is taken half, every whole one is taken
in the end, and every proof is consumed or told.

Files are written in pieces between looks. A proof may come before, between or after the pieces; a half file may stay
half. Only the ladder is played, on real files: what is ready is read and removed, proofs through the note in hand.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.domain.partner import Completeness, Rung
from gateway.transports.completeness import InHand, Ready, Watch
from gateway.transports.local import look_again, look_at
from tests.simulator.paper import Paper

QUIET, GIVE_UP = 2.0, 100.0
PIECES = 3
PROOFS = (Rung.DONE_FILE, Rung.CHECKSUM, Rung.CONTROL_FILE)
#: A partner that names none of these promises to write no half file under its final name, so it is not asked here.
LADDERS = st.one_of(
    st.lists(st.sampled_from(PROOFS), min_size=1, unique=True),
    st.lists(st.sampled_from(PROOFS), unique=True).map(
        lambda proofs: [*proofs, Rung.CLOSE_EVENT, Rung.QUIET, Rung.STRUCTURE]
    ),
)


@dataclass
class Drop:
    """One folder, its sender and its taker."""

    folder: Path
    wishes: Completeness
    now: float = 0.0
    taken: dict[str, bytes] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        (self.folder / "in").mkdir()
        (self.folder / ".claimed").mkdir()
        self.restart()

    @property
    def inbox(self) -> Path:
        return self.folder / "in"

    def restart(self) -> None:
        self.in_hand = InHand(self.inbox, self.folder / ".claimed")
        self.watch = Watch(self.wishes, lambda: self.now, self.in_hand)

    def look(self) -> bool:
        """One look; what is ready is taken. True when anything was."""
        ready, late = self.watch.sort(self.inbox, look_at(self.inbox, 1))
        self.in_hand.write((batch for one in ready for batch in one.batches), f"{self.now:.3f}")
        for one in ready:
            self._take(one)
        self.in_hand.close()
        for proof in late:
            (self.inbox / proof.name.decode()).unlink()
        return bool(ready or late)

    def _take(self, one: Ready) -> None:
        path = self.inbox / one.look.name.decode()
        assert look_again(self.inbox, one.look.name) == one.look
        self.watch.forget(self.inbox, one.look.name)
        self.in_hand.taken(one.look.name)
        if one.refusals:
            assert path.name not in self.told, "told once"
            self.told.add(path.name)
        else:
            self.taken[path.name] = path.read_bytes()
        path.unlink()


Action = Callable[[Drop], None]


def appended(name: str, content: bytes) -> Action:
    def act(drop: Drop) -> None:
        if name not in drop.told:
            with (drop.inbox / name).open("ab") as out:
                out.write(content)

    return act


@st.composite
def senders(draw: st.DrawFn) -> tuple[list[Action], dict[str, bytes], set[str], set[str]]:
    """What is done to the folder, in order; the files with their full content; those that stay half; the proofs."""
    files, half, proofs = {}, set(), set()
    queues: list[list[Action]] = []
    for n in range(draw(st.integers(1, 4))):
        name, content = f"{n}.xml", Paper(number=f"F-{n}").ubl()
        files[name] = content
        size = len(content) // PIECES
        pieces = [content[i * size : (i + 1) * size if i < PIECES - 1 else None] for i in range(PIECES)]
        if draw(st.integers(0, 4)) == 0:
            half.add(name)
            pieces.pop()
        queues.append([appended(name, piece) for piece in pieces])
        sha256 = hashlib.sha256(content).hexdigest().encode()
        for ending, text in ((".done", b""), (".sha256", sha256)):
            if draw(st.booleans()):
                proofs.add(name + ending)
                # Of the same queue it comes last, as it should; of its own it comes whenever it likes.
                (queues[-1] if draw(st.booleans()) else queues.append([]) or queues[-1]).append(
                    appended(name + ending, text)
                )
    for orphan in draw(st.lists(st.sampled_from(["x.xml.done", "y.xml.sha256"]), unique=True)):
        proofs.add(orphan)
        queues.append([appended(orphan, b"0" * 64)])
    listed = draw(st.lists(st.sampled_from([*files, "never.xml"]), unique=True))
    if listed:
        lines = [
            f"{n};{len(files[n])};{hashlib.sha256(files[n]).hexdigest()}" if n in files and draw(st.booleans()) else n
            for n in listed
        ]
        proofs.add("lot.ctr")
        queues.append([appended("lot.ctr", "\n".join(lines).encode())])
    actions: list[Action] = []
    while any(queues):
        actions.append(draw(st.sampled_from([queue for queue in queues if queue])).pop(0))
        if draw(st.booleans()):
            pause = draw(st.sampled_from([0.1, 1.0, 2.5]))
            actions.append(lambda drop, pause=pause: _pass(drop, pause))
        if draw(st.integers(0, 9)) == 0:
            actions.append(Drop.restart)
    return actions, files, half, proofs


def _pass(drop: Drop, seconds: float) -> None:
    drop.now += seconds
    drop.look()


@settings(max_examples=150)
@given(ladder=LADDERS, sender=senders())
def test_no_half_file_is_taken_every_whole_one_is_and_no_proof_is_left(ladder, sender):
    actions, files, half, proofs = sender
    folder = Path(tempfile.mkdtemp(prefix="ladder-"))
    try:
        drop = Drop(folder, Completeness(QUIET, GIVE_UP, ladder=tuple(ladder)))
        for act in actions:
            act(drop)
        for _ in range(12):
            _pass(drop, QUIET * 1.1)
        for _ in range(10):
            _pass(drop, GIVE_UP)
        left = sorted(path.name for path in drop.inbox.iterdir())
        noted = list((folder / ".claimed").iterdir())
    finally:
        shutil.rmtree(folder)

    for name, content in drop.taken.items():
        if name in files:
            assert content == files[name], f"{name} was taken half"
    assert not half & drop.taken.keys()
    assert set(files) <= drop.taken.keys() | drop.told, "every file is taken or told"
    assert left == [], "every proof is consumed or told"
    assert noted == []
    for name in files.keys() - half:
        if _proven(name, ladder, proofs):
            assert name in drop.taken, f"{name} was whole and proven"


def _proven(name: str, ladder: list[Rung], proofs: set[str]) -> bool:
    """Its sender gave a proof that this ladder reads, and no list holds it back."""
    if Rung.CONTROL_FILE in ladder and "lot.ctr" in proofs:
        return False  # its batch may want another file
    done = Rung.DONE_FILE in ladder and f"{name}.done" in proofs
    summed = Rung.CHECKSUM in ladder and f"{name}.sha256" in proofs
    return done or summed or Rung.QUIET in ladder

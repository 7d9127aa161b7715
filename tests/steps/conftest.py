"""The simulator, and a whole gateway beside it that reads its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.simulator import Simulator, running_simulator
from tests.loop import Loop, loop_in

#: A Monday morning, so that "today" and the years are what the tests say they are.
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
#: A buyer that knows one EJ only: an invoice with another is good for us and bounces at the platform.
KNOWS_ITS_EJS = "12345678200085"
SEED = {
    "structures": [
        {
            "identifiantStructure": KNOWS_ITS_EJS,
            "designationStructure": "Commune aux engagements connus",
            "structurePriveePublique": "PUBLIQUE",
            "engagements": ["1501966748"],
        }
    ]
}


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with running_simulator(start=START, seed=SEED) as chorus:
        yield chorus


@pytest.fixture
def loop(tmp_path: Path, simulator: Simulator) -> Iterator[Loop]:
    with loop_in(tmp_path, simulator, here=True) as made:
        yield made


@pytest.fixture
def loops(tmp_path: Path) -> Iterator[Callable[..., Loop]]:
    """Loops with wishes of one's own: `options` of the simulator, the rest of the configuration."""
    with ExitStack() as stack:
        made = iter(range(100))

        def make(*, options: dict[str, Any] | None = None, **wishes: Any) -> Loop:
            chorus = stack.enter_context(running_simulator(**{"start": START, "seed": SEED, **(options or {})}))
            folder = tmp_path / f"gateway-{next(made)}"
            return stack.enter_context(loop_in(folder, chorus, here=True, **wishes))

        yield make

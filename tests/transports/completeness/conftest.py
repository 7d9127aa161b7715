"""A drop folder whose partner climbs the ladder that a test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.partner import Rung
from tests.transports.intake import Intake


@pytest.fixture
def climbing(tmp_path: Path) -> Iterator[Callable[..., Intake]]:
    """`climbing("done-file", quiet_s=5)`: the intake with that ladder, and other wishes about completeness."""
    intake = Intake(tmp_path)

    def climb(*rungs: str, **wishes: Any) -> Intake:
        wanted = replace(intake.partner().completeness, ladder=tuple(map(Rung, rungs)), **wishes)
        intake.change(completeness=wanted)
        intake.inbox().mkdir(parents=True, exist_ok=True)
        return intake

    yield climb
    intake.close()

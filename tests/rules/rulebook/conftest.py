"""The two engines side by side, and what a sheet is refused with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.rules.reference.process import ReferenceEngineMissing, ReferenceProcess
from gateway.rules.rulebook.engine import load_rulebook
from gateway.rules.rulebook.outcome import UncompilablePack
from tests.rules.rulebook.both import BothEngines


@pytest.fixture(scope="session")
def reference_process() -> Iterator[ReferenceProcess]:
    """The reference engine is an optional extra: without it there is nothing to compare with."""
    try:
        process = ReferenceProcess()
    except ReferenceEngineMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"{missing} (in CI it must be there)")
        pytest.skip(str(missing))
    with process:
        yield process


@pytest.fixture(scope="session")
def both(reference_process: ReferenceProcess, tmp_path_factory: pytest.TempPathFactory) -> BothEngines:
    """Ours and the reference engine."""
    return BothEngines(reference_process, tmp_path_factory.mktemp("sheets"))


@pytest.fixture
def refusal(tmp_path: Path) -> Callable[..., str]:
    """What loading a sheet is refused with."""

    def load(text: str, name: str = "sheet.xsl") -> str:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        with pytest.raises(UncompilablePack) as refused:
            load_rulebook(path)
        return str(refused.value)

    return load

"""The two engines side by side."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from gateway.rules.reference.process import ReferenceEngineMissing, ReferenceProcess
from tests.rules.rulebook.both import BothEngines


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothEngines]:
    """Ours and the reference engine, which is an optional extra: without it there is nothing to compare with."""
    try:
        process = ReferenceProcess()
    except ReferenceEngineMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(f"{missing} (in CI it must be there)")
        pytest.skip(str(missing))
    with process:
        yield BothEngines(process, tmp_path_factory.mktemp("sheets"))

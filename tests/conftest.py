"""For all tests: in CI hypothesis replays the same examples each time; on a desk it looks for new ones.

Compiled rule packs are kept apart from those of the user who runs the tests. A case of bytes is named by its
argument: bytes made at the start, as a gzip with its time, differ between the processes that share the run.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("GATEWAY_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"gateway-tests-{os.geteuid()}"))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


#: Files that take a minute or more: at the end of a run they would keep one core busy alone.
LONG = ("test_kill.py", "test_linear.py", "test_abuse.py", "test_fetch_killed.py", "test_partner_add.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; the others as they were."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Cases of bytes are called `content0`, `content1`, ...; any others as pytest would call them."""
    return argname if isinstance(val, bytes) else None

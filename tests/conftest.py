"""For all tests: in CI hypothesis replays the same examples each time; on a desk it looks for new ones.

Compiled rule packs are kept apart from those of the user who runs the tests.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import settings

os.environ.setdefault("GATEWAY_CACHE_DIR", str(Path(tempfile.gettempdir()) / f"gateway-tests-{os.geteuid()}"))

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")

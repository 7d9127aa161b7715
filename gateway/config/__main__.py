"""Writes the published schema and the documentation's table of keys: `python -m gateway.config ROOT`."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway.config.schema import publish

if __name__ == "__main__":
    publish(Path(sys.argv[1]))

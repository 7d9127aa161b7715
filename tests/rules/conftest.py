"""Where the corpus lies, and what the tests of rules share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.domain.facts import Facts
from gateway.domain.verdict import Judgement
from gateway.parsers.read import read_document
from gateway.rules.judge import judge
from gateway.rules.packs import PackRegistry

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def corpus() -> Path:
    folder = Path(os.environ.get("GATEWAY_CORPUS", ROOT.parent / "shared" / "corpus"))
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder} (set GATEWAY_CORPUS)")
    return folder


@pytest.fixture(scope="session")
def registry() -> PackRegistry:
    return PackRegistry.standard()


@pytest.fixture(scope="session")
def judged(registry: PackRegistry) -> Callable[[bytes], Judgement]:
    """Judge the content of a file, knowing neither buyers nor issuers."""
    facts = Facts(today=date(2026, 11, 23), issuers_known=False)

    def judge_content(content: bytes) -> Judgement:
        reading = read_document(content)
        return judge(reading.document, reading.tree, facts, registry)

    return judge_content

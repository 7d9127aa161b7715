"""One real sshd for all tests of the client; each test has its own folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transports.sshd import Sshd, needed, running_sshd


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    needed("sshd")
    needed("ssh-keygen")
    with running_sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder of ours for what is fetched."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


@pytest.fixture
def there(tmp_path: Path) -> Path:
    """A folder of the partner's: the server reaches it by its absolute path."""
    folder = tmp_path / "there"
    folder.mkdir()
    return folder

"""What the tests of fetching in odd circumstances share: what was taken, what a partner wishes, a clock that stands."""

from __future__ import annotations

from collections import Counter

from gateway.ledger.remote_files import remote_server_of
from tests.remotes.conftest import Remote


def taken(there: Remote) -> Counter[str]:
    """How often each name was taken in."""
    there.take()
    with there.ledger.reading() as unit:
        return Counter(unit.connection.exec_driver_sql("SELECT file_name FROM interchange").scalars())


def wish(there: Remote, old: str, new: str) -> None:
    """Change the partner's file, as an operator does while the gateway runs."""
    path = there.folder / "partners.d" / "erp.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    there.loop.configuration.reload()


def trouble(there: Remote) -> str:
    with there.ledger.reading() as unit:
        return remote_server_of(unit, "erp").trouble


class Still:
    """A monotonic clock that stands until it is set."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

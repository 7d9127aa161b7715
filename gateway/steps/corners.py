"""A partner's remote folder as `fetch.py` works with it: the folder itself, where the partner writes, and `.taken/` in
it, into which files are claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gateway.ledger.remote_files import RemoteFileRow
from gateway.transports.local import escape_name, unescape_name
from gateway.transports.sftp_client.errors import Missing
from gateway.transports.sftp_client.results import Failed, Fetched, Listing, Moved, RemoteLook, Removed
from gateway.transports.sights import Sights

TAKEN: Final = b".taken"
_ARCHIVE: Final = b"archive"


class Remote(Protocol):
    """A folder of a partner's server, as `sftp_client.folder` has it."""

    path: bytes

    def below(self, name: bytes) -> Remote: ...

    def list(self, *, limit: int | None = None) -> Listing: ...

    def claim_many(self, looks: Iterable[RemoteLook]) -> Iterator[Moved | Failed]: ...

    def fetch_many(
        self, looks: Iterable[RemoteLook], into: Path, *, durable: bool = False
    ) -> Iterator[Fetched | Failed]: ...

    def remove_many(self, names: Iterable[bytes]) -> Iterator[Removed | Failed]: ...

    def move_many(self, names: Iterable[bytes], to: bytes) -> Iterator[Moved | Failed]: ...


@dataclass(frozen=True, slots=True)
class Corner:
    """The remote folder itself, or `.taken/` in it. Rows know names from the folder on."""

    remote: Remote
    prefix: bytes
    sights: Sights

    @property
    def ours(self) -> bool:
        """Is it `.taken/`, where nobody else makes files?"""
        return bool(self.prefix)

    @property
    def archive(self) -> bytes:
        """Where files go that are kept there."""
        above = self.remote.path.removesuffix(b"/" + TAKEN) if self.ours else self.remote.path.rstrip(b"/")
        return above + b"/" + _ARCHIVE

    def raw(self, name: bytes) -> str:
        """A name in here as the ledger has it."""
        return escape_name(self.prefix + name)

    def name(self, row: RemoteFileRow) -> bytes:
        """The name in here of a row that is from here."""
        return unescape_name(row.name).removeprefix(self.prefix)

    def holds(self, row: RemoteFileRow) -> bool:
        """Was it fetched from here?"""
        return unescape_name(row.name).startswith(TAKEN + b"/") == self.ours

    def listing(self, limit: int | None = None) -> Listing:
        """What lies here; nothing, where there is no `.taken/` yet."""
        try:
            return self.remote.list(limit=limit)
        except Missing:
            if self.ours:
                return Listing((), more=False)
            raise


def is_same(look: RemoteLook, row: RemoteFileRow) -> bool:
    """Is it the file that was fetched, by all that a look tells? (A link may have no size: it is kept as 0.)"""
    return (max(look.size, 0), look.mtime) == (row.size, row.mtime)


def local_name(row: RemoteFileRow) -> bytes:
    """The name in `in/` here."""
    return unescape_name(row.name).removeprefix(TAKEN + b"/")

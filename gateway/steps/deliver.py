"""Deliver: acknowledgement files to a partner's own server. `written` → `picked-up`.

Name, sequence and bytes are those of the ledger. Files go in their order, the children of a file before it, each under
a temporary name until its size was verified; one that cannot be delivered stops those behind it, and is tried again.
That the partner takes them away at once is as it should be. Killed between the delivery and the row, the same bytes
go under the same name once more: known again by their name and `ack_seq`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, Protocol

import structlog

from gateway.domain.partner import Partner
from gateway.domain.states import AckState
from gateway.steps.house import House
from gateway.transports.sftp_client.errors import SftpError
from gateway.transports.sftp_client.results import Failed, Put

#: Files delivered in one round.
_FILES: Final = 500


class RemoteOut(Protocol):
    """The folder for acknowledgements on a partner's server, as `sftp_client.folder` has it."""

    def put_many(
        self, files: Iterable[tuple[bytes, bytes | Path]], *, durable: bool = False
    ) -> Iterator[Put | Failed]: ...


class NotDelivered(Exception):
    """A file could not be put there; the text says which and why. It stays written, and is tried again."""


class Deliver:
    """Delivers the files of partners that have servers of their own. For a partner, one round at a time."""

    name = "deliver"

    def __init__(self, house: House) -> None:
        self._house = house
        self._log = structlog.get_logger("gateway.deliver")

    def run(self, partner: Partner, remote: RemoteOut) -> int:
        """How many files were delivered. Raises `SftpError` or `NotDelivered` at the first that was not."""
        with self._house.ledger.reading() as unit:
            files = sorted(unit.names_written(partner.name))[:_FILES]
        for file_id in files:
            with self._house.ledger.reading() as unit:
                parts = unit.ack_parts(file_id)
            for group in (parts[1:], parts[:1]):  # whoever sees a main file finds its children
                _put(remote, group)
            self._clear(partner, (name for name, _ in parts))  # before the row moves: after it nobody would
            with self._house.ledger.writing(self.name) as unit:
                unit.move_ack_file(file_id, AckState.WRITTEN, AckState.PICKED_UP)
        return len(files)

    def _clear(self, partner: Partner, names: Iterable[str]) -> None:
        """What waited in `out/` here is there now."""
        for name in names:
            try:
                (partner.outbox / name).unlink(missing_ok=True)
            except OSError as error:
                self._log.warning("out_not_cleared", partner=partner.name, file=name, error=str(error))


def _put(remote: RemoteOut, parts: tuple[tuple[str, bytes], ...]) -> None:
    for result in remote.put_many([(name.encode(), content) for name, content in parts], durable=True):
        if isinstance(result, Failed):
            if isinstance(result.error, SftpError):
                raise result.error
            raise NotDelivered(f"{result.name.decode()}: {result.reason}")

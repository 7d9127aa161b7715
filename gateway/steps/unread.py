"""Refuses a file of a partner's own server unread: too large, or no file at all. It is left where it is, told of once,
and known again by its name, size and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain import intake
from gateway.domain.finding import Finding
from gateway.domain.partner import Partner
from gateway.domain.states import InterchangeState, RemoteFileState
from gateway.ledger.codec import dump_findings
from gateway.ledger.ids import new_id
from gateway.ledger.moves import Move
from gateway.ledger.remote_files import RemoteFileRow, add_remote_files
from gateway.ledger.rows import InterchangeRow
from gateway.steps.house import House
from gateway.steps.receipts import refusal_receipt
from gateway.transports.local import Nature, printable_name, unescape_name
from gateway.transports.sftp_client.results import RemoteLook

_FETCHED, _PLACED, _SETTLED = RemoteFileState


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is not read. `raw_name`: the escaped name from the remote folder on."""

    raw_name: str
    look: RemoteLook
    refusal: Finding


def why_unread(look: RemoteLook, partner: Partner) -> Finding | None:
    """What forbids to read it, if anything does."""
    name = printable_name(look.name)
    limit = partner.completeness.limit_bytes
    if look.nature is Nature.SYMLINK:
        return intake.SYMLINK.at(name=name)
    if look.nature is not Nature.FILE:
        return intake.NOT_A_FILE.at(name=name)
    if look.size > limit:
        return intake.TOO_LARGE.at(size=look.size, limit=limit, name=name)
    return None


def refuse_unread(house: House, partner: Partner, files: Sequence[Unread]) -> None:
    """Rows and receipts, in one transaction."""
    if not files:
        return
    now = house.clock.now()
    with house.ledger.writing("fetch") as unit:
        for file in files:
            size = max(file.look.size, 0)
            row = InterchangeRow(
                id=new_id(now),
                partner=partner.name,
                state=InterchangeState.SEEN,
                file_name=printable_name(unescape_name(file.raw_name)),
                raw_name=file.raw_name,
                size=size,
                seen_at=now,
            )
            columns = {"findings": dump_findings((file.refusal,)), "ended_at": now}
            unit.add_interchanges([row])
            unit.move([Move(row.id, InterchangeState.SEEN, InterchangeState.REFUSED, file.refusal.rule, columns)])
            unit.owe([refusal_receipt(house, row, None, file.refusal)])
            remembered = RemoteFileRow(
                new_id(now), partner.name, _FETCHED, file.raw_name, size, file.look.mtime, "", now
            )
            add_remote_files(unit, [remembered])
            unit.move([Move(remembered.id, _FETCHED, _PLACED)])
            unit.move([Move(remembered.id, _PLACED, _SETTLED)])

"""The rung `temporary-name`: its sender writes under another name and renames at the end."""

from __future__ import annotations

from gateway.transports.completeness.sighting import Sighting
from gateway.transports.local import is_temporary


class UnderItsFinalName:
    """What we see at all is finished, because this sender promises to write under .part, .filepart, .tmp, .writing or
    a dot-name; such names are never taken, with or without this rung. Naming it takes away the wait. Weakness: one
    file written straight under its final name, by hand or by another program of the sender, is taken half.

    Exact and instant where it is kept (WinSCP, Spring Integration, Camel's tempPrefix, NiFi's dot-rename do); SFTP
    version 3 cannot rename onto a name that exists, so senders that overwrite fall back to writing in place.
    """

    def __call__(self, sighting: Sighting, now: float) -> bool:
        return not is_temporary(sighting.look.name.rpartition(b"/")[2])

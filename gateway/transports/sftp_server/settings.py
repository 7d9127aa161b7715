"""What the built-in SFTP server is told: its own settings, and what each partner may do.

Values only, filled from the configuration (`gateway/front.py`); nothing here reads a file or knows of TOML. Sizes are
in bytes, times in seconds; 0 means "no bound" only where it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class FolderRight:
    """One folder below a partner's root, and what the partner may do in it.

    Every folder listed may be looked into. `read`: contents may be fetched. `write`: files and sub-folders may be
    made and renamed. What is still there may be removed in all of them: a partner tidies up what it has sent and
    what it has picked up.
    """

    name: str
    read: bool = True
    write: bool = False


#: `in/` takes deposits, `out/` holds acknowledgements, `book/` takes order books.
DEFAULT_FOLDERS: Final = (
    FolderRight("in", read=True, write=True),
    FolderRight("out", read=True, write=False),
    FolderRight("book", read=False, write=True),
)


@dataclass(frozen=True, slots=True)
class Account:
    """One partner's way in. A bound of 0 is no bound, except `file_limit_bytes`, which always holds."""

    name: str
    root: Path
    keys: Path | None = None  #: an OpenSSH `authorized_keys` file; None: no key opens this account
    password_hash: str = ""  #: as `passwords.make_hash` gives it; empty: no password opens this account
    folders: tuple[FolderRight, ...] = DEFAULT_FOLDERS
    quota_bytes: int = 0  #: of what stands in the folders with `write`
    quota_files: int = 0
    file_limit_bytes: int = 2048 * MIB
    rate_bytes_s: int = 0  #: both ways and over all connections of the partner together


class Accounts(Protocol):
    """Who may log in. Asked anew at every login, so a changed configuration holds from then on."""

    def find(self, name: str) -> Account | None:
        """The account of that name, None when there is none."""

    def all(self) -> Iterable[Account]:
        """Every account (for the sweep of partial files)."""


class FixedAccounts:
    """Accounts that do not change, for tests, the demo and small programs."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self._accounts = {account.name: account for account in accounts}

    def find(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def all(self) -> Iterable[Account]:
        return tuple(self._accounts.values())


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server listens and what it bounds."""

    host_keys: Path  #: folder of the host keys, 0700; made at first start
    address: str = "127.0.0.1"
    port: int = 0  #: 0: any free one
    passwords: bool = False  #: ask for passwords at all; keys are always asked for

    connections: int = 256
    connections_per_partner: int = 32
    connections_per_address: int = 64
    half_open: int = 128  #: connections not logged in yet, a quarter of them of one address; see `doorway.py`
    channels_per_connection: int = 8
    handles_per_session: int = 128
    handles_in_all: int = 1024  #: never more than a quarter of what the process may open

    refusals_per_channel: int = 2000  #: whoever is refused so often looks for a hole, and fills the audit

    refusals_outside: int = 100  #: of what is not SFTP (commands, forwarding, other subsystems), by connection

    login_s: float = 30.0
    idle_s: float = 900.0
    stop_s: float = 5.0  #: how long `stop` waits for sessions to end

    attempts_per_connection: int = 8
    failures_allowed: int = 10  #: failed logins of one address, or of one name, within the window
    failure_window_s: float = 300.0
    refusal_s: float = 30.0  #: the first refusal; each further failure doubles it
    longest_refusal_s: float = 3600.0
    longest_name_refusal_s: float = 60.0  #: of a name, which anyone may guess at: its owner must get in again soon

    depth: int = 8  #: folders below `in/`
    fsync_on_close: bool = False  #: see `uploads.py`
    partials_kept_s: float = 86_400.0  #: an upload cut off may be resumed for so long


@dataclass(frozen=True, slots=True)
class Completed:
    """A file that its sender has finished: closed, or renamed from a temporary name. Told once more when its times were
    set after that, and when it was opened again and left as it was.

    `name` is relative to the folder, in bytes, with `/` between sub-folders. Device and inode identify the file at
    that moment; who takes it looks again.
    """

    account: str
    folder: str
    name: bytes
    size_bytes: int
    device: int
    inode: int


#: Called in the session's thread; must be quick and may not raise (what it raises is logged and forgotten).
OnComplete = Callable[[Completed], None]

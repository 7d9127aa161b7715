"""Why a request is refused: an SFTP status code and a plain text for the client.

Texts never name a path of this machine and never repeat bytes of the client.
"""

from __future__ import annotations

import errno
from typing import Final

OK: Final = 0
EOF: Final = 1
NO_SUCH_FILE: Final = 2
PERMISSION_DENIED: Final = 3
FAILURE: Final = 4
BAD_MESSAGE: Final = 5
UNSUPPORTED: Final = 8


class Refused(Exception):
    """The request is not done; the client is told `code` and `text`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class LimitReached(Refused):
    """A quota, size or handle bound stands in the way."""

    def __init__(self, text: str) -> None:
        super().__init__(FAILURE, text)


class BrokenProtocol(Exception):
    """The client speaks no SFTP: its channel is ended."""


def no_such_file() -> Refused:
    """Nothing of that name; also for everything that a partner is not to know of."""
    return Refused(NO_SUCH_FILE, "No such file or folder")


def denied(text: str = "Permission denied") -> Refused:
    """It may be there, and you may not."""
    return Refused(PERMISSION_DENIED, text)


def unsupported(text: str = "Operation unsupported") -> Refused:
    return Refused(UNSUPPORTED, text)


def failure(text: str) -> Refused:
    return Refused(FAILURE, text)


#: A link on the way is treated like nothing at all (ELOOP is what O_NOFOLLOW says of a link).
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
_FORBIDDEN: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_TEXTS: Final = {
    errno.EEXIST: "A file or folder of that name is there already",
    errno.ENOTEMPTY: "The folder is not empty",
    errno.EISDIR: "That is a folder",
    errno.ENOSPC: "No space left on the server",
    errno.EDQUOT: "No space left on the server",
    errno.EMFILE: "The server has too many files open, try again later",
    errno.ENFILE: "The server has too many files open, try again later",
    errno.EINVAL: "Not possible",
}


def from_os(error: OSError) -> Refused:
    """What a client is told of a system error."""
    number = error.errno or 0
    if number in _ABSENT:
        return no_such_file()
    if number in _FORBIDDEN:
        return denied()
    return failure(_TEXTS.get(number, "Failure"))

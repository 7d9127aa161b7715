"""What can go wrong with a partner's server, in a few words. Messages are for people: what, where, and the remedy."""

from __future__ import annotations


class SftpError(Exception):
    """Something went wrong with a partner's server."""


class ConnectionTrouble(SftpError):
    """There is no connection, or there is none any more. What was in hand may be tried again over another."""


class Unreachable(ConnectionTrouble):
    """No SSH server answers there: name, network, port, or no algorithm in common."""


class HostKeyRefused(ConnectionTrouble):
    """The server is not the one that was pinned. Trying again does not help; a person must look."""


class LoginRefused(ConnectionTrouble):
    """The server does not let us in, or our own key cannot be used. A person must look."""


class Lost(ConnectionTrouble):
    """The connection broke, or the server stopped to answer."""


class Strange(ConnectionTrouble):
    """The server's answer makes no sense or is hostile; the connection was dropped."""


class Answered(SftpError):
    """The server said no to one request; the connection is whole."""


class Missing(Answered):
    """Nothing stands under that name."""


class Refused(Answered):
    """We may not do that there."""


class NoSpace(Answered):
    """The server's disk or quota is full."""


class Unsupported(Answered):
    """The server does not know that request."""


class Failure(Answered):
    """The server failed without saying more (SFTP has one code for nearly everything)."""


#: For these a person must look: there is no use in trying again soon.
LASTING = (HostKeyRefused, LoginRefused)

"""The built-in SFTP server: partners push files and fetch acknowledgements with nothing else installed.

`SftpServer` is the door; `settings.py` says what it is told, `passwords.make_hash` makes a hash for an account.
"""

from gateway.transports.sftp_server.audit import AuditEvent, Outcome
from gateway.transports.sftp_server.host_keys import HostKeyUnusable
from gateway.transports.sftp_server.server import SftpServer
from gateway.transports.sftp_server.settings import (
    Account,
    Accounts,
    Completed,
    FixedAccounts,
    FolderRight,
    ServerSettings,
)

__all__ = [
    "Account",
    "Accounts",
    "AuditEvent",
    "Completed",
    "FixedAccounts",
    "FolderRight",
    "HostKeyUnusable",
    "Outcome",
    "ServerSettings",
    "SftpServer",
]

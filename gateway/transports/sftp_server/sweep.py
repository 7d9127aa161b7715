"""Uploads that were cut off and never resumed are removed after a day."""

from __future__ import annotations

import os
from contextlib import suppress

import structlog

from gateway.transports.sftp_server.paths import PARTIAL_PREFIX, Place
from gateway.transports.sftp_server.settings import Account
from gateway.transports.sftp_server.uploads import Uploads
from gateway.transports.sftp_server.walk import walk


def sweep(account: Account, uploads: Uploads, now_s: float, older_than_s: float) -> int:
    """Remove the partial files of `account` that nobody wrote to for `older_than_s` seconds (by change time, which no
    client can set; `now_s` in seconds since 1970). Gives how many."""
    removed = 0
    for right in account.folders:
        for folder in walk(account.root, right.name) if right.write else ():
            for name in folder.others:
                if not name.startswith(PARTIAL_PREFIX):
                    continue
                place = Place(right, (*folder.below, name[len(PARTIAL_PREFIX) :]))
                with uploads.lock_of(account.name), suppress(OSError):
                    facts = os.stat(name, dir_fd=folder.fd, follow_symlinks=False)
                    if uploads.find(account.name, place) is None and now_s - facts.st_ctime >= older_than_s:
                        os.unlink(name, dir_fd=folder.fd)
                        removed += 1
    if removed:
        structlog.get_logger("gateway.sftp_server").info("partials_swept", account=account.name, files=removed)
    return removed

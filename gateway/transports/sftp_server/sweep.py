"""Uploads that were cut off and never resumed are removed after a day."""

from __future__ import annotations

import os
from contextlib import suppress

import structlog

from gateway.transports.sftp_server.paths import PARTIAL_PREFIX, Place
from gateway.transports.sftp_server.settings import Account
from gateway.transports.sftp_server.uploads import Uploads


def sweep(account: Account, uploads: Uploads, now_s: float, older_than_s: float) -> int:
    """Remove the partial files of `account` that nobody wrote to for `older_than_s` seconds (by change time, which no
    client can set; `now_s` in seconds since 1970). Gives how many."""
    removed = 0
    for right in account.folders:
        top = os.fsencode(account.root / right.name)
        if not right.write or (account.root / right.name).is_symlink():
            continue
        for below, _, names, folder in os.fwalk(top, follow_symlinks=False):
            for name in names:
                if not name.startswith(PARTIAL_PREFIX):
                    continue
                inside = tuple(part for part in below[len(top) :].split(b"/") if part)
                place = Place(right, (*inside, name[len(PARTIAL_PREFIX) :]))
                with uploads.lock_of(account.name), suppress(OSError):
                    facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                    if uploads.find(account.name, place) is None and now_s - facts.st_ctime >= older_than_s:
                        os.unlink(name, dir_fd=folder)
                        removed += 1
    if removed:
        structlog.get_logger("gateway.sftp_server").info("partials_swept", account=account.name, files=removed)
    return removed

"""The file of ours that a remote one is written into: what is left of it when something goes wrong."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gateway.transports.sftp_client.sink import Sink


def descriptors_in(folder: Path) -> list[str]:
    """The files of that folder that this process has open."""
    held = []
    for number in os.listdir("/proc/self/fd"):
        try:
            path = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue  # of the listing itself
        if path.startswith(f"{folder}/"):
            held.append(path)
    return held


def quota(*_: object) -> bytes:
    raise OSError(errno.EDQUOT, "quota")


def test_a_disk_that_does_not_sync_leaves_no_descriptor_and_no_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = Sink(here, "id", 1)
    sink.write(b"content")
    monkeypatch.setattr(os, "fsync", quota)
    with pytest.raises(OSError, match="quota"):
        sink.finish(durable=True)
    assert descriptors_in(here) == []
    assert list(here.iterdir()) == []


def test_a_name_that_cannot_be_given_leaves_no_descriptor(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = Sink(here, "id", 1)
    monkeypatch.setattr(os, "rename", quota)
    with pytest.raises(OSError, match="quota"):
        sink.finish(durable=False)
    assert descriptors_in(here) == []


def test_a_beginning_that_cannot_be_read_leaves_no_descriptor(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / ".id.part").write_bytes(b"a beginning")
    monkeypatch.setattr(os, "read", quota)
    with pytest.raises(OSError, match="quota"):
        Sink(here, "id", 1)
    assert descriptors_in(here) == []


def test_what_is_not_to_be_gone_on_with_is_neither_kept_nor_found(here: Path) -> None:
    (here / ".id.part").write_bytes(b"of another version")
    sink = Sink(here, "id", None)
    assert sink.size == 0
    sink.write(b"content")
    sink.keep()
    assert list(here.iterdir()) == []
    assert descriptors_in(here) == []

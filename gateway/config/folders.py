"""What must hold of folders: no partner in another's or in ours, and each partner's on one file system.

Links are followed before folders are compared: a partner whose `in` links into another's would read its invoices.
Nothing is created here, and a folder that does not exist yet is no fault.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.config.faults import Fault
from gateway.config.locate import locate
from gateway.config.read import ReadFile, ReadFiles, secret_files
from gateway.config.senders import PartnerFile

_INSIDE: Final = ("in", "out", "book", ".claimed", ".fetched")
_OWN: Final = "a folder apart from every other"

Partners = list[ReadFile[PartnerFile]]
Owners = dict[Path, ReadFile[PartnerFile]]


def folder_faults(files: ReadFiles) -> Iterator[Fault]:
    """Every fault of folders."""
    partners = [read for read in files.partners if read.model]
    owners: Owners = {}
    for read in partners:
        yield from _same(read, owners)
    for read in partners:
        yield from _nested(read, owners)
    yield from _around_ours(files, owners)
    yield from _inside_ours(files, partners)
    for read in partners:
        yield from _unfit(read)


def _same(read: ReadFile[PartnerFile], owners: Owners) -> Iterator[Fault]:
    for folder in _folders(read):
        owner = owners.setdefault(folder, read)
        if owner is not read:
            yield _fault(read, _OWN, f"{folder}, which {owner.file.name} has too")


def _nested(read: ReadFile[PartnerFile], owners: Owners) -> Iterator[Fault]:
    for folder in _folders(read):
        outer = next((owners[parent] for parent in folder.parents if parent in owners), read)
        if outer is not read:
            yield _fault(read, _OWN, f"{folder}, inside a folder of {outer.file.name}")


def _around_ours(files: ReadFiles, owners: Owners) -> Iterator[Fault]:
    for ours, what in _ours(files):
        for folder in (ours, *ours.parents):
            if folder in owners:
                yield _fault(owners[folder], "a folder that holds nothing of the gateway's own", f"{what} in it")


def _inside_ours(files: ReadFiles, partners: Partners) -> Iterator[Fault]:
    if files.main.model is None:
        return
    state = _resolved(files.main.model.gateway.state_dir)
    for read in partners:
        if any(state in folder.parents for folder in _folders(read)):
            yield _fault(read, "a folder outside gateway.state_dir", f"one inside {state}")


def _ours(files: ReadFiles) -> Iterator[tuple[Path, str]]:
    # Whoever can write where the configuration or a secret stands can send in anybody's name.
    folder = files.main.file.parent
    yield _resolved(folder), "the configuration"
    for secret in secret_files(folder, files.main.data or {}):
        yield _resolved(secret), "a secret file"
    for read in files.partners:
        for secret in secret_files(read.file.parent, read.data or {}):
            yield _resolved(secret), "a secret file"
        for key in _key_files(read.model) if read.model else ():
            yield _resolved(key), "a key file of SFTP"
    main = files.main.model
    if main:
        yield _resolved(main.gateway.state_dir), "gateway.state_dir"
        if main.directory.snapshot:
            yield _resolved(main.directory.snapshot), "directory.snapshot"
        if main.sftp_server.host_keys:
            yield _resolved(main.sftp_server.host_keys), "sftp_server.host_keys"
        for packs in main.rules.packs:  # a pack is a program
            yield _resolved(packs), "a folder of rules.packs"


def _key_files(partner: PartnerFile) -> Iterator[Path]:
    """Whoever writes these chooses who logs in, or whom we believe."""
    sftp, login = partner.sftp, partner.login
    for file in (sftp.key, sftp.certificate, sftp.known_hosts) if sftp else ():
        if file is not None:
            yield file
    if login and login.keys:
        yield login.keys


def _unfit(read: ReadFile[PartnerFile]) -> Iterator[Fault]:
    if read.model is None:
        return
    root = read.model.root
    devices = {}
    for folder in (root, *(root / name for name in _INSIDE)):
        try:
            status = folder.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            yield _fault(read, f"{folder} to be a folder that we may look into", type(error).__name__)
            return
        if not folder.is_dir():
            yield _fault(read, f"{folder} to be a folder", "something else")
        devices[status.st_dev] = folder
    if len(devices) > 1:
        # A claim is a rename, and a rename does not cross file systems.
        expected = "in/, out/ and .claimed/ on one file system"
        yield _fault(read, expected, "several: " + ", ".join(str(folder) for folder in devices.values()))


def _folders(read: ReadFile[PartnerFile]) -> list[Path]:
    """Where the partner's folders really are: its root, and those inside that link elsewhere."""
    if read.model is None:
        return []
    root = _resolved(read.model.root)
    linked = (_resolved(root / name) for name in _INSIDE)
    return [root, *(folder for folder in linked if root not in folder.parents)]


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # a loop of links
        return path.absolute()


def _fault(read: ReadFile[PartnerFile], expected: str, found: str) -> Fault:
    return Fault(read.file, "root", expected, found, line=locate(read.text, ["root"]))

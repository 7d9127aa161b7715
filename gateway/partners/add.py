"""`gateway partner add`: everything is checked first, then what can be written is, and the rest becomes commands.

The same again changes nothing; what was cut short is finished. Nothing that is there is overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from gateway.config.read import PARTNERS
from gateway.partners.accounts import account_commands, check_accounts
from gateway.partners.files import write_new
from gateway.partners.folders import as_wanted, check_root, key_path_commands, make, wanted_folders
from gateway.partners.fragment import fragment
from gateway.partners.front import Front
from gateway.partners.key_file import AdmittedKey, KeyFile, partners_with_login, read_key_file
from gateway.partners.keys import PublicKey
from gateway.partners.partner_file import Configured, is_known, judge_new, partner_text
from gateway.partners.refused import Refused


@dataclass(frozen=True, slots=True)
class Added:
    """What was written (in a dry run: would be), what was so already, and what is left for root, in its order.

    `fragment` is the part of sshd_config that somebody else must put in its place; empty when it stands there.
    """

    written: tuple[Path, ...]
    kept: tuple[Path, ...]
    commands: tuple[str, ...]
    fragment: str


def add_partner(
    configured: Configured,
    front: Front,
    keys: Sequence[PublicKey],
    sources: tuple[str, ...],
    sshd_config: Path | None,
    *,
    dry_run: bool,
) -> Added:
    """Connect one partner. `sshd_config`: where the fragment goes, None to leave it. Raises `Refused`, or OSError."""
    check_root(front.root)
    check_accounts(front)
    _check_login(front)
    partner_file = configured.folder / PARTNERS / f"{front.partner}.toml"
    known = is_known(configured, front.partner, front.root)
    if not known:
        judge_new(configured, front.partner, front.root)
    admitted = tuple(AdmittedKey(key, sources) for key in keys)
    key_file = KeyFile(front.partner, front.login, front.group, front.gateway.name, admitted)
    has_keys = _has_keys(front.keys, key_file)
    has_fragment = sshd_config is not None and _has_fragment(sshd_config, front)

    work = _Work(dry_run)
    folders = [folder for folder in wanted_folders(front) if not work.kept_if(folder.path, there=as_wanted(folder))]
    left = [folder.command for folder in folders if not work.did(folder.path, partial(make, folder))]
    if not work.kept_if(front.keys, there=has_keys):
        work.did(front.keys, partial(_write, front.keys, key_file.text))
    placed = has_fragment
    if sshd_config is not None and not work.kept_if(sshd_config, there=has_fragment):
        placed = work.did(sshd_config, partial(_write_if_allowed, sshd_config, fragment(front)))
    # Last: a running gateway takes it up at once, and complains of folders that are not there yet.
    if not work.kept_if(partner_file, there=known):
        work.did(partner_file, partial(_write, partner_file, partner_text(front.partner, front.root)))

    commands = [*account_commands(front), *left, *key_path_commands(front)]
    if not placed:
        commands.append(f"# put the part for sshd_config into {sshd_config or default_fragment(front)}")
    if not has_fragment or work.written:  # what was cut short may not have been reloaded
        commands += ["sshd -t", "systemctl reload ssh  # named sshd on Red Hat"]
    return Added(tuple(work.written), tuple(work.kept), tuple(commands), "" if placed else fragment(front))


def default_fragment(front: Front) -> Path:
    """Where Debian and Red Hat expect such a part."""
    return Path(f"/etc/ssh/sshd_config.d/50-chorus-{front.partner}.conf")


@dataclass(slots=True)
class _Work:
    """Does things, unless it is a dry run, and remembers them."""

    dry_run: bool
    written: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def kept_if(self, path: Path, *, there: bool) -> bool:
        if there:
            self.kept.append(path)
        return there

    def did(self, path: Path, do: Callable[[], bool]) -> bool:
        done = self.dry_run or do()
        if done:
            self.written.append(path)
        return done


def _write(path: Path, text: str) -> bool:
    write_new(path, text)
    return True


def _write_if_allowed(path: Path, text: str) -> bool:
    try:
        return _write(path, text)
    except PermissionError:
        return False


def _check_login(front: Front) -> None:
    """The login is this partner's alone: of two parts for one login sshd obeys the first, and locks one partner out."""
    for other in partners_with_login(front.keys.parent, front.login):
        if other != front.partner:
            raise Refused(
                f"--user {front.login}: this is the login of partner {other}; choose another name. If {other} is gone "
                f"for good, take its part of sshd_config away, then {front.keys.with_name(other)}, and run this again"
            )


def _has_keys(path: Path, wanted: KeyFile) -> bool:
    """The keys are admitted already. Raises `Refused` where the file says otherwise."""
    there = read_key_file(path)
    if there is None:
        return False
    if replace(there, keys=()) != replace(wanted, keys=()):
        raise Refused(
            f"{path} is for login {there.login}, group {there.group}, gateway user {there.gateway_user}; give the same"
        )
    admitted = {one.opens for one in there.keys}
    for one in wanted.keys:
        if one.opens not in admitted:
            raise Refused(
                f"{wanted.partner} is connected with other keys or addresses. To change them: "
                f"gateway partner key add {wanted.partner} FILE, then gateway partner key remove. New: {one}"
            )
    return True


def _has_fragment(path: Path, front: Front) -> bool:
    try:
        there = path.read_text("utf-8")
    except FileNotFoundError:
        return False
    if there.strip() != fragment(front).strip():  # pasted by hand, it may have an empty line more
        raise Refused(f"{path} is there and says something else; it is never overwritten: move it away, then run again")
    return True

"""Which public keys are taken, what is refused, and how the file of a partner is kept."""

from __future__ import annotations

import base64
import os
import struct
import subprocess
from pathlib import Path

import pytest

from gateway.partners.key_file import (
    AdmittedKey,
    KeyFile,
    add_keys,
    checked_sources,
    partners_with_login,
    read_key_file,
    remove_key,
)
from gateway.partners.keys import PublicKey, parse_key, read_keys
from gateway.partners.refused import Refused
from tests.partners.conftest import MakeKey


def wire(*parts: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(part)) + part for part in parts)).decode()


ED = f"ssh-ed25519 {wire(b'ssh-ed25519', bytes(range(32)))}"
SK = f"sk-ssh-ed25519@openssh.com {wire(b'sk-ssh-ed25519@openssh.com', bytes(range(32)), b'ssh:')}"
SHORT = f"ssh-rsa {wire(b'ssh-rsa', bytes([1, 0, 1]), bytes([0, 0xC1]) + bytes(126) + bytes([1]))}"


# --- which are taken ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", 0), ("ecdsa", 256), ("ecdsa", 384), ("ecdsa", 521), ("rsa", 2048), ("rsa", 3072)]
)
def test_every_sound_kind_is_taken_with_the_fingerprint_of_ssh_keygen(make_key: MakeKey, kind: str, bits: int) -> None:
    file = make_key(kind=kind, bits=bits)

    (key,) = read_keys(file)

    said = subprocess.run(["ssh-keygen", "-lf", str(file)], capture_output=True, text=True, check=True).stdout
    assert key.fingerprint == said.split()[1]
    assert key.line == file.read_text().strip()
    assert key.bits == (bits if kind == "rsa" else None)


def test_a_key_of_a_security_key_is_taken() -> None:
    assert parse_key(SK, "here").kind == "sk-ssh-ed25519@openssh.com"


def test_comments_and_empty_lines_are_passed_over_and_a_key_counts_once(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"# ours\n\n{ED} a\n{ED} b\r\n{SK}\n")

    assert [key.kind for key in read_keys(tmp_path / "keys")] == ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"]


def test_a_comment_brings_no_sign_that_a_terminal_or_a_file_would_obey() -> None:
    key = parse_key(f"{ED} erp\x1b[2J\x00\u202eé", "here")

    assert key.comment == "erp?[2J???"
    assert "\n" not in key.line


def test_a_long_comment_is_cut_so_that_it_is_read_back_as_it_was_written() -> None:
    key = parse_key(f"{ED} {'a' * 99} tail", "here")

    assert key.comment == "a" * 99
    assert parse_key(key.line, "here") == key


# --- which are refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f'command="/bin/sh" {ED}', "Options"),
        (f"restrict,pty {ED}", "Options"),
        (f'environment="LD_PRELOAD=/in/x.so" {ED}', "Options"),
        (f"cert-authority {ED}", "Options"),
        (f'{ED}\ncommand="id" {SK}', "line 2"),
        (f'{ED}\x0bcommand="id" {SK}', "line 2"),
        (f"ssh-dss {wire(b'ssh-dss', b'1')}", "DSA"),
        (SHORT, "1024 bits"),
        (f"ssh-ed25519-cert-v01@openssh.com {wire(b'x')}", "certificate"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "private key"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "private key"),
        ("PuTTY-User-Key-File-3: ssh-ed25519\n", "private key"),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n", "ssh-keygen -i"),
        (ED[:-10], "cut"),
        (f"ssh-rsa {ED.split()[1]}", "no whole public key"),
        (f"ssh-ed25519 {wire(b'ssh-ed25519', bytes(32), b'more')}", "no whole public key"),
        (f"ecdsa-sha2-nistp256 {wire(b'ecdsa-sha2-nistp256', b'nistp256', bytes([4]) + bytes(64))}", "no whole"),
        ("ssh-ed25519", "no whole public key"),
        ("", "no public key"),
        ("# nothing\n", "no public key"),
        ("\x00\xff" * 40, "expected one of"),
    ],
)
def test_what_is_no_sound_public_key_is_refused_with_the_reason(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "key.pub").write_text(content, "utf-8")

    with pytest.raises(Refused, match=why):
        read_keys(tmp_path / "key.pub")


def test_a_file_that_is_absent_or_huge_is_refused(tmp_path: Path) -> None:
    (tmp_path / "huge").write_bytes(b"#" * 10**6)

    for name, why in (("huge", "larger"), ("absent", "cannot be read"), (".", "cannot be read")):
        with pytest.raises(Refused, match=why):
            read_keys(tmp_path / name)


@pytest.mark.parametrize(
    "text",
    [
        "192.0.2.1/24",
        "example.com",
        '192.0.2.1",command="id',
        "*",
        "",
        "!192.0.2.1",
        'fe80::1%x",cert-authority ssh-ed25519 AAAA\n# ',
        "fe80::1%eth0",
        "2001:db8::1\n",
    ],
)
def test_what_is_no_address_and_no_network_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="--from"):
        checked_sources([text])


# --- the file of a partner ------------------------------------------------------------------------------------------


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """keys.d/acme with one key, bound to a network."""
    path = tmp_path / "keys.d" / "acme"
    path.parent.mkdir()
    first = AdmittedKey(parse_key(f"{ED} first", "here"), ("192.0.2.0/24", "2001:db8::1"))
    path.write_text(KeyFile("acme", "sftp-acme", "chorus-sftp", "chorus", (first,)).text)
    return path


def second() -> PublicKey:
    return parse_key(f"{SK} second", "here")


def test_what_is_written_is_read_back(key_file: Path) -> None:
    read = read_key_file(key_file)

    assert read is not None
    assert read.text == key_file.read_text()
    assert f'from="192.0.2.0/24,2001:db8::1",restrict {ED} first' in read.text


def test_a_login_is_found_by_the_head_whatever_stands_below(key_file: Path) -> None:
    with key_file.open("ab") as file:
        file.write(b"ssh-ed25519 by hand \xff\n")
    (key_file.parent / "notes").write_bytes(b"\xff ours, login sftp-acme\n")
    (key_file.parent / "folder").mkdir()

    assert partners_with_login(key_file.parent, "sftp-acme") == ["acme"]
    assert partners_with_login(key_file.parent, "sftp-acm") == []
    assert partners_with_login(key_file.parent / "absent", "sftp-acme") == []


def test_a_new_key_stands_beside_the_old_one_and_is_bound_to_the_same_addresses(key_file: Path) -> None:
    file = add_keys(key_file, [second()], None)

    assert [(one.key.comment, one.sources) for one in file.keys] == [
        ("first", ("192.0.2.0/24", "2001:db8::1")),
        ("second", ("192.0.2.0/24", "2001:db8::1")),
    ]
    assert read_key_file(key_file) == file
    assert key_file.stat().st_mode & 0o777 == 0o644


def test_adding_a_key_again_changes_nothing_on_the_disk(key_file: Path) -> None:
    before = key_file.stat()

    add_keys(key_file, [parse_key(f"{ED} first", "here")], None)

    assert (key_file.stat().st_ino, key_file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_key_is_removed_by_the_beginning_of_its_fingerprint(key_file: Path) -> None:
    file = add_keys(key_file, [second()], None)

    removed = remove_key(key_file, file.keys[0].key.fingerprint[:12])

    assert removed.key.comment == "first"
    left = read_key_file(key_file)
    assert left is not None
    assert [one.key.comment for one in left.keys] == ["second"]


@pytest.mark.parametrize("named", ["SHA256:", "SHA256:nobody", ""])
def test_a_fingerprint_that_names_not_exactly_one_key_removes_none(key_file: Path, named: str) -> None:
    add_keys(key_file, [second()], None)

    with pytest.raises(Refused, match="not one; it has"):
        remove_key(key_file, named)


def test_the_last_key_is_removed_only_when_one_says_so(key_file: Path) -> None:
    with pytest.raises(Refused, match="--even-last"):
        remove_key(key_file, "SHA256:")
    remove_key(key_file, "SHA256:", even_last=True)

    file = read_key_file(key_file)
    assert file is not None
    assert file.keys == ()


@pytest.mark.parametrize(
    "line",
    [
        f'command="/bin/sh" {ED}',
        ED,
        f'from="*",restrict {ED}',
        f'from="fe80::1%x y",restrict {ED}',
        f"restrict,pty {ED}",
    ],
)
def test_a_line_written_by_another_hand_is_refused_and_not_passed_on(key_file: Path, line: str) -> None:
    with key_file.open("a") as file:
        file.write(f"{line}\n")

    with pytest.raises(Refused, match="line 4"):
        add_keys(key_file, [second()], None)


def test_two_operators_at_once_lose_no_key(key_file: Path) -> None:
    keys = [parse_key(f"ssh-ed25519 {wire(b'ssh-ed25519', bytes([n]) * 32)}", "here") for n in range(40)]
    children = []
    for half in (keys[:20], keys[20:]):
        child = os.fork()
        if child == 0:
            for key in half:
                add_keys(key_file, [key], None)
            os._exit(0)
        children.append(child)

    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    file = read_key_file(key_file)
    assert file is not None
    assert len(file.keys) == 41

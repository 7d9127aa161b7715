"""Archives in memory under limits: every trick is met with a finding, and what is harmless is still read."""

from __future__ import annotations

import gzip
import os
import struct
import tarfile
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.parsers.archive import ArchiveLimits, ArchiveRefused, Member, read_archive
from tests.evil import (
    link,
    tar_of_long_names,
    tar_with_negative_size,
    tarred,
    tgz,
    zip64,
    zip_link,
    zip_overlapping,
    zip_with_flags,
    zip_with_lying_size,
    zipped,
)

SMALL = ArchiveLimits(members=20, member_bytes=100_000, total_bytes=300_000, ratio=50, ratio_from_bytes=20_000)


def members(content: bytes, name: str = "lot.zip", limits: ArchiveLimits = SMALL) -> dict[str, Member]:
    return {member.name: member for member in read_archive(name, content, limits)[0]}


def refusal(content: bytes, limits: ArchiveLimits = SMALL, name: str = "lot.zip") -> str:
    with pytest.raises(ArchiveRefused) as refused:
        read_archive(name, content, limits)
    finding = refused.value.finding
    assert finding.remedy.fr and finding.remedy.en
    return finding.rule


def faults(content: bytes, limits: ArchiveLimits = SMALL) -> dict[str, str]:
    return {name: m.fault.rule if m.fault else "" for name, m in members(content, limits=limits).items()}


@pytest.mark.parametrize("pack", [zipped, tarred, tgz, zip64], ids=["zip", "tar", "tar.gz", "zip64"])
def test_members_come_in_the_order_of_their_names_with_their_bytes(pack: object) -> None:
    content = pack([("b/FA-2.xml", b"<b/>"), ("FA-1.xml", b"<a/>"), ("b/vide.txt", b"")])  # type: ignore[operator]

    assert [(m.name, m.content) for m in read_archive("x", content)[0]] == [
        ("FA-1.xml", b"<a/>"),
        ("b/FA-2.xml", b"<b/>"),
        ("b/vide.txt", b""),
    ]


def test_a_single_gz_is_the_file_in_it() -> None:
    assert members(gzip.compress(b"<a/>"), "FA-1.xml.gz")["FA-1.xml"].content == b"<a/>"


def test_a_gz_of_several_parts_is_read_to_its_end() -> None:
    whole = tarred([("FA-1.xml", b"<a/>" * 500)])
    parts = gzip.compress(whole[:700]) + gzip.compress(whole[700:]) + bytes(64)

    assert members(parts)["FA-1.xml"].content == b"<a/>" * 500


NAMES = ["../x.xml", "a/../../x", "/etc/passwd", "C:\\x.xml", "c:x", "..\\x.xml", "a\\..\\..\\x", "\\\\server\\x"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pack", [zipped, tgz], ids=["zip", "tar.gz"])
def test_a_name_that_leaves_the_archive_refuses_it_all(pack: object, name: str) -> None:
    assert refusal(pack([("FA-1.xml", b"<a/>"), (name, b"<x/>")])) == "INTAKE-ARCHIVE-TRAVERSAL"  # type: ignore[operator]


def test_a_zero_byte_in_a_name_refuses_it_all() -> None:
    content = zipped([("FA-1.xml_.exe", b"<x/>")]).replace(b"FA-1.xml_.exe", b"FA-1.xml\0.exe")

    assert refusal(content) == "INTAKE-ARCHIVE-TRAVERSAL"


def test_backslashes_of_old_windows_tools_are_folders() -> None:
    assert list(members(zipped([("2026\\FA-1.xml", b"<a/>")]))) == ["2026/FA-1.xml"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_faults_and_the_rest_is_read(kind: bytes) -> None:
    content = tgz([("FA-1.xml", b"<a/>"), (link("FA-2.xml", kind), b"")])

    assert faults(content) == {"FA-1.xml": "", "FA-2.xml": "INTAKE-MEMBER-SPECIAL"}


def test_a_link_in_a_zip_is_a_fault() -> None:
    assert faults(zipped([(zip_link("FA-2.xml"), b"/etc/passwd")])) == {"FA-2.xml": "INTAKE-MEMBER-SPECIAL"}


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2000])
def test_encrypted_members_are_faults(flags: int) -> None:
    assert faults(zip_with_flags(zipped([("FA-1.xml", b"<a/>")]), flags)) == {"FA-1.xml": "INTAKE-MEMBER-ENCRYPTED"}


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_are_not_unpacked(method: int) -> None:
    assert faults(zipped([("FA-1.xml", b"<a/>")], method)) == {"FA-1.xml": "INTAKE-MEMBER-METHOD"}


def test_a_wrong_checksum_costs_one_member_only() -> None:
    content = zipped([("FA-1.xml", b"<aaaa/>"), ("FA-2.xml", b"<bbbb/>")], zipfile.ZIP_STORED)

    assert faults(content.replace(b"<aaaa/>", b"<aaxa/>")) == {"FA-1.xml": "INTAKE-MEMBER-DAMAGED", "FA-2.xml": ""}


def test_a_name_used_twice_for_different_files_is_a_fault_and_for_the_same_file_is_not() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        different = zipped([("a.xml", b"<a/>"), ("a.xml", b"<b/>")])
    with pytest.warns(UserWarning, match="Duplicate name"):
        same = zipped([("a.xml", b"<a/>"), ("a.xml", b"<a/>")])

    assert faults(different) == {"a.xml": "INTAKE-MEMBER-TWICE"}
    assert members(same)["a.xml"].content == b"<a/>"


def test_names_that_differ_by_case_only_are_both_read_and_told() -> None:
    found, findings = read_archive("x.zip", zipped([("FA-1.xml", b"<a/>"), ("fa-1.XML", b"<b/>")]))

    assert len(found) == 2
    assert [finding.rule for finding in findings] == ["INTAKE-MEMBER-CASE"]


def test_what_systems_leave_behind_is_not_seen() -> None:
    noise = ["__MACOSX/._FA-1.xml", ".DS_Store", "a/Thumbs.db", "._x", "desktop.ini"]

    assert members(zipped([(name, b"x") for name in [*noise, "FA-1.xml"]])).keys() == {"FA-1.xml"}


@pytest.mark.parametrize("raw", ["été.xml".encode(), "été.xml".encode("cp437")])
def test_names_without_the_utf8_mark_are_utf8_or_cp437(raw: bytes) -> None:
    placeholder = b"X" * len(raw)
    content = zipped([(placeholder.decode(), b"<a/>")]).replace(placeholder, raw)

    assert list(members(content)) == ["été.xml"]


def test_names_that_are_marked_utf8_and_are_not_refuse_the_zip() -> None:
    content = zipped([("é.xml", b"<a/>")]).replace("é".encode(), b"\xff\xff")

    assert refusal(content) == "INTAKE-ARCHIVE-DAMAGED"


def test_a_tar_name_that_is_not_utf8_is_read_as_windows_1252() -> None:
    entry = tarfile.TarInfo("XX.xml").tobuf(tarfile.USTAR_FORMAT)
    block = bytearray(entry)
    block[0:2] = b"\xe9X"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)

    assert list(members(bytes(block) + bytes(1024))) == ["éX.xml"]


@pytest.mark.parametrize("name", ["a\u202exml.pdf", "a\nb.xml", "x" * 300])
def test_names_that_deceive_are_faults(name: str) -> None:
    assert list(faults(zipped([(name, b"<a/>")])).values()) == ["IRR_NOM_F"]


def test_too_many_members_refuse_the_archive() -> None:
    many = [(f"{n}.xml", b"x") for n in range(21)]

    limits = ArchiveLimits(members=20)
    assert refusal(zipped(many), limits) == refusal(tgz(many), limits) == "INTAKE-ARCHIVE-TOO-MANY"


def test_a_directory_of_a_million_entries_is_counted_not_parsed() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    content = b"PK\x03\x04" + entry * 100_000 + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, 4_600_000, 4, 0)

    assert refusal(content) == "INTAKE-ARCHIVE-TOO-MANY"


def test_a_member_above_its_limit_is_a_fault_and_a_lying_one_refuses_the_archive() -> None:
    assert faults(zipped([("FA-1.xml", bytes(range(256)) * 400)])) == {"FA-1.xml": "IRR_TAILLE_F"}
    assert faults(tgz([("FA-1.xml", bytes(range(256)) * 400)]), ArchiveLimits(member_bytes=100_000)) == {
        "FA-1.xml": "IRR_TAILLE_F"
    }
    lying = faults_or_refusal(zip_with_lying_size())
    assert lying in ("INTAKE-ARCHIVE-BOMB", "INTAKE-MEMBER-DAMAGED")


def faults_or_refusal(content: bytes) -> str:
    try:
        return next(iter(faults(content).values()))
    except ArchiveRefused as refused:
        return refused.finding.rule


def test_the_total_is_bounded() -> None:
    noise = [(f"{n}.bin", os.urandom(90_000)) for n in range(4)]

    assert refusal(zipped(noise)) == refusal(tarred(noise)) == refusal(tgz(noise)) == "INTAKE-ARCHIVE-TOO-LARGE"


@pytest.mark.parametrize(
    "bomb",
    [
        zipped([("a.xml", bytes(90_000))]),
        tgz([("a.xml", bytes(90_000))]),
        gzip.compress(bytes(90_000)),
        zip_overlapping(copies=15),
    ],
    ids=["zip", "tar.gz", "gz", "overlapping"],
)
def test_bombs_refuse_the_archive(bomb: bytes) -> None:
    assert refusal(bomb) == "INTAKE-ARCHIVE-BOMB"


def test_overlapping_entries_are_refused_whatever_their_size() -> None:
    assert refusal(zip_overlapping(copies=2, unpacked=100)) == "INTAKE-ARCHIVE-BOMB"


@pytest.mark.parametrize("pack", [zipped, tarred, tgz], ids=["zip", "tar", "tar.gz"])
def test_an_archive_cut_off_anywhere_is_refused_not_half_read(pack: object) -> None:
    whole = pack([("FA-1.xml", b"<a/>" * 300), ("FA-2.xml", b"<b/>" * 300)])  # type: ignore[operator]
    end = len(whole) - (8_000 if pack is tarred else 0)  # a tar ends with blocks of zeros

    for length in range(600, end, 61) if pack is tarred else range(10, end):
        with pytest.raises(ArchiveRefused):
            read_archive("x", whole[:length])


def test_a_damaged_tar_header_does_not_end_the_archive_silently() -> None:
    whole = bytearray(tarred([("FA-1.xml", b"<a/>"), ("FA-2.xml", b"<b/>")]))
    whole[1024 + 150] ^= 1

    assert refusal(bytes(whole)) == "INTAKE-ARCHIVE-DAMAGED"


def test_a_second_tar_behind_the_first_is_not_lost_silently() -> None:
    first = tarred([("FA-1.xml", b"<a/>")])

    assert refusal(gzip.compress(first + first), ArchiveLimits()) == "INTAKE-ARCHIVE-DAMAGED"


@pytest.mark.parametrize("content", [tar_with_negative_size(), tar_of_long_names()], ids=["negative", "long names"])
def test_tars_that_made_old_readers_go_round_for_ever_are_refused(content: bytes) -> None:
    assert refusal(content, ArchiveLimits()) in ("INTAKE-ARCHIVE-DAMAGED", "INTAKE-ARCHIVE-TOO-MANY")


def test_a_nested_archive_is_a_member_like_any_other_unless_more_depth_is_allowed() -> None:
    nested = zipped([("lot.zip", zipped([("FA-1.xml", b"<a/>")])), ("FA-2.xml", b"<b/>")])

    assert list(members(nested)) == ["FA-2.xml", "lot.zip"]
    assert list(members(nested, limits=ArchiveLimits(depth=2))) == ["FA-2.xml", "lot.zip/FA-1.xml"]


def test_the_budget_counts_all_depths_together() -> None:
    inner = zipped([(f"{n}.xml", b"x") for n in range(15)])
    nested = zipped([("a.zip", inner), ("b.zip", inner)])

    assert refusal(nested, ArchiveLimits(members=20, depth=2)) == "INTAKE-ARCHIVE-TOO-MANY"


@settings(max_examples=150, deadline=2000)
@given(st.data())
def test_no_mutation_raises_anything_but_a_refusal(data: st.DataObject) -> None:
    pack = data.draw(st.sampled_from([zipped, tarred, tgz, zip64]))
    content = bytearray(pack([("FA-1.xml", b"<a/>" * 20), ("d/FA-2.xml", b"<b/>")]))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    try:
        read_archive("x.zip", bytes(content))
    except ArchiveRefused as refused:
        assert refused.finding.message.fr

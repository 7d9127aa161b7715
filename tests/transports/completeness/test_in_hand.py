"""The note of accepted proofs: what it survives, and what it must not do."""

from __future__ import annotations

import os

import pytest

from gateway.transports import local
from gateway.transports.completeness import Batch, InHand, is_note
from gateway.transports.local import look_again

ODD = b"sub/odd-\xff\n.xml"


@pytest.fixture
def folders(tmp_path):
    inbox, claimed = tmp_path / "in", tmp_path / ".claimed"
    (inbox / "sub").mkdir(parents=True)
    claimed.mkdir()
    return inbox, claimed


def batch(inbox, proof, *files):
    for name in (proof, *files):
        (inbox / os.fsdecode(name)).write_bytes(name)
    return Batch(look_again(inbox, proof), tuple(look_again(inbox, name) for name in files))


def test_another_process_reads_what_was_accepted_names_of_any_bytes_included(folders):
    inbox, claimed = folders
    accepted = batch(inbox, ODD + b".done", ODD)
    InHand(inbox, claimed).write([accepted], "01A")
    again = InHand(inbox, claimed)
    assert again.spent(accepted.proof)
    assert again.vouched(accepted.files[0])
    assert all(is_note(path) for path in claimed.iterdir())


def test_a_file_that_is_to_be_refused_is_not_vouched_for_after_a_crash_and_its_proof_speaks_again(folders):
    inbox, claimed = folders
    made = batch(inbox, b"a.sha256", b"a")
    InHand(inbox, claimed).write([Batch(made.proof, (), made.files)], "01A")
    again = InHand(inbox, claimed)
    assert not again.vouched(made.files[0])
    assert not again.spent(made.proof)
    again.taken(b"a")
    assert again.spent(made.proof)
    again.close()
    assert not (inbox / "a.sha256").exists()


def test_a_proof_goes_only_when_none_of_its_files_is_left(folders):
    inbox, claimed = folders
    in_hand = InHand(inbox, claimed)
    accepted = batch(inbox, b"lot.ctr", b"a", b"b")
    in_hand.write([accepted], "01A")
    in_hand.taken(b"a")
    in_hand.close()
    assert (inbox / "lot.ctr").exists()
    in_hand.taken(b"b")
    in_hand.close()
    assert not (inbox / "lot.ctr").exists()
    assert list(claimed.iterdir()) == []
    assert not in_hand.spent(accepted.proof)


def test_what_was_written_anew_since_is_another_proof_and_stays(folders):
    inbox, claimed = folders
    in_hand = InHand(inbox, claimed)
    in_hand.write([batch(inbox, b"a.done", b"a")], "01A")
    in_hand.taken(b"a")
    (inbox / "a.done").write_bytes(b"for the next a")
    assert not in_hand.spent(look_again(inbox, b"a.done"))
    in_hand.close()
    assert (inbox / "a.done").exists()
    assert list(claimed.iterdir()) == []


def test_a_file_that_changed_since_is_not_vouched_for(folders):
    inbox, claimed = folders
    in_hand = InHand(inbox, claimed)
    in_hand.write([batch(inbox, b"a.done", b"a")], "01A")
    (inbox / "a").write_bytes(b"half of the next")
    assert not in_hand.vouched(look_again(inbox, b"a"))
    in_hand.compare({b"a": look_again(inbox, b"a")})
    in_hand.close()
    assert not (inbox / "a.done").exists()


def test_a_proof_that_cannot_be_removed_stays_spent_and_is_tried_again(folders, monkeypatch):
    inbox, claimed = folders
    in_hand = InHand(inbox, claimed)
    accepted = batch(inbox, b"a.done", b"a")
    in_hand.write([accepted], "01A")
    in_hand.taken(b"a")
    with monkeypatch.context() as denied:

        def refuse(*_):
            raise PermissionError(1, "Operation not permitted")

        denied.setattr("gateway.transports.completeness.in_hand.remove", refuse)
        in_hand.close()
    assert in_hand.spent(accepted.proof)
    in_hand.close()
    assert not (inbox / "a.done").exists()


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", '[[["a"], [], []]]', "[[[1,2,3,4], [], []]]", "[[1,2]]"])
def test_a_note_that_is_none_is_cleared_and_stops_nothing(folders, content):
    inbox, claimed = folders
    (claimed / "01A.vouched").write_text(content)
    (claimed / "01B.vouched-partial").write_text("cut")
    InHand(inbox, claimed).close()
    assert list(claimed.iterdir()) == []


def test_a_file_of_a_note_that_is_gone_after_a_full_look_holds_up_nothing(folders):
    inbox, claimed = folders
    in_hand = InHand(inbox, claimed)
    in_hand.write([batch(inbox, b"a.done", b"a")], "01A")
    in_hand.compare({})
    in_hand.close()
    assert not (inbox / "a.done").exists()


def test_a_forged_note_removes_nothing_outside_the_drop_folder(folders, tmp_path):
    """The partner may own the folder above both."""
    inbox, claimed = folders
    outside = tmp_path / "outside"
    outside.write_bytes(b"x")
    look = look_again(tmp_path, b"outside")
    name = "../outside"
    (claimed / "01A.vouched").write_text(f'[[["{name}", {look.size}, {look.mtime_ns}, {look.inode}], [], []]]')
    InHand(inbox, claimed).close()
    assert outside.exists()


def test_a_sub_folder_swapped_for_a_link_is_not_followed_when_a_proof_is_removed(folders, tmp_path):
    inbox, _ = folders
    (inbox / "sub/a.done").write_bytes(b"")
    look = look_again(inbox, b"sub/a.done")
    os.rename(inbox / "sub", tmp_path / "elsewhere")
    (inbox / "sub").symlink_to(tmp_path / "elsewhere")
    assert local.remove(inbox, look) is False
    assert (tmp_path / "elsewhere/a.done").exists()

"""The rungs without proof: quiet, minimum age, temporary names, structure, alone and together."""

from __future__ import annotations

import os

from tests.simulator.paper import Paper
from tests.transports.intake import GIVE_UP, QUIET

WHOLE = Paper().ubl()
HALF = WHOLE[: len(WHOLE) // 2]


def test_quiet_alone_takes_whatever_stands_still(climbing):
    intake = climbing("quiet")
    intake.drop("a.xml", HALF)
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 1


def test_minimum_age_counts_from_our_first_sight_whatever_the_files_time_says(climbing):
    """A copy may keep an old time while it is being written (CAMEL-19378)."""
    intake = climbing("minimum-age", minimum_age_s=60.0)
    os.utime(intake.drop("a.xml", WHOLE), (1, 1))
    assert intake.look() == 0
    assert intake.receive.settling == 1
    intake.wait(59)
    assert intake.look() == 0
    intake.wait(1)
    assert intake.look() == 1


def test_minimum_age_begins_anew_with_another_file_and_with_a_restart(climbing):
    intake = climbing("minimum-age", minimum_age_s=60.0)
    path = intake.drop("a.xml", WHOLE)
    intake.look()
    intake.wait(59)
    other = intake.drop(".other", WHOLE)
    other.rename(path)
    intake.look()
    intake.wait(1)
    assert intake.look() == 0
    intake.restart()
    intake.wait(58)
    assert intake.look() == 0
    intake.wait(60)
    assert intake.look() == 1


def test_the_last_file_of_a_look_is_not_let_through_too_young(climbing):
    """Mirth takes it with a warning."""
    intake = climbing("minimum-age", minimum_age_s=60.0)
    intake.drop("a.xml", WHOLE)
    for _ in range(5):
        assert intake.look() == 0


def test_quiet_and_minimum_age_must_both_agree(climbing):
    intake = climbing("quiet", "minimum-age", minimum_age_s=60.0)
    path = intake.drop("a.xml", WHOLE)
    intake.look()
    intake.wait(60)
    path.write_bytes(WHOLE + b" ")
    assert intake.look() == 0
    intake.wait(QUIET)
    assert intake.look() == 1


def test_with_temporary_names_a_final_name_is_taken_at_the_first_look(climbing):
    intake = climbing("temporary-name")
    path = intake.drop("a.xml.filepart", WHOLE)
    intake.wait(GIVE_UP)
    assert intake.look() == intake.receive.waiting == 0
    path.rename(intake.inbox() / "a.xml")
    assert intake.look() == 1


def test_structure_beside_temporary_names_still_asks_for_the_end(climbing):
    intake = climbing("temporary-name", "structure")
    intake.drop("half.xml", HALF)
    intake.drop("whole.xml", WHOLE)
    assert intake.look() == 1
    intake.wait(GIVE_UP)
    intake.look()
    assert [r.reason_code for r in intake.receipts()] == ["INCOMPLETE"]


def test_without_a_waiting_rung_nothing_settles_by_itself(climbing):
    intake = climbing("done-file")
    os.utime(intake.drop("a.xml", WHOLE), (1, 1))
    intake.look()
    assert intake.receive.settling == 1, "its marker may be a moment behind it"
    intake.wait(QUIET)
    assert intake.receive.settling == 0

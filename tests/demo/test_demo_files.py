"""What the demo drops: enough, of every kind that was asked for, and each with its end foreseen."""

from __future__ import annotations

from datetime import date

from gateway.demo.archives import REASONS
from gateway.demo.drops import End, How
from gateway.demo.files import write_script
from gateway.domain.reasons import Reason

SCRIPT = write_script(date(2026, 3, 2))


def test_the_script_is_the_same_every_time() -> None:
    assert write_script(date(2026, 3, 2)) == SCRIPT


def test_every_end_occurs() -> None:
    ends = {ending.end for file in SCRIPT.files for ending in file.endings}

    assert ends == set(End) - {End.UNFINISHED}


def test_there_are_enough_files_and_each_has_its_end() -> None:
    assert len(SCRIPT.files) >= 40
    assert all(file.endings for file in SCRIPT.files)


def test_each_of_the_states_reasons_is_given_once_at_least() -> None:
    foreseen = {ending.why for file in SCRIPT.files for ending in file.endings if ending.end is End.REJECTED}

    assert foreseen == {str(reason) for reason in Reason}
    assert len(REASONS) == len(Reason)


def test_no_two_files_of_one_drop_share_a_name() -> None:
    names = [(file.partner, file.name, file.second) for file in SCRIPT.files]

    assert len(names) == len(set(names))


def test_a_file_is_dropped_in_every_way() -> None:
    assert {file.how for file in SCRIPT.files} == set(How)


def test_it_plays_on_any_day_of_the_year() -> None:
    for day in (date(2027, 1, 1), date(2028, 2, 29), date(2026, 12, 31)):
        assert len(write_script(day).files) == len(SCRIPT.files)

"""The process of the reference engine: whatever a document or a sheet does, the caller gets an answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.rules.reference.process import Ceilings, ReferenceAborted, ReferenceEngineMissing, ReferenceProcess
from tests.rules.reference.sheets import ECHO, FILLS_MEMORY, SLOW, sheet

MIB = 1 << 20
#: Rounds of `SLOW`: some ten minutes, and some three seconds.
FOREVER, A_WHILE = b"<a>2000000000</a>", b"<a>20000000</a>"


@pytest.fixture(scope="module")
def process() -> Iterator[ReferenceProcess]:
    """One for all tests: each leaves it fit for the next, which is a test in itself."""
    with ReferenceProcess(Ceilings(seconds=20.0, memory_bytes=200 * MIB)) as made:
        yield made


@pytest.fixture
def hasty() -> Iterator[ReferenceProcess]:
    with ReferenceProcess(Ceilings(seconds=2)) as made:
        yield made


def test_the_report_comes_back_with_every_character(process, tmp_path):
    svrl = process.transform(sheet(tmp_path, ECHO), "<a>é € \u00a0 𝄞 &lt;</a>".encode())
    assert "<svrl:said>é € \u00a0 𝄞 &lt;</svrl:said>" in svrl


def test_a_document_in_another_encoding_is_read_as_it_says(process, tmp_path):
    document = '<?xml version="1.0" encoding="UTF-16"?><a>é€</a>'.encode("utf-16")
    assert "<svrl:said>é€</svrl:said>" in process.transform(sheet(tmp_path, ECHO), document)


def test_one_process_serves_all_documents(process, tmp_path):
    process.transform(sheet(tmp_path, ECHO), b"<a/>")
    first = process.pid
    process.transform(sheet(tmp_path, ECHO), b"<b/>")
    assert first is not None
    assert first == process.pid != os.getpid()


def test_a_sheet_is_compiled_again_when_it_has_changed(process, tmp_path):
    process.transform(sheet(tmp_path, ECHO), b"<a>old</a>")
    assert "new" in process.transform(sheet(tmp_path, "<svrl:said>new</svrl:said>"), b"<a>old</a>")


def test_a_document_that_takes_too_long_is_given_up_and_the_next_is_served(hasty, tmp_path):
    slow = sheet(tmp_path, SLOW)
    hasty.transform(slow, b"<a>1</a>")
    late = hasty.pid

    with pytest.raises(ReferenceAborted, match=r"^more than 2 s$"):
        hasty.transform(slow, FOREVER)

    assert not alive(late)
    assert "<svrl:said>1</svrl:said>" in hasty.transform(slow, b"<a>3</a>"), "of 1, 4 and 9, only 9 leaves 2"


def test_memory_is_bounded_and_the_next_is_served(process, tmp_path):
    hungry = sheet(tmp_path, FILLS_MEMORY)
    with pytest.raises(ReferenceAborted, match=r"^out of memory$"):
        process.transform(hungry, b"<a>100000000</a>")
    assert "<svrl:said>10</svrl:said>" in process.transform(hungry, b"<a>10</a>")


def test_a_process_that_dies_in_the_middle_is_replaced_and_its_document_answered(process, tmp_path):
    slow = sheet(tmp_path, SLOW)
    process.transform(slow, b"<a>1</a>")
    killed = process.pid
    threading.Timer(0.3, os.kill, (killed, signal.SIGKILL)).start()

    svrl = process.transform(slow, A_WHILE)

    assert "<svrl:said>" in svrl
    assert process.pid != killed


def test_a_document_whose_process_dies_each_time_is_told_as_such(process, tmp_path):
    slow = sheet(tmp_path, SLOW)
    killer = threading.Thread(target=kill_each, args=(process, 2))
    killer.start()

    with pytest.raises(ReferenceAborted, match=r"died \(exit -9\)"):
        process.transform(slow, FOREVER)

    killer.join()
    assert "<svrl:said>0</svrl:said>" in process.transform(slow, b"<a>1</a>")


@pytest.mark.parametrize(
    "document",
    [
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    ],
)
def test_a_doctype_is_refused_before_the_library_sees_it(process, tmp_path, document):
    with pytest.raises(ReferenceAborted, match=r"^a document with a DOCTYPE is not read$"):
        process.transform(sheet(tmp_path, ECHO), document)


def test_what_is_no_xml_is_told(process, tmp_path):
    with pytest.raises(ReferenceAborted, match=r"^not well-formed"):
        process.transform(sheet(tmp_path, ECHO), b"<a>")


@pytest.mark.parametrize(
    "reading",
    [
        "document('/etc/passwd')",
        "document('../codes.xml')",
        "document('http://127.0.0.1:9/codes.xml')",
        "document(string(/a))",
        "document#1('codes.xml')",
        "doc('codes.xml')",
        "unparsed-text('codes.xml')",
        "collection('.')",
        "environment-variable('HOME')",
    ],
)
def test_a_sheet_that_reads_more_than_the_codes_beside_it_is_refused(process, tmp_path, reading):
    (tmp_path / "codes.xml").write_text("<codes/>")
    nosy = sheet(tmp_path, f'<xsl:value-of select="{reading}"/>')
    with pytest.raises(ReferenceAborted, match="reads other files"):
        process.transform(nosy, b"<a/>")


@pytest.mark.parametrize(
    "loading", ["result-document href='out.xml'", "evaluate xpath='.'", "source-document href='x'"]
)
def test_a_sheet_that_writes_or_loads_is_refused(process, tmp_path, loading):
    with pytest.raises(ReferenceAborted, match="may load or write files"):
        process.transform(sheet(tmp_path, f"<xsl:{loading}/>"), b"<a/>")
    assert not (tmp_path / "out.xml").exists()


def test_codes_beside_the_sheet_are_read(process, tmp_path):
    (tmp_path / "codes.xml").write_text("<codes>EUR</codes>")
    looks = sheet(tmp_path, "<xsl:value-of select=\"document('codes.xml')/codes\"/>")
    assert ">EUR<" in process.transform(looks, b"<a/>")


def test_the_error_of_a_sheet_is_told_in_the_words_of_the_library(process, tmp_path):
    with pytest.raises(ReferenceAborted, match=r'^Cannot convert string "twelve" to xs:decimal'):
        process.transform(sheet(tmp_path, "<xsl:value-of select='xs:decimal(/a)'/>"), b"<a>twelve</a>")


def test_nothing_is_printed_and_no_file_stays(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    talks = sheet(tmp_path, "<xsl:message>said on the way</xsl:message><xsl:value-of select='xs:date(/a)'/>")

    with ReferenceProcess() as process, pytest.raises(ReferenceAborted, match=r"^Invalid date"):
        process.transform(talks, b"<a>no date</a>")

    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.iterdir()] == [talks.name]


def test_our_stdout_and_stderr_are_not_open_in_the_other_process(process, tmp_path):
    process.transform(sheet(tmp_path, ECHO), b"<a/>")
    opened = [Path(f"/proc/{process.pid}/fd/{descriptor}").readlink() for descriptor in (0, 1, 2)]
    assert opened[0] == opened[1] == Path("/dev/null")
    assert opened[2].name.startswith("pipe:")


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "saxonche", None)
    with pytest.raises(ReferenceEngineMissing, match=r"pip install 'chorus-gateway\[reference\]'"):
        ReferenceProcess()


def test_the_library_is_loaded_in_the_other_process_only(process, tmp_path):
    process.transform(sheet(tmp_path, ECHO), b"<a/>")
    assert "saxonche" not in sys.modules


def test_no_process_outlives_ours(tmp_path):
    script = f"""
from pathlib import Path
from gateway.rules.reference.process import Ceilings, ReferenceProcess
if __name__ == "__main__":
    process = ReferenceProcess(Ceilings(seconds=3600))
    process.transform(Path({str(sheet(tmp_path, SLOW))!r}), b"<a>1</a>")
    print(process.pid, flush=True)
    process.transform(Path({str(tmp_path / "sheet.xsl")!r}), {FOREVER!r})
"""
    (tmp_path / "ours.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    ours = subprocess.Popen([sys.executable, tmp_path / "ours.py"], env=environment, stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    theirs = int(ours.stdout.readline())
    time.sleep(1)  # by now it is deep in the second document, where no Python code runs

    ours.kill()
    ours.wait()
    ours.stdout.close()

    assert gone(theirs)


def kill_each(process: ReferenceProcess, times: int) -> None:
    """Kill so many processes, one after the other, each when it has its document in hand."""
    seen: set[int | None] = {None}
    for _ in range(times):
        while (pid := process.pid) in seen:
            time.sleep(0.01)
        seen.add(pid)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Does it end soon? Left alone it would work for minutes."""
    patience = time.monotonic() + 60
    while alive(pid) and time.monotonic() < patience:
        time.sleep(0.01)
    return not alive(pid)


def alive(pid: int | None) -> bool:
    assert pid is not None
    return Path(f"/proc/{pid}").exists()

"""Compiled sheets on disk: the same as freshly compiled, and never anything that somebody else put there."""

from __future__ import annotations

import hashlib
import marshal
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from gateway.rules.rulebook import cache as cache_module
from gateway.rules.rulebook.cache import RulebookCache, compile_sheet
from gateway.rules.rulebook.engine import Rulebook, load_rulebook
from gateway.rules.rulebook.outcome import Outcome, UncompilablePack
from tests.rules.rulebook.sheets import MINIMUM, Check, Let, Rule, write_sheet

PARSER = etree.XMLParser(remove_comments=True, remove_pis=True)


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    return write_sheet(tmp_path / "pack" / "s.xsl", [[Rule("n:a", [Check("n:b", message=("no b",))])]])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def said(rulebook: Rulebook, xml: str = '<a xmlns="urn:n"/>') -> Outcome:
    return rulebook.run(etree.ElementTree(etree.fromstring(xml, PARSER)))


def kept(folder: Path) -> Path:
    (file,) = folder.glob("*.rulebook")
    return file


def test_what_was_kept_says_the_same(sheet: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = said(load_rulebook(sheet, cache=RulebookCache(folder)))
    monkeypatch.setattr(cache_module, "compiled", lambda *_: pytest.fail("compiled again"))
    assert said(load_rulebook(sheet, cache=RulebookCache(folder))) == fresh
    assert [f.message for f in fresh.fired] == ["no b"]


def test_a_real_sheet_says_the_same_from_the_cache(folder: Path) -> None:
    xml = '<rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
    outcomes = {
        said(load_rulebook(MINIMUM, cache=c), xml) for c in (None, RulebookCache(folder), RulebookCache(folder))
    }
    assert len(outcomes) == 1
    assert next(iter(outcomes)).fired


def test_another_sheet_of_the_same_name_is_not_taken_for_it(sheet: Path, folder: Path) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    write_sheet(sheet, [[Rule("n:a", [Check("n:c", message=("no c",))])]])
    assert [f.message for f in said(load_rulebook(sheet, cache=RulebookCache(folder))).fired] == ["no c"]


def test_a_changed_code_list_beside_the_sheet_counts(sheet: Path, folder: Path) -> None:
    asks = "document('codes.xml')/codedb/cl[@id=1]/enumeration[@value=$x]"
    write_sheet(sheet, [[Rule("n:a", [Let("x", "@x"), Check(asks)])]])
    for codes, fired in (("A", 0), ("B", 1)):
        (sheet.parent / "codes.xml").write_text(f'<codedb><cl id="1"><enumeration value="{codes}"/></cl></codedb>')
        outcome = said(load_rulebook(sheet, cache=RulebookCache(folder)), '<a xmlns="urn:n" x="A"/>')
        assert len(outcome.fired) == fired


def test_a_code_list_that_the_key_does_not_cover_is_refused(sheet: Path, folder: Path) -> None:
    write_sheet(sheet, [[Rule("n:a", [Check("document('codes.dat')/codedb/cl[@id=1]/enumeration[@value='A']")])]])
    (sheet.parent / "codes.dat").write_text('<codedb><cl id="1"><enumeration value="A"/></cl></codedb>')
    for cache in (None, RulebookCache(folder)):
        with pytest.raises(UncompilablePack, match=r"codes\.dat, which is not beside the sheet as an XML file"):
            load_rulebook(sheet, cache=cache)


@pytest.mark.parametrize("codes", ["<other>{}</other>", "<!DOCTYPE codedb><codedb>{}</codedb>"])
def test_a_code_list_of_another_form_is_refused(sheet: Path, codes: str) -> None:
    write_sheet(sheet, [[Rule("n:a", [Check("document('codes.xml')/codedb/cl[@id=1]/enumeration[@value='A']")])]])
    (sheet.parent / "codes.xml").write_text(codes.format('<cl id="1"><enumeration value="A"/></cl>'))
    with pytest.raises(UncompilablePack, match="another root than codedb, or a DOCTYPE"):
        load_rulebook(sheet)


def test_what_is_compiled_is_what_the_key_is_of(sheet: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is replaced while it is loaded, then rolled back: the kept file is of what stands there again."""
    asks, codes = "document('codes.xml')/codedb/cl[@id=1]/enumeration[@value='A']", sheet.parent / "codes.xml"
    list_of = '<codedb><cl id="1"><enumeration value="{}"/></cl></codedb>'.format
    strict, lax = ([[Rule("n:a", [Check(asks), Check(test, "S")])]] for test in ("false()", "true()"))
    write_sheet(sheet, strict)
    codes.write_text(list_of("B"))
    real = cache_module.read_stylesheet

    def replaced(*given: Any) -> Any:
        write_sheet(sheet, lax)
        codes.write_text(list_of("A"))
        return real(*given)

    monkeypatch.setattr(cache_module, "read_stylesheet", replaced)
    load_rulebook(sheet, cache=RulebookCache(folder))
    write_sheet(sheet, strict)
    codes.write_text(list_of("B"))
    monkeypatch.setattr(cache_module, "compiled", lambda *_: pytest.fail("compiled again"))

    assert [fired.rule for fired in said(load_rulebook(sheet, cache=RulebookCache(folder))).fired] == ["R", "S"]


def test_a_sheet_that_cannot_be_read_is_refused_with_a_cache_too(sheet: Path, folder: Path) -> None:
    with pytest.raises(UncompilablePack, match=r"^none\.xsl: "):
        load_rulebook(sheet.with_name("none.xsl"), cache=RulebookCache(folder))


def test_the_folder_and_its_files_are_ours_alone(sheet: Path, folder: Path) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert kept(folder).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [kept(folder).name], "nothing half-written is left"


def evil(file: Path) -> None:
    """A file that is right in itself, and whose code would tell."""
    compiled = compile_sheet(MINIMUM)
    payload = marshal.dumps((compile("raise SystemExit('run')", "evil", "exec"), (), (), 0))
    file.write_bytes(hashlib.sha256(payload).digest() + payload)
    assert compiled


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o755])
def test_a_folder_that_others_can_enter_is_not_used(sheet: Path, folder: Path, mode: int) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    evil(kept(folder))
    folder.chmod(mode)
    assert said(load_rulebook(sheet, cache=RulebookCache(folder))).fired


def test_a_folder_that_is_a_link_is_not_used(sheet: Path, folder: Path, tmp_path: Path) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    evil(kept(folder))
    (tmp_path / "link").symlink_to(folder)
    assert said(load_rulebook(sheet, cache=RulebookCache(tmp_path / "link"))).fired


def test_a_file_that_is_a_link_or_writable_by_others_is_not_used(sheet: Path, folder: Path, tmp_path: Path) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    evil(kept(folder))
    kept(folder).chmod(0o660)
    assert said(load_rulebook(sheet, cache=RulebookCache(folder))).fired
    evil(tmp_path / "elsewhere")
    kept(folder).unlink()
    load_rulebook(sheet, cache=RulebookCache(folder))
    name = kept(folder)
    name.unlink()
    name.symlink_to(tmp_path / "elsewhere")
    assert said(load_rulebook(sheet, cache=RulebookCache(folder))).fired


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other"])
def test_a_damaged_file_is_compiled_again_and_mended(sheet: Path, folder: Path, damage: str) -> None:
    load_rulebook(sheet, cache=RulebookCache(folder))
    content = kept(folder).read_bytes()
    other = marshal.dumps((1, 2))
    kept(folder).write_bytes(
        {
            "cut": content[:-10],
            "flipped": content.replace(b"no b", b"no d"),
            "empty": b"",
            "other": hashlib.sha256(other).digest() + other,
        }[damage]
    )
    assert said(load_rulebook(sheet, cache=RulebookCache(folder))).fired
    assert kept(folder).read_bytes() == content


def test_without_a_folder_that_can_be_written_all_still_works(sheet: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert said(load_rulebook(sheet, cache=RulebookCache(tmp_path / "file" / "cache"))).fired
    if os.geteuid() != 0:
        shutil.copytree(sheet.parent, tmp_path / "closed", copy_function=shutil.copy)
        (tmp_path / "closed").chmod(0o500)
        assert said(load_rulebook(sheet, cache=RulebookCache(tmp_path / "closed" / "cache"))).fired


def test_a_sheet_that_does_not_compile_leaves_nothing(sheet: Path, folder: Path) -> None:
    write_sheet(sheet, [[Rule("n:a", [Check("position() = 1")])]])
    with pytest.raises(UncompilablePack):
        load_rulebook(sheet, cache=RulebookCache(folder))
    assert not list(folder.iterdir())


def test_files_of_former_versions_go_in_the_end(sheet: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700)
    for i in range(80):
        (folder / f"{i}.rulebook").write_bytes(b"")
        os.utime(folder / f"{i}.rulebook", (i, i))
    load_rulebook(sheet, cache=RulebookCache(folder))
    assert len(list(folder.iterdir())) == 60
    assert not (folder / "0.rulebook").exists()

"""A file that still grows does not look whole; a whole one does; and looking is cheap and safe."""

from __future__ import annotations

import gzip
import json
import os
import time
import zipfile
from pathlib import Path

import pytest

from gateway.parsers.whole import looks_whole
from tests.evil import cii, pdf, tarred, tgz, ubl, zip64, zipped

CORPUS = Path(os.environ.get("GATEWAY_CORPUS", Path(__file__).resolve().parents[2] / ".." / "shared" / "corpus"))

WHOLE = {
    "ubl": ubl(),
    "cii": cii(),
    "comment behind": ubl() + b"<!-- </Invoice> -->\n<?pi </x> ?>\n",
    "utf-16": ubl().decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    "empty root": b"<a:Invoice xmlns:a='x'/>\n",
    "pdf": pdf([("factur-x.xml", cii())]),
    "zip": zipped([("a.xml", ubl())]),
    "zip64": zip64([("a.xml", ubl())]),
    "tar": tarred([("a.xml", ubl())]),
    "tar.gz": tgz([("a.xml", ubl())]),
    "gz in parts": gzip.compress(b"<a>") + gzip.compress(b"</a>"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_file_looks_whole(path: Path, name: str) -> None:
    path.write_bytes(WHOLE[name])

    assert looks_whole(path)


@pytest.mark.parametrize("name", WHOLE)
def test_a_file_on_its_way_does_not_look_whole(path: Path, name: str) -> None:
    content = WHOLE[name].rstrip()
    # Cut within the comment it may be called whole; within the last bytes of a tar only zeros are missing.
    end = len(content) - {"comment behind": 40, "tar": 8_000, "pdf": 6, "gz in parts": 12, "utf-16": 4}.get(name, 1)

    for length in {16, end // 3, end // 2, end - 50, end - 1, end} & set(range(520 if name == "tar" else 16, end + 1)):
        path.write_bytes(content[:length])
        assert not looks_whole(path), length


def test_a_zip_cut_off_behind_a_zip_within_it_is_not_whole(path: Path) -> None:
    inner = zipped([("a.xml", ubl())])
    outer = zipped([("inner.zip", inner), ("b.xml", ubl())], zipfile.ZIP_STORED)

    path.write_bytes(outer[: outer.index(inner) + len(inner)])

    assert not looks_whole(path)


def test_a_zip_that_grows_by_a_second_one_is_not_whole_between_the_two(path: Path) -> None:
    path.write_bytes(zipped([("a.xml", ubl())]) + b"PK\x03\x04 more to come")

    assert not looks_whole(path)


def test_what_we_do_not_know_and_what_is_empty_is_whole(path: Path) -> None:
    path.write_bytes(b"\x89PNG")
    assert looks_whole(path)
    path.write_bytes(b"")
    assert looks_whole(path)


def test_links_pipes_folders_and_absent_files_are_never_whole(tmp_path: Path) -> None:
    real = tmp_path / "real.xml"
    real.write_bytes(ubl())
    (tmp_path / "link.xml").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / "folder.xml").mkdir()

    for name in ("link.xml", "pipe.xml", "folder.xml", "absent.xml"):
        assert not looks_whole(tmp_path / name)


def test_a_gigabyte_costs_no_more_than_its_ends(path: Path) -> None:
    with path.open("wb") as file:
        file.write(ubl()[:200])
        file.seek(1_000_000_000)
        file.write(b"</Invoice>")

    start = time.monotonic()
    assert looks_whole(path)
    assert time.monotonic() - start < 60, "a hang guard, no measure"


def test_a_gzip_bomb_costs_bounded_work(path: Path) -> None:
    path.write_bytes(gzip.compress(bytes(1_000_000_000), 1))

    start = time.monotonic()
    assert looks_whole(path)
    assert time.monotonic() - start < 60, "a hang guard, no measure"


def test_every_invoice_of_the_corpus_looks_whole(path: Path) -> None:
    manifest = CORPUS / "manifest.jsonl"
    if not manifest.exists():
        pytest.skip(f"no corpus at {CORPUS}")
    kinds = {"ubl-invoice", "ubl-creditnote", "cii", "facturx-pdf", "encrypted-pdf", "signed-pdf"}

    for entry in map(json.loads, manifest.read_text().splitlines()):
        if entry["kind"] in kinds:
            assert looks_whole(CORPUS / entry["path"]), entry["path"]

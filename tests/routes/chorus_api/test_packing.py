"""Packing: the same documents give the same bytes, within every limit, under names that tell nothing of ours."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
import sys
import tarfile
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.document import Attachment, Document, Kind
from gateway.routes.chorus_api import Limits, carries_its_pdf
from gateway.routes.chorus_api.packing import member_names, pack
from gateway.routes.protocol import Sendable, Unsendable

from .conftest import SUPPLIER_1, SUPPLIER_2, issuer_of

ONE = issuer_of(SUPPLIER_1, "one")
TWO = issuer_of(SUPPLIER_2, "one")


def sendable(number: str, content: bytes = b"<Invoice/>", kind: Kind = Kind.UBL_INVOICE, issuer=ONE, mixed=False):
    return Sendable(f"doc-{number}", kind, number, None, issuer, content, mixed)


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive.getmembers()}


def test_a_single_document_goes_as_itself_byte_for_byte():
    (packet,) = pack([sendable("F-1", b"\xef\xbb\xbf<Invoice/>\r\n")], "flow-1", Limits())

    assert packet.content == b"\xef\xbb\xbf<Invoice/>\r\n"
    assert packet.name == "FSO1100A_flow-1.xml"
    assert packet.document_ids == ("doc-F-1",)


def test_several_documents_go_in_one_archive_each_under_its_number():
    (packet,) = pack([sendable("F/2", b"two"), sendable("F 1", b"one")], "flow-1", Limits())

    assert packet.name == "FSO1100A_flow-1.tar.gz"
    assert dict(zip(packet.document_ids, packet.member_names, strict=True)) == {
        "doc-F 1": "F_1.xml",
        "doc-F/2": "F_2.xml",
    }
    assert members(packet.content) == {"F_1.xml": b"one", "F_2.xml": b"two"}


def test_an_archive_tells_no_time_owner_or_name_of_this_machine():
    (packet,) = pack([sendable("1"), sendable("2")], "flow-1", Limits())

    assert packet.content[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    with tarfile.open(fileobj=io.BytesIO(packet.content), mode="r:gz") as archive:
        for entry in archive.getmembers():
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", "")


def test_each_issuer_and_syntax_has_its_own_flow():
    documents = [
        sendable("1"),
        sendable("2", kind=Kind.UBL_CREDITNOTE),
        sendable("3", kind=Kind.CII),
        sendable("4", kind=Kind.CII, mixed=True),
        sendable("5", kind=Kind.FACTURX),
        sendable("6", issuer=TWO),
    ]

    packets = pack(documents, "f", Limits())

    assert sorted((packet.syntax, packet.document_ids) for packet in packets) == [
        ("IN_DP_E1_CII_16B", ("doc-3",)),
        ("IN_DP_E1_UBL_INVOICE", ("doc-1", "doc-2")),
        ("IN_DP_E1_UBL_INVOICE", ("doc-6",)),
        ("IN_DP_E2_CII_FACTURX", ("doc-5",)),
        ("IN_DP_E2_CII_MIN_16B", ("doc-4",)),
    ]
    assert len({packet.name for packet in packets}) == 5
    assert next(p for p in packets if p.syntax == "IN_DP_E2_CII_FACTURX").name.endswith(".pdf")


def test_a_cii_with_its_pdf_goes_as_structured_where_so_configured():
    (packet,) = pack([sendable("1", kind=Kind.CII, mixed=True)], "f", Limits(), mixed_syntax=False)

    assert packet.syntax == "IN_DP_E1_CII_16B"


@pytest.mark.parametrize(
    ("attachment", "mixed"),
    [
        (Attachment("F1.pdf", mime="application/pdf"), True),
        (Attachment("F1.PDF"), True),
        (Attachment("plan.png", mime="image/png"), False),
        (Attachment("F1.pdf", mime="application/pdf", embedded=False), False),
    ],
)
def test_a_pdf_inside_makes_a_mixed_document(attachment, mixed):
    assert carries_its_pdf(Document(Kind.CII, attachments=(attachment,))) is mixed


def test_documents_that_fit_no_flow_are_named_before_anything_is_packed():
    limits = Limits(file_bytes=100, flow_bytes=1_000_000)
    documents = [sendable("1"), sendable("2", b"x" * 101), sendable("3", kind=Kind.PDF)]

    with pytest.raises(Unsendable) as caught:
        pack(documents, "f", limits)

    assert set(caught.value.reasons) == {"doc-2", "doc-3"}
    assert "pèse" in caught.value.reasons["doc-2"].fr
    assert "pdf" in caught.value.reasons["doc-3"].en


@given(
    numbers=st.lists(st.text(max_size=60), max_size=40),
    sizes=st.lists(st.integers(0, 3000), min_size=40, max_size=40),
    per_flow=st.integers(1, 12),
    shuffle=st.randoms(use_true_random=False),
)
def test_the_same_documents_give_the_same_flows_in_any_order(numbers, sizes, per_flow, shuffle: random.Random):
    limits = Limits(documents_per_flow=per_flow, file_bytes=3000, flow_bytes=80_000)
    documents = [
        Sendable(f"d{index}", Kind.UBL_INVOICE, number, None, (ONE, TWO)[index % 2], bytes([index]) * sizes[index])
        for index, number in enumerate(numbers)
    ]
    first = pack(documents, "flow", limits)
    shuffled = documents[:]
    shuffle.shuffle(shuffled)

    assert pack(shuffled, "flow", limits) == first

    by_id = {one.document_id: one.content for one in documents}
    assert sorted(one for packet in first for one in packet.document_ids) == sorted(by_id)
    for packet in first:
        assert len(packet.document_ids) <= per_flow
        assert len(packet.content) <= limits.flow_bytes
        assert packet.name.isascii()
        assert len(packet.name) <= 50
        held = members(packet.content) if len(packet.document_ids) > 1 else {packet.name: packet.content}
        for document_id, name in zip(packet.document_ids, packet.member_names, strict=True):
            assert held[name] == by_id[document_id]


@given(numbers=st.lists(st.text(max_size=80), max_size=60))
def test_member_names_are_short_plain_and_distinct(numbers):
    names = member_names(numbers, "xml")

    assert len({name.lower() for name in names}) == len(numbers)
    for name in names:
        assert name.isascii()
        assert len(name) <= 50
        assert name.endswith(".xml")
        assert not name.startswith((".", "-"))
        assert "/" not in name


@pytest.mark.parametrize("flow_id", ["", "é/..", "0194f3c1-7b1c-7d3e-9a51-1c2d3e4f5a6b", "x" * 300])
def test_a_flow_name_is_short_plain_and_the_flows_own(flow_id):
    limits = Limits(documents_per_flow=2)
    names = [packet.name for packet in pack([sendable(str(n)) for n in range(5)], flow_id, limits)]
    others = [packet.name for packet in pack([sendable(str(n)) for n in range(5)], flow_id + "z", limits)]

    assert len({*names, *others}) == 6
    assert all(name.isascii() and len(name) <= 50 for name in [*names, *others])


def test_documents_that_do_not_compress_stay_under_the_flows_limit():
    noise = random.Random(1)
    limits = Limits(file_bytes=400_000, flow_bytes=1_000_000)
    packets = pack([sendable(str(n), noise.randbytes(300_000)) for n in range(7)], "f", limits)

    assert all(len(packet.content) <= limits.flow_bytes for packet in packets)
    assert sum(len(packet.document_ids) for packet in packets) == 7


def test_a_hundred_invoices_are_packed_in_no_time():
    body = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity>10</cbc:InvoicedQuantity></cac:InvoiceLine>"
    documents = [sendable(f"F{n}", body * 210 + str(n).encode()) for n in range(100)]

    began = time.perf_counter()
    (packet,) = pack(documents, "f", Limits())

    assert time.perf_counter() - began < 30, "a hang guard, no measure"
    assert len(gzip.decompress(packet.content)) > 2_000_000


def test_another_process_packs_the_same_bytes():
    program = (
        "import hashlib; from gateway.routes.chorus_api import Limits\n"
        "from gateway.routes.chorus_api.packing import pack\n"
        "from gateway.domain.issuer import Issuer, Route; from gateway.domain.document import Kind\n"
        "from gateway.routes.protocol import Sendable\n"
        "issuer = Issuer('90000001900019', 'F', Route.CHORUS_API, frozenset({'p'}), 'one')\n"
        "docs = [Sendable(f'd{n}', Kind.CII, f'F{n}', None, issuer, b'<x/>' * n) for n in range(9)]\n"
        "print(hashlib.sha256(pack(docs, 'f', Limits())[0].content).hexdigest())\n"
    )
    digests = {
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    }

    assert len(digests) == 1

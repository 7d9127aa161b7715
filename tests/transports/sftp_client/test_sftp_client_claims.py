"""Claims that a server does not know how to grant: its files are fetched where they stand."""

from __future__ import annotations

import pytest

from gateway.transports.sftp_client.peer import HostKeys, Login, Peer, Timeouts
from gateway.transports.sftp_client.results import Failed, Why
from tests.transports.sftp_client import odd_server as odd
from tests.transports.sftp_client.odd_server import OddServer, running
from tests.transports.sftp_client.peers import HandTime, opened

UNSUPPORTED = 8


@pytest.mark.parametrize("request_", [odd.MKDIR, odd.RENAME], ids=["mkdir", "rename"])
def test_a_claim_by_a_request_that_the_server_does_not_know_is_refused(request_: int) -> None:
    def twist(kind: int, id_: int, honest: bytes) -> bytes:
        return odd.status(id_, UNSUPPORTED) if kind == request_ else honest

    server = OddServer(files={b"in/a.xml": b"a", b"in/b.xml": b"b"}, twist=twist)
    with running(server):
        login, pins = Login("u", password=server.password), HostKeys((server.fingerprint,))
        peer = Peer("127.0.0.1", login, pins, port=server.port, timeouts=Timeouts(answer_s=20))
        with opened(peer, b"in", HandTime()) as folder:
            results = list(folder.claim_many(folder.list().looks))
    assert [one.why for one in results if isinstance(one, Failed)] == [Why.REFUSED, Why.REFUSED]

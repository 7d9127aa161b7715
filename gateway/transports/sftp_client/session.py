"""One SFTP session over one channel: requests go out in batches, answers come back in any order, each is checked.

Only this class reads from the channel, and only it knows the ids. What is sent is bounded by `in_flight` requests and
by the bytes of content they move, so that neither side ever waits for the other's window.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final, Generic, NamedTuple, TypeVar

import paramiko

from gateway.domain.finding import printable
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.errors import Lost, Strange

T = TypeVar("T")

#: Bytes of content asked for and not yet there, or sent and not yet confirmed. Below the window.
_CONTENT_BYTES: Final = 8 * 1024 * 1024
#: The largest read or write that we use, whatever a server allows: eight in flight fill a long line.
_LARGEST_CHUNK: Final = 255 * 1024
_SEND_BYTES: Final = 32 * 1024 - 64  #: what paramiko puts into one packet to a usual server
_RECEIVE_BYTES: Final = 1024 * 1024


class Reply(NamedTuple, Generic[T]):
    """An answer, the request it answers, and whose it is."""

    owner: T
    request: wire.Request
    answer: wire.Answer


class Session:
    """The requests in flight. Raises Lost when the connection ends or falls silent, Strange for senseless answers;
    after either it is of no more use, and whoever has the connection closes it.

    A packet must be there, or be taken, whole within `answer_s` seconds: one that trickles is as good as none.
    """

    def __init__(
        self,
        channel: paramiko.Channel,
        name: str,
        answer_s: float,
        in_flight: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel: Any = channel
        self._name = name
        self._answer_s = answer_s
        self._monotonic = monotonic
        self._most = in_flight
        self._ids = 0
        self._asked: dict[int, tuple[Any, wire.Request]] = {}
        self._waiting: deque[tuple[Any, wire.Request]] = deque()
        self._content = 0
        self._queued = 0
        self._buffer = b""
        self._trouble: Strange | None = None
        self.closed = False
        self.received_bytes = 0
        self.answers = 0  #: that made sense
        self.sent_bytes = 0
        self._send(wire.hello())
        try:
            extensions = wire.extensions(self._first_packet())
        except Strange as error:
            raise self._strange(error) from None
        self.has_posix_rename = extensions.get(b"posix-rename@openssh.com") == b"1"
        self.has_fsync = extensions.get(b"fsync@openssh.com") == b"1"
        self.read_bytes, self.write_bytes = self._limits(b"limits@openssh.com" in extensions)

    @property
    def busy(self) -> int:
        """Requests that are in flight or wait to be sent."""
        return len(self._asked) + len(self._waiting)

    @property
    def loaded(self) -> bool:
        """There is as much to do as is useful at once."""
        return self.busy >= self._most or self._content + self._queued >= _CONTENT_BYTES

    @property
    def full(self) -> bool:
        """No more is sent until answers come."""
        return len(self._asked) >= self._most or self._content >= _CONTENT_BYTES

    def ask(self, owner: Any, request: wire.Request) -> None:
        """Put a request in the queue; `send` sends it."""
        self._queued += request.weight
        self._waiting.append((owner, request))

    def send(self) -> None:
        """Send what is in the queue, as far as the bounds allow."""
        self._check()
        pieces = []
        while self._waiting and not self.full:
            owner, request = self._waiting.popleft()
            self._ids = (self._ids + 1) & 0xFFFFFFFF
            self._asked[self._ids] = (owner, request)
            self._queued -= request.weight
            self._content += request.weight
            pieces.append(wire.packed(request, self._ids))
        if pieces:
            self._send(b"".join(pieces))

    def receive(self) -> list[Reply[Any]]:
        """Wait for answers: at least one."""
        replies: list[Reply[Any]] = []
        until = self._monotonic() + self._answer_s
        while not replies:
            self._check()
            try:
                for packet in self._packets(self._receive(until)):
                    replies.append(self._reply(packet))  # noqa: PERF401  (those before a senseless one stay)
            except Strange as error:  # what came before it in the same flight is good, and told first
                self._trouble = self._strange(error)
        return replies

    def _reply(self, packet: bytes) -> Reply[Any]:
        owner, request = self._asked.pop(wire.id_of(packet), (None, None))
        if request is None:
            raise Strange("the server answered what was not asked")
        self._content -= request.weight
        reply = Reply(owner, request, wire.answer_to(request, packet))
        self.answers += 1
        return reply

    def _check(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def close(self) -> None:
        """It is not used any more. Nothing is sent: a server that does not listen must not keep us."""
        self.closed = True

    def _limits(self, known: bool) -> tuple[int, int]:
        if not known:
            return wire.CHUNK_BYTES, wire.CHUNK_BYTES
        self.ask(None, wire.limits())
        self.send()
        (reply,) = self.receive()
        if not isinstance(reply.answer, bytes):
            return wire.CHUNK_BYTES, wire.CHUNK_BYTES
        reader = wire.Reader(reply.answer, 0)
        _packet, most_read, most_write = reader.u64(), reader.u64(), reader.u64()
        return _chunk(most_read), _chunk(most_write)

    def _first_packet(self) -> bytes:
        packets: list[bytes] = []
        until = self._monotonic() + self._answer_s
        while not packets:
            packets = list(self._packets(self._receive(until)))
        if len(packets) > 1:
            raise Strange("the server speaks before it is asked")
        return packets[0]

    def _packets(self, data: bytes) -> Iterator[bytes]:
        """The whole packets that are there; the rest waits for more."""
        buffer = self._buffer + data if self._buffer else data
        at, end = 0, len(buffer)
        while end - at >= 4:
            length = int.from_bytes(buffer[at : at + 4], "big")
            if not 1 <= length <= wire.LONGEST_PACKET:
                raise Strange(f"the server announces a packet of {length} bytes")
            if end - at - 4 < length:
                break
            yield buffer[at + 4 : at + 4 + length]
            at += 4 + length
        self._buffer = buffer[at:]

    def _receive(self, until: float) -> bytes:
        """What comes next, which it must before that time."""
        try:
            self._wait_until(until)
            data = bytes(self._channel.recv(_RECEIVE_BYTES))
        except TimeoutError:
            raise self._lost(f"no answer for {self._answer_s:g} s") from None
        except Exception as error:  # whatever ended paramiko's thread: the server chooses
            raise self._lost(printable(str(error), 200)) from error
        if not data:
            raise self._lost("the connection was cut")
        self.received_bytes += len(data)
        return data

    def _send(self, data: bytes) -> None:
        try:
            for at in range(0, len(data), _SEND_BYTES):
                self._send_piece(data[at : at + _SEND_BYTES])
        except TimeoutError:
            raise self._lost(f"nothing was taken for {self._answer_s:g} s") from None
        except Exception as error:
            raise self._lost(printable(str(error), 200)) from error
        self.sent_bytes += len(data)

    def _send_piece(self, piece: bytes) -> None:
        until = self._monotonic() + self._answer_s
        while piece:
            self._wait_until(until)
            sent = self._channel.send(piece)
            if not sent:
                raise EOFError
            piece = piece[sent:]

    def _wait_until(self, until: float) -> None:
        """The next call of the channel ends by that time. Raises TimeoutError when it is over."""
        left = until - self._monotonic()
        if left <= 0:
            raise TimeoutError
        self._channel.settimeout(left)

    def _lost(self, why: str) -> Lost:
        self.close()
        return Lost(f"{self._name}: the connection is lost: {why or 'cut'}")

    def _strange(self, error: Strange) -> Strange:
        self.close()
        return Strange(f"{self._name}: {error}; the connection was dropped")


def _chunk(limit: int) -> int:
    """0 is "no limit known" (OpenSSH's PROTOCOL); less than the smallest that is usual is not believed."""
    return wire.CHUNK_BYTES if limit < 1024 else min(limit, _LARGEST_CHUNK)

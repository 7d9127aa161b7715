"""SSH packets read with bounds, and many with one call to the system.

paramiko believes the length that a packet claims (up to 4 GiB, before anything is verified), reads a version line
without end, and asks the system twice for each packet. It lets one give the class that reads packets; this is ours.
What arrives in the channel is bounded by the window that was granted, which paramiko does not check either.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Final

import paramiko
from paramiko.buffered_pipe import PipeTimeout
from paramiko.packet import NeedRekeyException, Packetizer

#: OpenSSH refuses packets above 256 KiB; a little more for padding and MAC.
_LONGEST_PACKET: Final = 257 * 1024
_READ_AHEAD: Final = 512 * 1024
#: RFC 4253 allows 255 characters for the version and any number of lines before it.
_LONGEST_LINE: Final = 1024


class BoundedPacketizer(Packetizer):
    """paramiko's packets, with a ceiling on each, from a buffer."""

    def __init__(self, socket: Any, stall_s: float = 60.0) -> None:
        super().__init__(socket)
        self._socket = socket
        self._stall_s = stall_s
        self._ahead = b""
        self._at = 0
        self._handshake_ends: float | None = None

    # paramiko starts a thread for this, which keeps a program from ending while a server does not answer.
    def start_handshake(self, timeout: float) -> None:
        """The first packet must come within `timeout` seconds."""
        self._handshake_ends = time.monotonic() + timeout

    def handshake_timed_out(self) -> bool:
        """It did not."""
        return self._handshake_ends is not None and time.monotonic() > self._handshake_ends

    def complete_handshake(self) -> None:
        """It did."""
        self._handshake_ends = None

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Exactly `n` bytes. Raises EOFError at the end of the stream, SSHException for a senseless length."""
        if not 0 <= n <= _LONGEST_PACKET:
            raise paramiko.SSHException(f"a packet of {n} bytes was announced")
        end = self._at + n
        if end > len(self._ahead):
            self._fill(n, check_rekey)
            end = n
        data = self._ahead[self._at : end]
        self._at = end
        return data

    def _fill(self, n: int, check_rekey: bool) -> None:
        pieces = [self._ahead[self._at :]]
        have = len(pieces[0])
        self._ahead, self._at = b"", 0
        while have < n:
            if self.handshake_timed_out():
                raise EOFError
            try:
                piece = self._socket.recv(_READ_AHEAD)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
                if check_rekey and have == 0 and self.need_rekey():
                    raise NeedRekeyException from None
                self._check_keepalive()  # type: ignore[attr-defined]
                continue
            if not piece or self.closed:  # one that trickles never times out
                raise EOFError
            pieces.append(piece)
            have += len(piece)
        self._ahead = b"".join(pieces)

    def write_all(self, out: Any) -> None:
        """Send one packet; a server that does not take it in time is given up (paramiko would wait forever)."""
        deadline = time.monotonic() + self._stall_s
        sent = 0
        while sent < len(out):
            try:
                sent += self._socket.send(memoryview(out)[sent:] if sent else out)
            except TimeoutError:
                pass
            except OSError:
                raise EOFError from None
            if sent < len(out) and (self.closed or time.monotonic() > deadline):
                raise EOFError

    def readline(self, timeout: float) -> str:
        """One line of the banner, within `timeout` seconds in all."""
        deadline = time.monotonic() + timeout
        while (end := self._ahead.find(b"\n")) < 0:
            if len(self._ahead) > _LONGEST_LINE:
                raise paramiko.SSHException("no SSH server: the first line has no end")
            try:
                piece = self._socket.recv(4096)
            except TimeoutError:
                piece = None
            if piece == b"" or self.closed:
                raise EOFError
            if time.monotonic() > deadline:
                raise TimeoutError
            self._ahead += piece or b""
        line, self._ahead = self._ahead[:end], self._ahead[end + 1 :]
        return line.rstrip(b"\r").decode("utf-8", "replace")


class Inbox:
    """What arrived on a channel and was not yet read; stands in for paramiko's `BufferedPipe`.

    A server that sends more than the window allows is cut off: memory must not be its to fill.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition(threading.Lock())

    def feed(self, data: bytes) -> None:
        """Called by paramiko's thread with what came."""
        with self._changed:
            self._size += len(data)
            if self._size > self._limit:
                raise paramiko.SSHException("the server sent more than it was allowed to")
            self._pieces.append(data)
            self._changed.notify()

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        """All that is there, whatever `limit` says (it is never more than was granted); b"" at the end."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pieces or self._closed, timeout):
                raise PipeTimeout
            data = b"".join(self._pieces)
            self._pieces.clear()
            self._size = 0
            return data

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def set_event(self, event: threading.Event) -> None:
        """Not used: nobody selects on our channels."""

    def read_ready(self) -> bool:
        return bool(self._pieces)

    def __len__(self) -> int:
        return self._size


class Deaf:
    """Takes and forgets what a server writes to stderr: nobody reads it, and it must not pile up."""

    def feed(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass

    def set_event(self, event: threading.Event) -> None:
        pass

    def read_ready(self) -> bool:
        return False

    def read(self, limit: int, timeout: float | None = None) -> bytes:
        return b""

    def __len__(self) -> int:
        return 0

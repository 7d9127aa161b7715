"""SSH packets to and from the socket: bounded, with a deadline for the handshake, and few system calls.

paramiko 5.1 reads whatever length a packet claims (up to 4 GiB, before login), collects a greeting without end, starts
a timer thread for each handshake, and asks the kernel three times for each packet. Here what comes is read in large
pieces, and what goes out is collected until we would wait for the client (or until it is much).
"""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Final

from paramiko import SSHException
from paramiko.packet import NeedRekeyException, Packetizer

if TYPE_CHECKING:
    from typing_extensions import Buffer

#: OpenSSH's bound for a packet, and room for MAC and padding.
LARGEST_READ: Final = 256 * 1024 + 1024
_LONGEST_GREETING: Final = 4096
_PIECE: Final = 256 * 1024
_FLUSH_AT: Final = 128 * 1024
_LAST_WORDS_S: Final = 0.2


class BoundedPacketizer(Packetizer):
    """paramiko's packets over a socket of ours. Only the connection's own thread reads and writes."""

    def __init__(self, socket: socket.socket) -> None:
        super().__init__(socket)
        self._socket = socket
        self._incoming = bytearray()
        self._outgoing = bytearray()
        self._sending = threading.Lock()
        self._handshake_until = float("inf")

    def start_handshake(self, timeout: float) -> None:
        self._handshake_until = time.monotonic() + timeout

    def handshake_timed_out(self) -> bool:
        return time.monotonic() > self._handshake_until

    def complete_handshake(self) -> None:
        self._handshake_until = float("inf")

    def readline(self, timeout: float) -> str:
        """A line of the greeting. Raises SSHException, EOFError."""
        until = time.monotonic() + timeout
        while (end := self._incoming.find(b"\n")) < 0:
            if len(self._incoming) > _LONGEST_GREETING or time.monotonic() > until:
                raise SSHException("no SSH greeting")
            self._receive(may_rekey=False)
        if end > _LONGEST_GREETING:
            raise SSHException("no SSH greeting")
        line = bytes(self._incoming[:end])
        del self._incoming[: end + 1]
        return line.rstrip(b"\r").decode("ascii", "replace")

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """Exactly `n` bytes. Raises SSHException when that is more than a packet may have, EOFError at the end."""
        if n > LARGEST_READ:
            raise SSHException("packet too large")
        while len(self._incoming) < n:
            self._receive(may_rekey=check_rekey and not self._incoming)
        content = bytes(self._incoming[: max(n, 0)])
        del self._incoming[: max(n, 0)]
        return content

    def write_all(self, out: Buffer) -> None:
        self._outgoing += out
        if len(self._outgoing) >= _FLUSH_AT:
            self.flush()

    def flush(self) -> None:
        """Send what was collected. Raises EOFError when the connection is gone."""
        with self._sending:
            left = memoryview(bytes(self._outgoing))
            self._outgoing.clear()
            while left:
                try:
                    left = left[self._socket.send(left) :]
                except TimeoutError:
                    if self.closed:
                        raise EOFError from None
                except OSError as error:
                    raise EOFError from error

    def close(self) -> None:
        """Say the last words (why we hang up), if the client listens, and close."""
        if not self.closed and self._outgoing and self._sending.acquire(blocking=False):
            try:
                self._socket.settimeout(_LAST_WORDS_S)
                self._socket.send(bytes(self._outgoing))
            except OSError:
                pass
            finally:
                self._sending.release()
        super().close()

    def _receive(self, *, may_rekey: bool) -> None:
        self.flush()
        if self.handshake_timed_out():
            raise EOFError
        try:
            piece = self._socket.recv(_PIECE)
        except TimeoutError:
            if self.closed:
                raise EOFError from None
            if may_rekey and self.need_rekey():
                raise NeedRekeyException from None
            return
        except OSError as error:
            raise EOFError from error
        if not piece:
            raise EOFError
        self._incoming += piece

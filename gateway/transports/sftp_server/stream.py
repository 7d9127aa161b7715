"""The SFTP conversation on one SSH channel, in the thread of its connection.

What comes in is cut into requests; answers go out as the client's window allows. While it does not read, no further
request is looked at, and the window that we grant says how much it may send meanwhile: nothing grows beyond that. No
thread hands anything to another, which is most of the time that paramiko's own server spends.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import paramiko
from paramiko import Message, SSHException

from gateway.transports.sftp_server.faults import BrokenProtocol
from gateway.transports.sftp_server.requests import Requests
from gateway.transports.sftp_server.share import FIRST_WINDOW, MOST_WAITING_IN_ALL, Share
from gateway.transports.sftp_server.wire import LARGEST_PACKET

#: Answers waiting for the client; beyond it we wait with the next request.
_MOST_WAITING: Final = 512 * 1024
_MSG_DATA: Final = 94
_MSG_WINDOW_ADJUST: Final = 93
#: What a channel packet has beside its data.
_OVERHEAD: Final = 64


class Stream:
    """Cuts requests out of the data of one channel and sends the answers."""

    def __init__(
        self,
        channel: paramiko.Channel,
        requests: Requests,
        can_send: Callable[[], bool],
        send: Callable[[Message], None],
        share: Share,
    ) -> None:
        self._channel = channel
        self._requests = requests
        self._can_send = can_send
        self._send = send
        self._incoming = bytearray()
        self._waiting = bytearray()
        self._share = share
        self._extra = share.take_window()
        self._step = (FIRST_WINDOW + self._extra) // 4  #: the window is topped up in steps of this size
        self._granted = FIRST_WINDOW  #: bytes that the client may still send
        self._used = self._extra  #: bytes worked off and not granted again yet
        self._at_end = False
        self.finished = False
        self._top_up()

    def receive(self, content: bytes) -> None:
        """Data of the client. Raises SSHException when it sends more than it was granted."""
        self._granted -= len(content)
        if self._granted < 0:
            raise SSHException("channel window exceeded")
        if self.finished:
            return
        self._incoming += content
        self.work()

    def end(self) -> None:
        """The client sends no more on this channel."""
        self._at_end = True
        self.work()

    def work(self) -> None:
        """Answer what can be answered now: after data came, after the client read, after keys were changed."""
        try:
            self._answer_all()
        except BrokenProtocol:
            self._incoming.clear()
            self._at_end = True
        self._flush()
        self._top_up()
        if self._at_end and not self._waiting and not self._whole() and not self.finished and self._can_send():
            self.lost()
            if not self._channel.closed:
                self._channel.send_exit_status(0)
                self._channel.close()

    def lost(self) -> None:
        """Nothing more will come: let go of everything."""
        if not self.finished:
            self.finished = True
            self._share.window += self._extra
            self._share.waiting -= len(self._waiting)
            self._waiting.clear()
            self._incoming.clear()
            self._requests.lost()

    def _answer_all(self) -> None:
        while not self.finished and not self._requests.ended and self._whole():
            if not self._may_wait():
                self._flush()
                if not self._may_wait():
                    break
            length = int.from_bytes(self._incoming[:4], "big")
            packet = bytes(self._incoming[4 : 4 + length])
            del self._incoming[: 4 + length]
            self._used += 4 + length
            answer = self._requests.answer(packet)
            self._waiting += answer
            self._share.waiting += len(answer)
            if len(self._waiting) >= LARGEST_PACKET // 8:
                self._flush()

    def _may_wait(self) -> bool:
        """May one more answer wait, if it cannot be sent at once?"""
        if not self._waiting:
            return True
        return len(self._waiting) < _MOST_WAITING and self._share.waiting < MOST_WAITING_IN_ALL

    def _whole(self) -> bool:
        """Is a whole request there? Raises BrokenProtocol for one that is too long or empty."""
        if len(self._incoming) < 4:
            return False
        length = int.from_bytes(self._incoming[:4], "big")
        if not 1 <= length <= LARGEST_PACKET:
            raise BrokenProtocol("request too large")
        return len(self._incoming) >= 4 + length

    def _flush(self) -> None:
        channel = self._channel
        while self._waiting and channel.out_window_size > 0 and self._can_send():
            size = min(len(self._waiting), channel.out_window_size, channel.out_max_packet_size - _OVERHEAD)
            message = Message()
            message.add_bytes(struct.pack(">BII", _MSG_DATA, channel.remote_chanid, size))
            message.add_bytes(bytes(self._waiting[:size]))
            del self._waiting[:size]
            self._share.waiting -= size
            channel.out_window_size -= size
            self._send(message)

    def _top_up(self) -> None:
        if self._used >= self._step and not self._at_end and not self.finished and self._can_send():
            message = Message()
            message.add_bytes(struct.pack(">BII", _MSG_WINDOW_ADJUST, self._channel.remote_chanid, self._used))
            self._granted += self._used
            self._used = 0
            self._send(message)

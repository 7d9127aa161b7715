"""Random and mutated SFTP packets: the server answers or hangs up, serves on, and leaves no thread and no memory.

`SFTP_FUZZ_CASES` sets how many packets (default 3,000), `SFTP_FUZZ_SEED` repeats a run.
"""

from __future__ import annotations

import os
import random
import resource
from pathlib import Path

from tests.transports.sftp_server import raw
from tests.transports.sftp_server.house import House, wait_until
from tests.transports.sftp_server.raw import RawClient, string, u32, u64

CASES = int(os.environ.get("SFTP_FUZZ_CASES", "3000"))
SEED = int(os.environ.get("SFTP_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
#: Memory that a run may add, in KiB: caches and the test's own client included.
MOST_KIB = 150_000
#: Rounds of 20 packets in a session before damaged bytes end it: every run has several sessions, whatever the seed.
MOST_ROUNDS = 30


class Packets:
    """Makes packets: sound ones, sound ones damaged, and noise."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def name(self) -> bytes:
        pieces = [
            b"in",
            b"out",
            b"book",
            b"..",
            b".",
            b"",
            b"a",
            b"b.xml",
            b".part~a",
            b"\xff\xfe",
            b"\0",
            b"x" * 300,
            b"d",
        ]
        return b"/".join(self.chance.choices(pieces, k=self.chance.randrange(1, 6)))

    def number(self) -> int:
        return self.chance.choice([0, 1, 2, 3, 8, 16, 26, 255, 32768, 2**31, 2**32 - 1, self.chance.randrange(2**32)])

    def handle(self) -> bytes:
        return self.chance.choice(
            [u64(self.chance.randrange(1, 60)), b"", b"\0" * 8, self.chance.randbytes(4), b"h" * 300]
        )

    def wishes(self) -> bytes:
        flags = self.chance.choice([0, 1, 4, 8, 13, 0x80000000, 0xFFFFFFFF, self.number()])
        return u32(flags) + self.chance.randbytes(self.chance.randrange(0, 40))

    def sound(self) -> bytes:
        kind = self.chance.choice([*range(3, 21), 200])
        offset = self.chance.choice([0, 5, 2**31, 2**40, 2**63, 2**64 - 1])
        body = {
            raw.OPEN: lambda: string(self.name()) + u32(self.chance.randrange(64)) + self.wishes(),
            raw.CLOSE: lambda: string(self.handle()),
            raw.READ: lambda: string(self.handle()) + u64(offset) + u32(self.number()),
            raw.WRITE: lambda: (
                string(self.handle()) + u64(offset) + string(self.chance.randbytes(self.chance.randrange(500)))
            ),
            raw.FSTAT: lambda: string(self.handle()),
            raw.READDIR: lambda: string(self.handle()),
            raw.FSETSTAT: lambda: string(self.handle()) + self.wishes(),
            raw.RENAME: lambda: string(self.name()) + string(self.name()),
            raw.SYMLINK: lambda: string(self.name()) + string(self.name()),
            raw.EXTENDED: lambda: (
                string(
                    self.chance.choice(
                        [b"posix-rename@openssh.com", b"fsync@openssh.com", b"limits@openssh.com", b"\xff", b""]
                    )
                )
                + string(self.name())
                + string(self.name())
            ),
        }.get(kind, lambda: string(self.name()) + self.wishes())()
        return bytes([kind]) + u32(self.number()) + body

    def damaged(self) -> bytes:
        packet = bytearray(self.sound())
        for _ in range(self.chance.randrange(1, 6)):
            match self.chance.randrange(4):
                case 0:
                    packet[self.chance.randrange(len(packet))] = self.chance.randrange(256)
                case 1:
                    del packet[max(5, self.chance.randrange(len(packet))) :]  # shorter ones end the channel
                case 2:
                    packet += self.chance.randbytes(self.chance.randrange(1, 40))
                case _:
                    at = self.chance.randrange(len(packet))
                    packet[at : at + 4] = b"\xff\xff\xff\xff"
        if packet[0] == 1:  # a second greeting ends the channel, too
            packet[0] = 3
        return bytes(packet)

    def any(self) -> bytes:
        """A packet that leaves the conversation going."""
        return self.chance.choices([self.sound, self.damaged, lambda: b"\xc8" + self.chance.randbytes(60)], [5, 4, 1])[
            0
        ]()

    def ending(self) -> bytes:
        """Bytes after which no server can go on, or that are less than they say."""
        lie = u32(self.chance.choice([0, 1, 2, 4, 2**18 + 1, 2**24, 2**31, 2**32 - 1, 200_000]))
        return lie + self.sound()


def test_no_packet_harms_the_server(house: House) -> None:
    print(f"SFTP_FUZZ_SEED={SEED} SFTP_FUZZ_CASES={CASES}")
    packets = Packets(random.Random(SEED))
    house.set(refusals_per_channel=100_000)
    house.change("acme", file_limit_bytes=1_000_000, quota_files=500, quota_bytes=50_000_000)
    (house.folder("in") / "d").mkdir()
    canary = house.folder("in", "other") / "canary"
    canary.write_bytes(b"canary")
    sent, before_kib = 0, _memory_kib()

    while sent < CASES:
        transport = house.connect()
        client = RawClient(transport)
        client.number = 10_000_000
        for _ in range(packets.chance.randrange(1, MOST_ROUNDS + 1)):
            client.channel.sendall(b"".join(string(packets.any()) for _ in range(20)))
            sent += 20
            asked = client.send(raw.REALPATH, string(b"/in/now"))
            while client.packet()[:5] != bytes([raw.NAME]) + u32(asked):  # all 20 were answered, and this one
                pass
        client.channel.sendall(packets.ending())
        transport.close()

    transport = house.connect()
    client = RawClient(transport)
    for name in client.names(b"in"):  # make room under the quota
        client.ask(raw.REMOVE, string(b"in/" + name))
    assert client.put(b"in/after.xml", b"still served").code == raw.OK
    transport.close()
    assert house.server is not None
    budget = house.server._house.budget
    wait_until(lambda: house.server and house.server.sessions == 0 and budget.open == 0)
    assert canary.read_bytes() == b"canary" and sorted(p.name for p in Path(canary.parent).iterdir()) == ["canary"]
    assert _memory_kib() - before_kib < MOST_KIB
    # The fixture sees that no thread is left.


def test_noise_for_a_greeting_ends_the_channel_only(house: House) -> None:
    transport = house.connect()
    for noise in (
        b"\0\0\0\0",
        b"\xff" * 100,
        string(b"\x03" + u32(1)),
        string(b""),
        string(b"\x01"),
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        client = RawClient(transport, greet=False)
        client.channel.sendall(noise)
        assert client.channel.recv(10) == b""
    good = RawClient(transport).put(b"in/x", b"x").code
    transport.close()

    assert good == raw.OK


def _memory_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

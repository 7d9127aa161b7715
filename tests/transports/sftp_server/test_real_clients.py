"""The clients that partners really have: OpenSSH, lftp, curl, rclone, asyncssh. Every file arrives as it was sent."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path

import asyncssh
import pytest

from tests.transports.sftp_server.conftest import Needs
from tests.transports.sftp_server.house import House


def content(number: int, size: int = 10_000) -> bytes:
    seed = hashlib.sha256(str(number).encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


class Openssh:
    """OpenSSH's clients, which pin the host key and use one key only."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.options = [
            *("-F", "/dev/null", "-i", str(house.key("acme")), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={house.known_hosts()}", "-o", "StrictHostKeyChecking=yes"),
        ]

    def run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [program, *self.options, *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)

    def sftp(self, *lines: str) -> subprocess.CompletedProcess[str]:
        return self.run("sftp", "-P", str(self.house.port), "-b", "-", "acme@127.0.0.1", text="\n".join(lines) + "\n")


@pytest.fixture
def openssh(house: House, needs: Needs) -> Openssh:
    needs("sftp", "scp", "ssh")
    return Openssh(house)


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Twenty files of a partner, waiting to be sent."""
    folder = tmp_path / "drop"
    folder.mkdir()
    for number in range(20):
        (folder / f"f{number:02}.xml").write_bytes(content(number, 1000 * number + 1))
    return folder


def same(sent: Path, arrived: Path) -> bool:
    names = sorted(p.name for p in sent.iterdir())
    return names == sorted(p.name for p in arrived.iterdir()) and all(
        (sent / name).read_bytes() == (arrived / name).read_bytes() for name in names
    )


def test_sftp_puts_lists_renames_fetches_and_removes(
    house: House, openssh: Openssh, drop: Path, tmp_path: Path
) -> None:
    back = tmp_path / "back"
    done = openssh.sftp(
        f"put {drop}/* in/",
        "ls -l in",
        "rename in/f00.xml in/renamed.xml",
        "rm in/f01.xml",
        f"get in/f02.xml {back}",
        "mkdir in/sub",
        f"put {drop}/f03.xml in/sub/x.xml",
        "rm in/sub/x.xml",
        "rmdir in/sub",
        "pwd",
    )

    assert done.returncode == 0, done.stderr
    assert "f19.xml" in done.stdout and "Remote working directory: /" in done.stdout
    names = {p.name for p in house.folder("in").iterdir()}
    assert names == {f"f{n:02}.xml" for n in range(2, 20)} | {"renamed.xml"}
    assert back.read_bytes() == (drop / "f02.xml").read_bytes()
    assert sorted(house.names())[:3] == ["f00.xml", "f01.xml", "f02.xml"]


def test_sftp_put_p_keeps_the_times(house: House, openssh: Openssh, drop: Path) -> None:
    os.utime(drop / "f05.xml", (1_600_000_000, 1_600_000_000))

    done = openssh.sftp(f"put -p {drop}/f05.xml in/")

    assert done.returncode == 0, done.stderr
    assert (house.folder("in") / "f05.xml").stat().st_mtime == 1_600_000_000


def test_sftp_resumes_what_was_cut_off(house: House, openssh: Openssh, tmp_path: Path) -> None:
    whole = tmp_path / "large.xml"
    whole.write_bytes(content(1, 3_000_000))
    (house.folder("in") / ".part~large.xml").write_bytes(content(1, 3_000_000)[:1_234_567])

    done = openssh.sftp(f"reput {whole} in/large.xml")

    assert done.returncode == 0, done.stderr
    assert (house.folder("in") / "large.xml").read_bytes() == whole.read_bytes()
    assert [p.name for p in house.folder("in").iterdir()] == ["large.xml"] and house.names() == ["large.xml"]


def test_sftp_fetches_from_out_and_may_not_write_there(
    house: House, openssh: Openssh, drop: Path, tmp_path: Path
) -> None:
    (house.folder("out") / "ack.csv").write_bytes(b"ack")
    (house.folder("out") / ".ack2.csv.writing").write_bytes(b"half")

    done = openssh.sftp(f"get out/ack.csv {tmp_path}/got.csv", "ls -a out", "rm out/ack.csv")
    refused = openssh.sftp(f"put {drop}/f01.xml out/")

    assert done.returncode == 0 and (tmp_path / "got.csv").read_bytes() == b"ack"
    assert "writing" not in done.stdout
    assert refused.returncode != 0 and "Permission denied" in refused.stderr
    assert [p.name for p in house.folder("out").iterdir()] == [".ack2.csv.writing"]


def test_scp_copies_both_ways(house: House, openssh: Openssh, drop: Path, tmp_path: Path) -> None:
    there = openssh.run("scp", "-P", str(house.port), "-p", *map(str, sorted(drop.iterdir())), "acme@127.0.0.1:in/")
    back = tmp_path / "back"
    back.mkdir()
    home = openssh.run("scp", "-P", str(house.port), "acme@127.0.0.1:in/*", str(back))

    assert there.returncode == 0, there.stderr
    assert home.returncode == 0, home.stderr
    assert same(drop, house.folder("in")) and same(drop, back)


def test_scp_of_the_old_protocol_is_told_what_to_use(house: House, openssh: Openssh, drop: Path) -> None:
    done = openssh.run("scp", "-O", "-P", str(house.port), f"{drop}/f01.xml", "acme@127.0.0.1:in/")

    assert done.returncode != 0 and "without -O" in done.stderr
    assert list(house.folder("in").iterdir()) == []


def lftp(house: House, *commands: str) -> subprocess.CompletedProcess[str]:
    connect = f"ssh -a -x -F /dev/null -i {house.key('acme')} -o IdentitiesOnly=yes"
    connect += f" -o UserKnownHostsFile={house.known_hosts()} -o StrictHostKeyChecking=yes"
    script = [
        f'set sftp:connect-program "{connect}"',
        "set net:max-retries 2; set net:timeout 20; set cmd:fail-exit yes",
        f"open -u acme, sftp://127.0.0.1:{house.port}",
        *commands,
    ]
    return subprocess.run(["lftp", "-c", "; ".join(script)], capture_output=True, text=True, timeout=90)


def test_lftp_mirrors_in_parallel(house: House, needs: Needs, drop: Path, tmp_path: Path) -> None:
    needs("lftp", "ssh")

    done = lftp(house, f"mirror -R --parallel=4 {drop} in/night", f"mirror --parallel=3 in/night {tmp_path}/back")

    assert done.returncode == 0, done.stderr
    assert same(drop, house.folder("in") / "night") and same(drop, tmp_path / "back")
    assert sorted(house.names()) == sorted(f"night/{p.name}" for p in drop.iterdir())


def test_lftp_continues_an_upload(house: House, needs: Needs, tmp_path: Path) -> None:
    needs("lftp", "ssh")
    whole = tmp_path / "large.xml"
    whole.write_bytes(content(2, 2_000_000))
    (house.folder("in") / ".part~large.xml").write_bytes(content(2, 2_000_000)[:700_001])

    done = lftp(house, f"put -c {whole} -o in/large.xml")

    assert done.returncode == 0, done.stderr
    assert (house.folder("in") / "large.xml").read_bytes() == whole.read_bytes() and house.names() == ["large.xml"]


def curl(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    key = house.key("acme")
    trust = ["--insecure"]  # what it trusts is not what is tested: libssh2 reads known_hosts by its own rules
    login = ["-u", "acme:", "--key", str(key), "--pubkey", f"{key}.pub"]
    return subprocess.run(["curl", "-sS", *trust, *login, *arguments], capture_output=True, text=True, timeout=60)


def test_curl_uploads_resumes_and_downloads(house: House, needs: Needs, tmp_path: Path) -> None:
    needs("curl")
    whole = tmp_path / "large.xml"
    whole.write_bytes(content(3, 1_500_000))
    (house.folder("in") / ".part~cut.xml").write_bytes(content(3, 1_500_000)[:400_000])
    url = f"sftp://127.0.0.1:{house.port}"

    put = curl(house, "-T", str(whole), f"{url}/in/large.xml")
    resumed = curl(house, "-C", "-", "-T", str(whole), f"{url}/in/cut.xml")
    got = curl(house, "-o", f"{tmp_path}/got.xml", f"{url}/in/large.xml")
    (tmp_path / "half.xml").write_bytes(whole.read_bytes()[:1000])
    rest = curl(house, "-C", "-", "-o", f"{tmp_path}/half.xml", f"{url}/in/large.xml")

    assert [put.returncode, resumed.returncode, got.returncode, rest.returncode] == [0, 0, 0, 0], (
        put,
        resumed,
        got,
        rest,
    )
    for path in (
        house.folder("in") / "large.xml",
        house.folder("in") / "cut.xml",
        tmp_path / "got.xml",
        tmp_path / "half.xml",
    ):
        assert path.read_bytes() == whole.read_bytes()
    assert house.names() == ["large.xml", "cut.xml"]


def rclone(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    remote = {
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_ACME_TYPE": "sftp",
        "RCLONE_CONFIG_ACME_HOST": "127.0.0.1",
        "RCLONE_CONFIG_ACME_PORT": str(house.port),
        "RCLONE_CONFIG_ACME_USER": "acme",
        "RCLONE_CONFIG_ACME_KEY_FILE": str(house.key("acme")),
        "RCLONE_CONFIG_ACME_KNOWN_HOSTS_FILE": str(house.known_hosts()),
        "RCLONE_CONFIG_ACME_SHELL_TYPE": "none",
    }
    return subprocess.run(
        ["rclone", *arguments], env={**os.environ, **remote}, capture_output=True, text=True, timeout=90
    )


def test_rclone_copies_both_ways(house: House, needs: Needs, drop: Path, tmp_path: Path) -> None:
    needs("rclone")

    there = rclone(house, "copy", str(drop), "acme:in")
    again = rclone(house, "copy", str(drop), "acme:in")
    home = rclone(house, "copy", "acme:in", str(tmp_path / "back"))

    assert [there.returncode, again.returncode, home.returncode] == [0, 0, 0], (there.stderr, home.stderr)
    assert same(drop, house.folder("in")) and same(drop, tmp_path / "back")
    assert sorted(house.names()) == sorted(p.name for p in drop.iterdir())


def test_rclone_is_content_when_the_gateway_takes_each_file_at_once(house: House, needs: Needs, drop: Path) -> None:
    needs("rclone")
    taken: list[str] = []

    def take(done: object) -> None:
        name = house.completed[-1].name.decode()
        (house.folder("in") / name).rename(house.folder(".claimed") / f"{len(taken)}")
        taken.append(name)

    house.completed = _Calls(take)
    house.restart()

    done = rclone(house, "copy", "--retries", "1", str(drop), "acme:in")

    assert done.returncode == 0, done.stderr
    assert sorted(taken) == sorted(p.name for p in drop.iterdir())


class _Calls(list):  # type: ignore[type-arg]
    """A list that does something with what it is given."""

    def __init__(self, then: object) -> None:
        super().__init__()
        self.then = then

    def append(self, item: object) -> None:
        super().append(item)
        self.then(item)  # type: ignore[operator]


async def asyncssh_client(house: House) -> asyncssh.SSHClientConnection:
    return await asyncssh.connect(
        "127.0.0.1",
        house.port,
        username="acme",
        client_keys=[str(house.key("acme"))],
        known_hosts=str(house.known_hosts()),
        config=None,
        agent_path=None,
    )


def test_five_hundred_small_files_over_several_connections_are_each_reported_once(house: House) -> None:
    """As FileZilla does: several connections, each with several files at a time."""

    async def send(numbers: range) -> None:
        async with await asyncssh_client(house) as connection, connection.start_sftp_client() as sftp:
            turns = asyncio.Semaphore(16)

            async def one(number: int) -> None:
                async with turns, sftp.open(f"in/f{number}.xml", "wb") as file:
                    await file.write(content(number, 2000))

            await asyncio.gather(*map(one, numbers))

    async def all_of_them() -> None:
        await asyncio.gather(*(send(range(start, 500, 5)) for start in range(5)))

    asyncio.run(all_of_them())

    assert sorted(house.names()) == sorted(f"f{n}.xml" for n in range(500))
    for number in range(500):
        assert (house.folder("in") / f"f{number}.xml").read_bytes() == content(number, 2000)


def test_a_temporary_name_is_reported_only_when_it_is_renamed_away(house: House, tmp_path: Path) -> None:
    """As WinSCP does: `.filepart`, then a rename, then the times by name."""
    seen: list[list[str]] = []

    async def send() -> None:
        async with await asyncssh_client(house) as connection, connection.start_sftp_client() as sftp:
            async with sftp.open("in/a.xml.filepart", "wb") as file:
                await file.write(content(1))
            seen.append(house.names())
            await sftp.rename("in/a.xml.filepart", "in/a.xml")
            await sftp.setstat("in/a.xml", asyncssh.SFTPAttrs(atime=1_600_000_000, mtime=1_600_000_000))
            async with sftp.open("in/b.xml.tmp", "wb") as file:
                await file.write(content(2))
            await sftp.posix_rename("in/b.xml.tmp", "in/a.xml")

    asyncio.run(send())

    assert seen == [[]] and house.names() == ["a.xml", "a.xml"]
    assert (house.folder("in") / "a.xml").read_bytes() == content(2)


def test_a_large_file_survives_a_change_of_keys_in_its_middle(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.transports.sftp_server.packets.BoundedPacketizer.REKEY_BYTES", 300_000)
    (tmp_path / "large").write_bytes(content(7, 8_000_000))

    async def there_and_back() -> None:
        async with await asyncssh_client(house) as connection, connection.start_sftp_client() as sftp:
            await sftp.put(str(tmp_path / "large"), "in/large.xml")
            await sftp.get("in/large.xml", str(tmp_path / "back"))

    asyncio.run(there_and_back())

    assert (tmp_path / "back").read_bytes() == (tmp_path / "large").read_bytes()

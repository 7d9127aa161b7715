"""One remote folder: what the rest of the gateway calls to look, fetch, put, claim, archive and remove.

Nothing here decides what may be removed: that is the caller's, once a file is durable with us. Every operation on
names gives one result for each name, in any order, and none stops the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from gateway.transports.local import Nature, is_temporary, printable_name
from gateway.transports.sftp_client import wire
from gateway.transports.sftp_client.dialogue import Steps, closed, done, failed, handle, is_folder, look, status
from gateway.transports.sftp_client.errors import Answered, ConnectionTrouble, Failure, Missing, SftpError
from gateway.transports.sftp_client.fetch import FetchWishes, Unsure, changed, fetch
from gateway.transports.sftp_client.leftovers import Leftovers
from gateway.transports.sftp_client.names import inside, is_usable, numbered
from gateway.transports.sftp_client.pipeline import Task, ask
from gateway.transports.sftp_client.pool import Job, Pool
from gateway.transports.sftp_client.put import Attempts, Content, InMemory, OnDisk, PutWishes, put
from gateway.transports.sftp_client.results import (
    Failed,
    Fetched,
    Listing,
    Moved,
    Put,
    RemoteLook,
    Removed,
    Why,
)
from gateway.transports.sftp_client.session import Session

R = TypeVar("R")

TAKEN: Final = b".taken"
#: Names read for each one wanted, before a listing is left: most of a folder may be temporary or known.
_LOOKED_AT: Final = 20
_UNUSABLE_TOLD: Final = 20
#: Names read when some of them are in doubt: they may stand far behind the first ones.
_LISTED_ANEW: Final = 100_000
_NUMBERS: Final = 1_000


class RemoteFolder:
    """A folder of a partner's server. `path` is bytes, absolute or relative to where the login leads."""

    def __init__(self, pool: Pool, path: bytes) -> None:
        self._pool = pool
        self.path = path
        self._unsettled: dict[bytes, Attempts] = {}  #: puts that the connection failed, until they are tried again

    def below(self, name: bytes) -> RemoteFolder:
        """A folder in this one, such as `.taken`."""
        return RemoteFolder(self._pool, inside(self.path, name))

    def list(self, known: Collection[bytes] = frozenset(), limit: int | None = None) -> Listing:
        """The files that lie there (links and devices too, told as such), in the server's order. Folders, hidden and
        temporary names, and those in `known` are passed over. Raises Missing, Refused, Failure or ConnectionTrouble."""
        most = limit if limit is not None else self._pool.bounds.names
        result = self._pool.one(
            Job(lambda _: _caught(_list(self.path, known, most)), lambda error: error),
        )
        if isinstance(result, SftpError):
            raise result
        return result

    def fetch_many(
        self, looks: Iterable[RemoteLook], into: Path, *, durable: bool = False
    ) -> Iterator[Fetched | Failed]:
        """Each file into a hidden one of ours in `into`, a folder that nobody else writes to. Raises OSError when
        our own disk does not work."""
        wishes = FetchWishes(self.path, into, Leftovers(into), self._pool.bounds.file_bytes, durable)

        def job(seen: RemoteLook) -> Job[Fetched | Unsure | Failed]:
            _checked(seen.name)
            return Job(lambda session: fetch(seen, wishes, session.read_bytes), lambda e: _lost(seen.name, e))

        return self._sure(self._pool.run(job(seen) for seen in looks))

    def _sure(self, results: Iterator[Fetched | Unsure | Failed]) -> Iterator[Fetched | Failed]:
        """Those that are in doubt come last: taken where the folder, listed anew, tells the same of them as before."""
        doubtful: list[Fetched] = []
        for result in results:
            if isinstance(result, Unsure):
                doubtful.append(result.fetched)
            else:
                yield result
        if not doubtful:
            return
        try:
            now = {look.name: look for look in self.list(limit=_LISTED_ANEW).looks}
            trouble = None
        except SftpError as error:
            now, trouble = {}, error
        for one in doubtful:
            if now.get(one.look.name) == one.look:
                yield one
                continue
            one.path.unlink()
            yield changed(one.look) if trouble is None else _not_listed(one.look.name, trouble)

    def put_many(self, files: Iterable[tuple[bytes, bytes | Path]], *, durable: bool = False) -> Iterator[Put | Failed]:
        """Each file under its name, whole or not at all. Raises ValueError for a name that is none, OSError for a file
        of ours that cannot be read.

        What could not be put for want of a connection is to be put again by the same `RemoteFolder`: it knows whether
        the last rename may have been done.
        """

        def job(name: bytes, content: Content) -> Job[Put | Failed]:
            attempts = self._attempts(name, content)

            def start(session: Session) -> Task[Put | Failed]:
                wishes = PutWishes(
                    self.path, session.write_bytes, session.has_posix_rename, durable and session.has_fsync
                )
                return put(name, content, wishes, attempts)

            return Job(start, lambda e: _lost(name, e))

        return self._settled(
            self._pool.run(
                job(_checked(name), InMemory(what) if isinstance(what, bytes) else OnDisk(what)) for name, what in files
            )
        )

    def _attempts(self, name: bytes, content: Content) -> Attempts:
        attempts = self._unsettled.setdefault(name, Attempts(content.identity))
        if attempts.identity != content.identity:
            attempts.identity, attempts.renaming = content.identity, None
        return attempts

    def _settled(self, results: Iterator[Put | Failed]) -> Iterator[Put | Failed]:
        for result in results:
            if isinstance(result, Put) or result.why is not Why.CONNECTION:
                self._unsettled.pop(result.name, None)
            yield result

    def claim_many(self, looks: Iterable[RemoteLook]) -> Iterator[Moved | Failed]:
        """Rename into `.taken/`, so that nobody else takes it. `REFUSED` says that the server does not allow it: fetch
        without a claim, then. Where the answer was lost the result may be `GONE`, and the file lies in `.taken/`."""
        return self.move_many((seen.name for seen in looks), inside(self.path, TAKEN))

    def remove_many(self, names: Iterable[bytes]) -> Iterator[Removed | Failed]:
        """Delete; what is gone already counts as removed."""
        return self._each(names, lambda name: _remove(self.path, name))

    def exists(self, names: Iterable[bytes]) -> frozenset[bytes]:
        """Those of the names that something stands under. Raises SftpError."""
        found = set()
        for result in self._each(names, lambda name: _exists(self.path, name)):
            if isinstance(result, Failed):
                raise result.error or Failure(result.reason)
            if result[1]:
                found.add(result[0])
        return frozenset(found)

    def move_many(self, names: Iterable[bytes], to: bytes) -> Iterator[Moved | Failed]:
        """Rename into another folder of that server, made when missing; a number is added where a name is taken."""
        names = list(names)
        if not names:
            return iter(())
        trouble = self._pool.one(Job(lambda _: _made(to), lambda error: error))
        if isinstance(trouble, ConnectionTrouble):
            return iter([_lost(name, trouble) for name in names])
        if trouble is not None:
            return iter([Failed(name, Why.REFUSED, str(trouble), trouble) for name in names])
        return self._each(names, lambda name: _move(self.path, name, to))

    def _each(self, names: Iterable[bytes], task: Callable[[bytes], Task[R]]) -> Iterator[R | Failed]:
        def job(name: bytes) -> Job[R | Failed]:
            return Job(lambda _: _told(name, task(name)), lambda e: _lost(name, e))

        return self._pool.run(job(_checked(name)) for name in names)


def _list(path: bytes, known: Collection[bytes], most: int) -> Steps[Listing]:
    shown = printable_name(path)
    opened = yield from handle(wire.opendir(path), f"listing {shown}")
    looks: dict[bytes, RemoteLook] = {}
    unusable: list[bytes] = []
    seen = 0
    more = False
    while not more:
        answer = yield from ask(wire.readdir(opened))
        if isinstance(answer, wire.Status):
            if answer.code != wire.EOF:
                yield from closed(opened)
                raise wire.problem(answer, f"listing {shown}")
            break
        assert isinstance(answer, list)
        seen += max(1, len(answer))  # an empty answer counts: a server could give them for ever
        for entry in answer:
            if entry.name in (b".", b"..") or is_temporary(entry.name) or entry.name in known:
                continue
            if not is_usable(entry.name):
                unusable += [entry.name[:300]] if len(unusable) < _UNUSABLE_TOLD else []
            elif not is_folder(entry.attributes):
                looks[entry.name] = look(entry.name, entry.attributes)
        more = len(looks) > most or seen > most * _LOOKED_AT + 2 * len(known) + 1_000
    yield from closed(opened)
    for bare in [one for one in looks.values() if one.size < 0 and one.nature is not Nature.SYMLINK]:
        attributes = yield from status(inside(path, bare.name))  # a server that lists names alone
        if attributes is None or is_folder(attributes):
            del looks[bare.name]
        else:
            looks[bare.name] = look(bare.name, attributes)
    return Listing(tuple(looks.values())[:most], more, tuple(unusable))


def _caught(steps: Steps[Listing]) -> Task[Listing | SftpError]:
    try:
        return (yield from steps)
    except Answered as error:
        return error


def _told(name: bytes, steps: Steps[R]) -> Task[R | Failed]:
    try:
        return (yield from steps)
    except Answered as error:
        return failed(name, error)


def _remove(path: bytes, name: bytes) -> Steps[Removed]:
    with suppress(Missing):
        yield from done(wire.remove(inside(path, name)), f"removing {printable_name(name)}")
    return Removed(name)


def _exists(path: bytes, name: bytes) -> Steps[tuple[bytes, bool]]:
    return name, (yield from status(inside(path, name))) is not None


def _made(path: bytes) -> Task[SftpError | None]:
    """The folder is there; else why not."""
    try:
        there = yield from status(path)
        if there is not None and not is_folder(there):
            return Failure(f"{printable_name(path)} is there and is no folder")
        if there is None:
            yield from done(wire.mkdir(path), f"making {printable_name(path)}")
    except Answered as error:
        return error if not isinstance(error, Failure) or (yield from _still_missing(path)) else None
    return None


def _still_missing(path: bytes) -> Steps[bool]:
    """Somebody else may have made it in between."""
    answer = yield from ask(wire.lstat(path))
    return not (isinstance(answer, wire.Attributes) and is_folder(answer))


def _move(path: bytes, name: bytes, to: bytes) -> Steps[Moved]:
    """By the plain rename, which does not overwrite. Looked at first: some servers overwrite all the same."""
    old = inside(path, name)
    for number in range(_NUMBERS):
        now = numbered(name, number)
        new = inside(to, now)
        if (yield from status(new)) is not None:
            continue
        try:
            yield from done(wire.rename(old, new), f"moving {printable_name(name)} to {printable_name(to)}/")
        except Failure:
            if (yield from status(new)) is None:
                raise
            continue  # somebody took that name in between
        return Moved(name, now)
    raise Failure(f"moving {printable_name(name)}: {_NUMBERS} files of that name are in {printable_name(to)}/")


def _checked(name: bytes) -> bytes:
    if not is_usable(name):
        raise ValueError(f"not a name of a file: {name[:300]!r}")
    return name


def _lost(name: bytes, error: SftpError) -> Failed:
    return Failed(name, Why.CONNECTION, str(error), error)


def _not_listed(name: bytes, error: SftpError) -> Failed:
    return failed(name, error) if isinstance(error, Answered) else _lost(name, error)

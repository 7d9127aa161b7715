"""The examiners that the steps are given: a pool of processes in service, or this very process in tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gateway.domain.verdict import Judgement
from gateway.ledger.archive import Archive
from gateway.parsers.archive import ArchiveLimits
from gateway.rules.packs import PackRegistry
from gateway.steps.house import Died, JudgeJob, OpenedFile, OpenJob
from gateway.workers.pool import Ceilings, Pool
from gateway.workers.tasks import judge_job, open_job, worker


class PoolExaminer:
    """Opens and judges in worker processes."""

    def __init__(
        self,
        size: int,
        ceilings: Ceilings,
        archive_root: Path,
        limits: ArchiveLimits,
        pack_files: tuple[Path, ...] = (),
    ) -> None:
        self._pool: Pool[OpenJob | JudgeJob, OpenedFile | Judgement | Died] = Pool(
            size, ceilings, worker, (archive_root, limits, pack_files)
        )

    def open(self, jobs: Sequence[OpenJob]) -> Iterator[tuple[OpenJob, OpenedFile | Died]]:
        """Open archived files."""
        for job, result in self._pool.run(jobs):
            assert isinstance(job, OpenJob)
            assert isinstance(result, OpenedFile | Died)
            yield job, result

    def judge(self, jobs: Sequence[JudgeJob]) -> Iterator[tuple[JudgeJob, Judgement | Died]]:
        """Judge payloads."""
        for job, result in self._pool.run(jobs):
            assert isinstance(job, JudgeJob)
            assert isinstance(result, Judgement | Died)
            yield job, result

    def close(self) -> None:
        """End the workers."""
        self._pool.close()


class InlineExaminer:
    """Opens and judges right here: for tests of steps, where the bytes are our own."""

    def __init__(self, archive_root: Path, limits: ArchiveLimits, packs: PackRegistry | None = None) -> None:
        self._archive = Archive(archive_root)
        self._limits = limits
        self._packs = packs or PackRegistry.standard()

    def open(self, jobs: Sequence[OpenJob]) -> Iterator[tuple[OpenJob, OpenedFile | Died]]:
        """Open archived files."""
        return ((job, open_job(job, self._archive, self._limits)) for job in jobs)

    def judge(self, jobs: Sequence[JudgeJob]) -> Iterator[tuple[JudgeJob, Judgement | Died]]:
        """Judge payloads."""
        return ((job, judge_job(job, self._packs)) for job in jobs)

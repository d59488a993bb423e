"""What is said of jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data.vocabulary import JobKind, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from data.repositories.jobs import Job

KIND_WORDS: Mapping[JobKind, str] = {
    JobKind.DAY_REPORT: "report of the day",
    JobKind.STATEMENT: "statement",
    JobKind.EXPORT: "export",
    JobKind.CLIENT_IMPORT: "import of clients",
    JobKind.INSTRUMENT_IMPORT: "import of instruments",
    JobKind.RECONCILIATION: "comparison with the broker",
    JobKind.BOOKS_READ: "reading of clients' books",
    JobKind.FIRM_RESERVE: "reserving for a run of all desks",
    JobKind.AUDIT_CHECK: "check of the audit",
    JobKind.BACKUP_CHECK: "check of the backup",
}


def kind_words(kind: str) -> str:
    """A kind of job; one that is not known here stays the word it is."""
    return KIND_WORDS[JobKind(kind)] if kind in KIND_WORDS else kind


def job_words(job: Job) -> str:
    """A job in a line: `job 7, report of the day: done · folder /home/…, files 214`."""
    said = f"job {job.number}, {kind_words(job.kind)}: {job.state}"
    if job.state == JobState.QUEUED and job.attempts:
        said += f", tried {job.attempts}x"
    more = job.problem if job.problem and job.state != JobState.DONE else result_words(job.result)
    return f"{said} · {more}" if more else said


def result_words(result: Mapping[str, Any]) -> str:
    """What a job brought: `folder /home/…, files 214`."""
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in result.items() if value != [])

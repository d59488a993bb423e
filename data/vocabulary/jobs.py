"""Words of jobs: work that is asked for by a row, and done by whichever process claims it."""

from enum import StrEnum


class JobKind(StrEnum):
    """What a job does. None of them writes at a broker."""

    DAY_REPORT = "day_report"
    """The desk's report of a day with the statement of every client, in a folder."""
    STATEMENT = "statement"
    """A client's statement of a day, in a file."""
    EXPORT = "export"
    """A table of the desk, in a file."""
    CLIENT_IMPORT = "client_import"
    """A list of clients taken in, all or none."""
    INSTRUMENT_IMPORT = "instrument_import"
    """A broker's list of instruments taken in."""
    RECONCILIATION = "reconciliation"
    """A client's books read at its broker and compared with ours."""
    BOOKS_READ = "books_read"
    """Clients' books read at their brokers, and what they say beside ours kept with its age."""
    FIRM_RESERVE = "firm_reserve"
    """The orders of one shard of a run over all desks, reserved and not sent."""
    AUDIT_CHECK = "audit_check"
    """The audit's chain and proofs, verified."""
    BACKUP_CHECK = "backup_check"
    """The newest backup, put back for a trial and verified."""


class JobState(StrEnum):
    """How far a job is."""

    QUEUED = "queued"
    """It waits, from its due time on for anybody who claims it."""
    RUNNING = "running"
    """It is claimed; once the claim has run out it may be claimed again."""
    DONE = "done"
    FAILED = "failed"
    """It could not be done, and is not tried again by itself."""
    CANCELLED = "cancelled"
    """Somebody took it back before it was claimed."""


class ReadingSays(StrEnum):
    """What a worker's reading of a client's books says of ours."""

    AGREES = "agrees"
    DIFFERS = "differs"
    MOVING = "moving"
    """An order has moved meanwhile, so that nothing can be said."""


OPEN_JOBS = frozenset({JobState.QUEUED, JobState.RUNNING})
"""States of jobs that have not ended."""

"""What screens and commands read of the audit: rows, pages of them, a row's story, the state of the chain."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from data.audit import Details, row_hash


class AuditRow(Struct, frozen=True):
    """One row of the audit, its details as values; `via` is by which way its actor came."""

    seq: int
    at: datetime
    actor: str
    via: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: Details
    hash: str


class AuditRecord(AuditRow, frozen=True):
    """A row with all that its hash is made of besides, so that a file of them can be recomputed."""

    previous: str
    proof: str
    chain: int = 0

    @property
    def holds(self) -> bool:
        """Whether its hash is made of what it tells, and so nothing has changed it since."""
        subjects = (self.client_id, self.order_id, self.plan_number, self.run_number)
        told = self.actor, self.action, subjects, self.details.text(), self.proof, self.via, self.chain
        return row_hash(self.previous, self.seq, self.at, *told) == self.hash


class AuditPage(Struct, frozen=True):
    """Rows that were found, the newest first, and before which row one goes on; None at the end."""

    rows: tuple[AuditRecord, ...]
    before: int | None


class Of(StrEnum):
    """What a story is of; `chain` is whatever was written before and after the row."""

    ORDER = "order"
    RUN = "run"
    PLAN = "plan"
    HALT = "halt"
    FLATTEN = "flatten"
    CONVERSION = "conversion"
    ALERT = "alert"
    PERSON = "person"
    CLIENT = "client"
    CHAIN = "chain"


class StoryOf(Struct, frozen=True):
    """What a row belongs to, with its number, or with the name of a person or of a kind of alert."""

    of: Of
    number: int = 0
    name: str = ""


class Chapter(Struct, frozen=True):
    """Rows of one subject around a row, the oldest first, and whether there are more at either end."""

    subject: StoryOf
    rows: tuple[AuditRecord, ...]
    more_before: bool
    more_after: bool


class RowStory(Struct, frozen=True):
    """A row of the audit and all that it belongs to, the narrowest first."""

    row: AuditRecord
    subjects: tuple[StoryOf, ...]


class ChainState(Struct, frozen=True):
    """The newest row and hash, and up to which row all was recomputed and found good.

    `verified_at` and `verified_by` are None and empty where that was not kept. `against` is what stops
    trading, in words; empty where nothing does.
    """

    rows: int
    head: str
    verified_to: int
    verified_at: datetime | None
    verified_by: str
    against: tuple[str, ...]

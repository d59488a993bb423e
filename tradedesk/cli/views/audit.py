"""The JSON shapes of the audit: rows that were found, a row's story, and how the chain stands."""

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from data.audit import Details
from engine.book.audit_views import AuditRecord, Chapter, Of

if TYPE_CHECKING:
    from engine.desk import Desk


class AuditShape(Struct, frozen=True):
    """A row with all that its hash is made of; `shown_at` is `at` by the market's clock.

    `holds` is whether its hash is made of what it tells.
    """

    seq: int
    at: datetime
    shown_at: datetime
    actor: str
    via: str
    action: str
    client_id: int | None
    code: str | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: Details
    previous: str
    proof: str
    hash: str
    holds: bool


class AuditPageShape(Struct, frozen=True):
    """Rows that were found, the newest first; `before` leads to the next page, None at the end."""

    rows: list[AuditShape]
    before: int | None


class ChapterShape(Struct, frozen=True):
    """The rows of what a row belongs to, the oldest first."""

    of: Of
    number: int
    name: str
    rows: list[AuditShape]
    more_before: bool
    more_after: bool


class StoryShape(Struct, frozen=True):
    """A row and the chapters of all that it belongs to, the narrowest first."""

    row: AuditShape
    chapters: list[ChapterShape]


def audit_shape(desk: "Desk", row: AuditRecord) -> AuditShape:
    """One row."""
    return AuditShape(
        seq=row.seq,
        at=row.at,
        shown_at=desk.shown_at(row.at),
        actor=row.actor,
        via=row.via,
        action=row.action,
        client_id=row.client_id,
        code=None if row.client_id is None else desk.clients.code_of(row.client_id),
        order_id=row.order_id,
        plan_number=row.plan_number,
        run_number=row.run_number,
        details=row.details,
        previous=row.previous,
        proof=row.proof,
        hash=row.hash,
        holds=row.holds,
    )


def chapter_shape(desk: "Desk", chapter: Chapter) -> ChapterShape:
    """One chapter."""
    rows = [audit_shape(desk, row) for row in chapter.rows]
    subject = chapter.subject
    return ChapterShape(
        subject.of, subject.number, subject.name, rows, chapter.more_before, chapter.more_after
    )

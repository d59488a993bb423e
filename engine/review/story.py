"""The story of a row of the audit: what it is about, and the rows of that in their order."""

from data.audit_wanted import AuditWanted
from data.repositories.audit_search import AuditSearch
from data.store import Store
from engine.book.audit_views import AuditRecord, Chapter, Of, RowStory, StoryOf

MOST = 200
"""Rows of a story before the one it is of, and as many behind it, unless told."""


_SEARCH = AuditSearch(AuditRecord)


async def story_of(store: Store, seq: int) -> RowStory:
    """What a row belongs to: its own order, run, plan and client, and those of its order and its run.

    Raises `LookupError` where there is no such row.
    """
    async with store.reader() as reader:
        found = (await _SEARCH.step(reader, AuditWanted(), 1, beyond=seq - 1, up=True)).rows
        if not found or found[0].seq != seq:
            raise LookupError(f"the audit has no row {seq}")
        row = found[0]
    numbers = _numbers(row)
    # What an order's rows do not all say its first one does; a run's first row knows its plan.
    if Of.ORDER in numbers:
        numbers = await _of_first(store, StoryOf(Of.ORDER, numbers[Of.ORDER])) | numbers
    if Of.RUN in numbers and Of.PLAN not in numbers:
        of_run = await _of_first(store, StoryOf(Of.RUN, numbers[Of.RUN]))
        numbers |= {of: number for of, number in of_run.items() if of is Of.PLAN}
    subjects = tuple(StoryOf(of, numbers[of]) for of in Of if of in numbers)
    return RowStory(row, (*subjects, StoryOf(Of.CHAIN)))


async def _of_first(store: Store, subject: StoryOf) -> dict[Of, int]:
    """What the first row of a subject belongs to."""
    async with store.reader() as reader:
        first = (await _SEARCH.step(reader, _about(subject), 1, up=True)).rows
    return _numbers(first[0]) if first else {}


async def chapter_of(store: Store, subject: StoryOf, seq: int, most: int = MOST) -> Chapter:
    """The rows of a subject around one of them: so many before it, itself, and so many behind it."""
    wanted = _about(subject)
    async with store.reader() as reader:
        before = await _SEARCH.step(reader, wanted, most + 1, beyond=seq + 1)
        after = await _SEARCH.step(reader, wanted, most, beyond=seq, up=True)
    rows = (*reversed(before.rows), *after.rows)
    return Chapter(subject, rows, before.on is not None, after.on is not None)


def _numbers(row: AuditRecord) -> dict[Of, int]:
    numbers = {
        Of.ORDER: row.order_id,
        Of.RUN: row.run_number,
        Of.PLAN: row.plan_number,
        Of.CLIENT: row.client_id,
    }
    return {of: number for of, number in numbers.items() if number is not None}


def _about(subject: StoryOf) -> AuditWanted:
    match subject.of:
        case Of.ORDER:
            return AuditWanted(order_id=subject.number)
        case Of.RUN:
            return AuditWanted(run_number=subject.number)
        case Of.PLAN:
            return AuditWanted(plan_number=subject.number)
        case Of.CLIENT:
            return AuditWanted(client_id=subject.number)
        case Of.CHAIN:
            return AuditWanted()

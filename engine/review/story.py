"""The story of a row of the audit: what it is about, and the rows of that in their order."""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from data.audit import AuditAction
from data.audit_wanted import TELL_OF, AuditWanted, Detail
from data.repositories.audit_search import AuditSearch, SearchStep
from data.repositories.trading.flattens import orders_of_flatten
from data.repositories.trading.halts import fired_halt
from data.store import Store
from engine.book.audit_views import AuditRecord, Chapter, Of, RowStory, StoryOf
from engine.halt.sweep import Before

MOST = 200
"""Rows of a story before the one it is of, and as many behind it, unless told."""

_TOLD_BY: Mapping[Of, tuple[Detail, tuple[AuditAction, ...]]] = {
    of: (detail, TELL_OF[detail])
    for of, detail in (
        (Of.HALT, Detail.HALT),
        (Of.FLATTEN, Detail.FLATTEN),
        (Of.CONVERSION, Detail.CONVERSION),
        (Of.ALERT, Detail.ALERT),
        (Of.PERSON, Detail.PERSON),
    )
}
"""What has no column in the audit: the detail that names it, and the actions whose rows are its own."""

_SEARCH = AuditSearch(AuditRecord)
_SEQ = attrgetter("seq")


async def story_of(store: Store, seq: int) -> RowStory:
    """What a row belongs to: its own order, run, plan, client and more, and those of its order and its run.

    Raises `LookupError` where there is no such row.
    """
    async with store.reader() as reader:
        found = (await _SEARCH.step(reader, AuditWanted(), 1, beyond=seq - 1, up=True)).rows
        if not found or found[0].seq != seq:
            raise LookupError(f"the audit has no row {seq}")
        row = found[0]
    subjects = _subjects(row)
    # What an order's rows do not all say its first one does; a run's first row knows its plan.
    if Of.ORDER in subjects:
        subjects = await _of_first(store, subjects[Of.ORDER]) | subjects
    if Of.RUN in subjects and Of.PLAN not in subjects:
        of_run = await _of_first(store, subjects[Of.RUN])
        subjects |= {of: one for of, one in of_run.items() if of is Of.PLAN}
    return RowStory(row, (*(subjects[of] for of in Of if of in subjects), StoryOf(Of.CHAIN)))


async def _of_first(store: Store, subject: StoryOf) -> dict[Of, StoryOf]:
    """What the first row of an order or a run belongs to."""
    (wanted,) = await _wanted(store, subject)
    async with store.reader() as reader:
        first = (await _SEARCH.step(reader, wanted, 1, up=True)).rows
    return _subjects(first[0]) if first else {}


def _subjects(row: AuditRecord) -> dict[Of, StoryOf]:
    """What a row names, by its columns and by its details."""
    numbers = {
        Of.ORDER: row.order_id,
        Of.RUN: row.run_number,
        Of.PLAN: row.plan_number,
        Of.CLIENT: row.client_id,
    }
    subjects = {of: StoryOf(of, number) for of, number in numbers.items() if number is not None}
    for of, (detail, actions) in _TOLD_BY.items():
        told = row.details.get(detail)
        if of is Of.PERSON and row.action in actions:
            told = told or row.actor
        if isinstance(told, int) and of not in (Of.ALERT, Of.PERSON):
            subjects[of] = StoryOf(of, told)
        elif isinstance(told, str) and told and row.action in actions:
            subjects[of] = StoryOf(of, name=told)
    return subjects


async def chapter_of(store: Store, subject: StoryOf, seq: int, most: int = MOST) -> Chapter:
    """The rows of a subject around one of them: so many before it, itself, and so many behind it."""
    before: list[SearchStep[AuditRecord]] = []
    after: list[SearchStep[AuditRecord]] = []
    searches = await _wanted(store, subject)
    async with store.reader() as reader:
        for wanted in searches:
            bounds = await _SEARCH.bounds(reader, wanted)
            before.append(await _SEARCH.step(reader, wanted, most + 1, beyond=seq + 1, bounds=bounds))
            after.append(await _SEARCH.step(reader, wanted, most, beyond=seq, up=True, bounds=bounds))
    earlier, later = _rows(before), _rows(after)
    return Chapter(
        subject,
        (*earlier[-most - 1 :], *later[:most]),
        len(earlier) > most + 1 or any(step.on is not None for step in before),
        len(later) > most or any(step.on is not None for step in after),
    )


def _rows(steps: Iterable[SearchStep[AuditRecord]]) -> list[AuditRecord]:
    """The rows of several searches, each once, the oldest first."""
    return sorted({row.seq: row for step in steps for row in step.rows}.values(), key=_SEQ)


async def _wanted(store: Store, subject: StoryOf) -> list[AuditWanted]:
    """The searches that together find the rows of a subject."""
    match subject.of:
        case Of.ORDER:
            return [AuditWanted(order_id=subject.number)]
        case Of.RUN:
            return [AuditWanted(run_number=subject.number)]
        case Of.PLAN:
            return [AuditWanted(plan_number=subject.number)]
        case Of.CLIENT:
            return [AuditWanted(client_id=subject.number)]
        case Of.CHAIN:
            return [AuditWanted()]
        case Of.HALT:
            return [_own(subject), *await _of_halted(store, subject.number)]
        case Of.FLATTEN:
            async with store.reader() as reader:
                sent = await orders_of_flatten(reader, subject.number)
            return [_own(subject), AuditWanted(order_ids=tuple(sent))]
        case _:
            return [_own(subject)]


def _own(subject: StoryOf) -> AuditWanted:
    detail, actions = _TOLD_BY[subject.of]
    return AuditWanted(actions=actions, detail=(detail, subject.name or subject.number))


async def _of_halted(store: Store, number: int) -> list[AuditWanted]:
    """What became of the orders that a halt met, from when it was fired."""
    async with store.reader() as reader:
        halt = await fired_halt(reader, number)
    if halt is None:
        return []
    return [AuditWanted(order_ids=tuple(Before.from_json(halt.before).orders), since=halt.at)]

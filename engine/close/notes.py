"""Contract notes against closed days: a total that differs becomes a dated correction of the client's day.

A note's total is of brokerage, STT, exchange and SEBI fees, stamp duty and GST, and may be told by these
kinds; each that differs is a correction of its own beside the total's. What the depository takes is in none:
it stands in the broker's ledger. The difference is posted as charges of the day, so that the next close of
that day makes a revision; it enters no lot, since lots have charges of their own beside their cost, and the
tax shares a day's difference out over the charges of its trades.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct, convert

from data.audit import AuditAction, AuditEntry
from data.clock import day_from_text
from data.csvfiles import CsvRow, FileProblem, Problem, read_rows
from data.errors import BadInput
from data.ledger import Line, Transfer, post
from data.money import amount_words, paise_from_text
from data.repositories.accounts.lent import noted_on
from data.repositories.close.corrections import (
    Correction,
    corrected_kinds,
    keep_corrections,
    read_corrections,
)
from data.repositories.close.stored import StoredClientDay, adopted_since, client_days_of
from data.store import Unit
from data.vocabulary import Account, CorrectionKind, TransferKind
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.timing import Timing

_ALSO_CALLED = {
    "client": "code",
    "date": "day",
    "trade_date": "day",
    "total_charges": "total",
    "charges": "total",
    "exchange_charges": "exchange",
    "transaction_charges": "exchange",
    "sebi_fees": "sebi",
    "stamp_duty": "stamp",
}
KINDS = ("brokerage", "stt", "exchange", "sebi", "stamp", "gst")
"""The kinds of charges of a note, as files, options and corrections call them."""


class NoteTotal(Struct, frozen=True):
    """What a client's note of a day comes to in charges, in paise; `row` of a file, 0 for what was typed.

    `kinds` are those of `KINDS` that it tells, in paise.
    """

    client_id: int
    day: date
    total_paise: int
    row: int = 0
    kinds: Mapping[str, int] = {}


class ContractNotes:
    """Takes totals of notes, and tells what they have corrected."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine

    async def corrections(self, client_ids: Collection[int]) -> list[Correction]:
        """What was found out of these clients' closed days, by day."""
        async with self._kept.store.reader() as reader:
            return await read_corrections(reader, client_ids)

    async def note(self, client_id: int, day: date, told: Mapping[str, int], reason: str) -> list[Correction]:
        """Take one note by its `total` and its `KINDS` in paise, as far as they are told.

        Returns the corrections, that of the total first; none where it is what the day was charged. Raises
        `BadInput` for a day that is not closed for the client, for kinds that do not come to the total, or
        without a reason; `StoreError`.
        """
        return await self.take([note_of(client_id, day, told)], CorrectionKind.NOTE, reason)

    async def take(self, told: Sequence[NoteTotal], kind: CorrectionKind, reason: str) -> list[Correction]:
        """Take totals, all of them or none; returns what they have corrected. Raises as `note` does."""
        why = reason_from(reason, "say where the total is from")
        today, actor = self._timing.market.trading_day, self._engine.actor

        def unit_of_work(unit: Unit) -> list[Correction]:
            made = correct(unit, told, kind, why, today, actor)
            for one in made:
                code = self._kept.book.clients[one.client_id].code
                details = {
                    "client": code,
                    "day": one.day.isoformat(),
                    "kind": one.kind.value,
                    "of": one.subject or "total",
                    "before_paise": one.before,
                    "after_paise": one.after,
                    "reason": one.reason,
                }
                unit.audit(
                    AuditEntry(AuditAction.DAY_CORRECTED, actor, client_id=one.client_id, details=details)
                )
            return made

        done = await self._engine.write_signed_on(unit_of_work)
        self._engine.reached("day_corrected")
        return done

    async def take_file(self, path: Path) -> list[Correction]:
        """Take the notes of a file: columns code, day, total in rupees, `KINDS`. Its name is the reason.

        Raises `FileProblem` with every bad row, of which none is taken; `OSError` where it cannot be read.
        """
        told = read_notes(path, self._kept.book.named)
        try:
            return await self.take(told, CorrectionKind.NOTE, path.name)
        except NotesRefused as refused:
            clients = self._kept.book.clients
            raise FileProblem(
                path,
                [
                    Problem(
                        one.row, bad.field, str(bad.value), f"{clients[one.client_id].code}: {bad.expected}"
                    )
                    for one, bad in refused.of
                ],
            ) from None


NOT_CLOSED = "give a day that is closed for this client"
LEAST_BOUND_PAISE = 1_000_00
"""Up to here a note may come to more than was traded: of small trades a broker takes its least."""


class NotesRefused(BadInput):
    """Notes that cannot be taken, each with why."""

    def __init__(self, of: Sequence[tuple[NoteTotal, BadInput]]) -> None:
        self.of = tuple(of)
        first = of[0][1]
        super().__init__(first.field, first.value, first.expected)


def _refused(one: NoteTotal, closed: StoredClientDay | None) -> BadInput | None:
    """Why a note cannot be one of this day; None where it can."""
    if closed is None:
        return BadInput("day", one.day.isoformat(), NOT_CLOSED)
    if one.total_paise > max(closed.turnover_paise, LEAST_BOUND_PAISE):
        traded = amount_words(closed.turnover_paise)
        words = f"it is more than all that was traded, {traded}: is a decimal point missing?"
        return BadInput("total", amount_words(one.total_paise), words)
    return None


def correct(
    unit: Unit, told: Sequence[NoteTotal], kind: CorrectionKind, reason: str, today: date, actor: str
) -> list[Correction]:
    """Post by how much each total differs from what its day was charged, and keep the correction.

    Where a later opening has brought the client's cash to the broker's, the broker has taken it: what is due
    is ended against that adopted difference. Raises `NotesRefused` with every note of a
    day that is not closed, or of more than was traded.
    """
    by_day: dict[date, list[NoteTotal]] = {}
    for one in told:
        by_day.setdefault(one.day, []).append(one)
    made: list[Correction] = []
    transfers: list[Transfer] = []
    refused: list[tuple[NoteTotal, BadInput]] = []
    for day, totals in sorted(by_day.items()):
        stored = {one.client_id: one for one in client_days_of(unit, day)}
        following = max((one.rev for one in stored.values()), default=0) + 1
        judged = [(one, _refused(one, stored.get(one.client_id))) for one in totals]
        refused += [(one, bad) for one, bad in judged if bad is not None]
        noted = noted_on(unit, day, [one.client_id for one in totals])
        taken = adopted_since(unit, day, [one.client_id for one in totals])
        told_before = corrected_kinds(unit, day, [one.client_id for one in totals])
        for one in totals:
            if one.client_id not in stored:
                continue
            closed = stored[one.client_id]
            before = _charged(closed) + noted.get(one.client_id, 0)
            more = one.total_paise - before
            if more:
                transfers += _transfers(one, more, today, one.client_id in taken)
            figures = [("", before, one.total_paise)]
            for name in KINDS:
                if name in one.kinds:
                    was = getattr(closed, f"{name}_paise") + told_before.get((one.client_id, name), 0)
                    figures.append((name, was, one.kinds[name]))
            made += [
                Correction(
                    id=unit.take_ids("day_correction", 1)[0],
                    day=day,
                    client_id=one.client_id,
                    kind=kind,
                    subject=name,
                    before=was,
                    after=after,
                    # Where the total stands, no revision will come of it.
                    rev=following if more else closed.rev,
                    reason=reason,
                    at=unit.now,
                    by=actor,
                    waits=bool(more),
                )
                for name, was, after in figures
                if was != after
            ]
    if refused:
        raise NotesRefused(refused)
    post(unit, transfers)
    keep_corrections(unit, made)
    unit.touched.clients.update(one.client_id for one in made)
    return made


def _charged(day: StoredClientDay) -> int:
    """What a note of the day would come to by the tables of rates."""
    return sum(getattr(day, f"{name}_paise") for name in KINDS)


def _transfers(one: NoteTotal, more: int, today: date, is_taken: bool) -> list[Transfer]:
    evidence = f"note:{one.day.isoformat()}"
    due = [Line(Account.CHARGES, more), Line(Account.CHARGES_DUE, -more)]
    made = [Transfer(one.client_id, TransferKind.NOTE, one.day, due, evidence=evidence)]
    if is_taken:
        ended = [Line(Account.CHARGES_DUE, more), Line(Account.EXTERNAL, -more)]
        made.append(Transfer(one.client_id, TransferKind.NOTE, today, ended, evidence=evidence))
    return made


class _NoteCells(Struct, frozen=True):
    """A row of the file as it stands."""

    code: str
    day: str


def note_of(client_id: int, day: date, told: Mapping[str, int], row: int = 0) -> NoteTotal:
    """A note by what is told of it in paise: its `total`, its `KINDS`, or both.

    Raises `BadInput` where neither the total is told nor all kinds, where kinds are more than the total or
    all of them come to another, and for an amount below zero.
    """
    kinds = {name: told[name] for name in KINDS if name in told}
    for name, paise in told.items():
        if paise < 0:
            raise BadInput(name, amount_words(paise), "give the note's charges in rupees, zero or more")
    total, together = told.get("total"), sum(kinds.values())
    if total is None and len(kinds) < len(KINDS):
        missing = ", ".join(name for name in KINDS if name not in kinds)
        raise BadInput("total", "", f"give the note's charges in rupees, or each kind of them: {missing}")
    if total is not None and (together > total or (len(kinds) == len(KINDS) and together != total)):
        raise BadInput("total", amount_words(total), f"its kinds come to {amount_words(together)}")
    return NoteTotal(client_id, day, together if total is None else total, row, kinds)


def read_notes(path: Path, named: Callable[[str], int]) -> list[NoteTotal]:
    """The notes of a file; `named` finds a client by its code.

    Raises `FileProblem` with every bad row, `OSError` where the file cannot be read.
    """
    problems: list[Problem] = []
    found: dict[tuple[int, date], NoteTotal] = {}
    rows = read_rows(path, ("code", "day"), ("total", *KINDS), _ALSO_CALLED, problems)
    for row in rows:
        try:
            one = _read(row, named)
            if (one.client_id, one.day) in found:
                raise BadInput("day", one.day.isoformat(), "this client has this day in a row before")
            found[one.client_id, one.day] = one
        except BadInput as bad:
            problems.append(Problem(row.number, bad.field, str(bad.value), bad.expected))
    if not rows and not problems:
        problems.append(Problem(1, "rows", "", "give a row for each client and day"))
    if problems:
        raise FileProblem(path, problems)
    return list(found.values())


def _read(row: CsvRow, named: Callable[[str], int]) -> NoteTotal:
    told = convert(row.values, _NoteCells)
    client_id = named(told.code)
    day = day_from_text(told.day, "day", "give a day such as 2026-11-17")
    amounts = {
        name: paise_from_text(text, name)
        for name in ("total", *KINDS)
        if (text := row.values.get(name, "").strip())
    }
    return note_of(client_id, day, amounts, row.number)

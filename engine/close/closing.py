"""A day's close, step by step: each is one commit with the row that says it was done.

A close that was broken off goes on behind the last row; a step that died before its commit has written
nothing, and is done again. Who stays open is decided once, in the row of `RECONCILED`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import date

import msgspec
from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.repositories.close.prices import closes_kept
from data.repositories.close.stored import (
    DoneStep,
    StoredSeal,
    client_days_of,
    keep_client_days,
    keep_seal,
    keep_step,
    last_seal,
)
from data.store import Unit
from data.vocabulary import CloseStepKind
from engine.book.kept import Kept
from engine.close.booked import book_rerated
from engine.close.prices import FoundClose, keep_found
from engine.close.protocols import CloseWith
from engine.close.sealing import seal_of, stored_day
from engine.close.views import ClientDay, DayReport, StaysOpen
from engine.instances import ThisEngine
from engine.timing import Timing

_Step = CloseStepKind


class DayFigured(Struct, frozen=True):
    """Clients' days as worked out now, with the closing prices that they rest on."""

    days: tuple[ClientDay, ...]
    closes: Mapping[str, FoundClose]


class Rev(Struct, frozen=True):
    """The revision of a day that a close makes: of which clients, and who of them stays open."""

    day: date
    rev: int
    closing: tuple[int, ...]
    left_open: tuple[StaysOpen, ...]


class Decided(Struct, frozen=True):
    """Who is closed by a revision and who stays open, as the row of its step `RECONCILED` keeps it."""

    closing: tuple[int, ...]
    open: tuple[StaysOpen, ...]


class ClosingSteps:
    """Does the steps of one revision of a day that are not done yet."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        figures: Callable[[date, Collection[int]], Awaitable[DayFigured]],
        report: Callable[[date], Awaitable[DayReport]],
        others: CloseWith,
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._figures = figures
        self._report = report
        self._with = others

    async def decide(self, rev: Rev) -> None:
        """Keep who is closed and who stays open. Raises `StoreError`."""
        detail = msgspec.to_builtins(Decided(rev.closing, rev.left_open))

        def unit_of_work(unit: Unit) -> None:
            for step in (_Step.BOOKS, _Step.ORDERS):
                self._done(unit, rev, step, {})
            self._done(unit, rev, _Step.RECONCILED, detail)

        await self._engine.write_signed_on(unit_of_work)
        self._engine.reached("close_books")

    async def go_on(self, rev: Rev, done: Collection[CloseStepKind]) -> None:
        """Do what is left. Raises `StoreError`; `BadInput` where files cannot be written."""
        steps = (
            (_Step.PRICES, self._prices),
            (_Step.CHARGES, self._charges),
            (_Step.SNAPSHOTS, self._snapshots),
            (_Step.RISK, self._risk),
            (_Step.SEALED, self._seal),
            (_Step.EXPORTS, self._exports),
            (_Step.BACKUP, self._backup),
            (_Step.TOMORROW, self._tomorrow),
        )
        for step, do in steps:
            if step not in done:
                await do(rev)
                self._engine.reached(f"close_{step.value}")

    def _done(self, unit: Unit, rev: Rev, step: CloseStepKind, detail: Mapping[str, object]) -> bool:
        return keep_step(unit, DoneStep(rev.day, rev.rev, step, unit.now, self._engine.actor, dict(detail)))

    async def _commit(
        self, rev: Rev, step: CloseStepKind, detail: Mapping[str, object], do: Callable[[Unit], object]
    ) -> None:
        """Do a step and keep that it was done, in one commit; nothing where another engine was first."""

        def unit_of_work(unit: Unit) -> None:
            if self._done(unit, rev, step, detail):
                do(unit)

        await self._engine.write_signed_on(unit_of_work)

    async def _prices(self, rev: Rev) -> None:
        figured = await self._figures(rev.day, rev.closing)

        def do(unit: Unit) -> None:
            keep_found(unit, rev.day, figured.closes)

        await self._commit(rev, _Step.PRICES, {"shares": len(figured.closes)}, do)

    async def _charges(self, rev: Rev) -> None:
        today, closing = self._timing.market.trading_day, frozenset(rev.closing)
        await self._commit(rev, _Step.CHARGES, {}, lambda unit: book_rerated(unit, rev.day, today, closing))

    async def _snapshots(self, rev: Rev) -> None:
        figured = await self._figures(rev.day, rev.closing)
        at = self._timing.wall.now()
        days = await asyncio.to_thread(
            lambda: [stored_day(one, rev.day, rev.rev, at) for one in figured.days]
        )
        await self._commit(
            rev, _Step.SNAPSHOTS, {"clients": len(days)}, lambda unit: keep_client_days(unit, days)
        )

    async def _risk(self, rev: Rev) -> None:
        report = await self._report(rev.day)
        risk, keep = await self._with.risk.at_close(report)
        await self._commit(rev, _Step.RISK, {"risk": msgspec.to_builtins(risk)}, keep)

    async def _seal(self, rev: Rev) -> None:
        actor = self._engine.actor

        def do(unit: Unit) -> None:
            before = last_seal(unit)
            days = client_days_of(unit, rev.day)
            keys = {position.key for one in days for position in one.held}
            closes = {key: one.close_paise for key, one in closes_kept(unit, rev.day, keys).items()}
            sealed = seal_of(
                rev.day, rev.rev, "" if before is None else before.seal, days, rev.left_open, closes
            )
            left_open = {str(one.client_id): one.why.value for one in rev.left_open}
            keep_seal(
                unit,
                StoredSeal(
                    *(rev.day, rev.rev, sealed, "" if before is None else before.seal, len(days)),
                    left_open=left_open,
                    sealed_at=unit.now,
                    sealed_by=actor,
                ),
            )
            details = {
                "day": rev.day.isoformat(),
                "rev": rev.rev,
                "seal": sealed,
                "clients": len(days),
                "open": left_open,
            }
            unit.audit(AuditEntry(AuditAction.DAY_SEALED, actor, details=details))

        await self._commit(rev, _Step.SEALED, {}, do)

    async def _exports(self, rev: Rev) -> None:
        actor, exports = self._engine.actor, self._with.exports
        if exports is None:
            await self._commit(rev, _Step.EXPORTS, {"folder": ""}, _nothing)
            return
        report = await self._report(rev.day)
        folder, files = await exports(report)
        details = {
            "day": rev.day.isoformat(),
            "rev": rev.rev,
            "folder": str(folder),
            "audit_head": report.audit_head,
            "files": dict(files),
        }
        entry = AuditEntry(AuditAction.DAY_EXPORTED, actor, details=details)
        await self._commit(
            rev, _Step.EXPORTS, {"folder": str(folder), "files": len(files)}, lambda unit: unit.audit(entry)
        )

    async def _backup(self, rev: Rev) -> None:
        actor = self._engine.actor
        made = await self._with.back_up()
        told = {"file": str(made.file), "sha256": made.sha256}
        entry = AuditEntry(
            AuditAction.DAY_BACKED_UP, actor, details={"day": rev.day.isoformat(), "rev": rev.rev, **told}
        )
        await self._commit(rev, _Step.BACKUP, told, lambda unit: unit.audit(entry))

    async def _tomorrow(self, rev: Rev) -> None:
        found = await self._with.tomorrow.look()
        await self._commit(rev, _Step.TOMORROW, msgspec.to_builtins(found), _nothing)


def _nothing(unit: Unit) -> object:
    return None

"""The audit as the desk reads it: searched, and verified against itself and an outside head."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from data.audit import BREAK, DISTRUSTED, AuditAction, AuditEntry
from data.errors import BadInput
from data.proving.evidence import not_both_ways, recompute
from data.proving.heads import heads_outside
from data.proving.noted import AcceptedRows
from data.proving.stored_audit import rows_from, stored_rows
from data.proving.verifying import AuditReport, accepted, verify, verify_tail
from data.repositories.audit import AuditRows, keep_verified_heads, last_judged, verified_heads
from data.repositories.base import Reader
from data.schema import mend_schema, schema_faults, table_faults
from data.store import StoreError, Unit
from data.writing.audit_writer import kept_heads, standing_stop, stop_words
from data.writing.counters import mend_counters
from engine.book.audit_views import AuditRow, ChainState, Chapter, RowStory, StoryOf
from engine.book.kept import Kept
from engine.colon.asked import UNASKED, AuditWish
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.market.stamps import MarketStamps
from engine.review.chain import chain_state
from engine.review.commanded import COMMANDED, MOST_PARTS, LoggedCommand, commands_of
from engine.review.findings import findings
from engine.review.searching import TrailSearch, begin_search
from engine.review.story import MOST, chapter_of, story_of
from engine.timing import Timing

log = logging.getLogger(__name__)


_ROWS = AuditRows(AuditRow)


class Trail:
    """Searches and verifies the audit. What it reads never waits for the writer, nor the writer for it."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine, stamps: MarketStamps) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._stamps = stamps
        self._keeping: asyncio.Task[None] | None = None

    async def rows(
        self,
        limit: int = 200,
        action: str | None = None,
        client_id: int | None = None,
        order_id: int | None = None,
        since: datetime | None = None,
    ) -> list[AuditRow]:
        """The newest rows that match, oldest first."""
        word = None if action is None else action.upper()
        async with self._kept.store.reader() as reader:
            return await _ROWS.newest(reader, limit, word, client_id, order_id, since)

    async def search(self, wish: AuditWish | None = None, of: frozenset[int] | None = None) -> TrailSearch:
        """Begin to look through the audit; `engine.colon.searches` reads a wish of typed words.

        `of` are the clients of which rows may be, where they may not be of all and of none.
        """
        return await begin_search(self._kept.store, wish or UNASKED, self._stamps, of)

    async def story(self, seq: int) -> RowStory:
        """A row, and what it belongs to. Raises `LookupError` where there is no such row."""
        return await story_of(self._kept.store, seq)

    async def chapter(self, subject: StoryOf, seq: int, most: int = MOST) -> Chapter:
        """The rows of what a row belongs to, so many before and behind it."""
        return await chapter_of(self._kept.store, subject, seq, most)

    async def note_look(self, tool: str, asked: Mapping[str, object]) -> None:
        """Keep that an assistant's program looks at something for whoever acts. Raises `StoreError`."""
        details = {"tool": tool, "asked": dict(asked)}
        entry = AuditEntry(AuditAction.ASSISTANT_LOOKED, self._engine.actor, details=details)
        await self._kept.store.write(lambda unit: unit.audit(entry))

    async def chain_state(self) -> ChainState:
        """Up to which row the chain was found good, by whom and when, and what stands against it."""
        return await self._kept.store.read_aside(chain_state)

    async def commands(self, limit: int = 200) -> list[LoggedCommand]:
        """What was done this trading day, as the commands that would do the same, oldest first."""
        async with self._kept.store.reader() as reader:
            opened = await _ROWS.newest(reader, 1, AuditAction.DAY_OPENED)
            behind = opened[0].seq if opened else 0
            rows = await _ROWS.of_actions(reader, COMMANDED, MOST_PARTS * limit, behind)
        return commands_of(rows, self._code)[-limit:]

    def _code(self, client_id: int | None) -> str:
        client = self._kept.book.clients.get(client_id or 0)
        return str(client_id) if client is None else client.code

    async def verify(self, head: str | None = None) -> AuditReport:
        """Recompute the chain, hold it against the head beside it, the heads kept outside and the rows.

        `head` is one more kept outside, that must be in the chain. Where all is good, how far is kept.
        """
        path = self._kept.heads.path

        def work(reader: Reader) -> AuditReport:
            others = [*not_both_ways(reader), *recompute(reader).found, *table_faults(reader)]
            outside = heads_outside(path, head)
            report = verify(stored_rows(reader), kept_heads(reader), outside, others)
            return report.with_more(schema_faults(reader))

        report = await self._kept.store.read_aside(work)
        if report.ok:
            await self.verify_tail()  # a chain that fits in itself may still not be the one of before
        return report

    async def verify_tail(self) -> AuditReport:
        """Recompute the chain from the row up to which it was last found good, and keep how far that is now.

        It is quick where `verify` is thorough: rows before that one are not read again.
        """
        path = self._kept.heads.path
        report = await self._kept.store.read_aside(lambda reader: _verify_tail(reader, path))
        if report.ok and report.rows:
            await self._keep_verified(report)
        return report

    async def examine(self, whole: bool = False) -> AuditReport:
        """Verify what was written since the last good row, or all, and stop trading by what is not good.

        Every engine of the home stops then, at each opening too, until that is accepted or found mended.
        """
        report = await (self.verify() if whole else self.verify_tail())
        if not report.ok:
            found = list(report.found)
            if not await self._kept.store.read_aside(standing_stop):
                entry = AuditEntry(DISTRUSTED, self._engine.actor, details={"found": found})
                with suppress(StoreError):  # what cannot be kept stops at least this engine
                    await self._kept.store.write(lambda unit: unit.audit(entry))
            self._engine.trading_disabled = self._engine.trading_disabled or stop_words(found)
        return report

    async def _keep_verified(self, report: AuditReport) -> None:
        heads, by = report.heads, self._engine.actor
        try:
            await self._kept.store.write(lambda unit: keep_verified_heads(unit, heads, unit.now, by))
        except StoreError as problem:  # the rows are good all the same; they are read again next time
            log.warning("how far the audit was verified could not be kept: %s", problem)

    async def accept(self, reason: str) -> AuditReport:
        """Accept what is wrong with the books, so that trading goes on; returns a verification of them.

        No row is mended or hashed anew, only triggers, indexes and counters are put back, and those of others
        dropped. A row of the audit names all that was found, for ever; the rows found are proven from then
        on as they stand. Raises `BadInput` without a reason, and where nothing is wrong.
        """
        reason = reason_from(reason, "say why trading may go on")
        found = await self.wrong()
        stopped = await self._kept.store.read_aside(standing_stop)
        if not found and not stopped:
            raise BadInput("audit", (await self.verify()).message, "there is nothing to accept")
        made = await self._kept.store.read_aside(recompute)
        details = {"reason": reason, "found": list(dict.fromkeys([*found, *stopped]))}

        def unit_of_work(unit: Unit) -> None:
            mend_schema(unit)
            mend_counters(unit)
            for name in {*made.differing, *made.gone} - {"proof_layout"}:  # written once, never proven anew
                unit.accepted.append(
                    AcceptedRows(name, made.differing.get(name, ()), made.gone.get(name, ()))
                )
            unit.audit(AuditEntry(BREAK, self._engine.actor, details=details))

        await self._kept.store.write(unit_of_work)
        after = await self.verify()
        if after.ok:
            await self._keep_verified(after)
        return after

    async def wrong(self) -> list[str]:
        """All that is wrong with the books and that nobody has accepted."""
        report = await self.verify()
        return list(dict.fromkeys([*report.found, *await self._kept.store.read_aside(findings)]))

    async def last_judged(self) -> int:
        """The newest row by which something wrong was accepted or found mended; 0 where there is none."""
        async with self._kept.store.reader() as reader:
            return await last_judged(reader)

    async def keep_outside(self, now: bool = False) -> None:
        """Write the newest head to the file outside, unless that was done just before or hangs still."""
        if self._kept.heads.path is None or (self._keeping is not None and not self._keeping.done()):
            return
        async with self._kept.store.reader() as reader:
            head = (await reader.run_sync(kept_heads)).get(0)
        if head is None:
            return
        at, passed = self._timing.wall.now(), self._timing.wall.monotonic()
        self._keeping = asyncio.create_task(asyncio.to_thread(self._kept.heads.keep, head, at, passed, now))
        if now:
            with suppress(TimeoutError):
                async with self._timing.wall.timeout(self._timing.waits.send_timeout_s):
                    await asyncio.shield(self._keeping)


def _verify_tail(reader: Reader, heads: Path | None) -> AuditReport:
    verified, kept, outside = verified_heads(reader), kept_heads(reader), heads_outside(heads)
    report = verify_tail(rows_from(reader, verified), verified, kept, outside)
    if report.ok:
        return report
    known = accepted(reader)
    return verify_tail(rows_from(reader, verified), verified, kept, outside, known)

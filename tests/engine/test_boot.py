"""What a desk looks at before it trades: damage of the file and a changed audit are found and named."""

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, closing

import pytest
from sqlalchemy import select

from data.audit import AuditAction, AuditEntry, row_hash
from data.clock import ManualClock
from data.engines.driver import fetch
from data.proving.stored_audit import stored_rows
from data.proving.verifying import verify_tail
from data.records import replace
from data.repositories.audit import VERIFIED
from data.store import Store, StoreUnwritable
from data.tables.audit import AuditHead
from data.tables.columns import table
from data.vocabulary import ClientStatus, DeskKind
from engine.review.audit import Trail
from engine.review.boot import BooksLook, boot_problem
from engine.review.doctor import examine
from tests import tampering
from tests.desks import START, paper_desk
from tests.resting import rest
from tradedesk.testing import seam

ROHAN = 8


class Closed:
    """What of a desk is left once it is closed."""

    def __init__(self, inside):
        self._inside = inside
        self.store = inside.store

    async def problem(self):
        return await boot_problem(self.store, self.trail, ManualClock(START))

    @property
    def trail(self):
        inside = self._inside
        kept = replace(inside.kept, store=self.store)
        return Trail(kept, inside.timing, inside.engine, inside.stamps)


@pytest.fixture
async def closed(tmp_path):
    """The books of a desk that is closed again, with some rows in its audit."""
    async with paper_desk(tmp_path, kind=DeskKind.COMMAND) as desk:
        await set_statuses(desk)
        return Closed(seam(desk))


async def set_statuses(desk):
    for status in (ClientStatus.INACTIVE, ClientStatus.ACTIVE):
        await desk.clients.set_status(ROHAN, status, "asked us to")


@asynccontextmanager
async def booted(closed):
    """The store opened again, as a program does that starts."""
    closed.store = Store(closed.store.path, ManualClock(START), database=closed.store.database)
    await closed.store.open()
    try:
        yield closed
    finally:
        await closed.store.close()


async def problem_of(closed):
    async with booted(closed):
        return await closed.problem()


async def verified(closed):
    async with booted(closed), closed.store.reader() as connection:
        heads = table(AuditHead)
        query = select(heads.c.seq, heads.c.hash).where(heads.c.name == VERIFIED)
        seq, head = (await connection.execute(query)).one()
        return f"{seq} {head}" if seq else None


def tamper(closed, *statements):
    """Change the file as no tradedesk does; returns the newest audit row before."""
    ((last,),) = closed.store.database.read(lambda one: fetch(one, "SELECT max(seq) FROM audit"))
    tampering.tamper(closed.store.path, *(statement.format(last=last) for statement in statements))
    return last


FLIP = "UPDATE audit SET actor = actor || 'x' WHERE seq = {last}"


async def test_sound_books_boot_and_only_what_came_since_is_verified_again(tmp_path, closed):
    assert await verified(closed) is None
    assert await problem_of(closed) == ""
    kept = await verified(closed)
    assert kept is not None
    async with booted(closed):
        report = await closed.trail.verify_tail()
        assert (report.ok, report.rows) == (True, 0)
    async with paper_desk(tmp_path, demo=False) as desk:
        await set_statuses(desk)
        report = await desk.audit.verify_tail()
        said = await desk.audit.rows()
    since = [row.seq for row in said if row.seq > int(kept.split()[0])]
    assert len(since) >= 2
    assert (report.ok, report.rows) == (True, len(since))
    assert await verified(closed) == f"{max(since)} {report.head}" != kept


async def test_the_chain_is_recomputed_beside_the_event_loop(closed, monkeypatch):
    def verify(*given):
        threads.append(threading.current_thread())
        return verify_tail(*given)

    threads = []
    monkeypatch.setattr("engine.review.audit.verify_tail", verify)
    assert await problem_of(closed) == ""
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_one_more_byte_since_is_found_at_its_row_and_found_again(tmp_path, closed):
    assert await problem_of(closed) == ""
    kept = await verified(closed)
    async with paper_desk(tmp_path, demo=False) as desk:
        await set_statuses(desk)
    last = tamper(closed, FLIP)
    for _ in range(2):
        assert f"row {last} does not follow from row {last - 1}" in await problem_of(closed)
    assert await verified(closed) == kept


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (FLIP, "row {last} is not what it was when it was last verified"),
        (
            "UPDATE audit SET hash = '0' || substr(hash, 2) || '1' WHERE seq = {last}",
            "row {last} is not what",
        ),
        ("DELETE FROM audit WHERE seq = {last}", "row {last} is missing, which was there before"),
        ("UPDATE audit_head SET hash = 'f' WHERE name = 'verified'", "row {last} is not what it was"),
    ],
)
async def test_the_row_verified_last_holds_the_chain_before_it_in_place(closed, statement, words):
    assert await problem_of(closed) == ""
    last = tamper(closed, statement)
    assert words.format(last=last) in await problem_of(closed)


async def test_a_chain_rewritten_with_fitting_hashes_is_found_by_the_hash_that_was_kept(closed):
    assert await problem_of(closed) == ""
    *_, row = closed.store.database.read(lambda one: list(stored_rows(one)))
    assert row.at is not None
    subjects = (row.client_id, row.order_id, row.plan_number, row.run_number)
    fitting = row_hash(
        row.previous, row.seq, row.at, "another", row.action, subjects, row.details, row.proof, row.via
    )
    tamper(closed, f"UPDATE audit SET actor = 'another', hash = '{fitting}' WHERE seq = {row.seq}")
    tamper(closed, f"UPDATE audit_head SET hash = '{fitting}' WHERE name = 'written'")
    async with booted(closed):
        assert (await closed.trail.verify()).ok
        assert f"row {row.seq} is not what it was when it was last verified" in await boot_problem(
            closed.store, closed.trail, ManualClock(START)
        )


async def test_how_far_another_process_has_verified_meanwhile_is_not_taken_back(closed, monkeypatch):
    async with booted(closed):
        write = closed.store.write

        async def late(unit):
            monkeypatch.undo()
            await write(lambda one: one.audit(AuditEntry(AuditAction.BREAK_OPENED, "another")))
            further.append(await closed.trail.verify_tail())
            return await write(unit)

        further = []
        monkeypatch.setattr(closed.store, "write", late)
        here = await closed.trail.verify_tail()
    assert further[0].rows == here.rows + 1
    assert await verified(closed) == f"{further[0].rows} {further[0].head}"


async def test_a_gap_since_is_found_and_a_lost_mark_costs_a_full_reading(closed):
    assert await problem_of(closed) == ""
    last = tamper(
        closed, "DELETE FROM audit WHERE seq = {last} - 1", "DELETE FROM audit_head WHERE name = 'verified'"
    )
    assert f"row {last - 1} is missing" in await problem_of(closed)


async def test_a_boot_that_cannot_write_still_says_that_the_chain_is_good(closed, monkeypatch):
    async def full(unit):
        raise StoreUnwritable("database or disk is full")

    async with booted(closed):
        monkeypatch.setattr(closed.store, "write", full)
        assert await closed.problem() == ""
    assert await verified(closed) is None


@pytest.mark.in_file
@pytest.mark.parametrize("spoilt", ["posting", "audit"])
async def test_a_corrupted_page_is_damage_and_the_doctor_goes_on_to_what_it_can_read(closed, spoilt):
    path = closed.store.path
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = ?", (spoilt,)
        ).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)
    async with booted(closed):
        problem = await closed.problem()
        assert problem.startswith("desk.db is damaged (")
        async with closed.store.reader() as connection:
            checks = {check.name: check for check in await connection.run_sync(examine)}
    assert not checks["database"].ok
    assert checks["plans"].ok
    broken = {"posting": "balances", "audit": "audit chain"}[spoilt]
    assert (checks[broken].ok, checks[broken].detail) == (
        False,
        "it cannot be read: database disk image is malformed",
    )


async def test_what_stopped_a_claim_while_the_books_were_looked_at_again_stands(tmp_path, monkeypatch):
    async with paper_desk(tmp_path) as desk:
        inside = seam(desk)
        look = BooksLook(inside.store, desk.audit, inside.engine, ManualClock(START))

        async def problem(_):
            inside.engine.trading_disabled = "order 1 is not as the audit left it"
            return "desk.db holds values that no tradedesk writes"

        monkeypatch.setattr(BooksLook, "problem", problem)
        monkeypatch.setattr("engine.review.boot.standing_stop", lambda _: "found")
        await look.again()
        assert desk.trading_disabled == "order 1 is not as the audit left it"


async def test_a_desk_that_has_closed_leaves_no_task_behind(tmp_path):
    before = asyncio.all_tasks()
    async with paper_desk(tmp_path, kind=DeskKind.APP):
        pass
    await rest()
    assert asyncio.all_tasks() == before

"""The audit looked through: what each word asks, page after page, and the story of a row."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from data.audit import AuditAction, AuditEntry
from data.audit_wanted import AuditWanted
from data.clock import ManualClock
from data.errors import BadInput
from data.repositories import audit_search
from data.repositories.audit_search import AuditSearch
from data.repositories.base import Query
from data.vocabulary import ClientStatus, FlattenWhat, HaltScope, SizingKind
from engine.book.audit_views import AuditRecord, Of, StoryOf
from engine.colon.searches import search_from
from engine.colon.splitting import words_of
from engine.desk import Desk
from tests.desks import START, buy, carry_out, in_time, paper_desk
from tests.engine.test_no_scans import explained, statements
from tests.further import case
from tradedesk.testing import seam


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with paper_desk(tmp_path, clock=ManualClock(START)) as opened:
        for symbol in ("RELIANCE", "TCS"):
            await carry_out(opened, buy(symbol, SizingKind.FIXED_QUANTITY, 2))
        await opened.clients.set_status(3, opened.clients.get(3).status.INACTIVE, "on 100% leave_of_absence")
        yield opened


async def test_a_halt_and_a_flatten_are_looked_for_by_their_numbers(desk: Desk) -> None:
    first = await in_time(desk, desk.halt.fire("asha"))
    await desk.halt.resume(first.number, "resume", "asha")
    second = await in_time(desk, desk.halt.fire("asha"))
    rows = await found(desk, f"halt:{first.number}")
    swept = ["HALT_SWEPT"] if seam(desk).store.on_server else []  # of a commit of its own there
    assert [row.action for row in rows] == ["HALT_RESUMED", "HALT_CERTIFIED", *swept, "HALT_FIRED"]
    assert {row.details["halt"] for row in rows} == {first.number}
    assert [row.action for row in await found(desk, f"halt:{second.number} action:halt_fired")] == [
        "HALT_FIRED"
    ]
    assert await found(desk, "halt:99") == []
    await desk.halt.resume(second.number, "resume", "asha")
    number = await in_time(desk, desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
    await in_time(desk, desk.flatten.follow(number))
    assert "FLATTEN_STARTED" in [row.action for row in await found(desk, f"flatten:{number}")]
    for line in ("halt:x", "halt:", "halt:1 flatten:1"):
        with pytest.raises(BadInput):
            await found(desk, line)


async def found(desk: Desk, line: str, limit: int = 10_000) -> list[AuditRecord]:
    search = await desk.audit.search(search_from(words_of(line), desk.known()))
    return list((await search.page(limit=limit)).rows)


async def every(desk: Desk) -> list[AuditRecord]:
    return await found(desk, "action:all")


WORDS = [
    ("action:RUN_STARTED", lambda row: row.action == "RUN_STARTED"),
    ("action:run", lambda row: re.search("(^|_)RUN", row.action)),
    ("action:order_filled,plan", lambda row: row.action in ("ORDER_FILLED", "PLAN_FROZEN")),
    ("client:AM1042", lambda row: row.client_id == 42),
    ("am1042", lambda row: row.client_id == 42),
    ("order:5", lambda row: row.order_id == 5),
    ("run:2", lambda row: row.run_number == 2),
    ("plan:1", lambda row: row.plan_number == 1),
    ("by:TESTER", lambda row: row.actor == "tester" and row.action != "ROWS_CHANGED"),
    ("via:api", lambda row: row.via == "api"),
    ("run:1 client:AM1042", lambda row: row.run_number == 1 and row.client_id == 42),
    ("reliance", lambda row: "RELIANCE" in row.details.text()),
    ('"on 100%"', lambda row: "on 100%" in row.details.text()),
    ("leave_of", lambda row: "leave_of" in row.details.text()),
    ("leave%of", lambda row: False),
    ('client_status "100% leave"', lambda row: row.action == "CLIENT_STATUS"),
    ("' OR 1=1 --", lambda row: False),
]


async def test_each_word_asks_one_thing(desk: Desk) -> None:
    for line, keeps in WORDS:
        with case(line, keeps):
            rows = await every(desk)
            told = await found(desk, line)
            assert told == [row for row in rows if keeps(row)]
            assert [row.seq for row in told] == sorted((row.seq for row in told), reverse=True)


async def test_rows_that_only_keep_hashes_are_found_where_they_are_asked_for(desk: Desk) -> None:
    rows = await every(desk)
    silent = [row for row in rows if row.action == "ROWS_CHANGED"]
    assert silent
    assert await found(desk, "") == [row for row in rows if row not in silent]
    assert await found(desk, "by:tradedesk on:today") == [
        row for row in rows if row.actor == "tradedesk" and row not in silent
    ]
    assert await found(desk, "action:rows_changed") == silent
    assert await found(desk, "action:all by:tradedesk") == [row for row in rows if row.actor == "tradedesk"]
    search = await desk.audit.search()
    assert (await search.newer(0)).rows[0].action != "ROWS_CHANGED"
    assert (await search.newer(0, 10_000)).reached == rows[0].seq


NO_WORDS = [
    ("action:HALT_FIERD", "action", "HALT_FIRED"),
    ("clint:AM1042", "word", "client:"),
    ("order:", "order", "say what"),
    ("order:five", "order", "whole number"),
    ("run:1 run:2", "run", "given already"),
    ("on:2026-13-40", "on", "2026-11-18"),
    ("from:0915", "from", "09:15"),
    ("on:today from:09:15 from:09:20", "from", "given already"),
    ("from:10:00 to:09:00", "to", "after from:"),
    ("via:telepathy", "via", "app"),
]


async def test_a_word_that_cannot_be_taken_is_named(desk: Desk) -> None:
    for line, field, words in NO_WORDS:
        with case(line, field, words):
            with pytest.raises(BadInput, match=re.escape(words)) as refused:
                await found(desk, line)
            assert refused.value.field == field


async def test_pages_follow_each_other_without_gap_or_overlap(desk: Desk) -> None:
    search = await desk.audit.search(search_from(["action:all"], desk.known()))
    pages = [page async for page in search.pages(most=None)]
    assert [row.seq for page in pages for row in page.rows] == [row.seq for row in await every(desk)]
    small = await search.page(limit=7)
    rest = await search.page(small.before, limit=7)
    assert [row.seq for row in (*small.rows, *rest.rows)] == [row.seq for row in (await every(desk))[:14]]
    counted = [len(page.rows) async for page in search.pages(most=5)]
    assert sum(counted) == 5


async def test_what_is_written_meanwhile_is_found_behind_the_newest(desk: Desk) -> None:
    search = await desk.audit.search(search_from(["action:client_status", "on:today"], desk.known()))
    newest = (await search.page()).rows[0].seq
    assert (await search.newer(newest)).rows == []
    await desk.clients.set_status(3, desk.clients.get(1).status.ACTIVE, "back")
    (row,) = (await search.newer(newest)).rows
    assert row.details["reason"] == "back"


async def test_a_search_goes_on_over_rows_of_which_none_is_wanted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_search, "LOOKED", 5)
    search, steps, found, at = AuditSearch(AuditRecord), 0, [], None
    while True:
        async with seam(desk).store.reader() as reader:
            step = await search.step(reader, AuditWanted(words=("watchlist_made",)), 3, at)
        steps, at = steps + 1, step.on
        found += step.rows
        if at is None:
            break
    assert [row.action for row in found] == ["WATCHLIST_MADE"]
    assert steps >= len(await every(desk)) // 5


async def test_days_and_times_are_the_market_s(desk: Desk) -> None:
    rows = await every(desk)
    assert await found(desk, "action:all on:today") == rows
    assert await found(desk, "action:all on:2026-11-18") == rows
    assert await found(desk, "on:yesterday") == []
    seam(desk).timing.wall.shift(3600)  # type: ignore[attr-defined]
    await desk.clients.set_status(3, desk.clients.get(1).status.ACTIVE, "later")
    late = await found(desk, "from:09:30")
    assert [row.details.get("reason") for row in late if row.action == "CLIENT_STATUS"] == ["later"]
    assert not {row.seq for row in late} & {row.seq for row in await found(desk, "to:2026-11-18T09:30")}


async def test_rows_of_before_the_clock_was_set_back_are_found_by_their_date(desk: Desk) -> None:
    clock = seam(desk).timing.wall
    for seconds in (7200, -3600, 600):
        clock.shift(seconds)  # type: ignore[attr-defined]
        entry = AuditEntry(AuditAction.DAY_OPENED, "clockmaker", details={"moved": seconds})
        await seam(desk).store.write(lambda unit, entry=entry: unit.audit(entry))
    wall = clock.now()
    async with seam(desk).store.reader() as reader:
        search = AuditSearch(AuditRecord)
        wanted = AuditWanted(since=wall - timedelta(seconds=1), until=wall + timedelta(hours=9))
        bounds = await search.bounds(reader, wanted)
        rows = (await search.step(reader, wanted, 50, bounds=bounds)).rows
    assert [row.details["moved"] for row in rows if row.actor == "clockmaker"] == [600, 7200]


LED = {
    "client:AM1042": "audit_by_client",
    "order:5": "ix_audit_order_id",
    "run:1": "audit_of_runs",
    "plan:1": "audit_of_plans",
    "action:halt": "audit_by_action",
    "on:today": "audit_by_day",
}


@pytest.mark.in_file
@pytest.mark.parametrize("line", LED)
async def test_an_index_leads_to_the_rows(tmp_path: Path, line: str) -> None:
    import sqlite3

    from data.home import books_file

    async with paper_desk(tmp_path) as desk:
        with statements() as run:
            await found(desk, line)
    with sqlite3.connect(books_file(tmp_path)) as books:
        steps = [step[3] for one in run if "FROM audit" in one for step in explained(books, one)]
    assert any(f"INDEX {LED[line]} " in step for step in steps), steps


async def test_the_story_of_an_order_s_row_is_its_order_run_plan_and_client(desk: Desk) -> None:
    row = next(row for row in await every(desk) if row.action == "FILL_APPLIED" and row.run_number == 2)
    story = await desk.audit.story(row.seq)
    assert story.row == row
    assert [(one.of, one.number) for one in story.subjects] == [
        (Of.ORDER, row.order_id),
        (Of.RUN, 2),
        (Of.PLAN, 2),
        (Of.CLIENT, row.client_id),
        (Of.CHAIN, 0),
    ]
    chapter = await desk.audit.chapter(story.subjects[0], row.seq)
    assert [one.action for one in chapter.rows] == [
        "ORDER_RESERVED",
        "ORDER_SENDING",
        "ORDER_ACCEPTED",
        "FILL_APPLIED",
        "ORDER_FILLED",
    ]
    near = await desk.audit.chapter(story.subjects[0], row.seq, most=2)
    assert [one.action for one in near.rows] == [
        "ORDER_SENDING",
        "ORDER_ACCEPTED",
        "FILL_APPLIED",
        "ORDER_FILLED",
    ]
    assert (near.more_before, near.more_after) == (True, False)
    run = await desk.audit.chapter(StoryOf(Of.RUN, 2), row.seq, most=1000)
    assert [row.seq for row in run.rows] == [row.seq for row in reversed(await found(desk, "run:2"))]


async def test_the_end_of_a_run_belongs_to_its_plan_and_to_no_order(desk: Desk) -> None:
    row = next(row for row in await every(desk) if row.action == "RUN_FINISHED")
    story = await desk.audit.story(row.seq)
    assert [one.of for one in story.subjects] == [Of.RUN, Of.PLAN, Of.CHAIN]
    with pytest.raises(LookupError, match="no row 999999"):
        await desk.audit.story(999_999)


async def test_it_is_told_how_far_the_chain_was_verified_by_whom_and_when(desk: Desk) -> None:
    seam(desk).timing.wall.shift(60)  # type: ignore[attr-defined]
    report = await desk.audit.verify()
    state = await desk.audit.chain_state()
    assert (state.verified_to, state.verified_by) == (report.last_seq, "tester")
    assert state.verified_at == desk.clock.now()
    assert state.rows == report.last_seq
    assert state.against == ()


async def test_a_search_under_way_keeps_nobody_from_writing(desk: Desk) -> None:
    search = await desk.audit.search()
    async with seam(desk).store.reader() as reader:
        await search.page()
        begun = await AuditSearch(AuditRecord).step(reader, AuditWanted(), 1)
        await desk.clients.set_status(3, desk.clients.get(1).status.ACTIVE, "meanwhile")
        again = await AuditSearch(AuditRecord).step(reader, AuditWanted(), 1)
    assert again.rows[0].seq >= begun.rows[0].seq
    assert (await search.page(limit=1)).rows[0].details["reason"] == "meanwhile"


async def test_what_is_written_between_the_reads_of_a_step_is_left_to_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = await desk.audit.search()
    read, written = Query.read, False

    async def then_written(query: Query[Any], reader: Any, **values: Any) -> list[Any]:
        nonlocal written
        found = await read(query, reader, **values)
        if not written:
            written = True
            await desk.clients.set_status(3, ClientStatus.INACTIVE, "meanwhile")
        return found

    monkeypatch.setattr(Query, "read", then_written)
    step = await search.newer(search.newest)
    later = await search.newer(step.reached or search.newest)
    told = [row.details.get("reason") for row in (*step.rows, *later.rows)]
    assert told.count("meanwhile") == 1


async def test_a_search_that_goes_on_while_a_run_is_written_misses_no_row_and_tells_none_twice(
    desk: Desk,
) -> None:
    search = await desk.audit.search()
    seen, reached = [row.seq for row in (await search.page(limit=10_000)).rows][::-1], search.newest
    run = asyncio.create_task(carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1)))
    while not run.done():
        step = await search.newer(reached, 7)
        seen += [row.seq for row in step.rows]
        reached = step.reached or reached
    await run
    while (step := await search.newer(reached, 7)).rows:
        seen += [row.seq for row in step.rows]
        reached = step.reached or reached
    assert seen == [row.seq for row in reversed(await every(desk)) if row.action != "ROWS_CHANGED"]
    assert len(seen) > 2 * 45

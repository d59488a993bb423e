"""Workspace 9: the audit searched on screen, its rows as they come, and the story of a row."""

import csv
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from data.errors import StoreAway
from data.home import books_file, exports_folder
from data.vocabulary import ClientStatus, SizingKind
from screens.audit.rows import RowPane
from screens.audit.screen import AuditScreen
from screens.audit.story import StoryScreen
from screens.clients.page import ClientScreen
from screens.frame.pane import FilterLine, Pane
from screens.orders.life import OrderScreen
from tests.desks import buy, carry_out, in_time, until
from tests.further import further
from tests.screens.bench import Bench, opened
from tests.tampering import tamper
from tradedesk.testing import seam, toasts_shown
from widgets.livegrid import LiveGrid

SIZES = [(80, 24), (120, 40), (200, 50)]


def grid(bench: Bench) -> LiveGrid:
    return bench.screen.query_one(LiveGrid)


def said(bench: Bench) -> str:
    return " ".join(toasts_shown(bench.app))


async def to_audit(bench: Bench) -> None:
    await bench.keys("9")
    assert isinstance(bench.screen, AuditScreen)
    await bench.pass_time(0.6)


async def searched(bench: Bench, line: str) -> None:
    await bench.keys("f")
    await bench.keys("ctrl+u")
    await bench.type(line)
    await bench.keys("enter")
    await bench.pass_time(0.6)


@pytest.mark.parametrize("size", further(SIZES), ids=str)
async def test_the_newest_rows_stand_first_with_the_chain_s_state(size: tuple[int, int]) -> None:
    async with opened(size=size) as bench:
        await to_audit(bench)
        rows = (await (await bench.desk.audit.search()).page()).rows
        assert grid(bench).shown_keys[:5] == tuple(row.seq for row in rows[:5])
        title = bench.screen.query_one("#audit-pane", Pane).title_words
        assert f"chain ok to row {rows[0].seq}, 0." in title
        await bench.pass_time(20)
        title = bench.screen.query_one("#audit-pane", Pane).title_words
        assert f"chain ok to row {rows[0].seq}, 20s ago" in title
        assert f"Row {rows[0].seq}" in bench.screen.query_one(RowPane).title_words


async def test_a_search_shows_what_was_asked_and_escape_shows_all() -> None:
    async with opened() as bench:
        await to_audit(bench)
        everything = grid(bench).shown_keys
        await searched(bench, "action:client_added AM1042")
        (seq,) = grid(bench).shown_keys
        assert "CLIENT_ADDED" in bench.text
        await bench.keys("escape")
        await bench.pass_time(0.6)
        assert set(everything) <= set(grid(bench).shown_keys)
        await searched(bench, "no-row-has-this")
        assert grid(bench).shown_keys == ()
        assert "no row has all of this" in bench.text
        assert seq in everything


async def test_rows_that_tell_of_nothing_come_only_when_asked_for() -> None:
    async with opened() as bench:
        await to_audit(bench)
        told = set(grid(bench).shown_keys)
        await searched(bench, "action:rows_changed")
        silent = set(grid(bench).shown_keys)
        await searched(bench, "action:all")
        assert silent
        assert not told & silent
        assert told | silent <= set(grid(bench).shown_keys)


async def test_a_word_that_cannot_be_taken_is_said_and_stays() -> None:
    async with opened() as bench:
        await to_audit(bench)
        await searched(bench, "clint:AM1042")
        assert "do you mean client:" in said(bench)
        assert bench.screen.focused is bench.screen.query_one(FilterLine)
        assert bench.screen.query_one(FilterLine).value == "clint:AM1042"


async def test_rows_come_in_and_the_cursor_stays_on_its_row_and_line() -> None:
    async with opened() as bench:
        await to_audit(bench)
        await bench.keys("down", "down", "down")
        cursor, top = grid(bench).cursor_key, grid(bench).scroll_offset.y
        newest = grid(bench).shown_keys[0]
        line = grid(bench).shown_keys.index(cursor) - top
        for number in range(4):
            await bench.desk.clients.set_status(3, ClientStatus.INACTIVE, f"for the {number} time")
        await bench.pass_time(1.5)
        assert grid(bench).shown_keys[0] not in (newest, cursor)
        assert grid(bench).cursor_key == cursor
        assert grid(bench).shown_keys.index(cursor) - grid(bench).scroll_offset.y == line
        await bench.keys("home")
        assert grid(bench).cursor_key == grid(bench).shown_keys[0]


async def test_older_rows_are_read_as_the_cursor_comes_near_the_end() -> None:
    async with opened() as bench:
        for _ in range(3):
            await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, again=True))
        await to_audit(bench)
        seen = 0
        while len(grid(bench).shown_keys) > seen:
            seen = len(grid(bench).shown_keys)
            await bench.keys("end")
            await bench.pass_time(0.6)
        whole = [page async for page in (await bench.desk.audit.search()).pages()]
        assert seen == sum(len(page.rows) for page in whole) > 600


async def test_enter_tells_the_story_and_enter_there_opens_the_order() -> None:
    async with opened(size=(120, 40)) as bench:
        await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await to_audit(bench)
        await searched(bench, "action:fill_applied AM1042")
        (seq,) = grid(bench).shown_keys
        await bench.keys("enter")
        assert isinstance(bench.screen, StoryScreen)
        actions = [bench.screen.query_one(LiveGrid).columns[3]]
        assert actions[0].key == "what"
        assert [key for key in grid(bench).shown_keys if key == seq] == [seq]
        titles = [bench.screen.query_one("#story-pane", Pane).title_words]
        for _ in range(4):
            await bench.keys("tab")
            titles.append(bench.screen.query_one("#story-pane", Pane).title_words)
        kinds = [title.split(" ")[0] for title in titles]
        assert kinds == ["Order", "Run", "Plan", "Client", "The"]
        await bench.keys("tab", "enter")
        assert isinstance(bench.screen, OrderScreen)


async def test_a_change_is_shown_before_and_after_and_leads_to_the_client() -> None:
    async with opened() as bench:
        await bench.desk.clients.set_status(3, ClientStatus.INACTIVE, "on leave")
        bench.app.run_command("audit action:client_status")
        await bench.settle()
        await bench.pass_time(0.6)
        assert "pending → inactive" in bench.text
        await bench.keys("enter")
        await bench.pass_time(0.5)
        await bench.keys("enter")
        assert isinstance(bench.screen, ClientScreen)


async def test_t_writes_all_that_is_found_with_what_its_hashes_are_made_of() -> None:
    async with opened() as bench:
        await to_audit(bench)
        await searched(bench, "action:client_added")
        await bench.keys("t")
        await bench.pass_time(0.5)
        (path,) = exports_folder(bench.desk.home).glob("audit-*.csv")
        with path.open(encoding="utf-8-sig", newline="") as file:
            written = list(csv.DictReader(file))
        assert len(written) == 50
        assert {row["what"] for row in written} == {"CLIENT_ADDED"}
        assert all(len(row["hash"]) == 64 for row in written)
        assert f"50 rows written to exports/{path.name}" in said(bench)


async def test_a_line_verifies_the_chain_and_another_tells_a_story() -> None:
    async with opened() as bench:
        bench.app.run_command("verify-audit")
        await bench.settle()
        assert "rows verified" in said(bench)
        bench.app.run_command("audit story 5")
        await bench.settle()
        assert isinstance(bench.screen, StoryScreen)
        assert "Row 5" in bench.screen.query_one(RowPane).title_words


CHANGED = {
    "another text": 'UPDATE audit SET details = \'{{"to": "active"}}\' WHERE seq = {}',
    "no JSON": "UPDATE audit SET details = 'x]' WHERE seq = {}",
    "another client": "UPDATE audit SET client_id = 99999 WHERE seq = {}",
    "another actor": "UPDATE audit SET actor = '[red]\x1b]0;x\x07' WHERE seq = {}",
}


@pytest.mark.parametrize("change", further(CHANGED.values()), ids=CHANGED)
async def test_a_row_that_was_changed_is_loud_on_the_workspace_and_on_the_strip(change: str) -> None:
    async with opened() as bench:
        await bench.desk.clients.set_status(3, ClientStatus.INACTIVE, "on leave")
        await to_audit(bench)
        (row,) = await bench.desk.audit.rows(1, "CLIENT_STATUS")
        tamper(books_file(bench.desk.home), change.format(row.seq))
        assert bench.desk.trading_disabled is None
        await searched(bench, "action:client_status")
        await bench.pass_time(1)
        assert "NOT AS WRITTEN" in bench.text
        assert "CHAIN BROKEN: trading is stopped" in bench.screen.query_one("#audit-pane", Pane).title_words
        assert f"row {row.seq}" in (bench.desk.trading_disabled or "")
        assert "NO ORDERS: desk.db was changed" in bench.lines()[0]
        assert "\x1b" not in bench.text
        await bench.keys("enter")
        assert isinstance(bench.screen, StoryScreen)
        assert "NOT AS WRITTEN" in bench.text


async def test_rows_that_cannot_be_read_are_said_once_and_stop_trading() -> None:
    async with opened() as bench:
        await to_audit(bench)
        tamper(books_file(bench.desk.home), "UPDATE audit SET at = 'noon' WHERE seq = 5")
        await searched(bench, "action:all")
        await bench.pass_time(2)
        assert said(bench).count("rows of the audit cannot be read") == 1
        assert "CHAIN BROKEN" in bench.screen.query_one("#audit-pane", Pane).title_words
        assert bench.desk.trading_disabled
        await searched(bench, "on:today action:client_status")
        assert "no row has all of this" in bench.text


async def test_rows_come_once_the_server_answers_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as bench:
        store = seam(bench.desk).store

        @asynccontextmanager
        async def away() -> AsyncGenerator[Any]:
            raise StoreAway("the server of the books does not answer")
            yield

        with monkeypatch.context() as patch:
            patch.setattr(store, "reader", away)
            await to_audit(bench)
            assert grid(bench).shown_keys == ()
        await bench.pass_time(2.5)
        assert len(grid(bench).shown_keys) > 5
        assert "cannot be read" not in said(bench)


async def test_the_story_of_an_order_whose_client_was_closed_is_told_to_its_end() -> None:
    async with opened(size=(120, 40)) as bench:
        desk, client = bench.desk, 42
        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, client, limit_paise=2_300_00))
        await desk.orders.cancel(list(run.order_ids))
        await in_time(desk, desk.runs.settled(run.number, 30))
        await until(desk, lambda: not desk.orders.all(live=True))
        await desk.clients.set_status(client, ClientStatus.CLOSED, "moved away")
        await to_audit(bench)
        await searched(bench, f"action:order_cancelled order:{run.order_ids[0]}")
        assert "AM1042" in bench.text
        await bench.keys("enter")
        await bench.pass_time(0.5)
        assert isinstance(bench.screen, StoryScreen)
        told = [bench.screen.query_one("#story-pane", Pane).title_words]
        for _ in range(4):
            await bench.keys("tab")
            told.append(bench.screen.query_one("#story-pane", Pane).title_words)
        assert any(title.startswith("Client AM1042") for title in told)
        await bench.keys("tab", "enter")
        assert isinstance(bench.screen, OrderScreen)

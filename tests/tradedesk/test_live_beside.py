"""A live connection beside another kind in one home: by typed words alone, which every opening looks for.

What is live here is a stand-in on loopback whose row says so.
"""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cli_desk import Terminal

from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.kite.server import LocalKite
from data.clock import ManualClock
from data.errors import BadInput
from data.records import replace
from data.reference.phases import load_calendar
from data.repositories.connections import ConnectionRow
from data.vocabulary import ConnectionKind
from engine.access.connecting import ConnectionsChanged
from engine.desk import Desk
from tests.books import change_by_hand, drop_trigger, empty_books, rows_of
from tests.desks import START, WAITS, on_its_books
from tests.further import further
from tradedesk.cli.exits import Exit, explain
from tradedesk.compose.brokers.kite import kite_row
from tradedesk.compose.brokers.paper import PAPER
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk

WORD = "live beside paper"


def change(home: Path, *statements: str) -> None:
    for statement in statements:
        change_by_hand(home, drop_trigger("audit", "DELETE") if statement == DROPPED else statement)


def connections(home: Path) -> list[tuple[str, str]]:
    return rows_of(home, "SELECT name, kind FROM connection ORDER BY name")


@asynccontextmanager
async def live_venue() -> AsyncIterator[tuple[ConnectionRow, ManualClock]]:
    """A local Kite whose connection says that it is live, and the clock of it and of desks."""
    clock = ManualClock(START)
    exchange = PaperExchange(None, clock, load_calendar())
    kite = LocalKite(exchange, clock, api_keys={}, rng=random.Random(7))
    await kite.start()
    try:
        yield replace(kite_row(kite.url), kind=ConnectionKind.LIVE), clock
    finally:
        await kite.stop()
        exchange.close()


@asynccontextmanager
async def desk_of(home: Path, clock: ManualClock) -> AsyncIterator[Desk]:
    settings = on_its_books(Settings(trader="tester", vault="file"), home)
    opening = compose_desk(
        empty_books(home),
        clock=clock,
        settings=settings,
        waits=WAITS,
        latency=(0.0, 0.0),
        seed=7,
        passphrase=lambda: "only for rehearsals",
    )
    async with opening as desk:
        yield desk


@pytest.mark.parametrize("typed", ["", "live", "live beside sim", "yes"])
async def test_without_the_words_nothing_is_kept_and_they_are_named(tmp_path: Path, typed: str) -> None:
    async with live_venue() as (live, clock):
        async with desk_of(tmp_path, clock) as desk:
            assert desk.connecting.word_for(live) == WORD
            assert desk.connecting.word_for(replace(live, kind=ConnectionKind.SIM)) == ""
            with pytest.raises(BadInput, match="type 'live beside paper', or give it as --word"):
                await desk.connecting.add(live, typed)
            with pytest.raises(BadInput, match="leave it out"):
                await desk.connecting.add(replace(live, kind=ConnectionKind.SIM), WORD)
        assert connections(tmp_path) == [("paper", "paper")]
        assert rows_of(tmp_path, "SELECT 1 FROM meta WHERE name = 'live_beside'") == []
        assert rows_of(tmp_path, "SELECT 1 FROM audit WHERE action = 'LIVE_BESIDE_ALLOWED'") == []


async def test_with_the_words_both_are_opened_and_the_audit_has_who_and_both_kinds(tmp_path: Path) -> None:
    async with live_venue() as (live, clock):
        async with desk_of(tmp_path, clock) as desk:
            await desk.connecting.add(live, " Live  BESIDE paper ")
        async with desk_of(tmp_path, clock) as desk:
            assert [(one.name, one.kind) for one in desk.connections] == [
                ("kite", ConnectionKind.LIVE),
                ("paper", ConnectionKind.PAPER),
            ]
            assert desk.mode == "LIVE", "the most dangerous of them"
            assert [check for check in await desk.doctor.run() if not check.ok] == []
            (row,) = await desk.audit.rows(action="LIVE_BESIDE_ALLOWED")
        assert row.actor == "tester"
        together = f"kite live zerodha {live.address}; paper paper paper"
        assert row.details == {"word": WORD, "kinds": ["live", "paper"], "connections": together}
        assert rows_of(tmp_path, "SELECT value FROM meta WHERE name = 'live_beside'") == [(together,)]


async def test_paper_beside_live_takes_the_same_words(tmp_path: Path) -> None:
    async with live_venue() as (live, clock):
        async with desk_of(tmp_path, clock):
            pass
        kite = f"'kite', kind = 'live', broker = 'zerodha', address = '{live.address}', identity = ''"
        change(tmp_path, f"UPDATE connection SET name = {kite}")
        settings = Settings(trader="tester", vault="file", market="kite", kite_url=live.address)
        settings = on_its_books(settings, tmp_path)
        opening = compose_desk(
            tmp_path, clock=clock, settings=settings, waits=WAITS, passphrase=lambda: "only for rehearsals"
        )
        async with opening as desk:
            with pytest.raises(BadInput, match="type 'live beside paper'"):
                await desk.connecting.add(PAPER)
            await desk.connecting.add(PAPER, WORD)
        assert connections(tmp_path) == [("kite", "live"), ("paper", "paper")]


DROPPED = "DROP TRIGGER"

BY_HAND = {
    "another address": ["UPDATE connection SET address = 'http://127.0.0.1:9' WHERE name = 'kite'"],
    "another kind": ["UPDATE connection SET kind = 'sim' WHERE name = 'paper'"],
    "the audit's row is gone": [
        DROPPED,
        "DELETE FROM audit WHERE action = 'LIVE_BESIDE_ALLOWED'",
    ],
    "the fact is gone": ["DELETE FROM meta WHERE name = 'live_beside'"],
    "the fact is changed": ["UPDATE meta SET value = value || '!' WHERE name = 'live_beside'"],
    "fact and row are changed": [
        "UPDATE connection SET address = 'http://127.0.0.1:9' WHERE name = 'kite'",
        "UPDATE meta SET value = 'kite live zerodha http://127.0.0.1:9; paper paper paper'"
        " WHERE name = 'live_beside'",
    ],
}


@pytest.mark.parametrize("how", further(BY_HAND, 2))
async def test_an_opening_takes_no_connections_that_were_changed_by_hand(tmp_path: Path, how: str) -> None:
    async with live_venue() as (live, clock):
        async with desk_of(tmp_path, clock) as desk:
            await desk.connecting.add(live, WORD)
        change(tmp_path, *BY_HAND[how])
        with pytest.raises(BadInput, match="nobody has typed 'live beside"):
            async with desk_of(tmp_path, clock):
                pass
        settings = on_its_books(Settings(trader="tester", vault="file"), tmp_path)
        async with compose_desk(
            tmp_path, clock=clock, settings=settings, waits=WAITS, emergency=True
        ) as desk:
            assert len(list(desk.connections)) == 2, "what takes orders back goes on"


async def test_a_stand_in_that_is_made_live_by_hand_is_not_opened_beside_paper(tmp_path: Path) -> None:
    async with live_venue() as (live, clock):
        async with desk_of(tmp_path, clock) as desk:
            await desk.connecting.add(replace(live, kind=ConnectionKind.SIM))
        change(tmp_path, "UPDATE connection SET kind = 'live' WHERE name = 'kite'")
        with pytest.raises(BadInput, match="nobody has typed 'live beside paper'"):
            async with desk_of(tmp_path, clock):
                pass
        elsewhere = f"kind = 'sim', address = '{kite_row('').address}'"
        change(tmp_path, f"UPDATE connection SET {elsewhere} WHERE name = 'kite'")
        with pytest.raises(BadInput, match="is live: its row was changed by hand"):
            async with desk_of(tmp_path, clock):
                pass


def test_a_command_names_the_words_and_takes_them_by_an_option(demo: Terminal) -> None:
    refused = demo.run("connections", "add", "kite", "--json")
    assert (refused.code, refused.error["reason"]) == (2, "bad_input")
    assert "type 'live beside paper', or give it as --word" in refused.error["message"]
    assert demo.run("connections", "add", "kite", "--word", "yes", "--json").code == 2
    assert connections(demo.home) == [("paper", "paper")]
    printed = demo.run("connections", "add", "kite", "--word", WORD)
    assert (printed.code, "what its broker lists is read each morning" in printed.err) == (0, True)
    assert connections(demo.home) == [("kite", "live"), ("paper", "paper")]
    query = "SELECT actor, via, details FROM audit WHERE action = 'LIVE_BESIDE_ALLOWED'"
    ((actor, via, details),) = rows_of(demo.home, query)
    assert (actor, via) == ("tester", "cli")
    assert json.loads(details)["kinds"] == ["live", "paper"]


@pytest.mark.parametrize(
    ("typed", "code", "kept"),
    [("live beside paper\n", 0, 2), pytest.param("yes\n", 3, 1, marks=pytest.mark.proof)],
)
def test_at_a_terminal_the_words_are_typed(demo: Terminal, typed: str, code: int, kept: int) -> None:
    printed = demo.at_keyboard(("connections", "add", "kite"), f"type  {WORD}", typed)
    assert (printed.code, len(connections(demo.home))) == (code, kept)


@pytest.fixture
def beside(demo: Terminal) -> Terminal:
    """A demonstration beside a live connection that was typed in."""
    demo.done("connections", "add", "kite", "--word", WORD)
    return demo


def test_paper_made_live_by_hand_is_not_what_was_typed_for(beside: Terminal) -> None:
    change(beside.home, "UPDATE connection SET kind = 'live' WHERE name = 'paper'")
    refused = beside.run("connections", "--json")
    assert (refused.code, refused.error["field"]) == (2, "connection")
    assert "nobody has typed the words for these connections, but for 'kite live" in refused.error["message"]
    assert "Put it back as it was" in refused.error["message"]
    taken_back = beside.run("cancel-all", "--yes")
    assert (taken_back.code, "unreachable" in taken_back.out) == (0, False), "paper is reached"


@pytest.mark.parametrize("command", ["connections", "orders"])
@pytest.mark.parametrize("kind", ["live", "sim"])
def test_paper_is_of_no_other_kind(demo: Terminal, kind: str, command: str) -> None:
    change(demo.home, f"UPDATE connection SET kind = '{kind}' WHERE name = 'paper'")
    refused = demo.run(command, "--json")
    assert (refused.code, refused.error["value"]) == (2, f"paper {kind}")
    assert "the paper exchange is of kind 'paper': its row was changed by hand" in refused.error["message"]


@pytest.mark.parametrize(("column", "known"), [("kind", "paper, sim, live"), ("broker", "paper, zerodha")])
def test_a_word_that_no_connection_has_is_named_as_a_changed_row(
    beside: Terminal, column: str, known: str
) -> None:
    change(beside.home, f"UPDATE connection SET {column} = 'foo' WHERE name = 'kite'")
    refused = beside.run("connections", "--json")
    assert (refused.code, refused.error["reason"]) == (7, "store_unusable")
    assert f"the {column} of its connection 'kite' is 'foo', none of {known}" in refused.error["message"]
    assert "changed by hand" in refused.error["message"]
    taken_back = beside.run("cancel-all", "--yes")
    assert (taken_back.code, "HALT 1 everything" in taken_back.out) == (0, True), taken_back
    assert f"the {column} of its connection 'kite' is 'foo'" in taken_back.err


def test_the_way_out_where_the_typing_is_gone_is_named_and_leads_out(beside: Terminal) -> None:
    change(beside.home, "DELETE FROM meta WHERE name = 'live_beside'")
    refused = beside.run("connections", "--json")
    assert "delete the row of one from its table connection" in refused.error["message"]
    change(beside.home, "DELETE FROM connection WHERE name = 'kite'")
    beside.done("connections", "add", "kite", "--word", WORD)
    assert [one["name"] for one in beside.done("connections")] == ["kite", "paper"]
    doctor = beside.run("doctor", "--json").document
    assert [check["ok"] for check in doctor["checks"] if check["name"] == "proofs"] == [True]


def test_a_home_that_was_given_a_connection_meanwhile_says_so() -> None:
    told = explain(ConnectionsChanged("this home was given another connection just now; open it again"))
    assert (told.exit, told.reason) == (Exit.STORE, "store_unusable")
    assert told.message == "this home was given another connection just now; open it again"

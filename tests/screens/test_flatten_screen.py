"""The flatten on screen: what would be sent, the typed answer, the certificate, and F7 that sends nothing."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from brokers.connections import Connections
from brokers.contract import (
    BrokerAccount,
    BrokerError,
    Conversion,
    NotSent,
    OrderRequest,
    Outcome,
    Refused,
)
from data.audit import AuditAction, AuditEntry
from data.clock import IST
from data.errors import BadInput
from data.repositories.trading.flattens import take_over_flatten
from data.vocabulary import FlattenReason, FlattenWhat, HaltScope, Product, SizingKind
from engine.colon.splitting import quoted
from engine.flatten.views import FlattenPosition
from engine.rules import SQUARE_OFF_TOLD_AT
from engine.words.formats import rupees
from engine.words.trading.flattens import left_words
from screens.flatten.rows import FlattenRow, columns
from screens.flatten.screen import FlattenScreen
from screens.frame.cards.alerts_card import AlertsCard
from screens.frame.cards.commandline import CommandLineCard
from tests.desks import Wire, buy, carry_out
from tests.screens.bench import Bench, opened
from tests.screens.papers import opened_on_paper
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam
from widgets.columns import place_columns, with_room
from widgets.livegrid import LiveGrid

QTY = SizingKind.FIXED_QUANTITY
PRIYA, ZOYA = 15, 48
POSITION = FlattenPosition(PRIYA, "PS1015", "Priya Sharma", "X", "NSE:TCS", "TCS", Product.MIS, 40)


async def _bought(bench: Bench, client_id: int = PRIYA) -> None:
    plan = await bench.desk.plans.freeze(buy("TCS", QTY, 4, client_id, product=Product.MIS))
    run = await bench.desk.runs.start(plan, plan.digest)
    await bench.until(lambda: bench.desk.runs.get(run.number).finished_at is not None)


async def _typed(bench: Bench, words: str) -> None:
    await bench.keys("colon")
    await bench.type(words)
    await bench.keys("enter")


async def test_the_words_flatten_and_the_same_frame_is_the_certificate() -> None:
    async with opened() as bench:
        await _bought(bench)
        await _typed(bench, "flatten desk")
        await bench.until(lambda: "type  flat 1  and Enter" in bench.text)
        assert "SELL 4 ≥" in bench.text
        assert "FLATTEN MIS desk ──" in bench.text
        assert " 1 position · 1 client · long 1 short 0 ─" in bench.text
        assert "NOT in it: CNC, MTF, T1, pledged" in bench.text
        assert "not signed in, nothing known here: DR0044" in bench.text
        await bench.type("flat 2")
        await bench.keys("enter")
        assert await bench.desk.flatten.all() == []
        await bench.type("flat 1")
        await bench.keys("enter")
        await bench.until(lambda: "certified" in bench.text)
        assert "FLATTEN 1 MIS desk ──" in bench.text
        assert " flat 1 " in bench.text
        assert "nothing of it lives" in bench.text
        assert "not signed in, nothing known here: DR0044" in bench.text
        assert bench.desk.holdings.of(PRIYA) == []
        await bench.keys("escape", "3", "enter")
        await bench.until(lambda: "of flatten 1" in bench.text)


async def test_who_cannot_be_read_stands_first_at_80_columns_with_why_and_what_answers_it() -> None:
    async with opened(size=(80, 24)) as bench:
        await _bought(bench)
        await _bought(bench, ZOYA)

        async def silent(account: BrokerAccount) -> None:
            if account.client_id == ZOYA:
                raise BrokerError("no answer")

        Wire(bench.desk).on_read = silent
        await _typed(bench, "flatten desk")
        await bench.until(lambda: "type  flat 1  and Enter" in bench.text)
        code = bench.desk.clients.get(ZOYA).code
        rows = [line for line in bench.text.splitlines() if code in line or "PS1015" in line]
        assert [code in row for row in rows] == [True, False]
        assert "unreachable: no answer" in rows[0]
        assert ":flatten again, phone" in rows[0]
        assert "SELL 4 ≥" in rows[1]


async def test_it_says_what_a_client_lacks_whole_at_120_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened() as bench:
        for client in (PRIYA, ZOYA):
            await _bought(bench, client)
        serves = Connections.serves
        monkeypatch.setattr(Connections, "serves", lambda self, one: one != ZOYA and serves(self, one))
        await bench.desk.sessions.expire(PRIYA, "a test")
        await _typed(bench, "flatten desk")
        await bench.until(lambda: "no connection" in bench.text)
        assert "no connection to its broker on this desk · phone" in bench.text
        assert "not signed in · 7 sign in, phone" in bench.text


async def test_the_longest_reason_is_whole_at_120_columns() -> None:
    longest = max(FlattenReason, key=lambda one: len(left_words(one, "")))
    line = f"SELL 40 ≥ 2,450.00 · {left_words(longest, '')}"
    wide = with_room(columns(lambda: False), [FlattenRow(POSITION, 40, line, "", "left", ok=False)])
    placed = {one.column.key: one.width for one in place_columns(wide, 116, 1)}
    assert placed["sends"] >= len(line)
    assert {"code", "symbol", "net", "state"} <= set(placed)


async def test_what_it_is_worth_obeys_privacy_and_what_is_not_in_it_is_counted() -> None:
    async with opened(size=(80, 24)) as bench:
        await carry_out(bench.desk, buy("INFY", QTY, 3, PRIYA))
        await _bought(bench)
        await _typed(bench, "flatten desk")
        await bench.until(lambda: "type  flat 1  and Enter" in bench.text)
        quote = bench.desk.market.quote("NSE:TCS")
        assert quote is not None
        worth = rupees(4 * quote.last_paise)
        assert f"₹{worth} · now 09:1" in bench.text
        assert "(1 position of the same clients)" in bench.text
        await bench.keys("ctrl+o")
        assert worth not in bench.text
        assert "₹••• · now 09:1" in bench.text


async def test_one_opened_by_its_number_says_whose_positions_it_took() -> None:
    async with opened() as bench:
        await _bought(bench)
        number = await bench.desk.flatten.start(HaltScope.CLIENT, str(PRIYA), FlattenWhat.MIS, 1)
        await bench.until(lambda: not bench.desk.holdings.of(PRIYA))
        bench.app.open_flatten(number=number)
        await bench.until(lambda: "certified" in bench.text)
        assert f"FLATTEN {number} MIS client PS1015" in bench.text


async def test_f7_fills_the_command_line_with_what_the_cursor_is_on_and_sends_nothing() -> None:
    for key in ("f7", "ctrl+r"):
        async with opened() as bench:
            await bench.keys(key)
            assert isinstance(bench.card, CommandLineCard)
            assert bench.card.query_one(Input).value.startswith("flatten ")
            await bench.keys("enter")
            await bench.until(lambda bench=bench: isinstance(bench.screen, FlattenScreen))
            assert await bench.desk.flatten.all() == []


async def test_f9_works_over_it() -> None:
    async with opened() as bench:
        await _bought(bench)
        await _typed(bench, "flatten client PS1015 all")
        await bench.until(lambda: "type  flat all 1  and Enter" in bench.text)
        await bench.f9()
        await bench.f9()
        await bench.until(lambda: bool(bench.desk.halt.active()))
        assert bench.desk.halt.active()[0].scope is HaltScope.EVERYTHING
        assert await bench.desk.flatten.all() == []


async def test_the_words_convert_and_the_typed_answer_makes_shares_the_clients_own() -> None:
    async with opened() as bench:
        await _bought(bench)
        await _typed(bench, "convert PS1015 TCS mis cnc")
        await bench.until(lambda: "type  convert 4  and Enter" in bench.text)
        await bench.type("convert 4")
        await bench.keys("enter")
        await bench.until(lambda: [h.product for h in bench.desk.holdings.of(PRIYA)] == [Product.CNC])


async def test_the_marked_are_converted_by_one_answer_and_each_line_says_what_it_came_to() -> None:
    async with opened(size=(80, 24)) as bench:
        await _bought(bench)
        await _bought(bench, ZOYA)
        broker: Any = bench.desk.connections.feed.broker
        convert = broker.convert

        async def refuses(account: BrokerAccount, conversion: Conversion) -> Outcome:
            if account.client_id == ZOYA:
                return Refused("no", "RMS: not today")
            return await convert(account, conversion)

        broker.convert = refuses
        bench.screen.query_one("#clients", LiveGrid).set_marks({PRIYA, ZOYA})
        await _typed(bench, "convert marked mis cnc")
        await bench.until(lambda: "type  convert 2  and Enter" in bench.text)
        assert "convert 2 positions of 2 clients, MIS to CNC: repays" in bench.text
        await bench.type("convert 1")
        await bench.keys("enter")
        assert [h.product for h in bench.desk.holdings.of(PRIYA)] == [Product.MIS]
        await bench.type("convert 2")
        await bench.keys("enter")
        await bench.until(lambda: "converted: 1 done, 1 not done" in bench.text)
        assert "not done: RMS: not today" in bench.text
        assert [h.product for h in bench.desk.holdings.of(PRIYA)] == [Product.CNC]
        assert [h.product for h in bench.desk.holdings.of(ZOYA)] == [Product.MIS]


async def test_a_flatten_that_goes_on_stands_in_the_strip_and_f7_offers_the_group_in_view() -> None:
    async with opened() as bench:
        await _bought(bench)

        async def rests(account: BrokerAccount, request: OrderRequest) -> Outcome:
            return NotSent("the line is down")

        wire = Wire(bench.desk)
        wire.on_place = rests
        await bench.desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        await bench.until(lambda: "flat 0/1" in bench.text)
        wire.on_place = None
        await bench.until(lambda: "flat 0/1" not in bench.text)
        bench.screen.query_one("#clients", LiveGrid).focus()
        await bench.keys("right_curly_bracket", "f7")
        (group, *_) = bench.desk.clients.groups()
        assert bench.card.query_one(Input).value == f"flatten group {quoted(group)} mis"


async def test_one_that_stands_still_says_so_and_typed_words_carry_it_on() -> None:
    async with opened() as bench:
        await _bought(bench)
        desk, wire = bench.desk, Wire(bench.desk)

        async def rests(account: BrokerAccount, request: OrderRequest) -> Outcome:
            return NotSent("the line is down")

        wire.on_place = rests
        number = await desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS)
        await bench.until(lambda: "flat 0/1" in bench.text)
        own, dead = seam(desk).engine.id, 999
        await seam(desk).kept.store.write(lambda unit: take_over_flatten(unit, number, own, dead))
        await bench.until(lambda: "flat 0/1 STANDS STILL" in bench.lines()[0])
        await bench.pilot.click(offset=(bench.lines()[0].index("STANDS"), 0))
        await bench.until(lambda: "the program that carried it out has ended" in bench.text)
        assert f"type  carry on {number}  and Enter:" in bench.text
        await _typed(bench, f"carry on {number + 1}")
        await bench.keys("enter")
        assert "STANDS STILL" in bench.lines()[0]
        wire.on_place = None
        await _typed(bench, f"Carry on  {number}")
        await bench.keys("enter")
        await bench.until(lambda: "certified" in bench.text)
        assert "type  carry" not in bench.text
        await bench.until(lambda: "STANDS STILL" not in bench.text)
        assert [one.quantity for one in desk.holdings.of(PRIYA)] == []


async def test_alerts_stand_in_a_panel_and_lead_to_the_flatten_that_answers_them(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("TCS", QTY, 4, PRIYA, product=Product.MIS))
        day = bench.desk.market.now().astimezone(IST).date()
        exchange_of(bench.desk).jump(datetime.combine(day, SQUARE_OFF_TOLD_AT, IST))
        while not bench.desk.alerts.standing:
            await bench.pass_time(10)
        assert "!1" in bench.lines()[0]
        await bench.keys("exclamation_mark")
        assert "MIS open: 1 position of 1 client" in bench.text
        assert "PS1015" in bench.text
        await bench.keys("down", "enter")
        assert isinstance(bench.screen, FlattenScreen)
        assert await bench.desk.flatten.all() == []
        await bench.keys("escape", "exclamation_mark", "f7")
        assert bench.card.query_one(Input).value == "flatten desk mis"
        await bench.keys("escape", "exclamation_mark", "H")
        assert "not shown ‹for 10 minutes›" in bench.text
        await bench.keys("right", "enter")
        assert "shown again at 15:15" in bench.toasts[-1]
        await bench.keys("exclamation_mark", "h")
        assert bench.desk.alerts.standing == []
        assert "Enter answer  F7 flatten  u orders  Tab rules  Esc back" in bench.text, (
            "keys that do nothing are not named"
        )
        await bench.keys("escape", "colon", *"alerts later square_off 5m", "enter")
        assert "shown again at 14:50" in bench.toasts[-1]
        await bench.keys("colon", *"alerts done margin", "enter")
        assert bench.toasts[-1] == "margin: give square_off (1)"
        await bench.keys("colon", *"alerts done square_off", "enter", "colon", *"alerts", "enter")
        assert isinstance(bench.card, AlertsCard)
        with pytest.raises(BadInput):
            bench.desk.alerts.named("square_off")
        told = [one.command for one in await bench.desk.audit.commands()]
        assert told[-3:] == [
            "alerts later square_off 30m",
            "alerts later square_off 5m",
            "alerts done square_off",
        ]


async def test_an_order_whose_chase_died_is_named_and_opened_by_enter(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        desk = bench.desk
        _, run = await carry_out(desk, buy("TCS", QTY, 2, PRIYA, limit_paise=2400_00))
        (order_id,) = run.order_ids
        dead = {"to": "chase", "orders": [order_id], "limit_paise": 2450_00, "instance": 999}
        entry = AuditEntry(AuditAction.CHASE_STARTED, "asha", details=dead)
        await seam(desk).kept.store.write(lambda unit: unit.audit(entry))
        while not desk.alerts.standing:
            await bench.pass_time(1)
        await bench.until(lambda: "!1" in bench.lines()[0])
        await bench.keys("exclamation_mark")
        assert "1 order follows the market no more: its program ended · Enter E x" in bench.text
        assert f"order {order_id} BUY 2 TCS at 2,400.00, was to follow to 2,450.00" in bench.text
        await bench.keys("down", "enter")
        assert f"ORDER {order_id}" in bench.text.upper()
        await bench.keys("escape", "exclamation_mark", "d")
        assert desk.alerts.standing == []

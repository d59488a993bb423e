"""Guards: a day's loss limit or target of a set, which trips once, and on nothing that is stale or odd."""

from contextlib import asynccontextmanager
from datetime import datetime, time

import pytest

from brokers.contract import BrokerFunds, BrokerHolding, Tick
from data.clock import IST, ManualClock
from data.errors import BadInput
from data.records import replace
from data.store import GateMode
from data.vocabulary import (
    AlertKind,
    DeskKind,
    FlattenWhat,
    GuardAction,
    GuardState,
    GuardWait,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    Side,
    SizingKind,
    TripKind,
)
from engine.book.owed import OwedShares
from engine.book.views import DayFigures, DaySale, HoldingView
from engine.book.watched.guard_views import GuardView
from engine.desk import Desk
from engine.guards.asked import GuardWish
from engine.guards.counting import ExitCosts, books_of, count, mark_of
from engine.words.trading.guards import at_once_words, guard_line
from tests.desks import (
    START,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    filed_desk,
    manual_clock,
    on_tape,
    paper_desk,
    sell,
    there,
    until,
)
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY, MIS, PRIYA, ROHAN = SizingKind.FIXED_QUANTITY, Product.MIS, 15, 8
CLIENT, BLOCK, FLAT = HaltScope.CLIENT, GuardAction.BLOCK, GuardAction.FLAT
TICK = Tick(
    "NSE:SOME", 100_000, 100_000, 100_000, 100_000, 100_000, 1, 99_990, 100_010, 90_000, 110_000, START, START
)
TCS, CLOSE = 2_500_00, 2_490_00
SHARES = 80
"""TCS within the day, of a client whose sizing base is 5,00,000: a rupee a share is 0.016 %."""


def wish(**terms) -> GuardWish:
    return GuardWish(CLIENT, str(PRIYA), **terms)


@asynccontextmanager
async def desk_at(home, **terms):
    """A desk on which Priya has 80 TCS within the day and 5 INFY to keep, and a guard of these terms."""
    async with paper_desk(home, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, SHARES, PRIYA, product=MIS))
        await carry_out(desk, buy("INFY", QTY, 5, PRIYA))
        if terms:
            await desk.guards.set(wish(**terms), answer="flat" if terms.get("action") is FLAT else "")
            await until(desk, lambda: of_priya(desk).net_paise is not None)
        yield desk


def of_priya(desk: Desk) -> GuardView:
    (view,) = desk.guards.of(PRIYA)
    return view


async def seconds(desk: Desk, count: float) -> None:
    """Let time pass in small steps while prices stay as they are."""
    for _ in range(round(count * 10)):
        await manual_clock(desk).advance(0.1)


def tcs_at(desk: Desk, percent: float) -> None:
    """Have TCS stand where Priya's day within the day is at about this per cent of her base."""
    base = desk.clients.get(PRIYA).capital_paise
    price = TCS + round(base * percent / 100 / SHARES / 10) * 10
    exchange_of(desk).pin("TCS", price, CLOSE)


async def shown_at(desk: Desk, percent: float) -> None:
    """The same, until a sample has shown it."""
    tcs_at(desk, percent)
    base = desk.clients.get(PRIYA).capital_paise
    about = round(base * percent / 100)
    await until(desk, lambda: abs((of_priya(desk).net_paise or 0) - about) < base // 200, step_s=0.1)


def silence(desk: Desk, monkeypatch) -> None:
    """Have no price come in any more, and none be confirmed."""
    for name in ("put", "put_all", "put_fetched", "heartbeat"):
        monkeypatch.setattr(seam(desk).market_data.quotes, name, lambda told: None)


def held(desk: Desk) -> dict[tuple[str, Product], int]:
    return {(one.tradingsymbol, one.product): one.quantity for one in desk.holdings.of(PRIYA) if one.quantity}


async def tripped(desk: Desk) -> list[dict]:
    return [dict(row.details) for row in await desk.audit.rows(action="GUARD_TRIPPED")]


# --- what trips, and what does not ------------------------------------------------------------------------


async def test_an_odd_print_of_ten_per_cent_for_half_a_second_trips_nothing(tmp_path):
    async with desk_at(tmp_path, loss_bps=200, action=FLAT) as desk:
        tcs_at(desk, -1.9)
        await seconds(desk, 3)
        exchange_of(desk).pin("TCS", TCS * 9 // 10 // 10 * 10, CLOSE)
        await seconds(desk, 0.5)
        tcs_at(desk, -1.9)
        await seconds(desk, 5)
        assert of_priya(desk).state is GuardState.NEAR
        assert await tripped(desk) == []
        assert desk.halt.active() == []


async def test_broken_for_two_seconds_it_takes_its_set_flat_once_and_keeps_what_is_delivered(tmp_path):
    async with desk_at(tmp_path, loss_bps=200, action=FLAT) as desk:
        before = held(desk)
        tcs_at(desk, -2.4)
        await seconds(desk, 2)
        await until(desk, lambda: of_priya(desk).state is GuardState.FLAT)
        assert before == {("TCS", MIS): SHARES, ("INFY", Product.CNC): 5}
        assert held(desk) == {("INFY", Product.CNC): 5}
        await seconds(desk, 60)
        (trip,) = await tripped(desk)
        assert (trip["kind"], trip["limit_paise"]) == ("loss", 10_000_00)
        assert len(await desk.flatten.all()) == 1
        sold = [one for one in exchange_of(desk).trades("PS1015") if one.side is Side.SELL]
        assert sum(one.quantity for one in sold) == SHARES
        (told,) = [one for one in desk.alerts.standing if one.kind is AlertKind.GUARDS]
        assert [one.of for one in told.guards] == ["PS1015"]
        await books_are_sound(desk)


async def test_a_guard_that_blocks_sells_nothing_and_lets_leave_only_what_reduces(tmp_path):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        _, resting = await carry_out(desk, buy("INFY", QTY, 1, PRIYA, limit_paise=1_450_00, product=MIS))
        stop = replace(sell("TCS", QTY, SHARES, PRIYA), product=MIS, order_type=OrderType.SL_M)
        _, kept = await carry_out(desk, replace(stop, trigger_paise=2_250_00))
        tcs_at(desk, -2.4)
        await until(desk, lambda: of_priya(desk).state is GuardState.TRIPPED)
        (opened,), (exit_,) = resting.order_ids, kept.order_ids
        await until(desk, lambda: desk.orders.get(opened).state is OrderState.CANCELLED)
        await seconds(desk, 30)
        assert desk.orders.get(exit_).state is OrderState.OPEN, "what reduces lives on"
        assert held(desk)["TCS", MIS] == SHARES
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, PRIYA))
        assert [line.reason and line.reason.value for line in plan.lines] == ["halted"]
        _, run = await carry_out(desk, replace(sell("INFY", QTY, 5, PRIYA), product=Product.CNC))
        assert desk.orders.get(run.order_ids[0]).state is OrderState.FILLED
        await books_are_sound(desk)


async def test_a_trip_tells_the_figures_that_broke_its_limit_whatever_is_seen_while_it_is_written(
    tmp_path, monkeypatch
):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        both = wish(what=FlattenWhat.ALL, loss_bps=200)
        await desk.guards.set(both, answer=desk.guards.answer(both))
        tcs_at(desk, -1.9)
        await seconds(desk, 3)  # that it is near has been told
        engine = seam(desk).engine
        write = engine.write_signed_on

        async def after_another_look(work, gate=GateMode.SHARED):
            quotes = seam(desk).market_data.quotes
            quote = quotes.quote("NSE:TCS")
            assert quote is not None
            back = {"last_paise": TCS, "bid_paise": TCS, "ask_paise": TCS}
            quotes.put(replace(quote, **back, received_at=manual_clock(desk).now()))
            await desk.guards.read()
            done = await write(work, gate)
            tcs_at(desk, -2.4)  # for what was no trip's: the day may write at any time
            return done

        monkeypatch.setattr(engine, "write_signed_on", after_another_look)
        tcs_at(desk, -2.4)
        await until(desk, lambda: all(one.trip for one in desk.guards.of(PRIYA)))
        trips = await tripped(desk)
        assert len(trips) == 2
        assert all(one["net_paise"] <= -one["limit_paise"] for one in trips)


async def test_a_guard_set_behind_a_sample_fails_no_look_and_is_shown_by_the_next(
    tmp_path, monkeypatch, caplog
):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        engine = seam(desk).engine
        write = engine.write_signed_on

        async def with_a_guard_behind(work, gate=GateMode.SHARED):
            done = await write(work, gate)
            if of_priya(desk).trip and not desk.guards.of(ROHAN):
                monkeypatch.setattr(engine, "write_signed_on", write)
                await desk.guards.set(GuardWish(CLIENT, str(ROHAN), loss_bps=200))
            return done

        monkeypatch.setattr(engine, "write_signed_on", with_a_guard_behind)
        tcs_at(desk, -2.4)
        await until(desk, lambda: [one.net_paise for one in desk.guards.of(ROHAN)] == [0])
        assert "guards could not be looked at" not in caplog.text


async def test_a_target_trips_as_a_loss_does(tmp_path):
    async with desk_at(tmp_path, target_bps=150) as desk:
        await shown_at(desk, 1.3)
        assert of_priya(desk).state is GuardState.NEAR
        tcs_at(desk, 1.9)
        await until(desk, lambda: of_priya(desk).state is GuardState.TRIPPED)
        assert [one["kind"] for one in await tripped(desk)] == ["target"]


async def test_a_feed_that_stops_near_the_limit_blocks_and_sells_nothing_until_it_is_back(
    tmp_path, monkeypatch
):
    async with desk_at(tmp_path, loss_bps=200, action=FLAT) as desk:
        await shown_at(desk, -1.9)
        silence(desk, monkeypatch)
        tcs_at(desk, -4)
        await until(desk, lambda: of_priya(desk).trip is not None, step_s=0.5)
        view = of_priya(desk)
        assert view.trip is not None
        assert (view.state, view.wait, view.trip.kind) == (
            GuardState.WAITING,
            GuardWait.STALE,
            TripKind.BLIND,
        )
        assert [one.reduces for one in desk.halt.active()] == [True]
        assert [one.kind for one in desk.alerts.standing] == [AlertKind.GUARDS]
        await seconds(desk, 30)
        assert held(desk)["TCS", MIS] == SHARES
        assert await desk.flatten.all() == []
        with pytest.raises(BadInput, match="cannot be seen"):
            await desk.guards.arm(CLIENT, str(PRIYA), FlattenWhat.MIS, "arm PS1015")
        tcs_at(desk, -1.0)
        monkeypatch.undo()
        await until(desk, lambda: of_priya(desk).state is GuardState.ARMED)
        assert desk.halt.active() == []
        assert on_tape(desk, "sees its prices again")


async def test_far_from_its_limit_a_guard_that_cannot_see_says_so_and_blocks_nobody(tmp_path, monkeypatch):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        await shown_at(desk, -0.5)
        silence(desk, monkeypatch)
        await until(desk, lambda: of_priya(desk).alarmed, step_s=0.5)
        assert of_priya(desk).state is GuardState.WAITING
        assert desk.halt.active() == []
        await until(desk, lambda: desk.alerts.standing)


async def test_a_guard_that_blocks_for_want_of_sight_may_be_taken_away_with_its_block(tmp_path, monkeypatch):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        await shown_at(desk, -1.9)
        silence(desk, monkeypatch)
        await until(desk, desk.halt.active, step_s=0.5)
        await desk.guards.remove(CLIENT, str(PRIYA), FlattenWhat.MIS)
        assert (desk.guards.all(), desk.halt.active()) == ([], [])
        await books_are_sound(desk)


async def test_a_market_that_does_not_trade_continuously_trips_nothing(tmp_path):
    async with desk_at(tmp_path, loss_bps=200, action=FLAT) as desk:
        await shown_at(desk, -1.9)
        await desk.market_halts.halt(reason="a fall")
        tcs_at(desk, -4)
        await until(desk, lambda: of_priya(desk).wait is GuardWait.PHASE)
        await seconds(desk, 20)
        assert await tripped(desk) == []
        assert of_priya(desk).alarmed
        assert [one.kind for one in desk.alerts.standing] == [AlertKind.GUARDS]
        await desk.market_halts.open_again()
        await until(desk, lambda: of_priya(desk).state is GuardState.FLAT, step_s=0.5)
        assert len(await tripped(desk)) == 1


async def test_a_short_at_its_upper_circuit_is_locked_and_says_what_is_left_to_do(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        by_phone(desk, PRIYA, Side.SELL, 100, product=MIS)
        await until(desk, lambda: seam(desk).book.owed.get(PRIYA), step_s=5)
        await desk.guards.set(wish(loss_bps=200, action=FLAT), "flat")
        await until(desk, lambda: of_priya(desk).net_paise is not None)
        exchange = exchange_of(desk)
        exchange.pin("INFY", exchange.quotes(["NSE:INFY"])["NSE:INFY"].upper_circuit_paise, 1_491_00)
        await until(desk, lambda: of_priya(desk).state is GuardState.LOCKED, step_s=1)
        view = of_priya(desk)
        assert view.trip is not None
        assert view.trip.locked == ("INFY -100",)
        assert (view.trip.flat, view.trip.left, len(await desk.flatten.all())) == (0, 1, 1)
        assert "F7 again · phone" in guard_line(view)
        assert net_at_venue(desk) == {("INFY", MIS): -100}


def net_at_venue(desk: Desk) -> dict[tuple[str, Product], int]:
    rows = exchange_of(desk).holdings("PS1015")
    return {(one.tradingsymbol, one.product): one.free + one.t1 + one.today - one.short for one in rows}


# --- what is counted --------------------------------------------------------------------------------------


async def test_money_that_comes_and_goes_moves_no_bar(tmp_path, monkeypatch):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        await shown_at(desk, -1.0)
        before, exchange = of_priya(desk).net_paise, exchange_of(desk)
        paper = exchange.funds
        for more in (1_00_000_00, -20_000_00):
            monkeypatch.setattr(exchange, "funds", lambda user, more=more: with_more(paper(user), more))
            await seconds(desk, 15)
            done = await desk.reconcile.adopt(PRIYA, "money came or went")
            assert done.differences
            await seconds(desk, 3)
            assert of_priya(desk).net_paise == before
        await books_are_sound(desk)


def with_more(funds: BrokerFunds, paise: int) -> BrokerFunds:
    return replace(funds, available_paise=funds.available_paise + paise)


async def test_a_bonus_moves_no_bar(tmp_path, monkeypatch):
    async with desk_at(tmp_path) as desk:
        every = wish(loss_bps=200, what=FlattenWhat.ALL)
        await desk.guards.set(every, "PS1015")
        await until(desk, lambda: of_priya(desk).net_paise is not None)
        exchange = exchange_of(desk)
        await next_day(desk)
        exchange.pin("INFY", 750_00, 750_00)
        exchange.pin("TCS", TCS, TCS)
        await until(desk, lambda: of_priya(desk).net_paise is not None, step_s=1)
        await seconds(desk, 30)
        await until(desk, lambda: of_priya(desk).net_paise is not None, step_s=1)
        before, paper = of_priya(desk), exchange.holdings

        def doubled(user: str) -> list[BrokerHolding]:
            return [
                replace(one, free=one.free * 2, t1=one.t1 * 2) if one.tradingsymbol == "INFY" else one
                for one in paper(user)
            ]

        monkeypatch.setattr(exchange, "holdings", doubled)
        await seconds(desk, 15)
        await desk.reconcile.adopt(PRIYA, "bonus 1:1")
        assert held(desk)["INFY", Product.CNC] == 10
        await seconds(desk, 3)
        await until(desk, lambda: of_priya(desk).net_paise is not None, step_s=1)
        after = of_priya(desk)
        assert after.open_paise == before.open_paise == 0
        assert abs(there(after.net_paise) - there(before.net_paise)) < 50_00, "but for what getting out costs"
        assert desk.halt.active() == []


async def next_day(desk: Desk) -> None:
    """Have the market's next day begin."""
    exchange, day = exchange_of(desk), desk.market_clock.trading_day
    exchange.jump(datetime.combine(there(desk.next_trading_day), time(9, 30), IST))
    await until(desk, lambda: desk.market_clock.trading_day > day, step_s=1)
    await until(desk, lambda: desk.reconcile.is_compared(PRIYA), step_s=1)


def test_a_price_that_nobody_can_act_on_is_none():
    young = {"old": False, "trading": True}
    assert mark_of(None, **young).wait is GuardWait.STALE
    assert mark_of(TICK, old=True, trading=True).wait is GuardWait.STALE
    assert mark_of(TICK, old=False, trading=False).wait is GuardWait.PHASE
    assert mark_of(replace(TICK, bid_paise=80_000), **young).wait is GuardWait.BAND
    assert mark_of(replace(TICK, prev_close_paise=200_000), **young).wait is GuardWait.BAND, "not adjusted"
    fallen = mark_of(replace(TICK, bid_paise=0, last_paise=90_000), **young)
    assert (fallen.bid, fallen.floor) == (90_000, True)
    risen = mark_of(replace(TICK, ask_paise=0, last_paise=110_000), **young)
    assert (risen.ask, risen.ceiling) == (110_000, True)
    one_sided = mark_of(replace(TICK, bid_paise=0), **young)
    assert (one_sided.bid, one_sided.floor, one_sided.wait) == (0, False, GuardWait.NONE)


CARRIED = HoldingView(1, "S", "NSE:SOME", "SOME", Product.CNC, 4, 0, 6, 0, 0, 1_000_000, 420_000)
WITHIN = replace(CARRIED, product=MIS, today=10, free=0, today_cost_paise=1_000_000)
LENT = replace(CARRIED, product=Product.MTF)
SOLD = DayFigures(
    900, (DaySale("NSE:SOME", Product.CNC, 5_000, 2, 180_000), DaySale("NSE:SOME", MIS, -700)), ()
)


@pytest.mark.parametrize(
    ("what", "realised", "bought", "carried"),
    [
        (FlattenWhat.MIS, -700, 10, 0),
        (FlattenWhat.TODAY, -700, 18, 0),
        (FlattenWhat.MTF, 0, 4, 6),
        (FlattenWhat.ALL, 4_300, 18, 12),
    ],
)
def test_a_set_has_its_own_shares_and_sales_alone(what, realised, bought, carried):
    books = books_of(what, (CARRIED, WITHIN, LENT), (), SOLD, frozenset())
    assert books.realised_paise == realised
    assert sum(one.bought for one in books.held) == bought
    assert sum(one.carried for one in books.held) == carried
    assert len(books.sold) == (what is FlattenWhat.ALL)
    day_trades = books_of(what, (CARRIED,), (), SOLD, frozenset({"NSE:SOME"}))
    if what is FlattenWhat.TODAY:
        assert not day_trades.held, "shares of trade-to-trade are sold tomorrow at the soonest"


def test_held_counts_at_the_bid_owed_at_the_ask_and_carried_from_the_previous_close():
    day = START.date()
    owed = OwedShares("S", "NSE:SOME", 10, 1_010_000)
    books = books_of(FlattenWhat.ALL, (CARRIED,), (owed,), DayFigures(), frozenset())
    found = count(books, {"NSE:SOME": mark_of(TICK, False, True)}, ExitCosts("zerodha", day))
    held_, short = 4 * 99_990 - 420_000 + 6 * (99_990 - 100_000), 1_010_000 - 10 * 100_010
    assert found.open_paise == held_ + short
    assert found.exit_paise > 0
    assert found.net_paise == found.open_paise - found.exit_paise


# --- once, whoever looks ----------------------------------------------------------------------------------


async def test_arming_again_takes_the_words_and_lets_nobody_trade_beyond_the_limit(tmp_path):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        tcs_at(desk, -2.4)
        await until(desk, lambda: of_priya(desk).state is GuardState.TRIPPED)
        arm = (CLIENT, str(PRIYA), FlattenWhat.MIS)
        with pytest.raises(BadInput, match="type arm PS1015"):
            await desk.guards.arm(*arm, "yes")
        with pytest.raises(BadInput, match="stands broken"):
            await desk.guards.arm(*arm, "arm PS1015")
        with pytest.raises(BadInput, match="it has tripped"):
            await desk.guards.remove(*arm)
        await desk.guards.set(wish(loss_bps=300))
        assert of_priya(desk).state is GuardState.TRIPPED, "other terms arm nothing"
        (halt,) = desk.halt.active()
        with pytest.raises(BadInput, match=r"the guard of PS1015, mis, fired it.*guards arm PS1015 mis"):
            await desk.halt.resume(halt.number, "resume", "tester")
        assert [one.number for one in desk.halt.active()] == [halt.number]
        view = await desk.guards.arm(*arm, "arm ps1015")
        assert (view.state, desk.halt.active()) == (GuardState.ARMED, [])
        tcs_at(desk, -3.4)
        await until(desk, lambda: of_priya(desk).state is GuardState.TRIPPED)
        assert [one["nth"] for one in await tripped(desk)] == [1, 2]
        await books_are_sound(desk)


async def test_a_trip_survives_a_restart_and_the_next_day_arms_the_guard(tmp_path):
    async with desk_at(tmp_path, loss_bps=200) as desk:
        tcs_at(desk, -2.4)
        await until(desk, lambda: of_priya(desk).state is GuardState.TRIPPED)
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        assert of_priya(desk).state is GuardState.TRIPPED
        assert len(desk.halt.active()) == 1
        await seconds(desk, 5)
        assert len(await tripped(desk)) == 1
        await next_day(desk)
        await until(desk, lambda: of_priya(desk).trip is None, step_s=1)
        assert desk.halt.active() == []
        (row,) = await desk.audit.rows(action="GUARD_REARMED")
        assert row.actor == "guard 1"


async def test_two_engines_that_see_the_same_trip_it_once_and_take_it_flat_once(tmp_path):
    clock = ManualClock(START)
    async with (
        filed_desk(tmp_path, clock, DeskKind.APP) as one,
        filed_desk(tmp_path, clock, DeskKind.SCRIPT, seed=8) as other,
    ):
        await carry_out(one, buy("TCS", QTY, SHARES, PRIYA, product=MIS))
        await one.guards.set(wish(loss_bps=200, action=FLAT), "flat")
        for desk in (one, other):
            await until(
                desk, lambda desk=desk: desk.guards.of(PRIYA) and of_priya(desk).net_paise is not None
            )
        tcs_at(one, -2.4)
        for desk in (one, other):
            await until(desk, lambda desk=desk: of_priya(desk).state is GuardState.FLAT, step_s=0.5)
        assert (len(await tripped(one)), len(await one.flatten.all())) == (1, 1)
        assert len(await one.audit.rows(action="GUARD_FLATTENS")) == 1
        sold = [trade for trade in exchange_of(one).trades("PS1015") if trade.side is Side.SELL]
        assert sum(trade.quantity for trade in sold) == SHARES


# --- terms ------------------------------------------------------------------------------------------------


async def test_what_sells_by_itself_or_may_sell_delivered_shares_is_typed(tmp_path):
    async with desk_at(tmp_path) as desk:
        assert desk.guards.answer(wish(loss_bps=200)) == ""
        every = wish(loss_bps=200, what=FlattenWhat.ALL, action=FLAT)
        assert desk.guards.answer(every) == "PS1015 flat"
        for answer in ("", "flat", "PS1015"):
            with pytest.raises(BadInput, match="type PS1015 flat"):
                await desk.guards.set(every, answer)
        assert (await desk.guards.set(every, "ps1015 FLAT")).action is FLAT
        of_group = GuardWish(HaltScope.EVERYTHING, "", loss_paise=5_000_00, action=FLAT)
        with pytest.raises(BadInput, match="no client is sold for another"):
            await desk.guards.set(of_group, "flat")
        with pytest.raises(BadInput, match="give a loss limit or a target"):
            await desk.guards.set(wish())


async def test_a_guard_whose_limit_stands_broken_is_set_by_a_word_that_says_so(tmp_path):
    async with desk_at(tmp_path) as desk:
        sold, blocks = wish(loss_bps=200, action=FLAT), wish(loss_bps=200)
        assert at_once_words(desk.guards.prospect(sold)) == ""
        tcs_at(desk, -2.4)
        await until(desk, lambda: desk.guards.prospect(sold).stands_broken)
        assert at_once_words(desk.guards.prospect(sold)).startswith("trips at once: now -2.4")
        assert (desk.guards.answer(sold), desk.guards.answer(blocks)) == ("flat now", "now")
        for asked, answer in ((sold, "flat"), (blocks, "")):
            with pytest.raises(BadInput, match="it trips at once"):
                await desk.guards.set(asked, answer)
        tcs_at(desk, -1.0)
        await until(desk, lambda: not desk.guards.prospect(sold).stands_broken)
        assert (await desk.guards.set(sold, "flat now")).action is FLAT, "who was told of worse may set it"


async def test_a_guard_of_the_desk_blocks_everybody_and_takes_nobody_flat(tmp_path):
    async with desk_at(tmp_path) as desk:
        await desk.guards.set(GuardWish(HaltScope.EVERYTHING, "", loss_paise=5_000_00))
        tcs_at(desk, -2.4)
        await until(desk, desk.halt.active)
        (halt,) = desk.halt.active()
        assert (halt.scope, halt.reduces, halt.stops_desk) == (HaltScope.EVERYTHING, True, False)
        await seconds(desk, 10)
        assert await desk.flatten.all() == []

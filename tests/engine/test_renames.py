"""A security under another name keeps shares, prices, places and orders; another with its token does not."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from brokers.contract import Ambiguous, BrokerError
from data.records import replace
from data.reference.instruments import BrokerInstrument, Instrument
from data.vocabulary import HaltScope, OrderState, Product, Reason, SizingKind
from engine.desk import Desk
from engine.refusals import PlanExpired
from engine.words.trading.why import detail_words
from tests.desks import (
    MISSION_PINS,
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    listed_by_feed,
    on_tape,
    paper_desk,
    sell,
    until,
)
from tests.engine.test_days import agree, next_day
from tests.engine.test_reconcile import quiet
from tests.refusing import refuses
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.brokers.paper_prices import PriceSources, take_instruments


async def never_read(account):
    raise BrokerError("the books cannot be read")


QTY = SizingKind.FIXED_QUANTITY
ROHAN, AMIT = 8, 22
OTHER_ISIN = "INE000A01099"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The demonstration without ISINs, as a broker's dump tells it."""
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)
        assert (await one.audit.verify()).ok


def told(desk: Desk, without: Sequence[str] = (), **names: str) -> list[BrokerInstrument]:
    """Today's file: what is known, some under other symbols; ISINs are not told."""
    rows = [one for one in listed_by_feed(desk) if one.tradingsymbol not in without]
    bare = [replace(one, isin="", security_id="", doubt="", prev_close_paise=0) for one in rows]
    return [replace(one, tradingsymbol=names.get(one.tradingsymbol, one.tradingsymbol)) for one in bare]


async def read(desk: Desk, rows: Sequence[Instrument], source: str = "morning") -> PriceSources:
    listed = await take_instruments(desk, rows, source)
    await desk.settle()
    return listed


def shares(desk: Desk, client_id: int = ROHAN) -> dict[str, tuple[str, int, int]]:
    return {h.key: (h.security, h.quantity, h.cost_paise) for h in desk.holdings.of(client_id)}


def renames(desk: Desk) -> list[str]:
    return on_tape(desk, " is now NSE:")


async def test_a_rename_overnight_moves_shares_places_and_prices_and_is_told_once(desk: Desk) -> None:
    await desk.watchlists.add("NSE:TCS")
    await desk.watchlists.add("NSE:INFY")
    places = desk.watchlists.keys()
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, AMIT))
    await carry_out(desk, buy("INFY", QTY, 7, ROHAN, product=Product.MTF))
    before = shares(desk)
    await next_day(desk)
    old = next(one for one in listed_by_feed(desk) if one.key == "NSE:INFY")

    listed = await read(desk, told(desk, INFY="INFYSYS"))

    assert [one.words for one in listed.taken.renames] == [f"NSE:INFY is now NSE:INFYSYS, token {old.token}"]
    held = {(h.key, h.product): h.quantity for h in desk.holdings.of(ROHAN)}
    assert held == {("NSE:INFYSYS", Product.CNC): 10, ("NSE:INFYSYS", Product.MTF): 7}
    assert {security for security, _, _ in shares(desk).values()} == {s for s, _, _ in before.values()}
    assert desk.watchlists.keys() == ["NSE:INFYSYS" if key == "NSE:INFY" else key for key in places]
    now = desk.market.index.get("NSE:INFYSYS")
    assert now is not None
    assert (now.security, now.isin, now.prev_close_paise) == (old.security, old.isin, old.prev_close_paise)
    assert desk.market.index.get("nse:infy") == desk.market.index.resolve("INFY") == now
    await desk.market.fetch(["NSE:INFYSYS"])
    quote = desk.market.quote("NSE:INFYSYS")
    assert quote is not None
    assert (quote.last_paise, quote.prev_close_paise) == (MISSION_PINS["INFY"][0],) * 2

    for client_id in (ROHAN, AMIT):
        assert await desk.reconcile.check(client_id)
        assert desk.reconcile.breaks(client_id) == []
        await agree(desk, client_id)
    assert renames(desk) == [f"NSE:INFY is now NSE:INFYSYS, token {old.token}"]
    (row,) = await desk.audit.rows(action="INSTRUMENT_RENAMED")
    assert row.details["words"] == renames(desk)[0]
    assert {order.tradingsymbol for order in desk.orders.all()} == {"INFY"}
    assert {order.key for order in desk.orders.all()} == {"NSE:INFYSYS"}

    await read(desk, told(desk))
    assert len(await desk.audit.rows(action="INSTRUMENT_RENAMED")) == len(renames(desk)) == 1
    await carry_out(desk, sell("INFYSYS", QTY, 17, ROHAN))
    assert desk.holdings.of(ROHAN) == []
    assert {(trip.quantity, trip.tradingsymbol) for trip in await desk.holdings.transactions(ROHAN)} == {
        (10, "INFYSYS"),
        (7, "INFYSYS"),
    }


async def test_a_desk_opened_again_finds_names_and_an_exchange_that_missed_them(tmp_path: Path) -> None:
    async with paper_desk(tmp_path / "one") as desk:
        await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
        rows = told(desk, INFY="INFYSYS")
        await desk.market.store_instruments(rows, "morning")
        # The exchange was told by the desk's event; a desk that died in between tells it at its opening.
        assert exchange_of(desk).quotes(["NSE:INFYSYS"])["NSE:INFYSYS"].last_paise == MISSION_PINS["INFY"][0]
        infy = desk.market.index.get("NSE:INFY")
        assert infy is not None
        exchange_of(desk).rename([("NSE:INFYSYS", "NSE:INFY", infy.security)])
        desk.connections.feed.life.instruments_renamed()
        desk.connections.feed.life.instruments_renamed()
        await agree(desk, ROHAN)


async def test_two_that_change_places_keep_what_is_theirs(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await carry_out(desk, buy("TCS", QTY, 3, ROHAN))
    before = shares(desk)

    listed = await read(desk, told(desk, INFY="TCS", TCS="INFY"))

    assert len(listed.taken.renames) == 2
    assert shares(desk) == {"NSE:INFY": before["NSE:TCS"], "NSE:TCS": before["NSE:INFY"]}
    await desk.market.fetch(["NSE:INFY", "NSE:TCS"])
    for key, name in (("NSE:INFY", "TCS"), ("NSE:TCS", "INFY")):
        quote = desk.market.quote(key)
        assert quote is not None
        assert quote.last_paise == MISSION_PINS[name][0]
    assert {order.tradingsymbol: order.key for order in desk.orders.all()} == {
        "INFY": "NSE:TCS",
        "TCS": "NSE:INFY",
    }
    await desk.reconcile.check(ROHAN)
    await agree(desk, ROHAN)
    await carry_out(desk, sell("TCS", QTY, 4, ROHAN))
    assert shares(desk)["NSE:TCS"][1] == 6
    await agree(desk, ROHAN)


async def test_two_renames_in_one_file_where_one_takes_the_others_name(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await carry_out(desk, buy("TCS", QTY, 3, ROHAN))
    before = shares(desk)
    await read(desk, told(desk, INFY="TCS", TCS="TATA"))
    assert shares(desk) == {"NSE:TATA": before["NSE:TCS"], "NSE:TCS": before["NSE:INFY"]}
    await agree(desk, ROHAN)


async def test_a_security_renamed_twice_and_back_is_the_same(desk: Desk) -> None:
    _, run = await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    before = shares(desk)["NSE:INFY"]
    order_id = run.order_ids[0]
    for name, now in (("INFY", "SECOND"), ("SECOND", "THIRD"), ("THIRD", "INFY")):
        await read(desk, told(desk, **{name: now}))
        assert shares(desk) == {f"NSE:{now}": before}
        order = desk.orders.get(order_id)
        assert (order.tradingsymbol, order.key) == ("INFY", f"NSE:{now}")
        await agree(desk, ROHAN)
    assert len(await desk.audit.rows(action="INSTRUMENT_RENAMED")) == 3
    assert desk.market.index.get("NSE:SECOND") == desk.market.index.get("NSE:INFY")


async def test_a_token_of_another_isin_is_no_rename_and_buys_wait_for_the_trader(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    before = shares(desk)
    rows = told(desk, INFY="NEWCO")
    token = next(one.token for one in rows if one.tradingsymbol == "NEWCO")
    rows = [replace(one, isin=OTHER_ISIN) if one.token == token else one for one in rows]

    listed = await read(desk, [replace(one, prev_close_paise=50_00) for one in rows])

    assert listed.taken.renames == ()
    assert shares(desk) == before
    words = next(iter(listed.taken.doubts.values()))
    assert words.startswith(f"token {token} was NSE:INFY (INE009A01021) and is NSE:NEWCO ({OTHER_ISIN}) now")
    assert any("instruments accept NSE:NEWCO" in line for line in on_tape(desk, words))
    await desk.market.fetch(["NSE:NEWCO", "NSE:INFY"])
    for symbol in ("NEWCO", "INFY"):
        plan = await desk.plans.preview(buy(symbol, QTY, 1, ROHAN))
        assert (plan.lines[0].reason, detail_words(plan.lines[0])) == (Reason.INSTRUMENT_IN_DOUBT, words)
    assert (await desk.plans.preview(sell("INFY", QTY, 1, ROHAN))).orders == 1

    await read(desk, [replace(one, prev_close_paise=50_00) for one in rows])
    assert len(await desk.audit.rows(action="INSTRUMENT_DOUBTED")) == 1
    await desk.market.accept("NSE:NEWCO", "a new listing, looked up at the exchange")
    await desk.market.fetch(["NSE:NEWCO"])
    assert (await desk.plans.preview(buy("NEWCO", QTY, 1, ROHAN))).orders == 1
    await read(desk, [replace(one, prev_close_paise=50_00) for one in rows])
    await desk.market.fetch(["NSE:NEWCO"])
    assert (await desk.plans.preview(buy("NEWCO", QTY, 1, ROHAN))).orders == 1
    (row,) = await desk.audit.rows(action="INSTRUMENT_ACCEPTED")
    assert row.details["reason"] == "a new listing, looked up at the exchange"


async def test_a_resting_order_fills_under_the_new_name_and_can_be_changed(desk: Desk) -> None:
    _, run = await carry_out(desk, buy("INFY", QTY, 10, ROHAN, limit_paise=1490_00))
    order_id = run.order_ids[0]
    await read(desk, told(desk, INFY="INFYSYS"))
    order = desk.orders.get(order_id)
    assert (order.state, order.tradingsymbol, order.key) == (OrderState.OPEN, "INFY", "NSE:INFYSYS")
    await desk.orders.modify(order_id, None, 1495_00, None)
    await until(desk, lambda: desk.orders.get(order_id).limit_paise == 1495_00)
    exchange_of(desk).pin("INFYSYS", 1494_00)
    await until(desk, lambda: desk.orders.get(order_id).state is OrderState.FILLED)
    await desk.settle()
    assert {key: quantity for key, (_, quantity, _) in shares(desk).items()} == {"NSE:INFYSYS": 10}
    await agree(desk, ROHAN)


async def test_a_plan_under_the_old_name_is_refused_and_a_halt_of_it_goes_on(desk: Desk) -> None:
    _, run = await carry_out(desk, buy("INFY", QTY, 10, ROHAN, limit_paise=1490_00))
    plan = await desk.plans.freeze(buy("INFY", QTY, 3, ROHAN))
    await read(desk, told(desk, INFY="INFYSYS"))
    with refuses(PlanExpired, "NSE:INFY is now NSE:INFYSYS since plan"):
        await desk.runs.start(plan, plan.digest)
    made = await desk.halt.fire("test", HaltScope.SYMBOL, "NSE:INFYSYS")
    assert (made.ended, made.cancelled) == (True, 1)
    assert desk.orders.get(run.order_ids[0]).state is OrderState.CANCELLED
    await read(desk, told(desk, INFYSYS="THIRD"))
    (halt,) = desk.halt.active()
    assert halt.value == "NSE:THIRD"
    await desk.market.fetch(["NSE:THIRD"])
    (line,) = (await desk.plans.preview(buy("THIRD", QTY, 1, ROHAN))).lines
    assert line.reason is Reason.HALTED


async def test_an_order_in_doubt_since_yesterday_is_settled_under_either_name(desk: Desk) -> None:
    wire, before = Wire(desk), desk.funds.of(ROHAN).blocked_paise

    async def lost(account, request):
        wire.on_read = never_read
        return Ambiguous("connection reset")

    wire.on_place = lost
    _, run = await carry_out(desk, buy("INFY", QTY, 5, ROHAN))
    order_id = run.order_ids[0]
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    await next_day(desk)
    wire.on_read = None
    await read(desk, told(desk, INFY="INFYSYS"))
    assert desk.orders.get(order_id).state is OrderState.UNKNOWN
    assert desk.funds.of(ROHAN).blocked_paise > before
    await until(desk, lambda: "NEEDS_HUMAN" in desk.orders.get(order_id).flags, step_s=20)
    await desk.orders.declare_absent(order_id, "the broker's desk says that it never came")
    order = desk.orders.get(order_id)
    assert (order.live, order.tradingsymbol, order.key) == (False, "INFY", "NSE:INFYSYS")
    assert desk.funds.of(ROHAN).blocked_paise == before
    await desk.reconcile.check(ROHAN)
    await agree(desk, ROHAN)


async def test_a_change_of_series_takes_another_token_and_keeps_the_shares(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    before = shares(desk)["NSE:INFY"]
    rows = [
        replace(one, tradingsymbol="INFY-BE", token="99000001", series="BE", trade_to_trade=True)
        if one.tradingsymbol == "INFY"
        else one
        for one in told(desk)
    ]
    listed = await read(desk, rows)
    assert [one.words for one in listed.taken.renames] == ["NSE:INFY is now NSE:INFY-BE, token 99000001"]
    assert shares(desk) == {"NSE:INFY-BE": before}
    await agree(desk, ROHAN)


async def test_shares_traded_by_phone_after_a_rename_are_known_by_the_new_name(desk: Desk) -> None:
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN))
    await quiet(desk)
    await read(desk, told(desk, INFY="INFYSYS"))
    by_phone(desk, ROHAN, quantity=4, symbol="INFYSYS")
    await until(desk, lambda: desk.reconcile.breaks(ROHAN), step_s=5)
    await desk.settle()
    (shown,) = [one for one in desk.reconcile.breaks(ROHAN) if one.security]
    assert (shown.tradingsymbol, shown.ours, shown.theirs) == ("INFYSYS", 10, 14)
    await read(desk, told(desk, INFYSYS="THIRD"))
    (shown,) = [one for one in desk.reconcile.breaks(ROHAN) if one.security]
    assert shown.tradingsymbol == "THIRD"

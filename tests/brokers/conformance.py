"""What every adapter must do, written against the contract alone: a case is a function of a `Stand`.

A case asserts no more than the contract says, so that an adapter may refuse an order at once or in its book,
and may tell a fill at once or a moment later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta

import pytest

from brokers.contract import (
    Accepted,
    Ambiguous,
    BarSpan,
    BrokerAccount,
    BrokerError,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    Conditional,
    ConditionalKind,
    Heartbeat,
    KeepsConditionals,
    NotSent,
    OrderChange,
    OrderUpdate,
    Outcome,
    Refused,
    SessionExpired,
    StreamEvent,
    TellsHistory,
    TellsMargins,
    Tick,
)
from data.clock import IST, SystemClock
from data.money import BPS, own_share
from data.records import replace, values_of
from data.vocabulary import OrderType, Product, Side, Validity
from tests.brokers.stand import DEADLINE_S, ENDED, NSE, Stand, heard_of, listening, soon, speaks_for

Case = Callable[[Stand], Awaitable[None]]

TRADE_TO_TRADE = "VOGL"
"""A share that every broker sells for delivery alone."""

MOST_VALUE_PAISE = 10_00_00_000 * 100
"""What one order may come to, at the exchange behind every stand."""

DAY_BEFORE = date(2026, 11, 17)
"""The trading day before that of the exchange behind every stand."""

ODD_TAG = "tZ9" + "0" * 17
"""As long as Kite and the paper exchange take."""


# --- who one is, what one has -----------------------------------------------------------------------------


async def the_profile_is_the_accounts_own(stand: Stand) -> None:
    for account in (stand.ann, stand.poor):
        profile = await stand.broker.profile(account)
        assert profile.user_id.casefold() == account.user_id.casefold()
    assert stand.broker.name
    assert isinstance(await stand.broker.login_url(stand.ann), str)


async def books_begin_empty_and_well_formed(stand: Stand) -> None:
    broker = stand.broker
    assert list(await broker.orders(stand.ann)) == list(await broker.trades(stand.ann)) == []
    funds = await broker.funds(stand.ann)
    assert funds.available_paise > 0
    assert min(funds.blocked_paise, funds.mtf_limit_paise, funds.mtf_loan_paise) >= 0
    assert funds.as_of.tzinfo is not None
    (held,) = await broker.holdings(stand.ann)
    assert (held.exchange, held.tradingsymbol, held.isin) == (
        NSE,
        stand.still.tradingsymbol,
        stand.still.isin,
    )
    assert (held.product, held.free, held.t1, held.today) == (Product.CNC, 100, 0, 0)
    assert held.cost_paise == 100 * 2_000_00
    assert await stand.available(stand.poor) == 1_00
    assert list(await broker.holdings(stand.poor)) == []


async def capabilities_and_read_budgets_are_usable(stand: Stand) -> None:
    can = stand.broker.capabilities
    limits = (
        can.orders_per_second,
        can.orders_per_minute,
        can.orders_per_day,
        can.most_slices,
        can.most_changes,
    )
    assert min(*limits, can.max_order_quantity, can.max_order_value_paise, can.tag_length) > 0
    assert can.key_orders_per_second is None or can.key_orders_per_second > 0
    assert can.simulated
    assert Product.CNC in can.products
    accounts = [stand.ann, stand.poor]
    one, many = (stand.broker.read_eta_s(accounts, calls) for calls in (1, 500))
    assert 0 <= one <= many
    assert stand.broker.read_eta_s([], 4) == 0


async def an_unknown_account_is_an_error_and_no_order(stand: Stand) -> None:
    broker, stranger = stand.broker, stand.stranger
    for read in (broker.profile, broker.funds, broker.holdings, broker.orders, broker.trades):
        with pytest.raises(BrokerError):
            await read(stranger)
    for outcome in (
        await broker.place(stranger, stand.resting()),
        await broker.modify(stranger, "1", OrderChange(quantity=1)),
        await broker.cancel(stranger, "1"),
    ):
        assert isinstance(outcome, Refused | NotSent | Ambiguous)


# --- orders -----------------------------------------------------------------------------------------------


async def every_kind_of_order_comes_back_as_it_was_sent(stand: Stand) -> None:
    below, above = stand.away(-300), stand.away(300)
    stop = replace(stand.order(5, above), order_type=OrderType.SL, trigger_paise=stand.away(200))
    market_stop = replace(
        stand.order(5), order_type=OrderType.SL_M, trigger_paise=stand.away(200), protection_bps=200
    )
    asked = [stand.resting(), stand.order(5, above, Side.SELL), stop, market_stop]
    asked += [replace(stand.resting(), tag=ODD_TAG)]
    if Product.MTF in stand.broker.capabilities.products:
        asked += [replace(stand.resting(), product=Product.MTF)]
    placed = [(await stand.placed(request), request) for request in asked]
    for order_id, request in placed:
        stop_order = request.trigger_paise is not None
        order = await (stand.waiting(order_id) if stop_order else stand.at(order_id, BrokerStatus.OPEN))
        assert (order.tradingsymbol, order.side, order.product) == (
            request.tradingsymbol,
            request.side,
            request.product,
        )
        assert (order.quantity, order.filled_quantity, order.average_price_paise) == (request.quantity, 0, 0)
        assert request.tag in order.tags
        assert order.user_id == stand.ann.user_id
        assert order.trigger_pending == stop_order
        assert order.trigger_paise == request.trigger_paise
        if request.price_paise is not None:
            assert (order.order_type, order.price_paise) == (request.order_type, request.price_paise)
        if request.order_type is OrderType.SL_M:
            further = OrderChange(
                trigger_paise=stand.away(250),
                protection_bps=request.protection_bps,
                tick_paise=stand.still.tick_paise,
            )
            assert await stand.broker.modify(stand.ann, order_id, further) == Accepted(order_id)
    assert below < stand.last_paise < above
    assert list(await stand.broker.trades(stand.ann)) == []


async def a_product_that_is_not_offered_is_refused(stand: Stand) -> None:
    request = replace(stand.resting(), tradingsymbol=TRADE_TO_TRADE, price_paise=60_00, product=Product.MIS)
    outcome = await stand.broker.place(stand.ann, request)
    assert isinstance(outcome, Refused)
    assert outcome.message
    assert await stand.book() == {}


async def shares_for_the_day_take_their_own_share_and_give_it_back(stand: Stand) -> None:
    before, kept = await stand.available(), len(await stand.broker.holdings(stand.ann))
    bought = replace(stand.order(10), product=Product.MIS)
    order = await stand.at(await stand.placed(bought), BrokerStatus.COMPLETE)
    value = order.filled_quantity * order.average_price_paise
    own = value * (stand.still.margin_bps(Product.MIS) or 0) // 10_000
    assert order.product is Product.MIS
    assert own <= before - await stand.available() <= own + value // 100
    (held,) = [one for one in await stand.broker.holdings(stand.ann) if one.product is Product.MIS]
    assert (held.today, held.free, held.t1, held.cost_paise) == (10, 0, 0, value)
    sold = replace(stand.order(10, side=Side.SELL), product=Product.MIS)
    await stand.at(await stand.placed(sold), BrokerStatus.COMPLETE)
    assert len(await stand.broker.holdings(stand.ann)) == kept
    assert before - value // 100 <= await stand.available() <= before


async def a_protected_market_order_trades_within_its_protection(stand: Stand) -> None:
    for side in Side:
        order = await stand.at(await stand.placed(stand.order(7, side=side)), BrokerStatus.COMPLETE)
        assert (order.filled_quantity, order.average_price_paise) == (7, stand.last_paise)
        (trade,) = await stand.fills(order.broker_order_id)
        assert (trade.quantity, trade.price_paise, trade.side) == (7, stand.last_paise, side)
        assert (trade.product, trade.user_id) == (Product.CNC, stand.ann.user_id)
        if order.order_type is OrderType.LIMIT:  # a broker may show it as one
            assert order.price_paise is not None


async def an_order_that_must_trade_at_once_does_or_ends(stand: Stand) -> None:
    for price, status, filled in (
        (stand.away(-300), BrokerStatus.CANCELLED, 0),
        (stand.away(100), BrokerStatus.COMPLETE, 10),
    ):
        request = replace(stand.order(10, price), validity=Validity.IOC)
        if Validity.IOC not in stand.broker.capabilities.validities:
            assert isinstance(await stand.broker.place(stand.ann, request), Refused)
            continue
        order = await stand.at(await stand.placed(request), *ENDED)
        assert (order.status, order.filled_quantity, order.validity) == (status, filled, Validity.IOC)


async def what_is_refused_has_words_and_leaves_no_order(stand: Stand) -> None:
    good, tick = stand.resting(), stand.still.tick_paise
    long = "x" * (stand.broker.capabilities.tag_length + 1)
    wrong = [
        replace(good, price_paise=stand.last_paise * 2),
        replace(good, price_paise=stand.last_paise // 2 // tick * tick),
        replace(good, price_paise=stand.away(-300) + 1),
        replace(good, quantity=0),
        replace(good, quantity=stand.broker.capabilities.max_order_quantity + 1),
        replace(good, tag=long),
        replace(good, tradingsymbol="NOSUCHSHARE"),
        replace(stand.order(), protection_bps=None),
    ]
    before = await stand.available()
    for request in wrong:
        outcome = await stand.broker.place(stand.ann, request)
        assert isinstance(outcome, Refused), (request, outcome)
        assert outcome.code
        assert len(outcome.message) > 5
    assert await stand.book() == {}
    assert await stand.available() == before


async def want_of_money_or_shares_is_told_in_words(stand: Stand) -> None:
    """At once, or as a rejected order in the book; in neither case is anything blocked."""
    for account, request in (
        (stand.poor, stand.resting()),
        (stand.poor, stand.order(1, stand.away(300), Side.SELL)),
        (stand.ann, stand.order(101, stand.away(300), Side.SELL)),
    ):
        before = await stand.available(account)
        outcome = await stand.broker.place(account, request)
        if isinstance(outcome, Accepted):
            order = await stand.at(outcome.broker_order_id, BrokerStatus.REJECTED, account=account)
            assert order.filled_quantity == 0
            assert request.tag in order.tags
            words = order.message
        else:
            assert isinstance(outcome, Refused)
            assert all(request.tag not in order.tags for order in (await stand.book(account)).values())
            words = outcome.message
        assert len(words) > 5
        assert await stand.available(account) == before


async def an_order_takes_its_last_look_once_and_what_is_kept_back_never_leaves(stand: Stand) -> None:
    asked: list[str] = []

    def look(words: str) -> Callable[[], str]:
        return lambda: (asked.append(words), words)[1]

    kept = replace(stand.resting(), last_look=look("a halt stands"))
    assert await stand.broker.place(stand.ann, kept) == NotSent("a halt stands")
    await stand.placed(replace(stand.resting(), last_look=look("")))
    assert asked == ["a halt stands", ""]
    assert all(kept.tag not in order.tags for order in (await stand.book()).values())


async def a_change_takes_its_last_look_once_and_one_kept_back_never_leaves(stand: Stand) -> None:
    asked: list[str] = []

    def look(words: str) -> Callable[[], str]:
        return lambda: (asked.append(words), words)[1]

    order_id = await stand.placed(stand.resting(10))
    await stand.at(order_id, BrokerStatus.OPEN)
    kept = OrderChange(quantity=4, last_look=look("a halt stands"))
    assert await stand.broker.modify(stand.ann, order_id, kept) == NotSent("a halt stands")
    assert (await stand.book())[order_id].quantity == 10
    sent = OrderChange(quantity=6, last_look=look(""))
    assert await stand.broker.modify(stand.ann, order_id, sent) == Accepted(order_id)
    assert asked == ["a halt stands", ""]


async def an_order_blocks_money_until_it_ends(stand: Stand) -> None:
    before = await stand.available()
    request = stand.resting(10)
    order_id = await stand.placed(request)
    await stand.at(order_id, BrokerStatus.OPEN)
    assert request.price_paise is not None
    price = request.price_paise

    async def blocked() -> bool | None:
        return await stand.available() <= before - 10 * price or None

    await soon(blocked)
    await stand.cancelled(order_id)
    order = await stand.at(order_id, *ENDED)
    assert (order.status, order.filled_quantity) == (BrokerStatus.CANCELLED, 0)
    assert await stand.available() == before


async def a_change_shows_in_the_book(stand: Stand) -> None:
    order_id = await stand.placed(stand.resting(10))
    first = await stand.at(order_id, BrokerStatus.OPEN)
    for change, terms in (
        (OrderChange(quantity=4), (4, first.price_paise)),
        (OrderChange(price_paise=stand.away(-200)), (4, stand.away(-200))),
        (OrderChange(quantity=6, price_paise=stand.away(-250)), (6, stand.away(-250))),
    ):
        assert await stand.broker.modify(stand.ann, order_id, change) == Accepted(order_id)

        async def changed(terms: tuple[int, int | None] = terms) -> BrokerOrder | None:
            order = (await stand.book())[order_id]
            return order if (order.quantity, order.price_paise) == terms else None

        order = await soon(changed)
        assert (order.status, order.tags[0]) == (BrokerStatus.OPEN, first.tags[0])
        assert order.updated_at >= first.updated_at
    refused = await stand.broker.modify(stand.ann, order_id, OrderChange(price_paise=stand.last_paise * 2))
    assert isinstance(refused, Refused)
    assert refused.message
    assert (await stand.book())[order_id].price_paise == stand.away(-250)
    assert isinstance(
        await stand.broker.modify(stand.ann, order_id, OrderChange(price_paise=stand.away(100))), Accepted
    )
    assert (await stand.at(order_id, BrokerStatus.COMPLETE)).filled_quantity == 6


async def what_has_ended_cannot_be_changed(stand: Stand) -> None:
    """A broker may call it refused or may not say; the order stays as it ended and nothing is accepted."""
    gone = await stand.placed(stand.resting())
    await stand.at(gone, BrokerStatus.OPEN)
    assert isinstance(await stand.broker.cancel(stand.ann, gone), Accepted)
    await stand.at(gone, BrokerStatus.CANCELLED)
    filled = await stand.placed(stand.order())
    await stand.at(filled, BrokerStatus.COMPLETE)
    before = await stand.book()
    for order_id in (gone, filled, "1"):
        for outcome in (
            await stand.broker.cancel(stand.ann, order_id),
            await stand.broker.modify(stand.ann, order_id, OrderChange(quantity=3)),
        ):
            assert isinstance(outcome, Refused | Ambiguous)
    assert await stand.book() == before
    other = await stand.broker.cancel(stand.poor, filled)
    assert isinstance(other, Refused | Ambiguous)


async def a_life_runs_from_open_to_its_end(stand: Stand) -> None:
    order_id = await stand.placed(stand.resting(10))
    opened = await stand.at(order_id, BrokerStatus.OPEN)
    stand.move(stand.away(-300))
    done = await stand.at(order_id, *ENDED)
    assert (done.status, done.filled_quantity) == (BrokerStatus.COMPLETE, 10)
    assert done.updated_at >= opened.updated_at >= opened.placed_at
    assert timedelta(0) <= done.placed_at - opened.placed_at < timedelta(hours=1)
    assert (done.tags[0], done.price_paise) == (opened.tags[0], opened.price_paise)
    assert (await stand.book())[order_id] == done
    assert opened.placed_at.tzinfo is not None


async def a_stop_waits_for_its_trigger(stand: Stand) -> None:
    stop = replace(stand.order(5, stand.away(300)), order_type=OrderType.SL, trigger_paise=stand.away(200))
    order_id = await stand.placed(stop)
    await stand.waiting(order_id)
    stand.move(stand.away(200))
    done = await stand.at(order_id, *ENDED)
    assert (done.status, done.filled_quantity, done.trigger_pending) == (BrokerStatus.COMPLETE, 5, False)


async def parts_add_up_and_every_trade_has_its_own_id(stand: Stand) -> None:
    key = stand.walking.key
    tick = (await stand.broker.quotes([key]))[key]
    depth = sum(level.quantity for level in tick.asks)
    assert depth > 0
    assert tick.bid_paise < tick.ask_paise
    wide = tick.last_paise * 101 // 100 // stand.walking.tick_paise * stand.walking.tick_paise
    quantity = min(depth * 3, MOST_VALUE_PAISE // wide)
    request = replace(stand.order(quantity, wide), tradingsymbol=stand.walking.tradingsymbol)
    order_id = await stand.placed(request)

    async def in_parts() -> list[BrokerTrade] | None:
        trades = await stand.fills(order_id)
        return trades if len(trades) > 1 else None

    await soon(in_parts)
    await stand.broker.cancel(stand.ann, order_id)
    order = await stand.at(order_id, *ENDED)
    trades = await stand.fills(order_id)
    assert sum(trade.quantity for trade in trades) == order.filled_quantity > 0
    assert len({trade.trade_id for trade in trades}) == len(trades)
    assert all(trade.price_paise <= wide and trade.quantity > 0 for trade in trades)
    value = sum(trade.quantity * trade.price_paise for trade in trades)
    assert abs(order.average_price_paise * order.filled_quantity - value) <= order.filled_quantity
    assert {trade.trading_date for trade in trades} == {tick.market_at.date()}


async def shares_move_with_the_trades(stand: Stand) -> None:
    for side, quantity in ((Side.BUY, 10), (Side.SELL, 30)):
        await stand.at(await stand.placed(stand.order(quantity, side=side)), BrokerStatus.COMPLETE)
    (held,) = await stand.broker.holdings(stand.ann)
    assert held.free + held.t1 + held.today + held.blocked == 80
    assert min(held.free, held.t1, held.today, held.blocked, held.cost_paise) >= 0


# --- the market -------------------------------------------------------------------------------------------


async def one_odd_row_hides_no_other(stand: Stand) -> None:
    """Where rows can be odd they are named with their order, and proven live or not as far as they tell."""
    odd, good = await stand.placed(stand.resting()), await stand.placed(stand.resting())
    for order_id in (odd, good):
        await stand.at(order_id, BrokerStatus.OPEN)
    books = (stand.broker.orders, stand.broker.trades, stand.broker.holdings)
    for read in books:
        rows = await read(stand.ann)
        assert (rows.unread, rows.passed_over) == ((), ())
    if stand.spoil is None:
        return
    stand.spoil("orders", odd)
    stand.spoil("holdings", stand.still.tradingsymbol)
    orders = await stand.broker.orders(stand.ann)
    assert [order.broker_order_id for order in orders] == [good]
    (row,) = orders.unread
    assert (row.broker_order_id, row.may_live) == (odd, True)
    assert stand.still.tradingsymbol in row.words
    holdings = await stand.broker.holdings(stand.ann)
    assert (list(holdings), len(holdings.unread)) == ([], 1)
    assert (await stand.broker.funds(stand.ann)).available_paise > 0
    assert isinstance(await stand.broker.cancel(stand.ann, odd), Accepted)

    async def ended() -> bool | None:
        (row,) = (await stand.broker.orders(stand.ann)).unread
        return not row.may_live or None

    await soon(ended)


async def the_dump_lists_what_trades(stand: Stand) -> None:
    rows = {f"{row.exchange}:{row.tradingsymbol}": row for row in await stand.broker.instruments()}
    row = rows[stand.key]
    assert (row.token, row.tick_paise, row.lot_size) == (
        stand.still.token,
        stand.still.tick_paise,
        1,
    )
    assert len({row.token for row in rows.values()}) == len(rows)


async def quotes_leave_out_what_nobody_knows(stand: Stand) -> None:
    quotes = await stand.broker.quotes([stand.key, "NSE:NOSUCHSHARE", stand.walking.key, stand.key])
    assert quotes.keys() == {stand.key, stand.walking.key}
    for key, tick in quotes.items():
        assert tick.key == key
        assert tick.lower_circuit_paise < tick.bid_paise <= tick.last_paise <= tick.ask_paise
        assert tick.ask_paise < tick.upper_circuit_paise
        assert (tick.bids[0].price_paise, tick.asks[0].price_paise) == (tick.bid_paise, tick.ask_paise)
        assert tick.market_at.tzinfo is not None
        assert tick.received_at.tzinfo is not None
    assert quotes[stand.key].last_paise == stand.last_paise
    assert await stand.broker.quotes([]) == await stand.broker.quotes(["NSE:NOSUCHSHARE"]) == {}


async def the_stream_brings_ticks_beats_and_order_updates(stand: Stand) -> None:
    await stand.broker.subscribe([stand.key, "NSE:NOSUCHSHARE"])
    async with listening(stand) as heard:
        tick = await heard_of(heard, lambda event: isinstance(event, Tick))
        assert isinstance(tick, Tick)
        assert (tick.key, tick.last_paise) == (stand.key, stand.last_paise)
        await heard_of(heard, lambda event: speaks_for(event, stand.key))
        moved = stand.away(-100)
        stand.move(moved)
        later = await heard_of(heard, lambda event: isinstance(event, Tick) and event.last_paise == moved)
        assert isinstance(later, Tick)
        assert later.received_at >= tick.received_at
        assert later.market_at >= tick.market_at
        for account, request in ((stand.ann, stand.order(3)), (stand.ann, stand.resting())):
            order_id = await stand.placed(request, account)
            if request.price_paise is not None:
                await stand.at(order_id, BrokerStatus.OPEN)
                await stand.broker.cancel(account, order_id)

            def ends(event: StreamEvent, order_id: str = order_id) -> bool:
                if not isinstance(event, OrderUpdate) or event.order.broker_order_id != order_id:
                    return False
                return event.order.status in ENDED

            update = await heard_of(heard, ends)
            assert isinstance(update, OrderUpdate)
            assert update.order.user_id == account.user_id
            assert request.tag in update.order.tags
            assert all(trade.broker_order_id == order_id for trade in update.trades)
            book = (await stand.book())[order_id]
            assert (update.order.filled_quantity, update.order.status) == (book.filled_quantity, book.status)
        beats = [event for event in heard if isinstance(event, Heartbeat)]
        for source in {one.source for one in beats}:
            ages = [one.received_at for one in beats if one.source == source]
            assert ages == sorted(ages)
        assert all(one.keys is None or one.keys <= {stand.key} for one in beats)


async def a_new_subscription_replaces_the_old_one(stand: Stand) -> None:
    await stand.broker.subscribe([stand.key])
    async with listening(stand) as heard:
        await heard_of(heard, lambda event: isinstance(event, Tick) and event.key == stand.key)
        await stand.broker.subscribe([stand.walking.key])
        await heard_of(heard, lambda event: isinstance(event, Tick) and event.key == stand.walking.key)
        from_here = len(heard)
        stand.move(stand.away(-100))
        for _ in range(2):
            start = len(heard)
            await heard_of(heard, lambda event: speaks_for(event, stand.walking.key), start)
        later = heard[from_here:]
        assert not [one for one in later if isinstance(one, Tick) and one.key == stand.key]
        assert not [one for one in later if isinstance(one, Heartbeat) and stand.key in (one.keys or ())]
        start = len(heard)
        await stand.broker.subscribe([stand.key])
        back = await heard_of(heard, lambda one: isinstance(one, Tick) and one.key == stand.key, start)
        assert isinstance(back, Tick)
        assert back.last_paise == stand.away(-100)


async def closing_ends_the_stream_and_every_call(stand: Stand) -> None:
    await stand.broker.subscribe([stand.key])
    events: list[StreamEvent] = []

    async def listen() -> None:
        async for event in stand.broker.stream():
            events.append(event)

    listener = asyncio.create_task(listen())
    await heard_of(events, lambda event: True)
    order_id = await stand.placed(stand.resting())
    await stand.broker.close()
    async with SystemClock().timeout(DEADLINE_S):
        await asyncio.gather(listener, return_exceptions=True)
    assert listener.exception() is None
    assert all(isinstance(one, NotSent) for one in await _writes(stand, order_id))
    with pytest.raises(BrokerError):
        await stand.broker.orders(stand.ann)


async def _writes(stand: Stand, order_id: str) -> Sequence[Outcome]:
    return [
        await stand.broker.place(stand.ann, stand.resting()),
        await stand.broker.modify(stand.ann, order_id, OrderChange(quantity=3)),
        await stand.broker.cancel(stand.ann, order_id),
    ]


async def bars_of_before_are_whole_and_end_at_the_close(stand: Stand) -> None:
    broker, key = stand.broker, stand.walking.key
    assert broker.capabilities.history
    assert isinstance(broker, TellsHistory)
    quote = (await broker.quotes([key]))[key]
    now = quote.market_at
    days = await broker.bars(key, BarSpan.DAY, now - timedelta(days=30), now)
    quarters = await broker.bars(key, BarSpan.FIFTEEN, now - timedelta(days=2), now)
    assert len(days) > 15 < len(quarters)
    for bars in (days, quarters):
        assert [bar.at for bar in bars] == sorted({bar.at for bar in bars}), "one each, oldest first"
        for bar in bars:
            assert 0 < bar.low_paise <= min(bar.open_paise, bar.close_paise)
            assert max(bar.open_paise, bar.close_paise) <= bar.high_paise
            assert bar.volume >= 0
    (closed,) = [bar for bar in days if bar.at.astimezone(IST).date() == DAY_BEFORE]
    assert abs(closed.close_paise - quote.prev_close_paise) <= stand.walking.tick_paise
    assert {bar.at.minute % 15 for bar in quarters} == {0}
    last_day = [bar for bar in quarters if bar.at.astimezone(IST).date() == DAY_BEFORE]
    assert max(bar.high_paise for bar in last_day) == closed.high_paise
    assert min(bar.low_paise for bar in last_day) == closed.low_paise
    assert await broker.bars("NSE:NOTLISTED", BarSpan.DAY, now - timedelta(days=30), now) in ([], ())


CASES: tuple[Case, ...] = (
    bars_of_before_are_whole_and_end_at_the_close,
    the_profile_is_the_accounts_own,
    books_begin_empty_and_well_formed,
    capabilities_and_read_budgets_are_usable,
    an_unknown_account_is_an_error_and_no_order,
    every_kind_of_order_comes_back_as_it_was_sent,
    a_product_that_is_not_offered_is_refused,
    a_protected_market_order_trades_within_its_protection,
    an_order_that_must_trade_at_once_does_or_ends,
    what_is_refused_has_words_and_leaves_no_order,
    want_of_money_or_shares_is_told_in_words,
    an_order_takes_its_last_look_once_and_what_is_kept_back_never_leaves,
    a_change_takes_its_last_look_once_and_one_kept_back_never_leaves,
    an_order_blocks_money_until_it_ends,
    a_change_shows_in_the_book,
    what_has_ended_cannot_be_changed,
    a_life_runs_from_open_to_its_end,
    a_stop_waits_for_its_trigger,
    parts_add_up_and_every_trade_has_its_own_id,
    shares_move_with_the_trades,
    one_odd_row_hides_no_other,
    the_dump_lists_what_trades,
    quotes_leave_out_what_nobody_knows,
    the_stream_brings_ticks_beats_and_order_updates,
    a_new_subscription_replaces_the_old_one,
    closing_ends_the_stream_and_every_call,
)
"""What every adapter must pass."""


# --- adapters with a sign-in and a line -------------------------------------------------------------------


async def a_session_that_is_over_is_said_to_be(stand: Stand, end: Callable[[], Awaitable[None]]) -> None:
    """Once `end` has ended the session of `ann`: reads raise, writes are refused, others go on."""
    broker = stand.broker
    order_id = await stand.placed(stand.resting())
    await end()
    for outcome in await _writes(stand, order_id):
        assert isinstance(outcome, Refused)
        assert (outcome.code, bool(outcome.message)) == ("session_expired", True)
    for read in (broker.profile, broker.funds, broker.holdings, broker.orders, broker.trades):
        with pytest.raises(SessionExpired) as caught:
            await read(stand.ann)
        assert not any(secret in repr(caught.value) for secret in stand.secrets)
    assert (await broker.profile(stand.poor)).user_id == stand.poor.user_id


async def a_closed_one_follows_nobody_and_says_nothing(
    stand: Stand, follow: Callable[[Sequence[BrokerAccount]], Awaitable[None]], said: Callable[[], str]
) -> None:
    """Sign-ins may change as a desk closes, and what comes of that is no news of any client."""
    await stand.broker.close()
    before = said()
    await follow([stand.ann, stand.poor])
    assert said() == before


async def a_broken_line_leaves_an_order_in_doubt(stand: Stand, cut: Callable[[], Awaitable[None]]) -> None:
    """`cut` breaks the line after the next placement was carried out; the book tells by the tag."""
    await cut()
    request = stand.resting()
    outcome = await stand.broker.place(stand.ann, request)
    assert isinstance(outcome, Ambiguous)
    assert outcome.why
    (order,) = (await stand.book()).values()
    assert order.tags == (request.tag,)


async def a_dead_broker_answers_nobody(stand: Stand, die: Callable[[], Awaitable[None]]) -> None:
    """After `die` nothing listens: reads raise `BrokerError`, writes never raise and nothing is accepted."""
    order_id = await stand.placed(stand.resting())
    await die()
    for outcome in await _writes(stand, order_id):
        assert isinstance(outcome, NotSent | Ambiguous)
    again = await stand.broker.place(stand.ann, stand.resting())
    assert isinstance(again, NotSent)
    for read in (stand.broker.funds, stand.broker.orders):
        with pytest.raises(BrokerError) as caught:
            await read(stand.ann)
        assert not isinstance(caught.value, SessionExpired)


# --- adapters of brokers that keep GTTs and alerts --------------------------------------------------------


async def what_waits_for_a_price_is_read_and_deleted(stand: Stand, others: Callable[[], int]) -> None:
    """An adapter that keeps them needs `rest` of its stand; one that does not, says so by its type.

    `others` gives how many orders the broker was asked to place, which nobody may be by reading or deleting.
    """
    broker = stand.broker
    if stand.rest is None:
        assert not isinstance(broker, KeepsConditionals)
        return
    assert isinstance(broker, KeepsConditionals)
    before = others()
    assert tuple(await broker.conditionals(stand.ann)) == ()
    for kind in ConditionalKind:
        stand.rest(kind, stand.still.tradingsymbol)
    found = await broker.conditionals(stand.ann)
    assert found.unread == ()
    assert [one.kind for one in found] == list(ConditionalKind)
    assert all(stand.still.tradingsymbol in one.what and one.number for one in found)
    assert [one.places_orders for one in found if one.kind is ConditionalKind.GTT] == [True]
    assert tuple(await broker.conditionals(stand.poor)) == (), "they are one client's own"

    gtt, alert = found
    assert isinstance(await broker.delete_conditional(stand.poor, gtt), Refused)
    for one, left in ((gtt, [alert]), (alert, list[Conditional]())):
        assert isinstance(await broker.delete_conditional(stand.ann, one), Accepted)
        assert list(await broker.conditionals(stand.ann)) == left
    refused = await broker.delete_conditional(stand.ann, gtt)
    assert isinstance(refused, Refused), "it is gone"
    assert refused.message
    assert others() == before


async def an_odd_one_of_what_waits_hides_no_other(stand: Stand) -> None:
    """An odd row is told of beside those that can be read, and never taken for one that does not wait."""
    broker = stand.broker
    assert isinstance(broker, KeepsConditionals)
    assert stand.rest is not None
    stand.rest(ConditionalKind.GTT, "")
    stand.rest(ConditionalKind.ALERT, stand.still.tradingsymbol)
    found = await broker.conditionals(stand.ann)
    assert [one.kind for one in found] == [ConditionalKind.ALERT]
    (unread,) = found.unread
    assert unread.words


# --- adapters that tell margins ---------------------------------------------------------------------------


async def a_told_margin_is_what_is_blocked(stand: Stand) -> None:
    """Besides charges; and a product without a margin is refused."""
    broker = stand.broker
    lent = Product.MTF if Product.MTF in broker.capabilities.products else Product.MIS
    request = replace(stand.resting(10), product=lent)
    assert isinstance(broker, TellsMargins)
    assert request.price_paise is not None
    shares = await broker.margins(stand.ann, stand.still, stand.last_paise, list(Product))
    assert shares[Product.CNC] == BPS
    assert (shares[Product.MTF] is None) == (lent is not Product.MTF)
    share = shares[lent]
    assert share is not None
    assert 0 < share < BPS
    value = 10 * request.price_paise
    before = await stand.available()
    order_id = await stand.placed(request)
    await stand.at(order_id, BrokerStatus.OPEN)

    async def blocked() -> int | None:
        return before - await stand.available() or None

    assert 0 <= await soon(blocked) - own_share(value, share) < value // 100
    with pytest.raises(BrokerError):
        await broker.margins(stand.stranger, stand.still, stand.last_paise, [lent])
    unlisted = replace(stand.still, tradingsymbol="NOSUCHSHARE")
    with pytest.raises(BrokerError):
        await broker.margins(stand.ann, unlisted, stand.last_paise, [lent])


def shows_no_secret(stand: Stand, told: str) -> None:
    """Neither the adapter's own text nor anything told while it worked holds a secret."""
    shown = [told, repr(stand.broker), str(stand.broker), repr(stand.broker.capabilities)]
    shown += [f"{name}={value!r}" for name, value in values_of(stand.ann).items()]
    assert not [secret for secret in stand.secrets for text in shown if secret in text]

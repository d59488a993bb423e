"""Flatten: by the broker's net, what fights it first, once, never past zero; also while halted."""

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from brokers.contract import BrokerError, BrokerStatus, NotSent, Tick
from data.errors import BadInput
from data.records import replace
from data.reference.instruments import Instrument
from data.repositories.trading import flattens
from data.vocabulary import (
    DeskKind,
    FlattenLineState,
    FlattenReason,
    FlattenState,
    FlattenWhat,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    Side,
    SizingKind,
)
from engine.desk import Desk
from engine.execution.sending.dispatch import Dispatcher
from engine.flatten.looking import Looking
from engine.flatten.positions import Position, goal_of
from engine.flatten.prices import STEP_PARTS, band_edge, first_limit, next_limit
from engine.flatten.views import FlattenView
from engine.refusals import Halted
from engine.rules import MOST_REPRICES
from tests.desks import (
    START,
    WAITS,
    Wire,
    books_are_sound,
    buy,
    by_phone,
    carry_out,
    in_time,
    manual_clock,
    on_tape,
    paper_desk,
    sell,
    until,
)
from tradedesk.compose.brokers.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
INSTRUMENT = Instrument("NSE", "SOME", "Some", 10, 1)
TICK = Tick(
    "NSE:SOME", 100_000, 100_000, 100_000, 100_000, 100_000, 1, 99_990, 100_010, 90_000, 110_000, START, START
)
MIS, ROHAN, PRIYA = Product.MIS, 8, 15
DESK = HaltScope.EVERYTHING


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as desk:
        yield desk


async def long_40_short_100_with_a_stop(desk: Desk) -> int:
    """MIS +40 TCS of one client under a live stop, -100 INFY of another, CNC beside; the stop's number."""
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    await carry_out(desk, buy("HDFCBANK", QTY, 5, ROHAN))
    stop = replace(
        sell("TCS", QTY, 40, PRIYA), product=MIS, order_type=OrderType.SL_M, trigger_paise=2_450_00
    )
    _, run = await carry_out(desk, stop)
    by_phone(desk, ROHAN, Side.SELL, 100, product=MIS)
    return run.order_ids[0]


async def flatten(desk: Desk, what: FlattenWhat = FlattenWhat.MIS) -> FlattenView:
    number = await in_time(desk, desk.flatten.start(DESK, "", what))
    return await in_time(desk, desk.flatten.follow(number))


def traded(desk: Desk, client_id: int) -> Counter[tuple[str, Product, Side]]:
    """What a client has traded at the venue, in shares."""
    found = Counter[tuple[str, Product, Side]]()
    for one in exchange_of(desk).trades(desk.clients.get(client_id).code):
        found[one.tradingsymbol, one.product, one.side] += one.quantity
    return found


def net(desk: Desk, client_id: int) -> dict[tuple[str, Product], int]:
    rows = exchange_of(desk).holdings(desk.clients.get(client_id).code)
    return {(r.tradingsymbol, r.product): r.free + r.t1 + r.today - r.short for r in rows}


async def test_the_venue_shows_exactly_the_two_exits_with_the_stop_cancelled_first(desk):
    stop = await long_40_short_100_with_a_stop(desk)
    made = await flatten(desk)
    assert (made.state, made.flat, made.left) == (FlattenState.DONE, 2, 0)
    assert made.not_signed_in == ("DR0044",)
    assert traded(desk, PRIYA) == {("TCS", MIS, Side.BUY): 40, ("TCS", MIS, Side.SELL): 40}
    assert traded(desk, ROHAN)["INFY", MIS, Side.BUY] == 100
    assert net(desk, PRIYA) == {}
    assert net(desk, ROHAN) == {("HDFCBANK", Product.CNC): 5}
    cancelled, exits = desk.orders.get(stop), desk.orders.all(client_id=PRIYA)[0]
    assert cancelled.state is OrderState.CANCELLED
    assert cancelled.ended_at is not None
    assert cancelled.ended_at <= exits.created_at
    (of_priya,) = [line for line in made.lines if line.client_id == PRIYA]
    assert (of_priya.net_before, of_priya.net, of_priya.sent, of_priya.cancelled) == (40, 0, 40, (stop,))
    assert on_tape(desk, f"flatten {made.number} certified")
    await books_are_sound(desk)


async def test_it_works_while_halted_and_a_buy_is_refused(desk):
    await long_40_short_100_with_a_stop(desk)
    halt = await in_time(desk, desk.halt.fire("trader"))
    plan = await desk.plans.freeze(buy("TCS", QTY, 1, PRIYA))
    with pytest.raises(Halted):
        await desk.runs.start(plan, plan.digest)
    made = await flatten(desk)
    assert (made.flat, made.left, made.passes) == (2, 0, (halt.number,))
    assert (net(desk, PRIYA), net(desk, ROHAN)) == ({}, {("HDFCBANK", Product.CNC): 5})
    assert desk.halt.active()
    await books_are_sound(desk)


async def test_a_halt_that_still_reads_leaves_the_exits_that_pass_it(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire, exchange = Wire(desk), exchange_of(desk)

    async def rohan_is_silent(account):
        if account.client_id == ROHAN:
            raise BrokerError("no answer")

    async def rests(account, request):
        return exchange.place(account.user_id, request, at_most=0)

    wire.on_read, wire.on_place = rohan_is_silent, rests
    certificate = await in_time(desk, desk.halt.fire("trader"))
    assert not certificate.ended
    number = await in_time(desk, desk.flatten.start(HaltScope.CLIENT, str(PRIYA), FlattenWhat.MIS))
    await until(desk, lambda: wire.placed)
    await manual_clock(desk).advance(5 * WAITS.live_poll_s)
    assert wire.cancelled == []
    (order,) = desk.orders.all(live=True)
    assert (order.flatten_number, order.sent_here) == (number, True)


async def test_f9_stops_a_flatten_and_what_it_sent_is_cancelled(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire = Wire(desk)

    async def never_leaves(account, request):
        return NotSent("the line is down")

    wire.on_place = never_leaves
    number = await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS))
    await until(desk, lambda: wire.placed)
    await in_time(desk, desk.halt.fire("trader"))
    wire.on_place = None
    made = await in_time(desk, desk.flatten.follow(number))
    assert [(line.state, line.reason) for line in made.lines] == [
        (FlattenLineState.LEFT, FlattenReason.HALTED)
    ]
    assert net(desk, PRIYA) == {("TCS", MIS): 40}
    assert not desk.orders.all(live=True)


async def test_asked_for_twice_it_is_one(desk):
    await long_40_short_100_with_a_stop(desk)
    first = await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS))
    assert await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS)) == first
    await in_time(desk, desk.flatten.follow(first))
    again = await flatten(desk)
    assert (again.number, again.lines) == (first + 1, ())
    assert traded(desk, ROHAN)["INFY", MIS, Side.BUY] == 100


async def test_a_position_has_one_flatten_at_a_time(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire = Wire(desk)

    async def never_leaves(account, request):
        return NotSent("the line is down")

    wire.on_place = never_leaves
    first = await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS))
    other = await in_time(desk, desk.flatten.start(HaltScope.CLIENT, str(PRIYA), FlattenWhat.ALL))
    wire.on_place = None
    second = await in_time(desk, desk.flatten.follow(other))
    reasons = {(line.product, line.reason, line.detail) for line in second.lines}
    assert (MIS, FlattenReason.OTHER_FLATTEN, f"flatten {first}") in reasons
    assert (await in_time(desk, desk.flatten.follow(first))).flat == 1
    assert net(desk, PRIYA) == {}


async def test_what_rests_is_priced_anew_nearer_to_the_band(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire, exchange, limits = Wire(desk), exchange_of(desk), list[int]()

    async def rests(account, request):
        limits.append(request.price_paise)
        return exchange.place(account.user_id, request, at_most=0)

    async def fills(account, broker_order_id, change):
        limits.append(change.price_paise)
        exchange.allow(account.user_id, broker_order_id, None)
        return exchange.modify(account.user_id, broker_order_id, change)

    wire.on_place, wire.on_modify = rests, fills
    made = await flatten(desk)
    assert (made.flat, net(desk, PRIYA)) == (1, {})
    quote = desk.market.quote("NSE:TCS")
    assert limits[0] == 2_450_00
    assert quote.lower_circuit_paise < limits[1] < limits[0]


async def test_one_whose_program_ended_stands_still_on_the_tape_until_it_is_asked_for_again(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))

        async def hangs(account, request):
            return NotSent("the line is down")

        Wire(desk).on_place = hangs
        number = await desk.flatten.start(DESK, "", FlattenWhat.MIS)
        await until(desk, lambda: desk.flatten.going)
        assert [one.carried for one in desk.flatten.going] == [True]
        assert on_tape(desk, "STANDS STILL") == []
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        await until(desk, lambda: desk.flatten.going)
        assert [one.carried for one in desk.flatten.going] == [False]
        assert len(on_tape(desk, f"FLATTEN {number} MIS")) == 1
        assert on_tape(desk, "STANDS STILL") == [
            f"flatten {number} STANDS STILL at 0 of 1 flat: its program ended, Enter and typed words go on"
        ]
        assert await desk.flatten.carry_on(number)
        assert not await desk.flatten.carry_on(number)
        await until(desk, lambda: not desk.flatten.going)
        assert net(desk, PRIYA) == {}
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        await until(desk, lambda: on_tape(desk, f"flatten {number} certified: 1 flat"))
        assert on_tape(desk, "STANDS STILL") == []


async def test_a_position_locked_at_the_circuit_is_named_and_nothing_of_it_lives(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire, exchange = Wire(desk), exchange_of(desk)
    exchange.pin("TCS", 2_245_00, 2_490_00)

    async def rests(account, request):
        return exchange.place(account.user_id, request, at_most=0)

    wire.on_place = rests
    made = await flatten(desk)
    (line,) = made.lines
    assert (line.state, line.reason) == (FlattenLineState.LEFT, FlattenReason.CIRCUIT)
    assert exchange.orders("PS1015")[-1].status is BrokerStatus.CANCELLED
    assert net(desk, PRIYA) == {("TCS", MIS): 40}


@pytest.mark.parametrize("side", Side)
def test_the_steps_lead_to_the_edge_of_the_band_in_twenty_and_never_beyond(side):
    instrument = replace(INSTRUMENT, tick_paise=10)
    edge = band_edge(side, TICK, instrument, 200)
    limits = [first_limit(side, TICK, instrument, 200)]
    for number in range(MOST_REPRICES):
        last = number == MOST_REPRICES - 1
        limits.append(next_limit(side, limits[-1], TICK, instrument, 200, last))
    assert limits == sorted(limits, reverse=side is Side.SELL)
    assert limits[-1] == edge == (110_000 if side is Side.BUY else 90_000)
    assert all(limit % 10 == 0 for limit in limits)


def test_a_step_follows_a_market_that_runs_away_and_never_goes_back_with_one_that_comes_near():
    instrument = replace(INSTRUMENT, tick_paise=10)
    low = replace(TICK, last_paise=95_000, bid_paise=94_990, ask_paise=95_010)
    high = replace(TICK, last_paise=105_000, bid_paise=104_990, ask_paise=105_010)
    for side, away, near in ((Side.SELL, low, high), (Side.BUY, high, low)):
        before = first_limit(side, TICK, instrument, 200)
        step = abs(band_edge(side, TICK, instrument, 200) - before) // STEP_PARTS // 10 * 10
        toward = step if side is Side.BUY else -step
        followed = first_limit(side, away, instrument, 200)
        assert (followed - before - toward) * toward > 0, "further than a step"
        assert next_limit(side, before, away, instrument, 200, False) == followed
        assert next_limit(side, before, near, instrument, 200, False) == before + toward


CNC, MTF, WHAT, WHY = Product.CNC, Product.MTF, FlattenWhat, FlattenReason


@pytest.mark.parametrize(
    ("what", "product", "shares", "goal"),
    [
        (WHAT.MIS, MIS, {"today": 40}, (Side.SELL, 40, WHY.NONE)),
        (WHAT.MIS, MIS, {"short": 100}, (Side.BUY, 100, WHY.NONE)),
        (WHAT.MIS, CNC, {"today": 9, "free": 9}, (Side.SELL, 0, WHY.NONE)),
        (WHAT.TODAY, CNC, {"today": 5, "t1": 3, "free": 20}, (Side.SELL, 5, WHY.NONE)),
        (WHAT.MTF, MTF, {"free": 7, "pledged": 3}, (Side.SELL, 7, WHY.PLEDGED)),
        (WHAT.MTF, CNC, {"free": 7}, (Side.SELL, 0, WHY.NONE)),
        (WHAT.ALL, CNC, {"today": 1, "t1": 2, "free": 4}, (Side.SELL, 7, WHY.NONE)),
    ],
)
def test_what_is_sent_of_a_position_is_what_its_scope_and_product_let_go(what, product, shares, goal):
    sent = goal_of(what, Position("x", product, "NSE", "SOME", **shares), INSTRUMENT, authorised=True)
    assert (sent.side, sent.quantity, sent.rest) == goal
    assert sent.t1 == (shares.get("t1", 0) if what is WHAT.ALL else 0)


@pytest.mark.parametrize(
    ("instrument", "authorised", "shares", "goal"),
    [
        ({}, False, {"today": 2, "free": 20}, (2, WHY.AUTHORISATION)),
        ({}, False, {"today": 2, "free": 20, "authorised": 5}, (7, WHY.AUTHORISATION)),
        ({}, False, {"free": 5, "authorised": 5}, (5, WHY.NONE)),
        ({"trade_to_trade": True}, True, {"today": 2, "t1": 3, "free": 20}, (20, WHY.TRADE_TO_TRADE)),
        ({"trade_to_trade": True}, True, {"t1": 3, "free": 20}, (20, WHY.T1)),
        ({"trade_to_trade": True}, True, {"free": 20}, (20, WHY.NONE)),
        ({"lot_size": 15}, True, {"free": 40}, (30, WHY.ODD_LOT)),
    ],
)
def test_shares_for_delivery_stay_where_the_depository_or_the_lot_says_so(
    instrument, authorised, shares, goal
):
    position = Position("x", CNC, "NSE", "SOME", **shares)
    sent = goal_of(WHAT.ALL, position, replace(INSTRUMENT, **instrument), authorised)
    assert (sent.quantity, sent.rest) == goal


async def test_all_takes_in_shares_for_delivery(desk):
    prospect = await in_time(desk, desk.flatten.prospect(DESK, "", FlattenWhat.ALL))
    assert prospect.answer == "flat all 0"
    await carry_out(desk, buy("TCS", QTY, 4, PRIYA))
    prospect = await in_time(desk, desk.flatten.prospect(HaltScope.CLIENT, str(PRIYA), FlattenWhat.ALL))
    assert [(one.tradingsymbol, one.quantity, one.side) for one in prospect.positions] == [
        ("TCS", 4, Side.SELL)
    ]
    assert prospect.answer == "flat all 1"


async def test_what_a_client_bought_elsewhere_goes_once_a_comparison_has_found_it(desk):
    by_phone(desk, ROHAN, Side.BUY, 30, product=MIS)
    made = await flatten(desk)
    assert (made.flat, made.left, net(desk, ROHAN)) == (1, 0, {})
    assert traded(desk, ROHAN) == {("INFY", MIS, Side.BUY): 30, ("INFY", MIS, Side.SELL): 30}
    assert desk.holdings.of(ROHAN) == []
    await books_are_sound(desk)


async def test_an_order_from_the_clients_phone_that_fights_it_is_cancelled_too(desk):
    await carry_out(desk, buy("INFY", QTY, 10, ROHAN, product=MIS))
    phone = by_phone(desk, ROHAN, Side.SELL, 10, limit_paise=1_600_00, product=MIS)
    made = await flatten(desk)
    assert made.flat == 1
    (theirs,) = [o for o in exchange_of(desk).orders("RG1008") if o.broker_order_id == phone]
    assert theirs.status is BrokerStatus.CANCELLED
    assert net(desk, ROHAN) == {}


async def test_another_count_than_the_one_shown_sends_nothing(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    with pytest.raises(BadInput):
        await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS, 2))
    assert await desk.flatten.all() == []


async def test_an_exit_does_not_leave_after_another_terminal_has_ended_the_short(desk, monkeypatch):
    plan = await desk.plans.freeze(buy("INFY", QTY, 20, PRIYA, product=MIS))
    by_phone(desk, PRIYA, Side.SELL, 20, product=MIS)
    wire, held, go_on = Wire(desk), list[Callable[[], None]](), asyncio.Event()
    submit = Dispatcher.submit

    def hold(dispatcher, order_ids):
        exits = [i for i in order_ids if desk.orders.get(i).flatten_number is not None]
        if exits:
            held.append(lambda: submit(dispatcher, exits))
        submit(dispatcher, [i for i in order_ids if i not in exits])

    async def read_later(account):
        if held:
            await go_on.wait()

    monkeypatch.setattr(Dispatcher, "submit", hold)
    wire.on_read = read_later
    number = await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS))
    await until(desk, lambda: held)
    run = await desk.runs.start(plan, plan.digest)
    await until(desk, lambda: net(desk, PRIYA) == {} and desk.orders.get(run.order_ids[0]).filled_quantity)
    held[0]()
    (sent,) = [one for one in desk.orders.all(client_id=PRIYA) if one.flatten_number == number]
    await until(desk, lambda: desk.orders.get(sent.id).state is not OrderState.RESERVED)
    go_on.set()
    assert (await in_time(desk, desk.flatten.follow(number))).flat == 1
    assert traded(desk, PRIYA)["INFY", MIS, Side.BUY] == 20


async def test_what_fails_of_one_client_keeps_no_other_back(desk, monkeypatch):
    await long_40_short_100_with_a_stop(desk)
    most_shares = Looking.most_shares

    def fails(looking, client_id, limit_paise, lot_size):
        if client_id == PRIYA:
            raise RuntimeError("a fault of ours")
        return most_shares(looking, client_id, limit_paise, lot_size)

    monkeypatch.setattr(Looking, "most_shares", fails)
    made = await flatten(desk)
    states = {line.client_id: (line.state, line.reason) for line in made.lines}
    assert states[ROHAN] == (FlattenLineState.FLAT, FlattenReason.NONE)
    assert states[PRIYA] == (FlattenLineState.LEFT, FlattenReason.UNREACHABLE)
    assert net(desk, PRIYA) == {("TCS", MIS): 40}


async def test_a_client_lost_on_the_way_leaves_with_its_live_order_named(desk):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire, exchange = Wire(desk), exchange_of(desk)

    async def rests(account, request):
        wire.on_read = silence
        return exchange.place(account.user_id, request, at_most=0)

    async def silence(account):
        raise BrokerError("down", "the line is down")

    wire.on_place = rests
    made = await flatten(desk)
    (line,) = made.lines
    (live,) = desk.orders.all(live=True)
    assert (line.state, line.reason) == (FlattenLineState.LEFT, FlattenReason.UNREACHABLE)
    assert f"order {live.id} may still trade" in line.detail


async def test_a_stop_is_heard_after_a_read_that_failed(desk, monkeypatch):
    await carry_out(desk, buy("TCS", QTY, 40, PRIYA, product=MIS))
    wire, exchange, read, failed = Wire(desk), exchange_of(desk), flattens.read_flatten, list[int]()

    async def rests(account, request):
        return exchange.place(account.user_id, request, at_most=0)

    async def once(reader, number):
        if wire.placed and not failed:
            failed.append(number)
            raise OSError("the disk is gone")
        return await read(reader, number)

    wire.on_place = rests
    monkeypatch.setattr(flattens, "read_flatten", once)
    number = await in_time(desk, desk.flatten.start(DESK, "", FlattenWhat.MIS))
    await until(desk, lambda: failed)
    assert await desk.flatten.stop(number)
    (line,) = (await in_time(desk, desk.flatten.follow(number))).lines
    assert line.reason is FlattenReason.STOPPED
    assert not desk.orders.all(live=True)

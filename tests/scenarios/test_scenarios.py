"""The mission's scenarios 1 to 6 and 9, through the Desk's public API, under both reservation policies."""

from datetime import date

import pytest

from brokers.simulators.exchange.accounts import pay
from data.clock import SystemClock
from data.money import BPS, ceil_div
from data.reference.rates import estimate
from data.reference.seed import universe
from data.vocabulary import (
    ClientStatus,
    OrderState,
    Policy,
    Product,
    Reason,
    RunCount,
    SessionState,
    Side,
    SizingKind,
)
from engine.accounts.client_file import NewClient
from engine.events import Event, OrderFilled
from engine.words import formats
from tests.desks import START, books_are_sound, buy, carry_out, paper_desk, sell
from tests.engine.test_days import next_day
from tradedesk.compose.brokers.paper import exchange_of, prepare_demo
from tradedesk.compose.wiring import compose_desk

DAY = date(2026, 11, 18)
ROHAN, PRIYA, AMIT = 8, 15, 22
pytestmark = pytest.mark.both

BOTH = pytest.mark.parametrize("policy", [Policy.EXACT, Policy.WORST])


def worst_need(quantity: int, reserve_paise: int, margin_bps: int, product: Product) -> int:
    """What `worst` reserves: own share of the protected price, charges from the tables, two paise."""
    notional = quantity * reserve_paise
    charges = estimate(DAY, "zerodha", "NSE", product, Side.BUY, notional).total_paise
    return ceil_div(notional * margin_bps, BPS) + charges + 2


@BOTH
async def test_1_morning_bulk_buy_at_a_quarter_of_each_clients_capital(tmp_path, policy):
    async with paper_desk(tmp_path, policy) as desk:
        heard: list[Event] = []
        desk.events.subscribe(heard.append)
        before = {funds.client_id: funds for funds in desk.funds.all()}
        plan = await desk.plans.freeze(buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))

        assert plan.orders == 45
        assert plan.answer == "buy 45"
        assert plan.skipped_by_reason == {
            Reason.INSUFFICIENT_FUNDS: 2,
            Reason.SESSION_EXPIRED: 1,
            Reason.CLIENT_INACTIVE: 1,
            Reason.CLIENT_PENDING: 1,
        }
        allocated = sum(line.allocation_paise for line in plan.ok_lines)
        assert abs(allocated - 12_50_000_00) <= 45  # each client's quarter is floored to the paisa
        assert round(allocated / 45 / 100) == 27_778
        bought = sum(line.quantity for line in plan.ok_lines) * 2450_50
        assert plan.left_paise == allocated - bought

        exchange_of(desk).pin("RELIANCE", 245050, 239520)
        run = await desk.runs.start(plan, plan.digest)
        blocked = {f.client_id: f.blocked_paise - before[f.client_id].blocked_paise for f in desk.funds.all()}
        assert {c for c, paise in blocked.items() if paise} == {line.client_id for line in plan.ok_lines}
        for line in plan.ok_lines:
            assert blocked[line.client_id] == line.reserve_paise
            assert (
                desk.funds.of(line.client_id).available_paise
                == before[line.client_id].available_paise - line.reserve_paise
            )

        run = await desk.runs.settled(run.number, 30)
        await desk.settle()
        assert run.counts[RunCount.FILLED] == 45
        assert run.skipped == 5
        for line in plan.ok_lines:
            (holding,) = desk.holdings.of(line.client_id)
            assert (holding.quantity, holding.cost_paise) == (line.quantity, line.quantity * 2450_50)
            assert desk.funds.of(line.client_id).blocked_paise == before[line.client_id].blocked_paise
        fills = [event for event in heard if isinstance(event, OrderFilled)]
        rows = await desk.audit.rows(10_000, action="FILL_APPLIED")
        assert len(fills) == len(rows) == 45
        assert {row.client_id for row in rows} == {line.client_id for line in plan.ok_lines}
        await books_are_sound(desk)


async def test_1_takes_less_than_thirty_seconds_with_the_exchanges_latency(tmp_path):
    clock = SystemClock()
    async with compose_desk(tmp_path, seed=7) as desk:
        await prepare_demo(desk)
        started = clock.monotonic()
        _, run = await carry_out(desk, buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert run.counts[RunCount.FILLED] == 45
        assert clock.monotonic() - started < 30
        await books_are_sound(desk)


@BOTH
async def test_2_insufficient_funds_come_with_alternatives(tmp_path, policy):
    async with paper_desk(tmp_path, policy) as desk:
        before = desk.funds.of(PRIYA)
        assert (before.available_paise, before.blocked_paise, before.held_paise) == (
            50_000_00,
            25_000_00,
            25_000_00,
        )
        plan, line = await _single(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 30, PRIYA))

        assert plan.at_last_paise == 0
        assert 30 * plan.last_paise == 75_000_00
        assert (line.reason, line.quantity) == (Reason.INSUFFICIENT_FUNDS, 0)
        cash, mtf = line.alternatives
        affordable = 20 if policy is Policy.EXACT else 19
        assert (cash.product, cash.quantity, cash.quantity_at_last) == (Product.CNC, affordable, 20)
        assert (mtf.product, mtf.quantity) == (Product.MTF, 30)
        if policy is Policy.WORST:
            assert line.short_paise == worst_need(30, 2550_00, BPS, Product.CNC) - 50_000_00
            assert worst_need(19, 2550_00, BPS, Product.CNC) <= 50_000_00
            assert worst_need(20, 2550_00, BPS, Product.CNC) > 50_000_00
            assert (mtf.own_paise, mtf.loan_paise) == (15_300_00, 61_200_00)
        else:
            assert line.short_paise == 25_000_00
            assert (mtf.own_paise, mtf.loan_paise) == (15_000_00, 60_000_00)
        assert desk.funds.of(PRIYA) == before
        assert desk.orders.all() == []

        _, run = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, affordable, PRIYA))
        assert run.counts[RunCount.FILLED] == 1
        await books_are_sound(desk)


@BOTH
async def test_3_mtf_leverage(tmp_path, policy):
    async with paper_desk(tmp_path, policy) as desk:
        most = {Policy.EXACT: (66, 333), Policy.WORST: (65, 324)}[policy]
        _, wanted = await _single(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 5_000, AMIT))
        by_cash, by_mtf = wanted.alternatives
        assert (by_cash.quantity, by_mtf.quantity) == most
        if policy is Policy.WORST:
            assert worst_need(324, 1530_00, 2000, Product.MTF) <= 1_00_000_00
            assert worst_need(325, 1530_00, 2000, Product.MTF) > 1_00_000_00

        _, cash = await _single(desk, buy("INFY", SizingKind.FIXED_QUANTITY, most[0], AMIT))
        assert cash.ok
        intent = buy("INFY", SizingKind.FIXED_QUANTITY, most[1], AMIT, product=Product.MTF)
        _, run = await carry_out(desk, intent)
        assert run.counts[RunCount.FILLED] == 1
        funds = desk.funds.of(AMIT)
        (holding,) = desk.holdings.of(AMIT)
        assert (holding.product, holding.quantity) == (Product.MTF, most[1])
        own = ceil_div(most[1] * 1500_00 * 2000, BPS)
        assert funds.mtf_loan_paise == most[1] * 1500_00 - own
        if policy is Policy.EXACT:
            assert (own, funds.mtf_loan_paise) == (99_900_00, 3_99_600_00)
            assert funds.available_paise == 1_00_000_00 - 99_900_00
        assert funds.mtf_reserved_paise == 0

        await desk.market.fetch(["NSE:RELIANCE"])
        assert desk.market.detail("RELIANCE").mtf_own_per_share_paise == 1225_25
        await books_are_sound(desk)


async def with_a_lakh(desk) -> int:
    """A client that came with 1,00,000."""
    new = NewClient(
        "MT9001",
        "Meera Trivedi",
        "zerodha",
        "MT9001",
        ClientStatus.ACTIVE,
        1_00_000_00,
        1_00_000_00,
        mtf_limit_paise=5_00_000_00,
    )
    await desk.clients.add([new])
    return desk.clients.find("MT9001").id


async def test_3_mtf_alerts_at_seventy_percent_of_the_capital_brought(tmp_path):
    async with paper_desk(tmp_path, Policy.EXACT) as desk:
        client, exchange = await with_a_lakh(desk), exchange_of(desk)

        async def trades_at(paise: int) -> set[str]:
            """INFY at a price: what the alerts of the day then tell of Amit."""
            exchange.pin("INFY", paise // 10 * 10, 1491_00)
            await desk.market.fetch(["NSE:INFY"])
            await desk.mtf.read()
            await desk.mtf_alerts.look()
            await desk.alerts.read()
            named = [one for one in desk.alerts.standing if one.client_ids == (client,)]
            return {one.told["of"] for one in named} - {"pledge"}

        await desk.reconcile.ensure([client])
        _, run = await carry_out(
            desk, buy("INFY", SizingKind.FIXED_QUANTITY, 333, client, product=Product.MTF)
        )
        assert run.counts[RunCount.FILLED] == 1
        await desk.mtf.read()
        view = desk.mtf.of(client)
        charges = desk.funds.of(client).charges_due_paise
        assert (view.base_paise, view.loan_paise, view.own_paise) == (1_00_000_00, 3_99_600_00, 99_900_00)
        # 333 shares lose 30,000 less the charges: then the portfolio is down to 70,000.
        at = (333 * 1500_00 - (30_000_00 - charges)) // 333
        floor, call, sale = view.rungs
        assert floor.fall_bps == ceil_div((30_000_00 - charges) * BPS, 333 * 1500_00)
        assert [rung.threshold.level.value for rung in (floor, call, sale)] == ["floor", "call", "sale"]

        # The broker's call comes first: a loss beyond free cash of 20 % of what was the client's own.
        free = desk.funds.of(client).available_paise - charges
        called = 1500_00 - ceil_div(99_900_00 // 5 + free, 333)
        assert await trades_at(called + 1600) == set()
        assert await trades_at(called) == {"call"}
        assert await trades_at(at + 10) == {"call"}
        assert await trades_at(at) == {"call", "floor"}

        # What would take the client off the floor: cash alone, and it counts as capital too.
        restoring = {one.threshold.level.value: one for one in desk.mtf.restoring(client)}
        short = 70_000_00 - desk.mtf.of(client).portfolio_paise
        assert restoring["floor"].pay_in_paise == short * 10 // 3 + 1
        assert restoring["floor"].sales[0].quantity is None
        sold = restoring["call"].sales[0]
        assert sold.quantity is not None
        assert 0 < sold.quantity < 333
        await books_are_sound(desk)


async def test_3_a_withdrawal_is_no_margin_call(tmp_path):
    async with paper_desk(tmp_path, Policy.EXACT) as desk:
        client, exchange = await with_a_lakh(desk), exchange_of(desk)
        await desk.reconcile.ensure([client])
        await carry_out(desk, buy("INFY", SizingKind.FIXED_QUANTITY, 100, client, product=Product.MTF))
        await desk.mtf.read()
        (floor, *_) = desk.mtf.of(client).rungs
        assert not floor.reached
        with exchange.transaction():
            pay(exchange.books, "MT9001", -40_000_00)
        await next_day(desk)
        exchange.pin("INFY", 1500_00, 1500_00)
        await desk.market.fetch(["NSE:INFY"])
        await desk.reconcile.ensure([client])
        await desk.mtf.read()
        view = desk.mtf.of(client)
        assert view.base_paise == 60_000_00
        assert view.portfolio_paise < 70_000_00  # and so below 70 % of what he came with
        assert not view.rungs[0].reached
        await desk.mtf_alerts.look()
        await desk.alerts.read()
        assert "floor" not in {one.told.get("of") for one in desk.alerts.standing}
        await books_are_sound(desk)


@BOTH
async def test_4_intraday_buy_and_sell_with_live_and_realised_profit(tmp_path, policy):
    async with paper_desk(tmp_path, policy) as desk:
        await carry_out(desk, buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 100, ROHAN))
        exchange_of(desk).pin("HDFCBANK", 1680_00, 1590_00)
        await desk.market.fetch(["NSE:HDFCBANK"])
        desk.valuation.revalue({"NSE:HDFCBANK"})
        (holding,) = desk.holdings.of(ROHAN)
        value = desk.valuation.holding(holding)
        assert (value.unrealised_paise, value.pnl_bps) == (8_000_00, 500)

        _, too_many = await _single(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 101, ROHAN))
        assert too_many.reason is Reason.INSUFFICIENT_HOLDING
        before = desk.funds.of(ROHAN)
        _, run = await carry_out(desk, sell("HDFCBANK", SizingKind.FIXED_QUANTITY, 100, ROHAN))
        assert run.counts[RunCount.FILLED] == 1
        assert desk.holdings.of(ROHAN) == []

        (trade,) = await desk.holdings.transactions(ROHAN)
        assert (trade.buy_price_paise, trade.sell_price_paise, trade.pnl_paise) == (
            1600_00,
            1680_00,
            8_000_00,
        )
        charges = sum(
            estimate(DAY, "zerodha", "NSE", Product.CNC, side, notional).total_paise
            for side, notional in ((Side.BUY, 1_60_000_00), (Side.SELL, 1_68_000_00))
        )
        assert (trade.charges_paise, trade.net_paise) == (charges, 8_000_00 - charges)
        after = desk.funds.of(ROHAN)
        # The cost of shares bought and sold on one day is available at once, the profit after settlement.
        charged = 0 if policy is Policy.EXACT else charges
        bought = estimate(DAY, "zerodha", "NSE", Product.CNC, Side.BUY, 1_60_000_00).total_paise
        assert after.unsettled_paise == 8_000_00
        assert after.available_paise == before.available_paise + 1_60_000_00 - max(0, charged - bought)
        assert after.charges_due_paise == (charges if policy is Policy.EXACT else 0)
        assert desk.valuation.client(ROHAN).realised_today_paise == 8_000_00
        await books_are_sound(desk)


@BOTH
async def test_5_only_active_clients_trade(tmp_path, policy):
    async with paper_desk(tmp_path, policy, demo=False) as desk:
        await _three_clients(desk)
        plan, run = await carry_out(desk, buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500))
        assert (run.counts[RunCount.FILLED], run.skipped) == (1, 2)
        assert {line.code: line.reason for line in plan.lines} == {
            "CA0001": None,
            "CB0002": Reason.CLIENT_INACTIVE,
            "CC0003": Reason.CLIENT_PENDING,
        }
        (order,) = desk.orders.all()
        assert desk.clients.get(order.client_id).code == "CA0001"
        await books_are_sound(desk)


async def test_6_stock_search_and_watchlist(tmp_path):
    async with paper_desk(tmp_path, pins={}) as desk:
        found = desk.market.index.search("reliance")
        assert [(one.tradingsymbol, one.name) for one in found] == [
            ("RELIANCE", "Reliance Industries Ltd"),
            ("RIIL", "Reliance Industrial Infrastructure Ltd"),
        ]
        quotes = await desk.market.fetch([one.key for one in found])
        assert {key: quote.last_paise for key, quote in quotes.items()} == {
            "NSE:RELIANCE": 2450_50,
            "NSE:RIIL": 1250_75,
        }
        detail = desk.market.detail("RELIANCE")
        assert (detail.change_paise, detail.change_bps) == (55_25, 231)
        quote = detail.quote
        assert quote is not None
        assert (quote.high_paise, quote.low_paise) == (2465_00, 2390_00)
        assert formats.volume(quote.volume) == "2.5M"
        assert formats.signed_percent(detail.change_bps) == "+2.31"

        assert await desk.watchlists.add("NSE:RIIL", "Mine")
        assert not await desk.watchlists.add("NSE:RIIL", "Mine")
        assert desk.watchlists.keys("Mine") == ["NSE:RIIL"]
        assert await desk.watchlists.remove("NSE:RIIL", "Mine")
        assert desk.watchlists.keys("Mine") == []


@BOTH
async def test_9_cancel_all_frees_every_paisa_and_the_right_order_follows(tmp_path, policy):
    async with paper_desk(tmp_path, policy, demo=False) as desk:
        await _market(desk)
        await desk.clients.add(
            [
                NewClient(
                    f"AC{number:04d}",
                    f"Client {number}",
                    "zerodha",
                    f"ZA{number:04d}",
                    ClientStatus.ACTIVE,
                    capital_paise=1_00_000_00 + number * 1_234_00,
                    available_paise=90_000_00 + number * 777_01,
                )
                for number in range(1, 51)
            ]
        )
        before = {funds.client_id: funds for funds in desk.funds.all()}
        wrong = buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 2500, limit_paise=2300_00)
        plan, run = await carry_out(desk, wrong)
        assert run.counts[RunCount.OPEN] == 50
        certificate = await desk.halt.fire("tester")

        assert (certificate.cancelled, certificate.ended) == (50, True)
        assert certificate.refused + certificate.unknown + certificate.unreachable == 0
        assert certificate.released_paise == plan.reserve_paise == certificate.blocked_before_paise
        assert certificate.still_blocked_paise == 0
        assert {entry.client_id: entry.released_paise for entry in certificate.orders} == {
            line.client_id: line.reserve_paise for line in plan.ok_lines
        }
        assert {funds.client_id: funds for funds in desk.funds.all()} == before
        assert len(await desk.audit.rows(10_000, action="ORDER_CANCELLED")) == 50

        await desk.halt.resume(certificate.number, "resume", "tester")
        right = buy("RELIANCE", SizingKind.PERCENT_OF_CAPITAL, 1000)
        _, run = await carry_out(desk, right)
        assert run.counts[RunCount.FILLED] == 50
        assert {order.state for order in desk.orders.all(run=run.number)} == {OrderState.FILLED}
        await books_are_sound(desk)


async def _single(desk, intent):
    plan = await desk.plans.preview(intent)
    (line,) = plan.lines
    return plan, line


async def _market(desk):
    listings = universe()
    exchange_of(desk).list_instruments(listings)
    await desk.market.store_instruments([row.instrument for row in listings], "test")
    exchange_of(desk).pin("RELIANCE", 2450_50, 2395_20)


async def _three_clients(desk):
    await _market(desk)
    words = (
        ("CA0001", ClientStatus.ACTIVE),
        ("CB0002", ClientStatus.INACTIVE),
        ("CC0003", ClientStatus.PENDING),
    )
    await desk.clients.add(
        [
            NewClient(
                code,
                f"Client {code}",
                "zerodha",
                f"Z{code}",
                status,
                capital_paise=2_00_000_00,
                available_paise=2_00_000_00,
                session=SessionState.OK,
            )
            for code, status in words
        ]
    )
    assert desk.clock.now() == START

"""Every adapter against the contract: the paper exchange directly, and through Kite's wire format."""

import logging
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from brokers.contract import BrokerAccount, BrokerError, ConditionalKind, KeepsConditionals
from brokers.kite.access import KiteRoute, kite_roots
from brokers.kite.broker import KiteBroker
from brokers.kite.calls import KiteWaits
from brokers.paper.broker import PaperBroker
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.kite.books.delays import NO_DELAYS, Delays
from brokers.simulators.kite.books.laid_rows import LaidRow
from brokers.simulators.kite.server import LocalKite
from data.reference.instruments import BrokerInstrument, Instrument
from data.reference.phases import load_calendar
from data.reference.seed import universe
from tests.brokers import conformance
from tests.brokers.conformance import CASES, Case
from tests.brokers.kite_stub import Access
from tests.brokers.stand import Stand
from tests.faults.clock import FastClock, monotonic

ANN, POOR, STRANGER = (BrokerAccount(number, name) for number, name in enumerate(("ANN", "POOR", "ZED"), 1))
KEYS = {"annkey": "secretofann0123456789", "poorkey": "secretofpoor012345678"}
LAST = 2_450_00
SPEED = 20.0
"""How much faster than the machine's the clock is: budgets of reads and heartbeats are clock seconds."""

SHORT_DELAYS = Delays(0.1, 0.1, 0.1, 0.1, 0.1, 0.1)


def fast_clock() -> FastClock:
    return FastClock(monotonic(), SPEED, nap_s=0.005)


def open_exchange(clock: FastClock) -> tuple[PaperExchange, BrokerInstrument, Instrument]:
    exchange = PaperExchange(None, clock, load_calendar(), seed=3)
    exchange.list_instruments(universe())
    by_key = {row.instrument.key: row.instrument for row in universe()}
    accounts = [AccountOpening("ANN", 50_00_00_000_00, 10_00_000_00), AccountOpening("POOR", 1_00)]
    exchange.open_accounts(accounts)
    exchange.open_holdings([HoldingOpening("ANN", "NSE:RELIANCE", 100, 100 * 2_000_00)])
    exchange.pin("RELIANCE", LAST, LAST)
    still = by_key["NSE:RELIANCE"]
    assert isinstance(still, BrokerInstrument)
    return exchange, still, by_key["NSE:HDFCBANK"]


@asynccontextmanager
async def paper_stand() -> AsyncIterator[Stand]:
    clock = fast_clock()
    exchange, still, walking = open_exchange(clock)
    broker = PaperBroker(exchange, clock, latency=(0, 0))
    await broker.open()
    try:
        move = lambda price: exchange.pin("RELIANCE", price, LAST)  # noqa: E731
        yield Stand(broker, still, walking, LAST, move, ANN, POOR, STRANGER)
    finally:
        await broker.close()
        exchange.close()


@asynccontextmanager
async def kite_stand(delays: Delays = NO_DELAYS) -> AsyncIterator[tuple[Stand, LocalKite]]:
    """A Kite adapter over a local Kite on a loopback socket, both clients signed in."""
    clock = fast_clock()
    exchange, still, walking = open_exchange(clock)
    kite = LocalKite(exchange, clock, api_keys=KEYS, delays=delays, rng=random.Random(7))
    kite.switches.rate_limits = False  # a machine that is busy squeezes many calls into one of its seconds
    await kite.start()
    routes = {ANN: KiteRoute("annkey"), POOR: KiteRoute("poorkey")}
    access = Access(routes, {}, dict(KEYS))
    waits = KiteWaits(cool_down_s=0.0)
    broker = KiteBroker(access, kite_roots(kite.url), clock, waits=waits, rng=random.Random(7))
    await broker.open()
    try:
        for account, key in ((ANN, "annkey"), (POOR, "poorkey")):
            await broker.exchange_token(account, kite.sessions.request_token(key, account.user_id))
        await broker.follow([ANN, POOR])
        secrets = (*access.secrets.values(), *access.tokens.values())
        move = lambda price: exchange.pin("RELIANCE", price, LAST)  # noqa: E731

        def spoil(book: str, of: str) -> None:
            field = "order_timestamp" if book == "orders" else "average_price"
            kite.laid_rows.lay(LaidRow("ANN", book, {field: None}, of))

        def rest(kind: ConditionalKind, symbol: str) -> None:
            if kind is ConditionalKind.GTT:
                condition = {"exchange": "NSE", "tradingsymbol": symbol or None, "trigger_values": [2_300.0]}
                order = {"transaction_type": "BUY", "quantity": 1, "product": "CNC", "price": 2_300.0}
                kite.conditionals.add_gtt("ANN", "single", condition, [order])
                return
            watched = {"lhs_tradingsymbol": symbol, "operator": ">=", "rhs_type": "constant"}
            kite.conditionals.add_alert(
                "ANN", {"name": "up", "type": "simple", "rhs_constant": "2500", **watched}
            )

        yield Stand(broker, still, walking, LAST, move, ANN, POOR, STRANGER, secrets, spoil, rest), kite
    finally:
        await broker.close()
        await kite.stop()
        exchange.close()


def named(case: Case) -> str:
    return getattr(case, "__name__", "case")


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_paper(case: Case) -> None:
    async with paper_stand() as stand:
        await case(stand)


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_kite(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with kite_stand() as (stand, _):
        await case(stand)
    conformance.shows_no_secret(stand, caplog.text)


@pytest.mark.parametrize(
    "case",
    [
        conformance.every_kind_of_order_comes_back_as_it_was_sent,
        conformance.want_of_money_or_shares_is_told_in_words,
        conformance.an_order_blocks_money_until_it_ends,
        conformance.a_life_runs_from_open_to_its_end,
        conformance.parts_add_up_and_every_trade_has_its_own_id,
    ],
    ids=named,
)
async def test_kite_that_takes_its_time(case: Case) -> None:
    async with kite_stand(SHORT_DELAYS) as (stand, _):
        await case(stand)


async def test_paper_keeps_nothing_that_waits_for_a_price() -> None:
    async with paper_stand() as stand:
        await conformance.what_waits_for_a_price_is_read_and_deleted(stand, lambda: 0)


async def test_kite_keeps_what_waits_for_a_price(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with kite_stand() as (stand, kite):
        await conformance.what_waits_for_a_price_is_read_and_deleted(stand, lambda: len(kite.received))
    conformance.shows_no_secret(stand, caplog.text)


async def test_an_odd_gtt_at_kite() -> None:
    async with kite_stand() as (stand, _):
        await conformance.an_odd_one_of_what_waits_hides_no_other(stand)


@pytest.mark.parametrize("route", ["gtt", "alerts"])
async def test_unread_gtts_or_alerts_at_kite_are_not_taken_for_none(route: str) -> None:
    async with kite_stand() as (stand, kite):
        assert isinstance(stand.broker, KeepsConditionals)
        kite.mishaps.add("unavailable", user_id="ANN", route=route, count=1)
        with pytest.raises(BrokerError):
            await stand.broker.conditionals(stand.ann)


async def test_kite_tells_margins(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with kite_stand() as (stand, _):
        await conformance.a_told_margin_is_what_is_blocked(stand)
    conformance.shows_no_secret(stand, caplog.text)


async def test_kite_that_looks_at_the_money_first() -> None:
    async with kite_stand() as (stand, kite):
        kite.switches.margin_refusal_at_post = True
        await conformance.want_of_money_or_shares_is_told_in_words(stand)


@pytest.mark.parametrize("how", ["at Kite", "by a call"])
async def test_the_end_of_a_kite_session(how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with kite_stand() as (stand, kite):

        async def end() -> None:
            if how == "at Kite":
                kite.sessions.end_user("ANN")
            else:
                kite.mishaps.add("token_expired", user_id="ANN", route="place", count=1)

        await conformance.a_session_that_is_over_is_said_to_be(stand, end)
    conformance.shows_no_secret(stand, caplog.text)


@pytest.mark.parametrize(
    "fault",
    [
        "drop_connection",
        "timed_out_done",
        "unavailable_done",
        "gateway_timeout_done",
        "null_data",
        "no_content_type",
        "empty_order_id",
    ],
)
async def test_a_kite_that_breaks_off(fault: str) -> None:
    async with kite_stand() as (stand, kite):

        async def cut() -> None:
            kite.mishaps.add(fault, user_id="ANN", route="place", count=1)

        await conformance.a_broken_line_leaves_an_order_in_doubt(stand, cut)


async def test_a_kite_that_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with kite_stand() as (stand, kite):
        await conformance.a_dead_broker_answers_nobody(stand, kite.stop)
    conformance.shows_no_secret(stand, caplog.text)

"""Every adapter against the contract: the paper exchange directly, and local brokers over the wire."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import product

import pytest

from brokers.contract import BrokerError, KeepsConditionals
from brokers.paper.broker import PaperBroker
from brokers.simulators.serving.server import AnySimulatedBroker
from tests.brokers import conformance
from tests.brokers.conformance import CASES, Case
from tests.brokers.groww_stands import groww_stand
from tests.brokers.kite_stands import (
    ANN,
    LAST,
    POOR,
    SHORT_DELAYS,
    STRANGER,
    fast_clock,
    kite_stand,
    open_exchange,
)
from tests.brokers.stand import Stand
from tests.brokers.upstox_stands import upstox_stand

RemoteStand = Callable[..., AbstractAsyncContextManager[tuple[Stand, AnySimulatedBroker]]]
"""Opens an adapter's stand with the local broker behind it; takes how long orders take there."""

REMOTE: Mapping[str, RemoteStand] = {"kite": kite_stand, "upstox": upstox_stand, "groww": groww_stand}


def named(case: Case) -> str:
    return getattr(case, "__name__", "case")


CASES_OF = [pytest.param(name, case, id=f"{name}-{named(case)}") for name in REMOTE for case in CASES]


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


@pytest.mark.parametrize("case", CASES, ids=named)
async def test_paper(case: Case) -> None:
    async with paper_stand() as stand:
        await case(stand)


async def test_paper_keeps_nothing_that_waits_for_a_price() -> None:
    async with paper_stand() as stand:
        await conformance.what_waits_for_a_price_is_read_and_deleted(stand, lambda: 0)


@pytest.mark.parametrize(("remote", "case"), CASES_OF)
async def test_remote(remote: str, case: Case, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with REMOTE[remote]() as (stand, _):
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
@pytest.mark.parametrize("remote", REMOTE)
async def test_one_that_takes_its_time(remote: str, case: Case) -> None:
    async with REMOTE[remote](SHORT_DELAYS) as (stand, _):
        await case(stand)


@pytest.mark.parametrize("remote", REMOTE)
async def test_margins(remote: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with REMOTE[remote]() as (stand, _):
        await conformance.a_told_margin_is_what_is_blocked(stand)
    conformance.shows_no_secret(stand, caplog.text)


@pytest.mark.parametrize("how", ["at the broker", "by a call"])
@pytest.mark.parametrize("remote", REMOTE)
async def test_the_end_of_a_session(remote: str, how: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with REMOTE[remote]() as (stand, broker):

        async def end() -> None:
            if how == "at the broker":
                broker.sessions.end_user("ANN")
            else:
                broker.mishaps.add("token_expired", user_id="ANN", route="place", count=1)

        await conformance.a_session_that_is_over_is_said_to_be(stand, end)
    conformance.shows_no_secret(stand, caplog.text)


BREAKS = (
    "drop_connection",
    "timed_out_done",
    "unavailable_done",
    "gateway_timeout_done",
    "null_data",
    "empty_order_id",
)


@pytest.mark.parametrize(
    ("remote", "fault"),
    [*product(REMOTE, BREAKS), ("kite", "no_content_type")],  # Upstox's answers are read whatever their type
)
async def test_one_that_breaks_off(remote: str, fault: str) -> None:
    async with REMOTE[remote]() as (stand, broker):

        async def cut() -> None:
            broker.mishaps.add(fault, user_id="ANN", route="place", count=1)

        await conformance.a_broken_line_leaves_an_order_in_doubt(stand, cut)


@pytest.mark.parametrize("remote", REMOTE)
async def test_one_that_is_gone(remote: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with REMOTE[remote]() as (stand, broker):
        await conformance.a_dead_broker_answers_nobody(stand, broker.stop)
    conformance.shows_no_secret(stand, caplog.text)


@pytest.mark.parametrize("remote", REMOTE)
async def test_one_that_is_closed(remote: str, caplog: pytest.LogCaptureFixture) -> None:
    async with REMOTE[remote]() as (stand, _):
        follow = stand.broker.follow  # pyright: ignore
        await conformance.a_closed_one_follows_nobody_and_says_nothing(stand, follow, lambda: caplog.text)


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


async def test_kite_that_looks_at_the_money_first() -> None:
    async with kite_stand() as (stand, kite):
        kite.switches.margin_refusal_at_post = True
        await conformance.want_of_money_or_shares_is_told_in_words(stand)

"""Prices of two brokers: whose counts, when nobody's does, and what a plan made at one is held against."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from brokers.contract import BrokerError, Heartbeat, Tick
from data.reference.seed import universe
from data.vocabulary import ClientStatus, Reason, RunCount, SizingKind
from engine.accounts.client_file import NewClient
from engine.desk import Desk
from engine.market.price_sources import WhosePrices
from engine.market.several_quotes import SeveralQuotes
from engine.planning.plan import Plan
from engine.refusals import PlanDrifted, PriceNotYoung
from engine.words.trading.plans import figures_line
from engine.words.trading.why import detail_words
from tests.desks import buy, manual_clock, on_tape, sends_nothing, until
from tests.engine.test_dump import MorningReader, two_brokers
from tests.refusing import refuses
from tradedesk.testing import seam

TCS = "NSE:TCS"


class Both(NamedTuple):
    """A desk whose prices are told by hand, at either broker, and how its second broker's list is read."""

    desk: Desk
    life: MorningReader

    @property
    def quotes(self) -> SeveralQuotes:
        """The quotes of the desk."""
        quotes = seam(self.desk).quotes
        assert isinstance(quotes, SeveralQuotes)
        return quotes

    def tell(self, broker: str, last_paise: int, key: str = TCS) -> None:
        """One broker's price of now, and its word that it is alive."""
        now = manual_clock(self.desk).now()
        theirs = self.quotes.of(broker) or self.quotes
        theirs.put(
            Tick(
                key=key,
                last_paise=last_paise,
                prev_close_paise=last_paise,
                open_paise=last_paise,
                high_paise=last_paise,
                low_paise=last_paise,
                volume=10,
                bid_paise=last_paise - 5,
                ask_paise=last_paise + 5,
                lower_circuit_paise=0,
                upper_circuit_paise=0,
                market_at=now,
                received_at=now,
            )
        )
        theirs.heartbeat(Heartbeat(now, frozenset({key})))

    async def preview(self) -> Plan:
        """A plan of one share for the only client."""
        return await self.desk.plans.preview(buy("TCS", SizingKind.FIXED_QUANTITY, 1))


@asynccontextmanager
async def both(home: Path) -> AsyncIterator[Both]:
    """A desk with Zerodha's prices before Upstox's; neither answers when it is asked for any."""

    async def asked(_keys: Collection[str]) -> None:
        raise BrokerError("nobody is told prices here")

    async with two_brokers(home, lists_all=False) as (desk, other, life):
        feed = desk.connections.feed.broker
        vars(feed)["rows"] = list(other.rows)
        await desk.market.store_instruments([row.instrument for row in universe()], "test")
        new = NewClient("U1", "One", "upstox", "UX1", ClientStatus.ACTIVE, 10_00_000_00, 10_00_000_00)
        await desk.clients.add([new])
        assert await life.read()
        for one in (feed, other):
            vars(one)["quotes"] = asked
        yield Both(desk, life)


async def test_the_first_brokers_price_counts_while_it_is_young_and_the_others_after(tmp_path: Path) -> None:
    async with both(tmp_path) as it:
        it.tell("zerodha", 2500_00)
        it.tell("upstox", 2501_00)
        made = await it.preview()
        assert (made.priced_by, made.last_paise, made.bid_paise) == ("zerodha", 2500_00, 2499_95)
        await manual_clock(it.desk).advance(4)
        it.tell("upstox", 2501_00)
        made = await it.preview()
        assert (made.priced_by, made.last_paise, made.bid_paise) == ("upstox", 2501_00, 2500_95)
        assert "at LTP of Upstox ₹" in figures_line(made, brief=False)
        assert not it.desk.market.stale(TCS)
        it.tell("zerodha", 2500_00)
        assert (await it.preview()).priced_by == "zerodha"


async def test_prices_more_than_half_a_percent_apart_count_as_stale_and_the_line_says_so(
    tmp_path: Path,
) -> None:
    async with both(tmp_path) as it:
        it.tell("zerodha", 2500_00)
        it.tell("upstox", 2512_50)
        assert not it.desk.market.stale(TCS), "half a percent is not beyond it"
        it.tell("upstox", 2512_55)
        assert it.desk.market.stale(TCS)
        assert it.desk.market.old([TCS]) == {TCS}
        (line,) = (await it.preview()).lines
        assert line.reason is Reason.PRICE_STALE
        assert detail_words(line) == "Zerodha 2,500.00, Upstox 2,512.55: 0.50 % apart"
        await manual_clock(it.desk).advance(4)
        it.tell("upstox", 2600_00)
        assert not it.desk.market.stale(TCS), "an old price contradicts nobody"


async def test_a_plan_is_held_against_the_price_of_its_own_broker_alone(tmp_path: Path) -> None:
    async with both(tmp_path) as it:
        it.tell("upstox", 2500_00)
        plan = await it.desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        assert plan.priced_by == "upstox"
        assert await it.desk.plans.get(plan.number or 0) == plan
        await manual_clock(it.desk).advance(4)
        it.tell("zerodha", 2500_00)
        with refuses(PriceNotYoung, "TCS"):
            await it.desk.runs.start(plan, plan.digest)
        it.tell("upstox", 2511_00)
        assert it.desk.plans.drift_bps(plan) == 44
        it.tell("upstox", 2512_60)
        it.tell("zerodha", 2510_00)
        with refuses(PlanDrifted, "TCS"):
            await it.desk.runs.start(plan, plan.digest)


async def test_what_is_unsent_waits_for_a_price_of_its_plans_own_broker(tmp_path: Path) -> None:
    async with both(tmp_path) as it:
        dispatcher, clock = seam(it.desk).workers.dispatcher, manual_clock(it.desk)
        submit = dispatcher.submit
        sends_nothing(it.desk)
        it.tell("upstox", 2500_00)
        plan = await it.desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        run = await it.desk.runs.start(plan, plan.digest)
        (order,) = it.desk.orders.all()
        await clock.advance(4)
        it.tell("zerodha", 2500_00)
        submit([order.id])
        for _ in range(8):
            await clock.advance(0.25)
            await asyncio.to_thread(int)  # the store's thread has its turn
        assert it.desk.runs.get(run.number).counts[RunCount.UNSENT] == 1
        it.tell("upstox", 2500_00)
        await until(it.desk, lambda: it.desk.runs.get(run.number).counts[RunCount.UNSENT] == 0)


@pytest.mark.parametrize("listed", [True, False])
async def test_a_broker_is_asked_for_the_prices_of_what_it_lists(tmp_path: Path, listed: bool) -> None:
    async with both(tmp_path) as it:
        asked: dict[str, frozenset[str]] = {}
        for connection in it.desk.connections:
            name = connection.broker.name

            async def subscribe(keys: Collection[str], name: str = name) -> None:
                asked[name] = frozenset(keys)

            vars(connection.broker)["subscribe"] = subscribe
        key = "NSE:INFY" if listed else "NSE:ITC"
        await it.desk.market.follow([key], "test")
        assert asked["zerodha"] == {key}
        assert asked["upstox"] == ({key} if listed else frozenset())


async def test_the_tape_says_whose_prices_count_and_which_two_brokers_contradict(tmp_path: Path) -> None:
    async with both(tmp_path) as it:
        desk, inside = it.desk, it.desk.workings
        sources = WhosePrices(inside.kept, inside.timing, inside.market_data)
        await desk.market.follow([TCS], "test")
        it.tell("upstox", 2500_00)
        sources.look()
        assert on_tape(desk, "Upstox's") == [], "one look is no news"
        sources.look()
        sources.look()
        assert on_tape(desk, "Upstox's") == ["1 price is Upstox's: Zerodha's is too old"]
        it.tell("zerodha", 2600_00)
        for _ in range(3):
            sources.look()
        assert on_tape(desk, "again") == ["all prices are Zerodha's again"]
        (told,) = on_tape(desk, "apart")
        assert told == "TCS: Zerodha 2,600.00, Upstox 2,500.00, 3.85 % apart: neither counts"

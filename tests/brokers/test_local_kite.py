"""The local Kite over its socket, called by the official client."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from kiteconnect import KiteConnect
from kiteconnect import exceptions as kx

from brokers.contract import OrderRequest
from brokers.simulators.exchange.exchange import PaperExchange
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.kite.apps import PLATFORM
from brokers.simulators.kite.server import LocalKite
from brokers.simulators.kite.serving import serve
from brokers.simulators.serving.delays import NO_DELAYS, Delays
from data.clock import ManualClock
from data.reference.instruments import BrokerInstrument
from data.reference.phases import load_calendar
from data.vocabulary import OrderType, Product, Side

CALENDAR = load_calendar()
CASH = 1_000_000_00
SECRETS = {"app": "app-secret", "other": "other-secret"}


def listing(token: int, symbol: str, **more: Any) -> Listing:
    facts: dict[str, Any] = {
        "tick_paise": 5,
        "mtf_margin_bps": 2_500,
        "prev_close_paise": 10_000,
        "band_bps": 1_000,
    }
    row = BrokerInstrument(
        token=str(token), exchange="NSE", tradingsymbol=symbol, name=f"{symbol} Ltd", **(facts | more)
    )
    return Listing(row, *(10_000, 10_000, 10_000, 10_000, 5_000))


def open_exchange(clock: ManualClock, path: Path | None = None) -> PaperExchange:
    exchange = PaperExchange(path, clock, CALENDAR)
    index = {"segment": "INDICES", "tick_paise": 1}
    rows = [listing(257, "ACC", isin="INE012A01025"), listing(513, "M&M"), listing(265, "NIFTY 50", **index)]
    exchange.list_instruments(rows)
    exchange.open_accounts([AccountOpening(name, CASH, 5 * CASH) for name in ("ANN", "BOB")])
    exchange.open_holdings([HoldingOpening("ANN", "NSE:ACC", 500, 500 * 8_000)])
    exchange.pin("ACC", 10_000)
    exchange.pin("M&M", 10_000)
    return exchange


class House:
    """A running local Kite, its clock and exchange, and clients that have signed in."""

    def __init__(self, kite: LocalKite, clock: ManualClock, exchange: PaperExchange) -> None:
        self.kite, self.clock, self.exchange = kite, clock, exchange
        self.told: list[tuple[str, dict[str, Any]]] = []
        kite.listen_orders(lambda user, row: self.told.append((user, row)))

    def client(self, token: str | None = None, api_key: str = "app") -> KiteConnect:
        client = KiteConnect(api_key, access_token=str(token), root=self.kite.url, timeout=5)
        client.reqsession.trust_env = False
        return client

    async def sign_in(self, user_id: str, api_key: str = "app") -> KiteConnect:
        client = self.client(api_key=api_key)
        request_token = self.kite.sessions.request_token(api_key, user_id)
        session = await call(client.generate_session, request_token, SECRETS[api_key])
        client.set_access_token(session["access_token"])
        return client

    async def control(self, path: str, body: Any = None) -> Any:
        def send() -> Any:
            with requests.Session() as session:
                session.trust_env = False
                url = f"{self.kite.url}/control/{path}"
                return session.get(url) if body is None else session.post(url, json=body)

        answer = await call(send)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def until(self, happened: Callable[[], object]) -> None:
        """Move the clock until something has happened."""
        async with asyncio.timeout(10):
            while not happened():
                await self.clock.advance(0.05)


async def call(function: Callable[..., Any], *args: Any, **more: Any) -> Any:
    return await asyncio.to_thread(function, *args, **more)


@asynccontextmanager
async def opened(
    delays: Delays = NO_DELAYS, path: Path | None = None, clock: ManualClock | None = None
) -> AsyncIterator[House]:
    clock = clock or ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    exchange = open_exchange(clock, path)
    keep = None if path is None else path.with_suffix(".kite")
    kite = LocalKite(exchange, clock, api_keys=SECRETS, delays=delays, rng=random.Random(7), keep=keep)
    kite.switches.rate_limits = False
    await kite.start()
    try:
        yield House(kite, clock, exchange)
    finally:
        await kite.stop()
        exchange.close()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with opened() as house:
        yield house


def order(side: str = "BUY", quantity: int = 10, **more: Any) -> dict[str, Any]:
    facts = {
        "variety": "regular",
        "exchange": "NSE",
        "tradingsymbol": "ACC",
        "transaction_type": side,
        "quantity": quantity,
        "product": "CNC",
        "order_type": "LIMIT",
        "price": 99.0,
        "tag": "t1",
    }
    return facts | more


def market(side: str = "BUY", quantity: int = 10, **more: Any) -> dict[str, Any]:
    return order(side, quantity, **{"order_type": "MARKET", "price": None, "market_protection": 2} | more)


async def refusal(error: type[Exception], function: Callable[..., Any], *args: Any, **more: Any) -> Any:
    with pytest.raises(error) as caught:
        await call(function, *args, **more)
    return caught.value


# --- sessions -------------------------------------------------------------------------------------------


async def test_a_person_signs_in_on_the_page_and_the_token_is_good_once(house: House) -> None:
    url = f"{house.kite.url}/connect/login?v=3&api_key=app&redirect_params=state%3D5"
    with requests.Session() as browser:
        browser.trust_env = False
        page = await call(browser.get, url)
        assert page.status_code == 200
        assert "<form method='post' action='/connect/login'>" in page.text
        form = {"api_key": "app", "redirect_params": "state=5"}
        assert all(f'name="{name}" value="{value}"' in page.text for name, value in form.items())
        unknown = await call(browser.post, f"{house.kite.url}/connect/login", data={**form, "user_id": "ZED"})
        assert "no user ZED" in unknown.text
        finished = await call(
            browser.post, f"{house.kite.url}/connect/login", data={**form, "user_id": "ann"}
        )
    query = parse_qs(urlsplit(finished.url).query)
    assert (query["status"], query["action"], query["state"]) == (["success"], ["login"], ["5"])
    client = house.client()
    wrong = await refusal(kx.TokenException, client.generate_session, query["request_token"][0], "bad")
    assert wrong.code == 403
    session = await call(client.generate_session, query["request_token"][0], SECRETS["app"])
    assert (session["user_id"], session["login_time"].hour) == ("ANN", 9)
    assert (await call(client.profile))["meta"] == {"demat_consent": "consent"}
    await refusal(kx.TokenException, client.generate_session, query["request_token"][0], SECRETS["app"])


async def test_a_new_sign_in_ends_the_older_one_of_that_app_alone(house: House) -> None:
    first, other = await house.sign_in("ANN"), await house.sign_in("ANN", "other")
    second = await house.sign_in("ANN")
    await refusal(kx.TokenException, first.profile)
    assert [(await call(client.profile))["user_id"] for client in (other, second)] == ["ANN", "ANN"]
    assert await call(second.invalidate_access_token) is True
    await refusal(kx.TokenException, second.orders)


async def test_tokens_end_at_six_in_the_morning_of_the_market(house: House) -> None:
    client = await house.sign_in("ANN")
    house.exchange.jump(datetime(2026, 11, 18, 10, 25, tzinfo=UTC))
    assert (await call(client.profile))["user_id"] == "ANN"
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))  # rolls to the next morning
    error = await refusal(kx.TokenException, client.profile)
    assert (error.code, str(error)) == (403, "Incorrect `api_key` or `access_token`.")


async def test_a_request_token_lasts_for_minutes_and_stale_headers_are_refused(house: House) -> None:
    token = (await house.control("request_token", {"user_id": "BOB", "api_key": "app"}))["request_token"]
    house.clock.shift(301)
    error = await refusal(kx.TokenException, house.client().generate_session, token, SECRETS["app"])
    assert str(error) == "Token is invalid or has expired."
    await refusal(kx.TokenException, house.client("made-up").orders)
    bare = house.client("made-up")
    bare.kite_header_version = "2"
    await refusal(kx.InputException, bare.orders)


# --- orders ---------------------------------------------------------------------------------------------


async def test_an_order_walks_its_statuses_and_blocks_money_at_the_risk_checks() -> None:
    async with opened(Delays(1, 1, 1, 1, 1)) as house:
        ann = await house.sign_in("ANN")
        before = (await call(ann.margins, "equity"))["net"]
        order_id = await call(ann.place_order, **order())
        assert (order_id.isdigit(), len(order_id)) == (True, 19)
        (row,) = await call(ann.orders)
        assert (row["status"], row["exchange_order_id"], row["tags"]) == (
            "PUT ORDER REQ RECEIVED",
            None,
            ["t1"],
        )
        assert (await call(ann.margins, "equity"))["net"] == before
        error = await refusal(kx.InputException, ann.cancel_order, "regular", order_id)
        assert str(error) == "Order cannot be cancelled as it is being processed. Try later."
        entry = house.kite.journal.find("ANN", order_id)
        assert entry is not None
        await house.until(lambda: entry.status == "OPEN PENDING")
        assert (await call(ann.margins, "equity"))["net"] == pytest.approx(before - 990, abs=30)
        await house.until(lambda: entry.status == "OPEN")
        await call(ann.modify_order, "regular", order_id, price=99.5)
        await house.until(lambda: entry.modifications)
        await call(ann.cancel_order, "regular", order_id)
        assert (await call(ann.orders))[0]["status"] == "CANCEL PENDING"
        await house.until(lambda: entry.final)
        history = await call(ann.order_history, order_id)
        assert [state["status"] for state in history] == [
            "PUT ORDER REQ RECEIVED",
            "VALIDATION PENDING",
            "OPEN PENDING",
            "OPEN",
            "MODIFY VALIDATION PENDING",
            "MODIFY PENDING",
            "MODIFIED",
            "OPEN",
            "CANCEL PENDING",
            "CANCELLED",
        ]
        assert [state["price"] for state in history][-4:] == [99.0, 99.5, 99.5, 99.5]
        assert (history[0]["instrument_token"], history[-1]["instrument_token"]) == (1, 257)
        (row,) = await call(ann.orders)
        assert (row["pending_quantity"], row["cancelled_quantity"], row["modified"]) == (10, 10, True)
        assert (await call(ann.margins, "equity"))["net"] == before
        assert [told["status"] for _, told in house.told] == ["UPDATE", "CANCELLED"]


async def test_a_protected_market_order_reads_as_a_limit_order_with_tags(house: House) -> None:
    ann = await house.sign_in("ANN")
    error = await refusal(kx.InputException, ann.place_order, **market(market_protection=None))
    assert "without market protection" in str(error)
    order_id = await call(ann.place_order, **market(tag=None))
    (row,) = await call(ann.orders)
    assert (row["order_type"], row["price"], row["average_price"]) == ("LIMIT", 102.0, 100.0)
    assert (row["status"], row["tag"], row["tags"]) == ("COMPLETE", None, ["mktp", "mktp:2.00"])
    assert (row["market_protection"], row["pending_quantity"]) == (0, 0)
    (trade,) = await call(ann.order_trades, order_id)
    assert (trade["order_id"], trade["quantity"], len(trade["order_timestamp"])) == (order_id, 10, 8)
    assert await call(ann.trades) == [trade]
    ((user, told),) = house.told
    assert (user, told["status"], told["user_id"], "tags" in told) == ("ANN", "COMPLETE", "ANN", False)
    bob = await house.sign_in("BOB")
    assert await call(bob.orders) == []
    await refusal(kx.InputException, bob.order_history, order_id)


async def test_a_price_is_held_still_and_let_go_by_a_rehearsal(house: House) -> None:
    told = await house.control("prices", {"symbol": "ACC", "to": "+2%"})
    assert told["symbol"] == "NSE:ACC"
    assert house.exchange.quotes(["NSE:ACC"])["NSE:ACC"].last_paise == told["ltp_paise"]
    assert house.exchange.quotes(["NSE:ACC"])["NSE:ACC"].pinned
    await house.control("prices", {"symbol": "ACC", "to": "walks"})
    assert not house.exchange.quotes(["NSE:ACC"])["NSE:ACC"].pinned


async def test_what_kite_refuses_at_once(house: House) -> None:
    ann = await house.sign_in("ANN")
    for given, words in (
        (order(tag="x" * 21), "`tag`"),
        (order(price=99.02), "TICK"),
        (order(price=150.0), "circuit"),
        (order(tradingsymbol="NONE"), "does not exist"),
        (order(quantity=100_001), "100000"),
        (order(validity="TTL"), "validity"),
        (order(variety="iceberg"), "variety"),
        (order(variety="amo"), "open"),
    ):
        error = await refusal(kx.InputException, ann.place_order, **given)
        assert error.code == 400
        assert words in str(error)
    assert await call(ann.orders) == []
    state = await house.control("state")
    assert state["received"]["place"]["ANN"] == {"t1": 7, "x" * 21: 1}


async def test_an_order_without_money_is_rejected_in_the_book_or_refused_at_once(house: House) -> None:
    bob = await house.sign_in("BOB")
    order_id = await call(bob.place_order, **order(quantity=50_000))
    (row,) = await call(bob.orders)
    assert (row["order_id"], row["status"], row["exchange_order_id"]) == (order_id, "REJECTED", None)
    assert (row["pending_quantity"], row["cancelled_quantity"]) == (0, 0)
    assert row["status_message"].startswith("Insufficient funds. Required margin is ")
    assert row["status_message_raw"].startswith("RMS:")
    await house.control("switches", {"margin_refusal_at_post": True})
    error = await refusal(kx.GeneralException, bob.place_order, **order(quantity=50_000))
    assert error.code == 400
    assert len(await call(bob.orders)) == 1


async def test_an_order_is_modified_25_times_and_may_become_a_market_order(house: House) -> None:
    ann = await house.sign_in("ANN")
    order_id = await call(ann.place_order, **order(quantity=100))
    for step in range(24):
        await call(ann.modify_order, "regular", order_id, price=98.0 + step % 2)
    await refusal(kx.InputException, ann.modify_order, "regular", order_id, order_type="MARKET")
    await call(ann.modify_order, "regular", order_id, order_type="MARKET", market_protection=1)
    (row,) = await call(ann.orders)
    assert (row["status"], row["average_price"]) == ("COMPLETE", 100.0)
    second = await call(ann.place_order, **order())
    for step in range(25):
        await call(ann.modify_order, "regular", second, price=98.0 + step % 2)
    error = await refusal(kx.NetworkException, ann.modify_order, "regular", second, price=98.0)
    assert str(error) == "Maximum allowed order modifications exceeded."
    assert [told["status"] for _, told in house.told].count("UPDATE") == 50


async def test_a_stop_without_a_limit_is_changed_only_with_its_protection(house: House) -> None:
    ann = await house.sign_in("ANN")
    stop = market(order_type="SL-M", trigger_price=102)
    order_id = await call(ann.place_order, **stop)
    error = await refusal(kx.InputException, ann.modify_order, "regular", order_id, trigger_price=103)
    assert "without market protection" in str(error)
    await call(ann.modify_order, "regular", order_id, trigger_price=103, market_protection=2)


async def test_a_refused_modification_leaves_the_order_as_it_was(house: House) -> None:
    bob = await house.sign_in("BOB")
    order_id = await call(bob.place_order, **order(quantity=10))
    await call(bob.modify_order, "regular", order_id, quantity=60_000)
    history = [state["status"] for state in await call(bob.order_history, order_id)]
    assert history[-3:] == ["MODIFY PENDING", "NOT MODIFIED", "OPEN"]
    (row,) = await call(bob.orders)
    assert (row["quantity"], row["modified"]) == (10, False)
    assert "Insufficient funds" in row["status_message"]


async def test_an_order_after_hours_waits_here_and_changes_its_variety_at_the_open(house: House) -> None:
    house.exchange.jump(datetime(2026, 11, 18, 10, 15, tzinfo=UTC))  # 15:45
    ann = await house.sign_in("ANN")
    order_id = await call(ann.place_order, **order(variety="amo"))
    (row,) = await call(ann.orders)
    assert (row["status"], row["variety"]) == ("AMO REQ RECEIVED", "amo")
    await call(ann.modify_order, "amo", order_id, price=98.0)
    gone = await call(ann.place_order, **order(variety="amo"))
    await call(ann.cancel_order, "amo", gone)
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
    entry = house.kite.journal.find("ANN", order_id)
    assert entry is not None
    await house.until(lambda: entry.status == "OPEN")
    ann = await house.sign_in("ANN")
    (row,) = await call(ann.orders)
    assert (row["order_id"], row["variety"], row["price"]) == (order_id, "amo", 98.0)
    await refusal(kx.NetworkException, ann.cancel_order, "amo", order_id)
    await call(ann.cancel_order, "regular", order_id)
    assert (await call(ann.orders))[0]["status"] == "CANCELLED"


async def test_slices_of_one_order_and_the_freeze_quantity(house: House) -> None:
    await house.control("switches", {"freeze_quantities": {"NSE:ACC": 100}})
    ann = await house.sign_in("ANN")
    assert "100" in str(await refusal(kx.InputException, ann.place_order, **order(quantity=250)))
    await refusal(kx.InputException, ann.place_autoslice_order, **order(quantity=100))
    answer = await call(ann.place_autoslice_order, **order(quantity=250))
    rows = await call(ann.orders)
    assert [row["quantity"] for row in rows] == [100, 100, 50]
    assert [answer["order_id"], *(child["order_id"] for child in answer["children"])] == [
        row["order_id"] for row in rows
    ]


async def test_orders_of_other_ways_to_the_exchange_show_too(house: House) -> None:
    ann = await house.sign_in("ANN")
    asked = OrderRequest("NSE", "ACC", Side.BUY, 5, Product.CNC, OrderType.LIMIT, "web", price_paise=9_900)
    house.exchange.place("ANN", asked)
    await house.until(lambda: house.kite.journal.book("ANN"))
    (row,) = await call(ann.orders)
    assert (row["status"], row["tag"]) == ("OPEN", "web")
    await call(ann.cancel_order, "regular", row["order_id"])
    assert [order.status for order in house.exchange.orders("ANN")] == ["cancelled"]


async def test_orders_sessions_and_ids_outlive_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    path = tmp_path / "exchange.db"
    async with opened(path=path, clock=clock) as house:
        ann = await house.sign_in("ANN")
        done = await call(ann.place_order, **market())
        live = await call(ann.place_order, **order(tag="live"))
        token = ann.access_token
    async with opened(Delays(5, 5, 5, 5, 5), path, clock) as house:
        ann = house.client(token)
        flying = await call(ann.place_order, **order(tag="flying"))
        rows = {row["order_id"]: row for row in await call(ann.orders)}
        assert [rows[order_id]["status"] for order_id in (done, live)] == ["COMPLETE", "OPEN"]
        assert len(await call(ann.trades)) == 1
    async with opened(path=path, clock=clock) as house:
        ann = house.client(token)
        entry = house.kite.journal.find("ANN", flying)
        assert entry is not None
        await house.until(lambda: entry.status == "OPEN")
        await call(ann.cancel_order, "regular", live)
        rows = await call(ann.orders)
        assert [row["status"] for row in rows] == ["COMPLETE", "CANCELLED", "OPEN"]
        assert len(house.exchange.orders("ANN")) == 3
        assert house.told == [("ANN", house.told[0][1])]


async def test_the_market_goes_on_while_the_server_starts_again(tmp_path: Path) -> None:
    clock, path = ManualClock(datetime(2026, 11, 22, tzinfo=UTC)), tmp_path / "exchange.db"
    async with opened(path=path, clock=clock) as house:
        await house.sign_in("ANN")
        before = house.kite.venue.market.now()
    clock.shift(600)
    async with opened(path=path, clock=clock) as house:
        assert house.kite.venue.market.now() == before + timedelta(seconds=600)
        left = house.kite.venue.market.now()
    clock.shift(2 * 3600)
    async with opened(path=path, clock=clock) as house:
        assert house.kite.venue.market.now() - left < timedelta(seconds=5)


async def test_what_becomes_of_an_order_may_surprise(house: House) -> None:
    ann = await house.sign_in("ANN")
    for fault in ("unknown_status", "exchange_cancel"):
        await house.control("faults", {"route": "place", "fault": fault, "count": 1, "delay_s": 3})
        await call(ann.place_order, **order(tag=fault))
    await house.control("faults", {"route": "modify", "fault": "not_modified", "count": 1})
    third = await call(ann.place_order, **order(tag="third"))
    await call(ann.modify_order, "regular", third, price=98.0)
    rows = {row["tag"]: row for row in await call(ann.orders)}
    assert rows["unknown_status"]["status"] == "AWAITING DEPOSITORY"
    assert (rows["exchange_cancel"]["status"], rows["third"]["price"]) == ("OPEN", 99.0)
    history = await call(ann.order_history, third)
    assert [row["status"] for row in history[-3:]] == ["MODIFY PENDING", "NOT MODIFIED", "OPEN"]
    assert [row["modified"] for row in history] == [False] * len(history)
    await call(ann.modify_order, "regular", third, price=98.0)
    assert (await call(ann.order_history, third))[-1]["modified"] is True
    await house.clock.advance(4)
    rows = {row["tag"]: row for row in await call(ann.orders)}
    assert (rows["unknown_status"]["status"], rows["exchange_cancel"]["status"]) == ("OPEN", "CANCELLED")
    assert rows["exchange_cancel"]["status_message"].startswith("17070")


async def test_an_order_trades_in_parts_at_chosen_moments(house: House) -> None:
    ann = await house.sign_in("ANN")
    house.exchange.pin("NSE:ACC", 100_00)

    async def placed(tag: str, quantity: int = 10, **more: Any) -> str:
        slow = {"route": "place", "fault": "partial_fill", "count": 1, "delay_s": 60}
        await house.control("faults", slow)
        return str(await call(ann.place_order, **order(tag=tag, quantity=quantity, price=101.0, **more)))

    async def rows() -> dict[str, tuple[str, int, int]]:
        found = await call(ann.orders)
        return {row["tag"]: (row["status"], row["filled_quantity"], row["quantity"]) for row in found}

    filled, cancelled, changed, _ = [
        await placed(tag, 1 if tag == "one" else 10) for tag in ("filled", "cancelled", "changed", "one")
    ]
    await placed("at once", validity="IOC")
    assert await rows() == {
        "filled": ("OPEN", 5, 10),
        "cancelled": ("OPEN", 5, 10),
        "changed": ("OPEN", 5, 10),
        "one": ("OPEN", 0, 1),
        "at once": ("CANCELLED", 5, 10),
    }
    assert [(row["status"], row["filled_quantity"]) for user, row in house.told][:1] == [("UPDATE", 5)]

    await house.control("fills", {"user": "ANN", "order": filled, "quantity": 2})
    await call(ann.cancel_order, "regular", cancelled)
    await house.control("faults", {"route": "modify", "fault": "not_modified", "count": 1})
    await call(ann.modify_order, "regular", changed, quantity=7)
    history = await call(ann.order_history, changed)
    assert [(row["status"], row["filled_quantity"]) for row in history[-2:]] == [
        ("NOT MODIFIED", 5),
        ("OPEN", 5),
    ]
    await call(ann.modify_order, "regular", changed, quantity=7)
    await call(ann.modify_order, "regular", changed, quantity=4)
    assert (await rows())["changed"] == ("OPEN", 5, 7), "never fewer than have traded"
    assert (await rows())["filled"] == ("OPEN", 7, 10)
    assert (await rows())["cancelled"] == ("CANCELLED", 5, 10)
    assert len(await call(ann.order_trades, filled)) == 2

    await house.clock.advance(61)
    assert await rows() == {
        "filled": ("COMPLETE", 10, 10),
        "cancelled": ("CANCELLED", 5, 10),
        "changed": ("COMPLETE", 7, 7),
        "one": ("COMPLETE", 1, 1),
        "at once": ("CANCELLED", 5, 10),
    }
    traded = sum(row["quantity"] for row in await call(ann.trades))
    assert traded == 10 + 5 + 7 + 1 + 5


async def test_a_dump_may_come_slowly_or_be_cut(house: House) -> None:
    ann = await house.sign_in("ANN")
    whole = await call(ann.instruments)
    await house.control("faults", {"route": "instruments", "fault": "cut_answer", "count": 1})
    with pytest.raises(requests.exceptions.RequestException):
        await call(ann.instruments)
    slow = {"route": "instruments", "fault": "slow_answer", "count": 1, "delay_s": 6}
    await house.control("faults", slow)
    asked = asyncio.create_task(call(ann.instruments))
    await house.until(asked.done)
    assert await asked == whole
    assert house.clock.monotonic() >= 6


# --- portfolio and market -------------------------------------------------------------------------------


def calculated(product: str, quantity: int = 40, **more: Any) -> dict[str, Any]:
    return order(quantity=quantity, product=product, price=99.95, trigger_price=0) | more


async def test_a_margin_calculation_answers_for_every_order_in_turn(house: House) -> None:
    ann = await house.sign_in("ANN")
    asked = [
        calculated("CNC"),
        calculated("MTF", 30),
        calculated("MIS", tradingsymbol="M&M"),
        calculated("CNC", order_type="MARKET", price=0, transaction_type="SELL"),
    ]
    house.exchange.list_instruments([listing(513, "M&M", mis_margin_bps=2_000)])
    await house.kite.venue.listings()
    rows = await call(ann.order_margins, asked)
    value = 40 * 99.95
    assert [row["total"] for row in rows] == pytest.approx([value, 30 * 99.95 * 0.25, value * 0.2, 0])
    assert [row["leverage"] for row in rows] == [1, 4, 5, 1]
    assert [row["tradingsymbol"] for row in rows] == ["ACC", "ACC", "M&M", "ACC"]
    first = rows[0]
    assert (first["type"], first["exchange"], first["var"]) == ("equity", "NSE", first["total"])
    assert {first[name] for name in ("span", "exposure", "option_premium", "additional", "bo", "cash")} == {0}
    assert first["pnl"] == {"realised": 0, "unrealised": 0}
    charges = first["charges"]
    assert charges["transaction_tax_type"] == "stt"
    parts = ("transaction_tax", "exchange_turnover_charge", "sebi_turnover_charge", "brokerage", "stamp_duty")
    assert charges["total"] == pytest.approx(sum(charges[part] for part in parts) + charges["gst"]["total"])
    assert await call(ann.orders) == []


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (calculated("MIS"), "MIS is not allowed for ACC."),
        (calculated("MTF", tradingsymbol="NOSUCH"), "The instrument NSE:NOSUCH does not exist."),
        (calculated("MTF", tradingsymbol="NIFTY 50"), "The instrument NSE:NIFTY 50 does not exist."),
        (calculated("NRML"), "Invalid `product`."),
        (calculated("MTF", 0), "Invalid `quantity`."),
        (calculated("MTF", price=None), "Missing `price`."),
        (calculated("MTF", variety="bo"), "Invalid `variety`."),
        ("ACC", "An order should be an object."),
    ],
)
async def test_one_refused_order_of_a_calculation_refuses_all(house: House, wrong: Any, words: str) -> None:
    ann = await house.sign_in("ANN")
    error = await refusal(kx.InputException, ann.order_margins, [calculated("CNC"), wrong])
    assert (error.code, str(error)) == (400, words)


async def test_a_margin_calculation_is_a_json_array_and_may_fail_like_any_call(house: House) -> None:
    ann = await house.sign_in("ANN")
    error = await refusal(kx.InputException, ann.order_margins, calculated("CNC"))
    assert str(error) == "The request should be an array of orders."
    url = f"{house.kite.url}/margins/orders"
    headers = {"X-Kite-Version": "3", "Authorization": f"token app:{ann.access_token}"}
    answer = (await call(ann.reqsession.post, url, data=calculated("CNC"), headers=headers)).json()
    assert answer["error_type"] == "InputException"
    assert answer["message"] == "The `Content-Type` should be application/json."
    await house.control("faults", {"fault": "unavailable", "route": "order_margins", "count": 1})
    await refusal(kx.NetworkException, ann.order_margins, [calculated("CNC")])
    assert len(await call(ann.order_margins, [calculated("CNC")])) == 1


def traded(product: str, quantity: int = 40, **more: Any) -> dict[str, Any]:
    """An order of a virtual contract note."""
    told = {name: value for name, value in calculated(product, quantity).items() if name != "price"}
    return told | {"order_id": "1", "average_price": 99.95} | more


async def test_a_virtual_contract_note_tells_what_each_order_costs(house: House) -> None:
    ann = await house.sign_in("ANN")
    asked = [traded("CNC"), traded("MIS", transaction_type="SELL", average_price=299.85 / 3)]
    first, second = await call(ann.get_virtual_contract_note, asked)
    assert (first["tradingsymbol"], first["quantity"], first["price"]) == ("ACC", 40, 99.95)
    assert first["charges"]["transaction_tax"] == pytest.approx(4.0)  # a thousandth of ₹3,998
    assert second["charges"]["stamp_duty"] == 0
    assert second["charges"]["brokerage"] > 0
    for wrong, words in (
        (traded("CNC", average_price=0), "Invalid `average_price`."),
        (traded("CNC", tradingsymbol="NOSUCH"), "The instrument NSE:NOSUCH does not exist."),
        (traded("CNC", order_id=""), "Missing `order_id`."),
    ):
        error = await refusal(kx.InputException, ann.get_virtual_contract_note, [wrong])
        assert str(error) == words


async def test_holdings_positions_and_margins_after_trades(house: House) -> None:
    ann = await house.sign_in("ANN")
    opening = (await call(ann.margins))["equity"]
    assert opening["available"]["opening_balance"] == opening["net"] == 1_000_000.0
    await call(ann.place_order, **market("SELL", 200))
    await call(ann.place_order, **market("BUY", 50))
    await call(ann.place_order, **market("BUY", 40, product="MTF"))
    (holding,) = await call(ann.holdings)
    assert (holding["quantity"], holding["used_quantity"], holding["t1_quantity"]) == (300, 200, 0)
    assert (holding["average_price"], holding["mtf"]["quantity"]) == (80.0, 0)
    net = {row["product"]: row for row in (await call(ann.positions))["net"]}
    assert (net["CNC"]["quantity"], net["CNC"]["buy_value"], len(net["CNC"])) == (-150, 5_000.0, 29)
    assert (net["MTF"]["quantity"], net["MTF"]["pnl"]) == (40, 0)
    equity = await call(ann.margins, "equity")
    assert equity["net"] == equity["available"]["live_balance"]
    assert equity["net"] == pytest.approx(equity["available"]["cash"] - equity["utilised"]["debits"])
    house.exchange.jump(datetime(2026, 11, 18, 12, 0, tzinfo=UTC))
    ann = await house.sign_in("ANN")
    (holding,) = await call(ann.holdings)
    assert (holding["t1_quantity"], holding["mtf"]["quantity"]) == (50, 40)
    assert await call(ann.orders) == await call(ann.trades) == []


async def test_a_sale_without_consent_needs_authorisation(house: House) -> None:
    await house.control("switches", {"demat_consent": {"ANN": ""}})
    ann = await house.sign_in("ANN")
    assert (await call(ann.profile))["meta"] == {"demat_consent": ""}
    error = await refusal(kx.OrderException, ann.place_order, **market("SELL", 10))
    assert (error.code, str(error)) == (428, "10 quantity needs authorisation at depository.")
    assert house.kite.authorisations.quantity("ANN", "INE012A01025") == 0

    def authorise() -> None:
        headers = {"X-Kite-Version": "3", "Authorization": f"token app:{ann.access_token}"}
        form = {"isin": "INE012A01025", "quantity": "15"}
        url = f"{house.kite.url}/portfolio/holdings/authorise"
        answer = ann.reqsession.post(url, data=form, headers=headers).json()
        page = f"/connect/portfolio/authorise/holdings/app/{answer['data']['request_id']}"
        assert ann.reqsession.get(house.kite.url + page).status_code == 200

    await call(authorise)
    await call(ann.place_order, **market("SELL", 10))
    assert (await call(ann.holdings))[0]["authorised_quantity"] == 15
    await refusal(kx.OrderException, ann.place_order, **market("SELL", 10))


async def test_instruments_and_quotes(house: House) -> None:
    ann = await house.sign_in("ANN")
    rows = {row["tradingsymbol"]: row for row in await call(ann.instruments)}
    assert rows["M&M"]["instrument_token"] == 513
    assert (rows["ACC"]["tick_size"], rows["ACC"]["lot_size"], rows["ACC"]["strike"]) == (0.05, 1, 0.0)
    assert rows["NIFTY 50"]["segment"] == "INDICES"
    assert await call(ann.instruments, "BSE") == []
    keys = ["NSE:M&M", "NSE:NIFTY 50", "NSE:GONE"]
    assert set(await call(ann.ltp, keys)) == {"NSE:M&M", "NSE:NIFTY 50"}
    assert (await call(ann.ohlc, "NSE:M&M"))["NSE:M&M"]["ohlc"]["close"] == 100.0
    quote = (await call(ann.quote, keys))["NSE:M&M"]
    assert (quote["lower_circuit_limit"], quote["upper_circuit_limit"]) == (90.0, 110.0)
    assert [len(quote["depth"][side]) for side in ("buy", "sell")] == [5, 5]
    error = await refusal(kx.InputException, ann.quote, [f"NSE:{number}" for number in range(501)])
    assert "500" in str(error)


# --- budgets and mishaps --------------------------------------------------------------------------------


async def test_budgets_of_a_calendar_second(house: House) -> None:
    house.kite.switches.rate_limits = True
    ann, bob = await house.sign_in("ANN"), await house.sign_in("BOB")
    for _ in range(10):
        await call(ann.place_order, **order(quantity=1))
    error = await refusal(kx.NetworkException, ann.place_order, **order(quantity=1))
    assert (error.code, str(error)) == (429, "Too many requests")
    await call(bob.place_order, **order(quantity=1))
    await call(ann.ltp, "NSE:ACC")
    await refusal(kx.NetworkException, bob.quote, "NSE:ACC")  # the app's budget, not the user's
    for number in range(10):
        await call((ann, bob)[number % 2].orders)
    await refusal(kx.NetworkException, bob.orders)
    house.clock.shift(1)
    await call(ann.place_order, **order(quantity=1))
    await house.control("switches", {"cool_down": True, "html_429": True})
    for _ in range(9):
        await call(ann.place_order, **order(quantity=1))
    await refusal(kx.DataException, ann.place_order, **order(quantity=1))
    house.clock.shift(9)
    await refusal(kx.DataException, ann.place_order, **order(quantity=1))
    house.clock.shift(1)
    await call(ann.place_order, **order(quantity=1))


async def test_a_page_in_a_browser_cannot_drive_it(house: House) -> None:
    def ask(**headers: str) -> int:
        with requests.Session() as session:
            session.trust_env = False
            wish = {"fault": "unavailable"}
            return session.post(f"{house.kite.url}/control/faults", json=wish, headers=headers).status_code

    assert await call(ask, Origin="http://page.example") == 403
    assert await call(ask, Host="rebound.example:80") == 403
    assert await house.control("faults") == []
    assert await call(ask) == 200


@pytest.mark.parametrize(
    ("fault", "error", "placed"),
    [
        ("drop_connection", requests.exceptions.ConnectionError, 1),
        ("timed_out_done", kx.OrderException, 1),
        ("unavailable", kx.NetworkException, 0),
        ("unavailable_done", kx.NetworkException, 1),
        ("gateway_timeout", kx.DataException, 0),
        ("gateway_timeout_done", kx.DataException, 1),
        ("server_error", kx.GeneralException, 0),
        ("server_error_done", kx.GeneralException, 1),
        ("bad_gateway", kx.DataException, 0),
        ("bad_gateway_done", kx.DataException, 1),
        ("rate_limited", kx.NetworkException, 0),
        ("null_data", TypeError, 1),
        ("no_content_type", KeyError, 1),
        ("wrong_ip", kx.PermissionException, 0),
        ("token_expired", kx.TokenException, 0),
    ],
)
async def test_a_placement_goes_wrong_once(
    house: House, fault: str, error: type[Exception], placed: int
) -> None:
    ann, bob = await house.sign_in("ANN"), await house.sign_in("BOB")
    await house.control("faults", {"user": "ANN", "route": "place", "fault": fault, "count": 1})
    await call(bob.place_order, **order())
    await refusal(error, ann.place_order, **order())
    assert len(house.exchange.orders("ANN")) == placed
    if fault == "token_expired":
        await refusal(kx.TokenException, ann.orders)
        ann = await house.sign_in("ANN")
    await call(ann.place_order, **order())
    assert len(await call(ann.orders)) == placed + 1
    assert (await house.control("state"))["received"]["place"]["ANN"]["t1"] == placed + 1


async def test_a_sign_in_goes_wrong_where_a_rule_names_it(house: House) -> None:
    await house.control("faults", {"user": "ANN", "fault": "unavailable"})
    await house.sign_in("ANN")
    await house.control("faults", {"user": "ANN", "route": "sign_in", "fault": "unavailable", "count": 1})
    await house.sign_in("BOB")
    token = house.kite.sessions.request_token("app", "ANN")
    await refusal(kx.NetworkException, house.client().generate_session, token, SECRETS["app"])
    await call(house.client().generate_session, token, SECRETS["app"])  # it was not exchanged
    await house.control("faults", {"user": "ANN", "route": "sign_in", "fault": "unavailable_done"})
    token = house.kite.sessions.request_token("app", "ANN")
    await refusal(kx.NetworkException, house.client().generate_session, token, SECRETS["app"])
    house.kite.mishaps.clear()
    await refusal(kx.TokenException, house.client().generate_session, token, SECRETS["app"])


async def test_answers_and_rows_that_come_late(house: House) -> None:
    ann = await house.sign_in("ANN")
    late = {"user": "ANN", "route": "place", "delay_s": 8, "count": 1}
    await house.control("faults", {**late, "fault": "late_answer"})
    ann.timeout = 0.2
    await refusal(requests.exceptions.ReadTimeout, ann.place_order, **order())
    ann.timeout = 5
    assert len(house.exchange.orders("ANN")) == 1
    await house.control("faults", {**late, "fault": "late_in_book"})
    order_id = await call(ann.place_order, **order())
    await house.control("faults", {**late, "fault": "empty_order_id"})
    assert await call(ann.place_order, **order()) == ""
    await house.control("faults", {**late, "fault": "rms_reject"})
    rejected = await call(ann.place_order, **order())
    rows = await call(ann.orders)
    assert (len(rows), rows[-1]["order_id"], rows[-1]["status"]) == (3, rejected, "REJECTED")
    await refusal(kx.InputException, ann.order_history, order_id)
    await house.clock.advance(8)
    assert order_id in [row["order_id"] for row in await call(ann.orders)]


async def test_updates_are_lost_doubled_and_turned_round(house: House) -> None:
    ann = await house.sign_in("ANN")

    async def fill(*faults: str) -> list[str]:
        house.told.clear()
        await house.control("faults", {"user": "ANN", "route": "update", "fault": faults[0], "count": 1})
        for fault in faults:
            await call(ann.place_order, **market(tag=fault))
        return [told["tag"] for _, told in house.told]

    assert await fill("lost_update") == []
    assert await fill("duplicate_update") == ["duplicate_update"] * 2
    assert await fill("reordered_update", "second") == ["second", "reordered_update"]


async def test_orders_come_from_the_addresses_of_the_client(house: House) -> None:
    ann = await house.sign_in("ANN")
    await house.control("switches", {"static_ips": {"ANN": ["10.0.0.1"]}})
    error = await refusal(kx.PermissionException, ann.place_order, **order())
    assert "127.0.0.1" in str(error)
    assert await call(ann.orders) == []
    await house.control("switches", {"static_ips": {"ANN": ["10.0.0.1", "127.0.0.1"]}})
    await call(ann.place_order, **order())
    await house.control("switches", {"static_ips": {"ANN": []}, "wrong_ip_as": "400 InputException"})
    error = await refusal(kx.InputException, ann.place_order, **order())
    assert str(error).startswith("No IPs configured for this app.")
    await house.control("switches", {"static_ips": {"ANN": None}})
    await call(ann.place_order, **order())


async def test_the_control_endpoint_tells_the_time_and_what_is_wrong_with_a_rule(house: House) -> None:
    told = await house.control("clock")
    assert told["trading_day"] == "2026-11-18"
    at = datetime.fromisoformat(told["market_time"])
    assert timedelta(0) <= at - datetime(2026, 11, 18, 3, 45, tzinfo=UTC) < timedelta(seconds=1)
    with requests.Session() as session:
        session.trust_env = False
        url = f"{house.kite.url}/control/faults"
        for body in (
            {"fault": "unknown"},
            {"fault": "wrong_ip", "route": "orders"},
            {"user": "ANN", "odd": 1},
        ):
            assert (await call(session.post, url, json=body)).status_code == 400
        assert (await call(session.post, url, json={"fault": "null_data", "seconds": 5})).status_code == 200
        assert len(await house.control("faults")) == 1
        house.clock.shift(5)
        assert await house.control("faults") == []


async def test_the_demonstration_is_served_from_a_folder(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 11, 22, tzinfo=UTC))
    started = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(tmp_path, 0, clock=clock, delays=NO_DELAYS, on_start=started.set_result)
    )
    async with asyncio.timeout(30):
        kite = await started
    try:
        client = House(kite, clock, kite.exchange).client(api_key="localkite")
        token = kite.sessions.request_token("localkite", "SA5886")
        session = await call(client.generate_session, token, PLATFORM[1])
        client.set_access_token(session["access_token"])
        assert (await call(client.margins, "equity"))["net"] == 92_000.0
        assert (await call(client.ltp, "NSE:RELIANCE"))["NSE:RELIANCE"]["instrument_token"] == 738561
    finally:
        serving.cancel()
        await asyncio.wait([serving], timeout=10)
    assert serving.cancelled()
    assert {"exchange.db", "local_kite.db"} <= set(os.listdir(tmp_path))


async def test_the_clock_can_be_moved_on_and_never_back(house: House) -> None:
    for wrong in ("09:15", "9.30", ""):
        answer = await call(_post, f"{house.kite.url}/control/clock", {"to": wrong})
        assert (answer.status_code, answer.json()["field"]) == (400, "to")
        assert "after 09:15:00, such as 15:14" in answer.json()["expected"]
    ann = await house.sign_in("ANN")
    order_id = await call(ann.place_order, **order(price=95.0))
    moved = await house.control("clock", {"to": "15:14"})
    assert moved == {
        "broker": "kite",
        "market_time": "2026-11-18T09:44:00+00:00",
        "trading_day": "2026-11-18",
    }
    for _ in range(2):  # as two brokers of one market are told
        moved = await house.control("clock", {"to": "16:00", "day": "2026-11-18"})
        assert moved == {
            "broker": "kite",
            "market_time": "2026-11-19T03:45:00+00:00",
            "trading_day": "2026-11-19",
        }
    await refusal(kx.TokenException, ann.orders)
    entry = house.kite.journal.find("ANN", order_id)
    assert entry is None or entry.final


def _post(url: str, body: dict[str, str]) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.post(url, json=body)

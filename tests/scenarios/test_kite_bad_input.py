"""Bad input at a local Kite: each fault shows on the row of the client it strikes, and on nobody else's."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from brokers.contract import OrderRequest
from brokers.kite.broker import KiteBroker
from brokers.simulators.kite import socket_link
from brokers.simulators.kite.apps import own_app
from brokers.simulators.kite.routes import table as local_routes
from brokers.simulators.serving.orders.laid_rows import LaidRow
from data.errors import BadInput
from data.vocabulary import (
    GateColour,
    GateItem,
    OrderState,
    OrderType,
    Product,
    Reason,
    SessionProblem,
    Side,
    SizingKind,
)
from engine.access.gate import GateCheck
from engine.book.views import OrderView
from engine.planning.plan import Plan
from engine.words.gate import verdict_words
from engine.words.trading.why import detail_words
from tests.desks import buy, on_tape
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.brokers.kite import secrets_of
from tradedesk.testing import seam

PEOPLE = [Person(number) for number in range(1, 5)]
STRUCK, OTHERS = PEOPLE[2], [PEOPLE[0], PEOPLE[1], PEOPLE[3]]
PRICES = {"NSE:RELIANCE": 2450_00, "NSE:TCS": 2500_00, "NSE:INFY": 1500_00}


@pytest.fixture
async def morning(tmp_path: Path) -> AsyncIterator[Morning]:
    """Four clients, all but the one that will be struck signed in and compared; prices stand still."""
    async with kite_morning(tmp_path, PEOPLE) as one:
        for key, paise in PRICES.items():
            one.exchange.pin(key, paise)
        await one.sign_in(OTHERS)
        await one.until(lambda: all(one.desk.reconcile.is_compared(other.number) for other in OTHERS))
        yield one


async def everybody(morning: Morning) -> None:
    """Sign the last client in too, and have its books compared."""
    await morning.sign_in([STRUCK])
    await morning.until(lambda: morning.desk.reconcile.is_compared(STRUCK.number))


def at_gate(morning: Morning, item: GateItem) -> GateCheck:
    return morning.desk.gate.of(STRUCK.number).check(item)


def standing(morning: Morning, people: Sequence[Person] = OTHERS) -> list[tuple[object, ...]]:
    """All that may be said of these clients."""
    desk = morning.desk
    return [
        (
            desk.sessions.of(one.number),
            desk.gate.of(one.number).reason,
            [(check.item, check.colour) for check in desk.gate.of(one.number).checks],
            desk.reconcile.breaks(one.number),
        )
        for one in people
    ]


async def refused(morning: Morning, token: str) -> str:
    """The words of a sign-in that is refused, with nobody else touched."""
    before = standing(morning)
    with pytest.raises(BadInput) as problem:
        await morning.desk.sessions.sign_in(STRUCK.number, token)
    assert standing(morning) == before
    assert token not in str(problem.value)
    shown = at_gate(morning, GateItem.SESSION)
    assert shown.colour is GateColour.RED
    assert verdict_words(shown.judged, morning.desk.shown_at) in str(problem.value)
    assert morning.desk.gate.of(STRUCK.number).reason is Reason.SESSION_EXPIRED
    return verdict_words(shown.judged, morning.desk.shown_at)


async def test_a_wrong_api_secret(morning: Morning) -> None:
    api_key, secret = own_app(STRUCK.user_id)
    secrets_of(morning.desk).keep_secret(api_key, "notthesecret")
    words = await refused(morning, morning.token(STRUCK))
    assert "Invalid `checksum`" in words
    assert "correct the api secret" in words
    assert "notthesecret" not in words
    secrets_of(morning.desk).keep_secret(api_key, secret)
    await everybody(morning)
    assert morning.desk.gate.of(STRUCK.number).reason is None


async def test_a_token_of_another_client(morning: Morning) -> None:
    words = await refused(morning, morning.token(STRUCK, OTHERS[0]))
    assert words == "This is the session of ZK0001; sign in as ZK0003. (client KC0001)"
    for one in OTHERS:
        assert await morning.desk.sessions.check(one.number), "its own session goes on"


async def test_a_request_token_used_twice(morning: Morning) -> None:
    token = morning.token(STRUCK)
    await morning.desk.sessions.sign_in(STRUCK.number, token)
    with pytest.raises(BadInput, match="invalid or has expired"):
        await morning.desk.sessions.sign_in(STRUCK.number, token)
    assert at_gate(morning, GateItem.SESSION).colour is GateColour.GREEN, "the first sign-in holds"
    await morning.desk.sessions.expire(STRUCK.number, "ended by hand")
    assert "Token is invalid or has expired." in await refused(morning, token)


async def bought(morning: Morning, again: bool = False) -> dict[int, OrderView]:
    """One share of RELIANCE bought for everybody, each order where it came to rest."""
    await morning.priced("NSE:RELIANCE")
    _, run = await morning.send(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, again=again))
    orders = morning.desk.orders
    await morning.until(lambda: not any(order.live for order in orders.all(run=run.number)))
    found = {order.client_id: order for order in orders.all(run=run.number)}
    assert {found[one.number].state for one in OTHERS} == {OrderState.FILLED}
    assert {key[1] for key in morning.kite.received if key[0] == "place"} <= {one.user_id for one in PEOPLE}
    assert set(morning.kite.received.values()) == {1}, "nothing was sent twice"
    return found


async def test_a_session_that_ends_in_mid_run(morning: Morning) -> None:
    await everybody(morning)
    before = standing(morning)
    morning.kite.mishaps.add("token_expired", user_id=STRUCK.user_id, route="place", count=1)
    order = (await bought(morning))[STRUCK.number]
    assert (order.state, order.reason_code) == (OrderState.REJECTED, "session_expired")
    assert order.reason_text == "Incorrect `api_key` or `access_token`."
    assert order.blocked_paise == 0
    session = morning.desk.sessions.of(STRUCK.number)
    assert session is not None
    assert session.problem is SessionProblem.ENDED
    assert at_gate(morning, GateItem.SESSION).colour is GateColour.RED
    assert standing(morning) == before
    assert [one.code for one in morning.desk.sessions.due()] == [STRUCK.code]


@pytest.mark.parametrize("told_as", ["403 PermissionException", "400 GeneralException"])
async def test_a_wrong_address(morning: Morning, told_as: str) -> None:
    await everybody(morning)
    before = standing(morning)
    listed = {"static_ips": {STRUCK.user_id: ["198.51.100.9"]}}
    morning.kite.switches.change({**listed, "wrong_ip_as": told_as})
    order = (await bought(morning))[STRUCK.number]
    assert (order.state, order.reason_code) == (OrderState.REJECTED, "route")
    assert "IP (127.0.1.3) is not allowed to place orders for this app." in order.reason_text
    assert order.blocked_paise == 0
    session = morning.desk.sessions.of(STRUCK.number)
    assert session is not None
    assert session.ok, "only orders are bound to an address"
    route = at_gate(morning, GateItem.ROUTE)
    words = verdict_words(route.judged, morning.desk.shown_at)
    assert route.colour is GateColour.RED
    assert "IP (127.0.1.3) is not allowed to place orders for this app" in words
    assert "put 127.0.1.3 on the client's list" in words
    assert standing(morning) == before
    plan = await _previewed(morning, again=True)
    assert {line.client_id: line.reason for line in plan.lines} == {
        STRUCK.number: Reason.ROUTE_NOT_READY,
        **dict.fromkeys((one.number for one in OTHERS), None),
    }
    (skipped,) = [line for line in plan.lines if line.reason is not None]
    assert detail_words(skipped) == words
    morning.kite.switches.change({"static_ips": {STRUCK.user_id: None}})
    assert at_gate(morning, GateItem.ROUTE).colour is GateColour.RED, "a look at the list is no call of ours"
    await morning.desk.routes.retry(STRUCK.number)
    morning.kite.received.clear()
    assert (await bought(morning, again=True))[STRUCK.number].state is OrderState.FILLED
    assert at_gate(morning, GateItem.ROUTE).colour is GateColour.GREEN


def told(morning: Morning, keys: dict[str, int]) -> bool:
    quote = seam(morning.desk).quotes.quote
    return all((found := quote(key)) is not None and found.last_paise == paise for key, paise in keys.items())


@pytest.mark.parametrize("fault", ["truncated", "unknown length"])
async def test_a_damaged_frame(morning: Morning, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    await everybody(morning)
    desk, exchange = morning.desk, morning.exchange
    following = asyncio.create_task(desk.market.follow(PRICES, "test"))
    await morning.until(lambda: following.done() and told(morning, PRICES))
    before, whole, damaged = standing(morning, PEOPLE), socket_link.frame, list[bytes]()

    def damage(pieces: Sequence[bytes]) -> bytes:
        if damaged or len(pieces) < len(PRICES):
            return whole(pieces)
        odd = struct.pack(">H", 20) + bytes(20)
        damaged.append(whole(pieces)[:-7] if fault == "truncated" else whole([odd, *pieces]))
        return damaged[0]

    monkeypatch.setattr(socket_link, "frame", damage)
    moved = {key: paise + 5_00 for key, paise in PRICES.items()}
    for key, paise in moved.items():
        exchange.pin(key, paise)
    await morning.until(lambda: damaged)
    await morning.until(lambda: told(morning, moved))
    broker = desk.connections.feed.broker
    assert isinstance(broker, KiteBroker)
    counts = broker.stream_counts
    assert (counts.broken_frames, counts.ignored_packets) == ((1, 0) if fault == "truncated" else (0, 1))
    assert standing(morning, PEOPLE) == before
    assert {order.state for order in (await bought(morning)).values()} == {OrderState.FILLED}


async def test_an_instruments_file_cut_short(morning: Morning, monkeypatch: pytest.MonkeyPatch) -> None:
    await everybody(morning)
    desk, before = morning.desk, standing(morning, PEOPLE)
    known, whole = len(desk.market.index), local_routes.instruments_csv

    def said(words: str) -> list[str]:
        return on_tape(desk, words)

    await morning.until(lambda: said("instruments of Zerodha: 204"))
    monkeypatch.setattr(local_routes, "instruments_csv", lambda rows: whole(rows)[:-40])
    morning.exchange.jump(morning.exchange.market_clock.now().replace(hour=10, minute=31))  # the day's close
    await morning.until(lambda: desk.market_clock.trading_day.day == 19)
    await morning.until(lambda: len(desk.sessions.due()) == len(PEOPLE))
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: said("could not be read"))
    (line,) = said("could not be read")
    assert "Kite's instruments cannot be read" in line
    assert line.endswith("those of 18 Nov stay")
    assert len(desk.market.index) == known
    monkeypatch.setattr(local_routes, "instruments_csv", whole)
    morning.kite.forget_dumps()  # a day's file is made once
    await morning.until(lambda: len(said("0 new, 0 gone")) == 2, step_s=1.0)
    assert len(said("could not be read")) == 1
    assert [row[1:] for row in standing(morning, PEOPLE)] == [row[1:] for row in before]


async def test_a_row_with_null_for_a_number(morning: Morning) -> None:
    desk, kite = morning.desk, morning.kite
    before = standing(morning)
    order = OrderRequest("NSE", "TCS", Side.BUY, 1, Product.CNC, OrderType.LIMIT, tag="", price_paise=2400_00)
    await morning.by_phone(STRUCK, order)
    (entry,) = kite.journal.book(STRUCK.user_id)
    # Laid over whatever the row is: the entry's own row is made anew as the order goes its way.
    kite.laid_rows.lay(LaidRow(STRUCK.user_id, "orders", {"filled_quantity": None}, entry.order_id))

    await morning.sign_in([STRUCK])
    assert await desk.reconcile.check(STRUCK.number), "all that can be read is compared"
    funds = at_gate(morning, GateItem.FUNDS)
    assert funds.colour is GateColour.AMBER
    odd = "1 row unread: orders: TCS: order row 1, filled_quantity: None; it must be a whole number"
    assert verdict_words(funds.judged, morning.desk.shown_at) == f"only sells: {odd}"
    plan = await _previewed(morning)
    assert {line.client_id: line.reason for line in plan.lines} == {
        STRUCK.number: Reason.OPEN_BREAK,
        **dict.fromkeys((one.number for one in OTHERS), None),
    }
    assert standing(morning) == before

    kite.laid_rows.clear()
    await morning.until(lambda: not desk.reconcile.breaks(STRUCK.number))
    assert (await _previewed(morning)).orders == len(PEOPLE)
    assert [check for check in await desk.doctor.run() if not check.ok] == []


async def _previewed(morning: Morning, again: bool = False) -> Plan:
    await morning.priced("NSE:RELIANCE")
    return await morning.desk.plans.preview(buy("RELIANCE", SizingKind.FIXED_QUANTITY, 1, again=again))

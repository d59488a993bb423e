"""An order trades between two reads of one client's shares: that is no difference, at any broker."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from brokers.simulators.serving.mishaps import Mishap
from brokers.simulators.serving.server import AnySimulatedBroker
from data.vocabulary import OrderState, SizingKind
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tests.scenarios.ledgers import money_agrees
from tradedesk.compose.desk_access import GROWW, UPSTOX, ZERODHA

PEOPLE = {broker: Person(number, broker=broker) for number, broker in enumerate((ZERODHA, UPSTOX, GROWW), 1)}
QTY = SizingKind.FIXED_QUANTITY
TRADES = {
    ZERODHA: ("INFY", 1500_00, 1480_00),
    UPSTOX: ("SBIN", 1050_00, 1040_00),
    GROWW: ("HDFCBANK", 1600_00, 1580_00),
}
"""What the client of a broker trades, at which price it stands, and at which limit an order rests."""
SECOND = "positions"
"""The second of the reads that shares take at each of the three."""


def once_before(broker: AnySimulatedBroker, read: str, happens: Callable[[], object]) -> list[str]:
    """Have something happen at the venue right before a broker answers this read for the first time."""
    drawn, done = broker.mishaps.draw, list[str]()

    def draw(user_id: str, route: str) -> Mishap | None:
        if route == read and not done:
            done.append(user_id)
            happens()
        return drawn(user_id, route)

    broker.mishaps.draw = draw
    return done


async def resting(morning: Morning) -> None:
    """Everybody holds 50 shares and has an order that rests, and no stream tells of it."""
    desk = morning.desk
    await morning.sign_in(PEOPLE.values())
    await morning.listed()
    await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE.values()))
    for one in PEOPLE.values():
        symbol, price, limit = TRADES[one.broker]
        morning.exchange.pin(symbol, price)
        await morning.priced(f"NSE:{symbol}")
        await morning.send(buy(symbol, QTY, 50, one.number))
        await morning.until(lambda n=one.number: not desk.orders.all(live=True, client_id=n))
        await morning.priced(f"NSE:{symbol}")
        await morning.send(buy(symbol, QTY, 10, one.number, limit_paise=limit))
    await morning.compared(PEOPLE.values())
    for broker in (morning.kite, *morning.others.values()):
        broker.sockets.stall(True)


async def test_a_trade_between_the_reads_of_shares_is_no_difference_at_any_broker(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, list(PEOPLE.values())) as morning:
        await resting(morning)
        for one in PEOPLE.values():
            await straddled(morning, one)
        assert {one.state for one in morning.desk.orders.all()} == {OrderState.FILLED}
        money_agrees(morning, PEOPLE.values())


async def straddled(morning: Morning, one: Person) -> None:
    """Compare a client of whom an order trades once holdings are read and positions are not."""
    desk, broker = morning.desk, morning.others.get(one.broker, morning.kite)
    (order,) = desk.orders.all(client_id=one.number, live=True)
    _, _, limit = TRADES[one.broker]

    def trades() -> None:
        trading = broker.venue.write(partial(morning.exchange.pin, order.tradingsymbol, limit))
        with suppress(StopIteration):  # an exchange in memory is not waited for
            trading.send(None)

    met = once_before(broker, SECOND, trades)
    await morning.compared([one])
    assert met == [one.user_id]
    assert desk.orders.get(order.id).state is OrderState.FILLED
    assert await desk.audit.rows(action="BREAK_OPENED") == []

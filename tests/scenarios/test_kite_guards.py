"""Guards at a local Kite: Kite's bids are what a set could be had at, its positions are what goes, once."""

from collections import Counter
from pathlib import Path

from brokers.contract import OrderRequest
from data.vocabulary import (
    GuardAction,
    GuardState,
    HaltScope,
    OrderType,
    Product,
    Side,
    SizingKind,
)
from engine.guards.asked import GuardWish
from tests.desks import buy
from tests.scenarios.kite_morning import Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]
QTY, MIS = SizingKind.FIXED_QUANTITY, Product.MIS


async def test_a_long_and_an_owed_position_at_kite_are_taken_flat_once_and_the_rest_is_kept(
    tmp_path: Path,
) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk, exchange = morning.desk, morning.exchange
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        for symbol, price in (("TCS", 2500_00), ("INFY", 1500_00), ("HDFCBANK", 1600_00)):
            exchange.pin(symbol, price, price)
            await morning.priced(f"NSE:{symbol}")
        await morning.send(buy("TCS", QTY, 40, ONE.number, product=MIS))
        await morning.send(buy("HDFCBANK", QTY, 5, ONE.number))
        phone = OrderRequest("NSE", "INFY", Side.SELL, 100, MIS, OrderType.MARKET, "", protection_bps=200)
        await morning.by_phone(TWO, phone)
        for person in PEOPLE:
            wish = GuardWish(
                HaltScope.CLIENT, str(person.number), action=GuardAction.FLAT, loss_paise=4_000_00
            )
            await desk.guards.set(wish, "flat")

        def guard(person: Person) -> tuple[GuardState, int | None, int]:
            (view,) = desk.guards.of(person.number)
            return view.state, view.net_paise, view.positions

        await morning.until(lambda: all(guard(one)[2] == 1 and guard(one)[1] is not None for one in PEOPLE))
        assert [guard(one)[0] for one in PEOPLE] == [GuardState.ARMED] * 2
        exchange.pin("TCS", 2380_00, 2500_00)
        exchange.pin("INFY", 1550_00, 1500_00)
        await morning.until(lambda: all(guard(one)[0] is GuardState.FLAT for one in PEOPLE))
        traded = Counter[tuple[str, str, Side]]()
        for person in PEOPLE:
            for trade in exchange.trades(person.user_id):
                traded[person.code, trade.tradingsymbol, trade.side] += trade.quantity
        assert traded == {
            (ONE.code, "TCS", Side.BUY): 40,
            (ONE.code, "TCS", Side.SELL): 40,
            (ONE.code, "HDFCBANK", Side.BUY): 5,
            (TWO.code, "INFY", Side.SELL): 100,
            (TWO.code, "INFY", Side.BUY): 100,
        }
        assert {one.scope for one in desk.halt.active()} == {HaltScope.CLIENT}
        assert all(check.ok for check in await desk.doctor.run())

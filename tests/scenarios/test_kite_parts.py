"""Orders that Kite fills in parts: what is left can be changed and cancelled, and its money comes back."""

from pathlib import Path

from data.vocabulary import OrderState, SizingKind
from engine.book.views import OrderView
from tests.desks import buy
from tests.scenarios.kite_morning import Morning, Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]
LIMIT = 2500_00


async def filled_in_part(morning: Morning) -> dict[int, OrderView]:
    """Four shares for each, of which two have been bought and two wait."""
    morning.exchange.pin("NSE:TCS", LIMIT)
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))
    await morning.priced("NSE:TCS")
    for one in PEOPLE:
        morning.kite.mishaps.add("partial_fill", user_id=one.user_id, route="place", count=1, delay_s=3600)
    _, run = await morning.send(buy("TCS", SizingKind.FIXED_QUANTITY, 4, limit_paise=LIMIT))
    orders = morning.desk.orders
    await morning.until(lambda: all(order.filled_quantity == 2 for order in orders.all(run=run.number)))
    return {order.client_id: order for order in orders.all(run=run.number)}


async def test_the_rest_of_an_order_filled_in_part_is_changed_filled_and_cancelled(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk, found = morning.desk, await filled_in_part(morning)
        assert {order.state for order in found.values()} == {OrderState.OPEN}
        first, second = found[ONE.number].id, found[TWO.number].id

        morning.kite.mishaps.add("not_modified", user_id=ONE.user_id, route="modify", count=1)
        await desk.orders.modify(first, 3, None)
        await morning.until(lambda: not desk.orders.get(first).modifying, step_s=2.0)  # proven by later reads
        assert (desk.orders.get(first).quantity, desk.orders.get(first).filled_quantity) == (4, 2)

        entry = morning.kite.journal.find(ONE.user_id, str(found[ONE.number].broker_order_id))
        assert entry is not None
        await morning.kite.ways.allow(entry, 1)
        await morning.until(lambda: desk.orders.get(first).filled_quantity == 3)
        assert desk.orders.get(first).state is OrderState.OPEN

        await desk.orders.cancel([first, second])
        await morning.until(lambda: not desk.orders.all(live=True))
        ends = {order.id: (order.state, order.filled_quantity) for order in desk.orders.all()}
        assert ends == {first: (OrderState.CANCELLED, 3), second: (OrderState.CANCELLED, 2)}
        assert [order.blocked_paise for order in desk.orders.all()] == [0, 0]
        await morning.compared(PEOPLE)
        assert desk.reconcile.breaks() == []
        assert [check for check in await desk.doctor.run() if not check.ok] == []

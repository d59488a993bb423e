"""Limits before the order at a local Kite: no byte of what is beyond one leaves, and exits do."""

from pathlib import Path

from data.vocabulary import (
    LimitKind,
    LimitScope,
    LimitStrength,
    OrderState,
    Product,
    Reason,
    SizingKind,
)
from engine.planning.limits.typed import LimitWish
from engine.words.trading.why import detail_words
from tests.desks import buy, sell
from tests.scenarios.kite_morning import Person, kite_morning

ONE, TWO = PEOPLE = [Person(1), Person(2)]
QTY = SizingKind.FIXED_QUANTITY


def limit(kind: LimitKind, figure: int | None, code: str = "", list_name: str = "") -> LimitWish:
    scope = LimitScope.CLIENT if code else LimitScope.DESK
    return LimitWish(scope, code, kind, LimitStrength.HARD, figure, list_name)


async def test_limits_stand_before_orders_at_kite_and_before_no_exit(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        morning.exchange.pin("NSE:TCS", 2500_00)
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        await morning.priced("NSE:TCS")
        await desk.limits.set(limit(LimitKind.ORDER_VALUE, 10_000_00, ONE.code))
        plan, run = await morning.send(buy("TCS", QTY, 4))
        refused = next(line for line in plan.lines if line.client_id == ONE.number)
        assert refused.reason is Reason.OVER_LIMIT
        assert detail_words(refused) == f"worth ₹10,200 at most, {ONE.code}'s limit ₹10,000"
        (order,) = desk.orders.all(run=run.number)
        await morning.until(lambda: desk.orders.get(order.id).state is OrderState.FILLED)

        made = await desk.plans.freeze(buy("TCS", QTY, 1, TWO.number))
        own = tmp_path / "own.csv"
        own.write_text("Symbol,Reason\nTCS,results on Thursday\n")
        await desk.share_lists.take(own, "restricted")
        late = await desk.runs.start(made, made.digest)
        await morning.at_once(lambda: not desk.runs.get(late.number).unsent)
        (kept_back,) = desk.orders.all(run=late.number)
        assert (kept_back.state, kept_back.reason_code) == (OrderState.DENIED, Reason.OVER_LIMIT)
        at_kite = morning.kite.journal.of_user(TWO.user_id)
        assert len(list(at_kite)) == 1, "the one that had left before"

        await morning.compared(PEOPLE)
        _, run = await morning.send(sell("TCS", QTY, 4, TWO.number))
        (exit_order,) = desk.orders.all(run=run.number)
        await morning.until(lambda: desk.orders.get(exit_order.id).state is OrderState.FILLED)
        assert exit_order.product is Product.CNC

"""A desk that only looks: real sessions, money, shares and orders of another terminal, and no way to send."""

import gc
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

import pytest

from brokers.contract import OrderChange, OrderRequest, Refused
from brokers.wire.looks import OnlyLooks
from data.errors import BadInput
from data.home import halt_file
from data.vocabulary import OrderType, Product, Side, SizingKind
from engine.execution.looking import NoCancels, NoChanges, NoSends
from engine.refusals import LooksOnly
from engine.words.refusals import refusal_words
from tests.desks import buy, on_its_books
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.brokers.kite import kite_connection
from tradedesk.compose.settings import Settings
from tradedesk.compose.wiring import compose_desk
from tradedesk.testing import seam

ONE, TWO = PEOPLE = [Person(1), Person(2)]


async def elsewhere(
    morning: Morning, one: Person, symbol: str, quantity: int, limit_paise: int | None = None
) -> str:
    """Have a client trade at another terminal; returns the broker's id."""
    request = OrderRequest(
        "NSE",
        symbol,
        Side.BUY,
        quantity,
        Product.CNC,
        OrderType.MARKET if limit_paise is None else OrderType.LIMIT,
        "",
        price_paise=limit_paise,
        protection_bps=200 if limit_paise is None else None,
    )
    return await morning.by_phone(one, request)


async def looking(morning: Morning) -> None:
    await morning.sign_in(PEOPLE)
    await morning.until(lambda: all(morning.desk.reconcile.is_compared(one.number) for one in PEOPLE))


async def test_it_follows_what_another_terminal_trades(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE, mode="look") as morning:
        desk = morning.desk
        await looking(morning)
        assert desk.mode == "LOOK"
        assert desk.funds.of(ONE.number).available_paise == ONE.cash_paise

        await elsewhere(morning, ONE, "TCS", 3)
        await elsewhere(morning, TWO, "INFY", 2, limit_paise=1400_00)
        await morning.compared(PEOPLE)
        (held,) = desk.holdings.of(ONE.number)
        assert (held.tradingsymbol, held.quantity) == ("TCS", 3)
        assert desk.funds.of(ONE.number).available_paise < ONE.cash_paise
        assert desk.reconcile.breaks() == []
        assert [order.tradingsymbol for order in desk.orders.external(TWO.number)] == ["INFY"]
        assert desk.orders.external_count() == 1
        assert all(check.ok for check in await desk.doctor.run())


async def test_nothing_is_built_that_could_send_modify_or_cancel(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE, mode="look") as morning:
        desk = morning.desk
        workers = seam(desk).workers
        assert (type(workers.dispatcher), type(workers.canceller), type(workers.changer)) == (
            NoSends,
            NoCancels,
            NoChanges,
        )
        broker = kite_connection(desk).broker
        assert isinstance(vars(broker)["_orders"], OnlyLooks)
        account = ONE.account
        request = OrderRequest("NSE", "TCS", Side.BUY, 1, Product.CNC, OrderType.MARKET, "tag")
        for outcome in (
            await broker.place(account, request),
            await broker.modify(account, "1", OrderChange(quantity=1)),
            await broker.cancel(account, "1"),
        ):
            assert isinstance(outcome, Refused)
        assert not [*morning.kite.journal.of_user(ONE.user_id)]


SENDERS = {
    *("engine.execution.sending.dispatch.Dispatcher", "engine.execution.changes.cancels.Canceller"),
    *("engine.execution.changes.modifies.Changer", "brokers.kite.orders.KiteOrders"),
}
"""What sends, cancels and changes where a desk may trade."""


def reached(root: object) -> set[str]:
    """The classes of this project of which an object can be reached from another, by whatever holds it."""
    waiting, seen, kinds = [root], set[int](), set[str]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, (str, bytes, int, float, type, ModuleType)):
            continue
        seen.add(id(one))
        kind = type(one)
        if kind.__module__.split(".")[0] in ("engine", "brokers", "data", "tradedesk"):
            kinds.add(f"{kind.__module__}.{kind.__qualname__}")
        if not isinstance(one, FunctionType):
            waiting += gc.get_referents(one)
            continue
        waiting += [cell.cell_contents for cell in one.__closure__ or () if cell != CellType()]
    return kinds


async def test_no_object_that_sends_can_be_reached_from_a_desk_that_looks(tmp_path: Path) -> None:
    async with kite_morning(tmp_path / "look", PEOPLE, mode="look") as morning:
        looks = reached((seam(morning.desk), kite_connection(morning.desk)))
    async with kite_morning(tmp_path / "trade", PEOPLE) as morning:
        trades = reached((seam(morning.desk), kite_connection(morning.desk)))
    assert trades >= SENDERS
    assert looks & SENDERS == set()
    assert {"engine.execution.looking.NoSends", "brokers.wire.looks.OnlyLooks"} <= looks - trades


async def test_whatever_is_typed_to_send_is_refused_in_words(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE, mode="look") as morning:
        desk = morning.desk
        await looking(morning)
        await morning.priced("NSE:TCS")
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        theirs = await elsewhere(morning, TWO, "INFY", 2, limit_paise=1400_00)
        await morning.compared(PEOPLE)
        asked: list[Callable[[], Coroutine[Any, Any, object]]] = [
            lambda: desk.runs.start(plan, plan.digest),
            lambda: desk.halt.fire("tester"),
            lambda: desk.conversions.convert(ONE.number, "NSE:TCS", (Product.MIS, Product.CNC), 1),
        ]
        for ask in asked:
            with pytest.raises(LooksOnly) as refused:
                await ask()
            assert refusal_words(refused.value).startswith("LOOK: this desk only looks")
        assert desk.orders.all() == []
        assert not halt_file(tmp_path).exists()
        assert [order.broker_order_id for order in desk.orders.external(TWO.number)] == [theirs]


async def test_a_home_with_paper_in_it_does_not_look(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="only a desk at a broker alone looks"):
        async with compose_desk(tmp_path, settings=on_its_books(Settings(mode="look"), tmp_path)):
            pass

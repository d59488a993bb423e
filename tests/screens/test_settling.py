"""What only the trader settles: a change of a live order, an order in doubt, books that differ."""

from pathlib import Path

from brokers.contract import Ambiguous
from data.vocabulary import OrderState, SizingKind
from screens.frame.cards.confirm import WordsCard, YesCard
from screens.orders.life import OrderScreen
from screens.orders.modify import ModifyCard
from screens.orders.settle import ReasonCard
from tests.desks import Wire, buy, by_phone, carry_out
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid

FIXED = SizingKind.FIXED_QUANTITY


async def on_order(bench: PaperBench, order_id: int) -> None:
    bench.app.open_order(order_id)
    await bench.settle()
    assert isinstance(bench.screen, OrderScreen)


async def in_doubt(bench: PaperBench, code: str) -> int:
    """An order of 3 TCS that never arrives, of a client of whom the broker shows the same from elsewhere."""
    wire = Wire(bench.desk)

    async def never_arrives(account, request):
        return Ambiguous("connection reset")

    wire.on_place = never_arrives
    await carry_out(bench.desk, buy("TCS", FIXED, 3, bench.client(code), limit_paise=240000))
    (order,) = bench.desk.orders.all(client_id=bench.client(code))
    assert order.state is OrderState.UNKNOWN
    return order.id


async def wait(bench: PaperBench, seconds: int) -> None:
    for _ in range(seconds):
        await bench.pass_time(1)


async def test_e_changes_an_open_order_after_y_and_never_by_enter(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        client = bench.client("AM1042")
        await carry_out(bench.desk, buy("TCS", FIXED, 3, client, limit_paise=240000))
        (order,) = bench.desk.orders.all()
        await on_order(bench, order.id)
        await bench.keys("e")
        assert isinstance(bench.card, ModifyCard)
        await bench.keys(*"2410", "shift+tab", "5")
        assert "blocks ₹4,8" in bench.text
        await bench.keys("enter")
        assert isinstance(bench.card, YesCard)
        assert "quantity 3 to 5" in bench.text
        assert "limit 2,400.00 to 2,410.00" in bench.text
        await bench.keys("enter")
        assert bench.desk.orders.get(order.id).quantity == 3
        await bench.keys("y")
        await wait(bench, 3)
        changed = bench.desk.orders.get(order.id)
        assert (changed.quantity, changed.limit_paise, changed.modifying) == (5, 241000, False)
        assert isinstance(bench.screen, OrderScreen)
        assert "BUY 5 TCS CNC LIMIT 2,410.00" in bench.text


async def test_a_price_off_the_tick_is_named_in_the_form(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("TCS", FIXED, 3, bench.client("AM1042"), limit_paise=240000))
        await on_order(bench, bench.desk.orders.all()[0].id)
        await bench.keys("e", *"2410.03")
        await bench.keys("enter")
        assert isinstance(bench.card, ModifyCard)
        assert "limit: TCS trades in ticks of 0.10" in bench.text


async def test_a_raised_doubt_becomes_the_brokers_order_with_a_reason_and_a_word(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        order_id = await in_doubt(bench, "AM1042")
        await on_order(bench, order_id)
        assert "IN DOUBT" in bench.text
        assert "connection reset" in bench.text
        assert "v adopt" not in bench.text, "a doubt that was not raised is not the trader's to settle"
        number = by_phone(bench.desk, bench.client("AM1042"), quantity=3, limit_paise=240000, symbol="TCS")
        await wait(bench, 6)
        assert (
            f"RAISED TO YOU: the broker has an order of the same kind without our tag: {number}" in bench.text
        )
        await bench.keys("v")
        assert isinstance(bench.card, ReasonCard)
        assert number in bench.text
        await bench.keys("enter")
        assert isinstance(bench.card, ReasonCard), "without a reason nothing goes on"
        await bench.type("seen in the app")
        await bench.keys("enter")
        assert isinstance(bench.card, WordsCard)
        assert bench.desk.orders.get(order_id).state is OrderState.UNKNOWN
        await bench.type("adopt")
        await bench.keys("enter")
        await wait(bench, 1)
        order = bench.desk.orders.get(order_id)
        assert (order.state, order.broker_order_id) == (OrderState.OPEN, number)
        (row,) = await bench.desk.audit.rows(action="ORDER_ADOPTED")
        assert row.details["reason"] == "seen in the app"


async def test_a_raised_doubt_ends_as_never_arrived(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        order_id = await in_doubt(bench, "AM1042")
        by_phone(bench.desk, bench.client("AM1042"), quantity=3, limit_paise=240000, symbol="TCS")
        await on_order(bench, order_id)
        await wait(bench, 6)
        await bench.keys("l")
        assert "₹7,208" in bench.text
        await bench.type("not in the app")
        await bench.keys("enter")
        await bench.type("absent")
        await bench.keys("enter")
        await wait(bench, 1)
        order = bench.desk.orders.get(order_id)
        assert (order.state, order.blocked_paise) == (OrderState.NOT_RECEIVED, 0)


async def test_books_that_differ_stand_on_the_page_and_in_the_gate_until_they_are_taken_over(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("PS1015")
        await bench.until(lambda: bench.desk.reconcile.is_compared(client))
        by_phone(bench.desk, bench.client("PS1015"), quantity=2, symbol="TCS")
        await bench.desk.reconcile.check(client)
        await bench.settle()
        bench.screen.query_one("#clients", LiveGrid).move_cursor(client)
        await bench.settle()
        row = next(line for line in bench.lines() if "PS1015 Priya" in line)
        assert " diff " in row
        assert "books differ 1" in bench.text
        bench.app.open_client(client)
        await bench.settle()
        assert "books differ, only sells" in bench.text
        assert "BOOKS DIFFER TCS CNC: 0 shares here, 2 at the broker" in bench.text
        await bench.keys("v")
        assert isinstance(bench.card, ReasonCard)
        await bench.type("by phone")
        await bench.keys("enter")
        await bench.type("adopt")
        await bench.keys("enter")
        await bench.until(lambda: bench.desk.reconcile.breaks(client) == [])
        await bench.settle()
        assert "BOOKS DIFFER" not in bench.text
        assert [held.quantity for held in bench.desk.holdings.of(client)] == [2]


async def test_the_certificate_names_orders_from_elsewhere_and_when_cancels_left(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await carry_out(bench.desk, buy("TCS", FIXED, 3, bench.client("AM1042"), limit_paise=240000))
        number = by_phone(bench.desk, bench.client("AM1042"), quantity=4, limit_paise=230000, symbol="TCS")
        await wait(bench, 7)
        await bench.f9()
        await bench.f9()
        await wait(bench, 4)
        assert f"not from this desk: AM1042 BUY 4 TCS {number}" in bench.text
        assert "after the halt: first cancel left" in bench.text
        assert "sent from" in bench.text

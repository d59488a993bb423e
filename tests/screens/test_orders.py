"""The blotter and an order's life: live first, what needs the trader, cancels that ask."""

from pathlib import Path

import pytest

from brokers.contract import Refused
from data.records import replace
from data.vocabulary import LimitKind, LimitScope, LimitStrength, OrderState, OrderType, SizingKind
from engine.planning.limits.typed import LimitWish
from screens.frame.cards.confirm import WordsCard, YesCard
from screens.frame.cards.override import OverrideCard
from screens.orders.life import OrderScreen
from screens.orders.modify_many import ModifyReview
from screens.orders.screen import OrdersScreen
from tests.desks import buy, carry_out, sell
from tests.screens.papers import PaperBench, opened_on_paper
from tradedesk.compose.brokers.paper import exchange_of
from widgets.livegrid import LiveGrid


async def with_orders(bench: PaperBench) -> None:
    """Three filled buys of RELIANCE, two limit buys of TCS that rest below the market."""
    ids = [bench.client(code) for code in ("AM1042", "RG1008", "RV1012")]
    await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 2, *ids))
    resting = buy("TCS", SizingKind.FIXED_QUANTITY, 3, *ids[:2], limit_paise=240000)
    plan = await bench.desk.plans.freeze(resting)
    await bench.desk.runs.start(plan, plan.digest)
    await bench.settle()


def rows(bench: PaperBench) -> list[str]:
    grid = bench.screen.query_one(LiveGrid)
    return [bench.desk.orders.get(key).tradingsymbol for key in grid.shown_keys]  # type: ignore[arg-type]


async def test_live_orders_stand_first_and_the_filter_narrows(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3")
        assert isinstance(bench.screen, OrdersScreen)
        assert rows(bench) == ["TCS", "TCS", "RELIANCE", "RELIANCE", "RELIANCE"]
        assert "5 of 5 · live 2" in bench.text
        await bench.keys("f")
        await bench.type("run 1 rv")
        await bench.keys("enter")
        assert rows(bench) == ["RELIANCE"]
        await bench.keys("escape")
        assert len(rows(bench)) == 5


async def test_the_cursor_stays_at_the_newest_until_it_is_moved(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3")
        grid = bench.screen.query_one(LiveGrid)
        again = buy("TCS", SizingKind.FIXED_QUANTITY, 5, bench.client("RV1012"), limit_paise=230000)

        async def one_more() -> None:
            plan = await bench.desk.plans.freeze(replace(again, again=True))
            await bench.desk.runs.start(plan, plan.digest)
            await bench.settle()

        await one_more()
        newest = bench.desk.orders.all()[0].id
        assert grid.cursor_key == grid.shown_keys[0] == newest
        await bench.keys("j")
        chosen = grid.cursor_key
        await one_more()
        assert grid.cursor_key == chosen
        await bench.keys("home")
        await one_more()
        assert grid.cursor_key == grid.shown_keys[0] == bench.desk.orders.all()[0].id


async def test_the_trigger_has_its_column_once_an_order_has_one(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3")
        head = bench.lines()[2]
        assert "avg" in head, "what a share was filled at is not what is left out"
        assert "trigger" not in head
        stop = buy("INFY", SizingKind.FIXED_QUANTITY, 1, bench.client("AM1042"), limit_paise=160000)
        await carry_out(bench.desk, replace(stop, order_type=OrderType.SL, trigger_paise=155000))
        await bench.settle()
        assert "trigger" in bench.lines()[2]
        assert "1,550.00" in bench.text


async def test_tab_and_f8_turn_the_views(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("f8")
        assert "3 of 5 · value ₹14,703" in bench.lines()[1]
        await bench.keys("u", "u")
        assert "Needs me" in bench.text
        assert rows(bench) == []
        await bench.keys("escape", "tab")
        assert "Live orders" in bench.lines()[1]


async def test_x_asks_for_y_and_capital_x_for_words(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3")
        await bench.keys("x")
        assert isinstance(bench.card, YesCard)
        await bench.keys("enter", "escape")
        assert len(bench.desk.orders.all(live=True)) == 2
        await bench.keys("asterisk")
        await bench.keys("X")
        assert isinstance(bench.card, WordsCard)
        await bench.type("cancel 2")
        await bench.keys("enter")
        for _ in range(3):
            await bench.pass_time(1)
        assert bench.desk.orders.all(live=True) == []
        states = [order.state for order in bench.desk.orders.all()]
        assert states.count(OrderState.CANCELLED) == 2
        assert states.count(OrderState.FILLED) == 3
        assert "cancelled" in bench.text


async def test_a_reject_shows_the_brokers_words_and_enter_its_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        order = bench.desk.orders.all(live=True)[0]
        words = Refused("margin", "RMS: margin [exceeds] \x1b[31mlimit")
        monkeypatch.setattr(exchange_of(bench.desk), "place", lambda user_id, request: words)
        plan = await bench.desk.plans.freeze(
            buy("INFY", SizingKind.FIXED_QUANTITY, 1, bench.client("AM1042"))
        )
        await bench.desk.runs.start(plan, plan.digest)
        await bench.settle()
        await bench.keys("u", "u")
        assert rows(bench) == ["INFY"]
        assert "REJECTED" in bench.text
        assert "[exceeds]" in bench.text, "outside text is plain text"
        assert "\x1b" not in bench.text
        await bench.keys("enter")
        assert isinstance(bench.screen, OrderScreen)
        assert "the broker says: RMS: margin [exceeds]" in bench.text
        assert "ORDER_REJECTED" in bench.text
        await bench.keys("escape")
        bench.app.open_order(order.id)
        await bench.settle()
        await bench.keys("x")
        await bench.keys("y")
        for _ in range(3):
            await bench.pass_time(1)
        assert bench.desk.orders.get(order.id).state is OrderState.CANCELLED
        assert "cancel asked for: by hand" in bench.text, "the life follows the order"


async def test_capital_e_freezes_a_list_of_the_marked_and_takes_its_words(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3", "asterisk")
        await bench.keys("E")
        await bench.until(lambda: "MODIFY 2 live orders of 2 clients" in bench.text)
        await bench.type("2410.03")
        assert "trades in ticks of 0.10" in bench.text, "what is wrong is said before the list is made"
        await bench.keys("ctrl+u")
        await bench.type("2410")
        await bench.keys("enter")
        assert isinstance(bench.card, ModifyReview)
        assert "2,400.00" in bench.text
        assert "2,410.00" in bench.text
        await bench.type("modify 3")
        await bench.keys("enter")
        assert {order.limit_paise for order in bench.desk.orders.all(live=True)} == {240000}
        await bench.type("Modify 2")
        await bench.keys("enter")
        await bench.until(lambda: bench.toasts[-1] == "modify 2: 2 confirmed")
        assert bench.card is None
        assert {order.limit_paise for order in bench.desk.orders.all(live=True)} == {241000}


async def test_a_change_beyond_a_soft_limit_asks_why_and_then_for_the_y_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        order = bench.desk.orders.all(live=True)[0]
        await bench.desk.limits.set(
            LimitWish(LimitScope.DESK, "", LimitKind.ORDER_QUANTITY, LimitStrength.SOFT, 3)
        )
        await bench.keys("colon", *f"modify {order.id} 4", "enter")
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.card, YesCard))
        await bench.keys("y")
        await bench.until(lambda: isinstance(bench.card, OverrideCard))
        assert "4 shares, the desk's soft limit 3" in bench.text
        await bench.type("he called")
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.card, YesCard))
        assert "beyond a soft limit: he called" in bench.text
        assert bench.desk.orders.get(order.id).quantity == 3
        await bench.keys("y")
        await bench.until(lambda: bench.desk.orders.get(order.id).quantity == 4)


async def test_marked_orders_go_beyond_a_soft_limit_by_a_reason_and_the_words_again(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        orders = bench.desk.orders.all(live=True)
        least = min(one.quantity * (one.limit_paise or 0) for one in orders)
        soft = LimitWish(LimitScope.DESK, "", LimitKind.ORDER_VALUE, LimitStrength.SOFT, least)
        await bench.desk.limits.set(soft)
        await bench.keys("3", "asterisk", "E")
        await bench.type("2410")
        await bench.keys("enter")
        await bench.type("modify 2")
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.card, OverrideCard))
        assert "BEYOND A SOFT LIMIT for 2 orders" in bench.text
        await bench.type("asked for by phone")
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.card, ModifyReview))
        assert "beyond soft limits: asked for by phone" in bench.text
        await bench.type("modify 2")
        await bench.keys("enter")
        await bench.until(lambda: {one.limit_paise for one in bench.desk.orders.all(live=True)} == {2410_00})


async def test_a_chase_is_seen_in_the_blotter_and_p_lets_its_order_stand(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await with_orders(bench)
        await bench.keys("3", "asterisk")
        await bench.keys("E", "shift+tab", "left", "tab")
        await bench.type("2450")
        await bench.keys("enter")
        await bench.type("chase 2")
        await bench.keys("enter")
        assert "chasing 2, p lets one stand" in bench.text
        assert "chasing to 2,450.00, 0 of 20" in bench.text
        await bench.keys("ctrl+q")
        assert "2 of them stay at their limits: no chase goes on without tradedesk" in bench.text
        await bench.keys("escape")
        await bench.desk.market_halts.halt(reason="a notice")
        await bench.until(lambda: len(bench.desk.chases.asking) == 2)
        await bench.pass_time(0.5)
        assert "chasing 2, 2 WAIT for p" in bench.text
        assert "chase to 2,450.00 WAITS: market halted, 0 of 20, p has it go on" in bench.text
        await bench.desk.market_halts.open_again()
        await bench.keys("asterisk", "p")
        assert "GO ON chasing 1 order" in bench.text
        await bench.type("chase")
        await bench.keys("enter")
        await bench.until(lambda: len(bench.desk.chases.asking) == 1)
        await bench.keys("exclamation_mark")
        await bench.until(lambda: "chase WAITS for your word" in bench.text)
        await bench.keys("escape")
        assert await bench.desk.chases.go_on(bench.desk.chases.asking, "chase") == 1
        await bench.keys("p")
        await bench.pass_time(0.5)
        assert len(bench.desk.chases.going) == 1
        await bench.keys("asterisk", "p")
        await bench.until(lambda: bench.desk.chases.going == [])
        await bench.pass_time(0.5)
        assert "chasing" not in bench.text
        assert len(bench.desk.orders.all(live=True)) == 2


async def test_a_sale_below_its_cost_is_told_as_a_loss_and_one_above_it_as_a_profit(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        client = bench.client("AM1042")
        await carry_out(bench.desk, buy("TCS", SizingKind.FIXED_QUANTITY, 4, client))
        for quantity, price, told in ((1, 249000, "loss -10.00"), (2, 251000, "profit +20.00")):
            await bench.pin("TCS", price)
            _, run = await carry_out(bench.desk, sell("TCS", SizingKind.FIXED_QUANTITY, quantity, client))
            bench.app.open_order(run.order_ids[0])
            await bench.settle()
            assert told in bench.text
            assert "realised" not in bench.text
            await bench.keys("escape")

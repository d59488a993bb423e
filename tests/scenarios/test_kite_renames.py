"""Names that change overnight at a local Kite, whose dump tells no ISIN: by token, with shares and orders."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from data.records import replace
from data.vocabulary import OrderState, OrderType, RunCount, Side, SizingKind
from engine.events import InstrumentsRenamed
from engine.planning.intent import Intent, Sizing
from tests.books import change_by_hand
from tests.desks import listed_by_feed, on_tape, sell
from tests.scenarios.kite_morning import Morning, Person, kite_morning
from tradedesk.compose.rehearsing.rehearsal import control
from tradedesk.testing import seam

PEOPLE = [Person(number) for number in range(1, 3)]
OPEN = datetime(2026, 11, 18, 3, 45, 1, tzinfo=UTC)
NEXT = date(2026, 11, 19)
WISH = Intent(
    Side.BUY,
    "NSE:TCS",
    Sizing(SizingKind.FIXED_QUANTITY, 10),
    OrderType.LIMIT,
    limit_paise=2_500_00,
    after_market=True,
)


async def renamed(morning: Morning, **names: str) -> None:
    keys = {f"NSE:{before}": f"NSE:{now}" for before, now in names.items()}
    await control(morning.kite.url, "rename", {"names": keys})


@pytest.mark.proof
async def test_shares_and_waiting_orders_go_on_under_the_names_of_the_morning(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, PEOPLE, begins=time(8, 20)) as morning:
        desk = morning.desk
        morning.exchange.pin("NSE:TCS", 2_500_00)
        await desk.watchlists.add("NSE:TCS")
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        await morning.priced(WISH.key)
        _, run = await morning.send(WISH)
        assert run.counts[RunCount.OPEN] == len(PEOPLE)
        token = next(one.token for one in listed_by_feed(desk) if one.key == "NSE:TCS")

        await renamed(morning, TCS="TATACONS")
        morning.exchange.jump(datetime(2026, 11, 18, 3, 0, 5, tzinfo=UTC))
        words = f"NSE:TCS is now NSE:TATACONS, token {token}"
        await morning.until(lambda: words in on_tape(desk))

        await morning.until(lambda: desk.watchlists.keys() == ["NSE:TATACONS"])
        assert {(o.tradingsymbol, o.key) for o in desk.orders.all()} == {("TCS", "NSE:TATACONS")}
        morning.exchange.jump(OPEN)
        await morning.until(lambda: all(o.state is OrderState.FILLED for o in desk.orders.all()))
        await morning.compared(PEOPLE)
        assert [(h.key, h.quantity) for h in desk.holdings.of(1)] == [("NSE:TATACONS", 10)]
        assert desk.reconcile.breaks() == []

        morning.exchange.jump(seam(desk).calendar.session_close(OPEN.date()))
        await renamed(morning, TATACONS="INFY", INFY="TATACONS")
        await morning.until(lambda: desk.market_clock.trading_day == NEXT)
        morning.exchange.jump(datetime(2026, 11, 19, 3, 0, 5, tzinfo=UTC))
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: len(on_tape(desk, " is now NSE:")) == 3)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        assert [(h.key, h.quantity) for h in desk.holdings.of(1)] == [("NSE:INFY", 10)]
        assert desk.reconcile.breaks() == []
        opens = datetime(2026, 11, 19, 3, 45, 1, tzinfo=UTC)
        morning.exchange.jump(opens)
        await morning.until(lambda: desk.market.now() > opens)
        await morning.priced("NSE:INFY")
        quote = desk.market.quote("NSE:INFY")
        assert quote is not None
        assert quote.last_paise == 2_500_00
        plan, _ = await morning.send(replace(sell("INFY", SizingKind.FIXED_QUANTITY, 4), product=None))
        assert plan.orders == len(PEOPLE)
        await morning.until(lambda: all(o.state is OrderState.FILLED for o in desk.orders.all()))
        assert [(h.key, h.quantity) for h in desk.holdings.of(1)] == [("NSE:INFY", 6)]
        assert [check for check in await desk.doctor.run() if not check.ok] == []


async def test_an_order_leaves_under_its_own_symbol_whatever_its_listing_was_made_to_say(
    tmp_path: Path,
) -> None:
    async with kite_morning(tmp_path, PEOPLE) as morning:
        desk = morning.desk
        morning.exchange.pin("NSE:TCS", 2_500_00)
        await morning.sign_in(PEOPLE)
        await morning.until(lambda: all(desk.reconcile.is_compared(one.number) for one in PEOPLE))
        change_by_hand(tmp_path, "UPDATE listing SET symbol = 'INFY' WHERE key = 'NSE:TCS'")
        change_by_hand(tmp_path, "DELETE FROM listing WHERE key = 'NSE:ITC'")
        seam(desk).kept.bus.publish([InstrumentsRenamed({})])
        await morning.priced(WISH.key)
        await morning.send(replace(WISH, after_market=False))
        sent = [one for person in PEOPLE for one in morning.exchange.orders(person.user_id)]
        assert [one.tradingsymbol for one in sent] == ["TCS"] * len(PEOPLE)
        (found,) = [one.detail for one in await desk.doctor.run() if one.name == "references"]
        assert found == (
            "the listing of NSE:TCS at zerodha says INFY, which is no name of it;"
            " NSE:ITC is listed at no broker"
        )

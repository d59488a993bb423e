"""A bonus and a dividend at a local Kite: due at the ex-date, come once the broker shows exactly them."""

from pathlib import Path

from brokers.contract import CompanyActs
from brokers.simulators.exchange.accounts import hear_actions
from data.reference.files.mtf_files import kind_of
from data.vocabulary import DividendTo, OrderState, SizingKind
from tests.desks import books_are_sound, buy
from tests.scenarios.kite_morning import Person, kite_morning

KEY = "NSE:TCS"
ANN = Person(1)


async def test_a_bonus_is_due_until_kite_shows_it_and_a_dividend_until_it_is_credited(tmp_path: Path) -> None:
    async with kite_morning(tmp_path, [ANN]) as morning:
        desk, exchange = morning.desk, morning.exchange
        exchange.pin(KEY, 2_500_00, 2_500_00)
        await morning.sign_in([ANN])
        await morning.until(lambda: desk.reconcile.is_compared(1))
        await morning.priced(KEY)
        await morning.send(buy("TCS", SizingKind.FIXED_QUANTITY, 20, limit_paise=2_500_00))
        await morning.until(lambda: {one.state for one in desk.orders.all()} == {OrderState.FILLED})
        await morning.compared([ANN])
        first, ex_date = desk.market_clock.trading_day, desk.next_trading_day
        assert ex_date is not None
        file = tmp_path / "actions.csv"
        words = ("Bonus 1:1", "Dividend - Rs 4 Per Share")
        rows = "".join(f"TCS,{one},{ex_date},broker\n" for one in words)
        file.write_text(f"symbol,purpose,ex_date,paid_to\n{rows}")
        await desk.actions.take(file)
        # The venue behind this Kite acts as the company does; that the broker books it is the same day here.
        acts = [CompanyActs(KEY, ex_date, kind_of(one), one, DividendTo.BROKER) for one in words]
        hear_actions(exchange, acts)
        exchange.jump(desk.workings.timing.calendar.session_close(first))
        await morning.until(lambda: desk.market_clock.trading_day > first)
        await morning.until(lambda: desk.holdings.of(1) and desk.holdings.of(1)[0].quantity == 40)
        await morning.sign_in([ANN])
        await morning.until(lambda: desk.holdings.of(1)[0].due == 0)
        await morning.until(lambda: desk.funds.of(1).dividends_due_paise == 0)
        assert desk.reconcile.breaks(1) == []
        assert desk.valuation.client(1).dividends_today_paise == 20 * 4_00
        told = [row.details for row in await desk.audit.rows(action="ACTION_PROVEN")]
        assert {tuple(one) for one in told} == {("share", "shares"), ("dividends_paise",)}
        await books_are_sound(desk)

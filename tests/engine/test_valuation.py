"""Valuation: the rules of P&L, and that a tick touches only those who hold the stock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from brokers.contract import Tick
from data.records import replace
from data.repositories.accounts.statement import OpenLot
from data.vocabulary import Bucket, Product
from engine.accounts.statement import LotWorth, lot_worth
from engine.accounts.valuation import Valuation, holding_value
from engine.accounts.values import ClientValue
from engine.book.views import DayFigures, DaySale, FundsView

NOW = datetime(2026, 10, 5, 4, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    key: str
    quantity: int
    cost_paise: int
    today: int = 0
    today_cost_paise: int = 0
    client_id: int = 1
    product: Product = Product.CNC

    @property
    def security(self) -> str:
        return self.key


def quote(key: str, last: int, close: int = 0) -> Tick:
    return Tick(key, last, close, 0, 0, 0, 0, 0, 0, 0, 0, NOW, NOW)


class Books:
    """Two clients' books that a test changes by hand."""

    def __init__(self) -> None:
        self.held: dict[int, list[Held]] = {
            1: [Held("NSE:HDFCBANK", 100, 1_60_000_00)],
            2: [Held("NSE:TCS", 10, 25_000_00), Held("NSE:HDFCBANK", 1, 1_500_00)],
        }
        self.quotes = {
            "NSE:HDFCBANK": quote("NSE:HDFCBANK", 1_680_00, 1_650_00),
            "NSE:TCS": quote("NSE:TCS", 2_400_00, 2_410_00),
        }
        self.sales = {2: [DaySale("NSE:SBIN", Product.CNC, 500_00)]}
        self.funds: dict[int, FundsView] = {}
        self.reads: list[str] = []

    def quote(self, key: str) -> Tick | None:
        self.reads.append(key)
        return self.quotes.get(key)

    def valuation(self) -> Valuation:
        return Valuation(
            lambda client_id: self.held.get(client_id, []),
            self.quote,
            lambda client_id: DayFigures(
                88_00 if client_id == 2 else 0, tuple(self.sales.get(client_id, ()))
            ),
            lambda client_id: self.funds.get(client_id, FundsView(client_id)),
        )


def test_a_holding_at_the_last_price() -> None:
    value = holding_value(Held("NSE:HDFCBANK", 100, 1_60_000_00), quote("NSE:HDFCBANK", 1_680_00, 1_650_00))
    assert value.unrealised_paise == 8_000_00
    assert value.pnl_bps == 500
    assert value.day_pnl_paise == 3_000_00
    assert value.value_paise == 1_68_000_00


def test_shares_bought_today_count_from_their_cost_and_older_ones_from_the_close() -> None:
    market = quote("NSE:TCS", 2_500_00, 2_480_00)
    bought = holding_value(Held("NSE:TCS", 10, 24_900_00, today=10, today_cost_paise=24_900_00), market)
    assert bought.day_pnl_paise == bought.unrealised_paise == 100_00
    mixed = Held("NSE:TCS", 10, 20_000_00, today=4, today_cost_paise=9_960_00)
    assert holding_value(mixed, market).day_pnl_paise == 6 * 20_00 + 40_00


def test_a_price_of_an_earlier_day_moves_nothing_today() -> None:
    held, market = Held("NSE:TCS", 10, 20_000_00, today=4), quote("NSE:TCS", 2_500_00, 2_480_00)
    today = holding_value(held, market, day_began=NOW)
    before = holding_value(held, market, day_began=NOW + timedelta(seconds=1))
    assert today.day_pnl_paise == (before.day_pnl_paise or 0) + 6 * 20_00
    assert before == replace(today, day_pnl_paise=before.day_pnl_paise)
    nothing, no_money = (lambda _: DayFigures()), FundsView
    value = Valuation(lambda _: [held], lambda _: market, nothing, no_money)
    late = Valuation(
        lambda _: [held],
        lambda _: market,
        nothing,
        no_money,
        day_began=lambda: NOW + timedelta(seconds=1),
    )
    assert value.client(1).day_pnl_paise - late.client(1).day_pnl_paise == 6 * 20_00
    assert late.holding(held) == before


def test_without_a_price_a_holding_is_worth_its_cost() -> None:
    held = Held("NSE:TCS", 10, 25_000_00)
    for nothing in (None, quote("NSE:TCS", 0, 2_480_00)):
        value = holding_value(held, nothing)
        assert (value.last_paise, value.unrealised_paise, value.pnl_bps) == (None, None, None)
        assert value.day_pnl_paise is None, "not known is never 0"
        assert holding_value(replace(held, quantity=0, cost_paise=0), nothing).unrealised_paise == 0
        assert value.value_paise == 25_000_00
    assert holding_value(held, quote("NSE:TCS", 2_400_00)).day_pnl_paise == 0
    gift = holding_value(replace(held, cost_paise=0), quote("NSE:TCS", 2_400_00))
    assert gift.pnl_bps is None


def test_a_tick_touches_only_the_holders() -> None:
    books = Books()
    valuation = books.valuation()
    assert valuation.refresh([1, 2]) == {1, 2}
    assert valuation.client(2) == ClientValue(
        day_pnl_paise=500_00 - 10 * 10_00 + 30_00,
        unrealised_paise=-1_000_00 + 180_00,
        realised_today_paise=500_00,
        charges_today_paise=88_00,
        invested_paise=26_500_00,
        value_paise=25_680_00,
        portfolio_paise=25_680_00,
    )
    assert valuation.holders("NSE:HDFCBANK") == {1, 2}
    books.quotes["NSE:TCS"] = quote("NSE:TCS", 2_401_00, 2_410_00)
    books.reads.clear()
    assert valuation.revalue({"NSE:TCS", "NSE:INFY"}) == {2}
    assert set(books.reads) == {"NSE:TCS", "NSE:HDFCBANK"}
    assert valuation.revalue({"NSE:TCS"}) == set()
    assert valuation.desk_total().unrealised_paise == 8_000_00 - 990_00 + 180_00


def test_who_asks_for_values_now_takes_no_change_from_who_paints_them() -> None:
    books = Books()
    valuation = books.valuation()
    valuation.refresh([1, 2])
    books.quotes["NSE:TCS"] = quote("NSE:TCS", 2_401_00, 2_410_00)
    valuation.take_in({"NSE:TCS"})
    assert valuation.client(2).unrealised_paise == -990_00 + 180_00
    assert valuation.revalue(set()) == {2}
    assert valuation.revalue(set()) == set()


def test_books_that_changed_are_read_again() -> None:
    books = Books()
    valuation = books.valuation()
    valuation.refresh([1, 2])
    books.held[1] = [Held("NSE:TCS", 1, 2_400_00, today=1, today_cost_paise=2_400_00), Held("NSE:INFY", 0, 0)]
    books.sales[1] = [DaySale("NSE:HDFCBANK", Product.CNC, 7_900_00)]
    assert valuation.refresh([1]) == {1}
    assert valuation.holders("NSE:HDFCBANK") == {2}
    assert valuation.keys() == {"NSE:TCS", "NSE:HDFCBANK"}
    assert valuation.client(1).day_pnl_paise == 7_900_00
    assert valuation.client(3) == ClientValue()


def test_the_day_is_a_percentage_of_the_portfolio_it_opened_with() -> None:
    books = Books()
    books.funds[1] = FundsView(
        1,
        available_paise=40_000_00,
        blocked_paise=10_000_00,
        unsettled_paise=2_000_00,
        charges_due_paise=500_00,
        mtf_loan_paise=60_000_00,
        shortfall_paise=300_00,
        intraday_loan_paise=1_200_00,
    )
    value = books.valuation().client(1)
    assert value.portfolio_paise == 1_68_000_00 + 52_000_00 - 62_000_00
    assert value.net_day_pnl_paise == 3_000_00
    assert value.opening_paise == 1_55_000_00
    assert value.net_day_bps == 194  # 3,000 of 1,55,000 is 1.935 %
    assert books.valuation().client(3).net_day_bps is None


def test_carried_shares_that_were_sold_count_from_the_previous_close() -> None:
    books = Books()
    books.held[1] = []
    # 100 shares that cost 1,600 and closed at 1,650 went at 1,690: 9,000 against cost, 4,000 of them today's.
    books.sales[1] = [DaySale("NSE:HDFCBANK", Product.CNC, 9_000_00, 100, 1_60_000_00)]
    books.funds[1] = FundsView(1, available_paise=1_69_000_00)
    valuation = books.valuation()
    value = valuation.client(1)
    assert (value.realised_today_paise, value.day_pnl_paise) == (9_000_00, 4_000_00)
    assert value.opening_paise == 1_65_000_00
    assert valuation.keys() == {"NSE:HDFCBANK"}  # its previous close is still needed


def test_what_was_sold_out_of_a_holding_today_is_in_its_row_as_in_the_client_s_sum() -> None:
    books = Books()
    # 40 of 140 shares that cost 1,600 and closed at 1,650 went at 1,690.
    books.sales[1] = [
        DaySale("NSE:HDFCBANK", Product.CNC, 3_600_00, 40, 64_000_00),
        DaySale("NSE:HDFCBANK", Product.MTF, 7_00),
        DaySale("NSE:HDFCBANK", Product.CNC, -100_00),
    ]
    valuation = books.valuation()
    (held,) = books.held[1]
    assert valuation.holding(held).day_pnl_paise == 100 * 30_00 + 40 * 40_00 - 100_00
    assert valuation.together([held]).day_pnl_paise == valuation.holding(held).day_pnl_paise
    lent = replace(held, product=Product.MTF, quantity=1, cost_paise=1_680_00)
    assert valuation.holding(lent).day_pnl_paise == 30_00 + 7_00
    books.held[1] = [held, lent]
    rows = sum(valuation.holding(each).day_pnl_paise or 0 for each in books.held[1])
    assert books.valuation().client(1).day_pnl_paise == rows


PRICES = st.dictionaries(st.sampled_from("ABCD"), st.integers(0, 10**6), max_size=4)


@given(
    held=st.dictionaries(
        st.integers(1, 5),
        st.lists(
            st.builds(Held, st.sampled_from("ABCD"), st.integers(1, 50), st.integers(0, 10**7)), max_size=3
        ),
    ),
    steps=st.lists(PRICES, max_size=5),
)
def test_the_running_total_is_the_sum_of_the_clients(held: dict[int, list[Held]], steps: list[dict]) -> None:
    quotes: dict[str, Tick] = {}

    def fresh() -> Valuation:
        made = Valuation(
            lambda n: held.get(n, []),
            quotes.get,
            lambda _: DayFigures(2, (DaySale("A", Product.CNC, 3),)),
            FundsView,
        )
        made.refresh(held)
        return made

    running = fresh()
    for step in steps:
        quotes.update({key: quote(key, last, 500) for key, last in step.items()})
        running.revalue(step)
        anew = fresh()
        assert running.desk_total() == anew.desk_total()
        assert all(running.client(n) == anew.client(n) for n in held)
        assert running.desk_total().value_paise == sum(running.client(n).value_paise for n in held)


def test_a_lot_is_worth_its_last_price_less_its_cost_and_nothing_is_known_without_one():
    lot = OpenLot(1, "INE1", "NSE:TCS", "TCS", Product.MTF, Bucket.FREE, NOW.date(), 3, 100_00, 75_00, 12)
    tick = Tick("NSE:TCS", 30_00, 0, 0, 0, 0, 0, 0, 0, 0, 0, NOW, NOW)
    assert lot_worth(lot, tick) == LotWorth(33_33, 25_00, 30_00, -10_00)
    for nothing in (None, replace(tick, last_paise=0)):
        assert lot_worth(lot, nothing) == LotWorth(33_33, 25_00, None, None)

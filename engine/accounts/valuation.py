"""What clients' money and shares are worth now. A changed price touches only the clients that hold it.

Rules, all in paise:

* unrealised = quantity x last - cost;
* gross day P&L = for shares held before today, quantity x (last, or what they were sold for - previous
  close), and nothing while the price is that of an earlier day; for shares bought today, quantity x (last, or
  what they were sold for) - their cost. Less today's charges it is the net day P&L;
* portfolio = cash + blocked + unsettled + shares - loans - charges due - shortfall;
* a percentage of the day is of the opening portfolio with what came in or went out since. That is the
  portfolio of now without the net day P&L, since nothing else moves it;
* a holding without a price is worth its cost and its P&L is not known, which is None and never 0. The sums of
  a client leave it out; where `unpriced` is true, there is nothing else in them and they say nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from msgspec import Struct

from brokers.contract import Tick
from data.money import BPS, half_up
from data.records import replace
from data.vocabulary import Product
from engine.book.views import DayFigures, DaySale, FundsView

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""With a day that began then, every price is today's."""


class Holding(Protocol):
    """A client's shares of one stock in one product. `today` counts those bought today."""

    @property
    def client_id(self) -> int:
        """Whose they are."""
        ...

    @property
    def product(self) -> Product:
        """The product they are held in."""
        ...

    @property
    def security(self) -> str:
        """What they are, whatever it is called today."""
        ...

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL`, by which the price is found."""
        ...

    @property
    def quantity(self) -> int:
        """All shares, today's and blocked ones included."""
        ...

    @property
    def today(self) -> int:
        """Shares bought today."""
        ...

    @property
    def cost_paise(self) -> int:
        """What all of them cost."""
        ...

    @property
    def today_cost_paise(self) -> int:
        """What those bought today cost."""
        ...


class HoldingValue(Struct, frozen=True):
    """One holding at the last price; what cannot be told without one is None."""

    last_paise: int | None
    day_pnl_paise: int | None
    unrealised_paise: int | None
    pnl_bps: int | None
    value_paise: int


class HoldingsValue(Struct, frozen=True):
    """Several holdings of one stock together, in paise; `average_paise` is half up, None without shares.

    Each P&L is None while shares are held without a price; the net one of the day has its charges taken off.
    """

    quantity: int = 0
    average_paise: int | None = None
    day_pnl_paise: int | None = 0
    unrealised_paise: int | None = 0
    value_paise: int = 0
    net_day_pnl_paise: int | None = 0


class ClientValue(Struct, frozen=True):
    """What a client, or several together, own at the last price, and what today has brought and cost.

    `day_pnl_paise` is gross; what was realised today is against cost.
    """

    day_pnl_paise: int = 0
    unrealised_paise: int = 0
    realised_today_paise: int = 0
    charges_today_paise: int = 0
    invested_paise: int = 0
    value_paise: int = 0
    portfolio_paise: int = 0

    @property
    def net_day_pnl_paise(self) -> int:
        """Day P&L after today's charges."""
        return self.day_pnl_paise - self.charges_today_paise

    @property
    def opening_paise(self) -> int:
        """The day's opening portfolio, with what was paid in or out since."""
        return self.portfolio_paise - self.net_day_pnl_paise

    @property
    def net_day_bps(self) -> int | None:
        """Net day P&L in basis points of the opening portfolio; None where there was none."""
        return half_up(self.net_day_pnl_paise * BPS, self.opening_paise) if self.opening_paise > 0 else None


class _Shares(NamedTuple):
    """What a client's value takes from a holding at every tick; `carried` are shares of before today."""

    key: str
    quantity: int
    cost_paise: int
    bought: int
    bought_paise: int
    carried: int


class _QuotesOnce(dict[str, Tick | None]):
    """The quotes of one moment, each looked up once for all who hold it."""

    def __init__(self, quote: Callable[[str], Tick | None]) -> None:
        super().__init__()
        self._quote = quote

    def __missing__(self, key: str) -> Tick | None:
        found = self[key] = self._quote(key)
        return found


def holding_value(
    holding: Holding,
    quote: Tick | None,
    day_began: datetime = LONG_AGO,
) -> HoldingValue:
    """A holding at the quote's last price, which is today's if the market told it since `day_began`."""
    cost = holding.cost_paise
    if quote is None or quote.last_paise <= 0:
        unknown = None if holding.quantity else 0
        return HoldingValue(None, unknown, unknown, None, cost)
    day, unrealised = _gains(_shares(holding), quote, day_began)
    pnl_bps = half_up(unrealised * BPS, cost) if cost > 0 else None
    return HoldingValue(quote.last_paise, day, unrealised, pnl_bps, holding.quantity * quote.last_paise)


def _shares(holding: Holding) -> _Shares:
    quantity = holding.quantity
    bought = min(holding.today, quantity)
    today_cost = holding.today_cost_paise if bought else 0
    return _Shares(holding.key, quantity, holding.cost_paise, bought, today_cost, quantity - bought)


def _gains(held: _Shares, quote: Tick, day_began: datetime) -> tuple[int, int]:
    """What a priced holding has gained on the day and since it was bought, in paise."""
    last, close = quote.last_paise, quote.prev_close_paise
    day = held.bought * last - held.bought_paise
    if close > 0 and quote.market_at >= day_began:
        day += held.carried * (last - close)
    return day, held.quantity * last - held.cost_paise


class Valuation:
    """The running value of every client, kept up from the changed prices.

    It reads holdings, quotes, the day's figures and funds through the callables given. After a fill or an
    import, `refresh` must be told whose books changed. `day_began` tells since when a price is today's.
    """

    def __init__(
        self,
        holdings: Callable[[int], Sequence[Holding]],
        quote: Callable[[str], Tick | None],
        figures: Callable[[int], DayFigures],
        funds: Callable[[int], FundsView],
        day_began: Callable[[], datetime] = lambda: LONG_AGO,
    ) -> None:
        self._holdings = holdings
        self._quote = quote
        self._figures = figures
        self._funds = funds
        self._day_began = day_began
        self._held: dict[int, tuple[_Shares, ...]] = {}
        self._followed: dict[int, frozenset[str]] = {}
        self._holders: dict[str, set[int]] = {}
        self._values: dict[int, ClientValue] = {}
        self._total = ClientValue()
        self._aside: set[int] = set()

    def refresh(self, client_ids: Iterable[int]) -> set[int]:
        """Read these clients' books again. Returns the clients whose value changed."""
        changed: set[int] = set()
        began, quotes = self._day_began(), _QuotesOnce(self._quote)
        for client_id in client_ids:
            held = tuple([_shares(holding) for holding in self._holdings(client_id) if holding.quantity])
            self._held[client_id] = held
            # The day P&L of shares held before today and sold needs their previous close.
            keys = {sale.key for sale in self._figures(client_id).sales if sale.quantity}
            keys.update([holding.key for holding in held])
            self._follow(client_id, frozenset(keys))
            if self._compute(client_id, began, quotes):
                changed.add(client_id)
        return changed

    def _follow(self, client_id: int, keys: frozenset[str]) -> None:
        """Have the prices of these keys move a client's value, and of no others."""
        before = self._followed.get(client_id, frozenset[str]())
        if keys == before:
            return
        for key in before - keys:
            self._holders[key].discard(client_id)
        for key in keys - before:
            self._holders.setdefault(key, set()).add(client_id)
        self._followed[client_id] = keys

    def revalue(self, dirty_keys: Iterable[str]) -> set[int]:
        """Take the changed prices in. Returns the clients whose value changed since this was asked last."""
        self.take_in(dirty_keys)
        changed, self._aside = self._aside, set()
        return changed

    def take_in(self, dirty_keys: Iterable[str]) -> None:
        """Take the changed prices in, for one who asks for values now; `revalue` still tells who changed."""
        touched: set[int] = set()
        for key in dirty_keys:
            touched |= self._holders.get(key, set())
        began, quotes = self._day_began(), _QuotesOnce(self._quote)
        self._aside.update([client_id for client_id in touched if self._compute(client_id, began, quotes)])

    def client(self, client_id: int) -> ClientValue:
        """A client's value as of the last `revalue` or `refresh`."""
        if client_id not in self._values:
            self.refresh((client_id,))
        return self._values[client_id]

    def holding(self, holding: Holding) -> HoldingValue:
        """One holding at the price of this moment, what was sold out of it today included."""
        return self._with_sales(holding, self._worth(holding, self._day_began()))

    def together(self, holdings: Iterable[Holding]) -> HoldingsValue:
        """Holdings of one stock, of several clients or products, at the price of this moment.

        What was sold out of them today is in their day P&L.
        """
        began = self._day_began()
        quantity = cost = value = charges = 0
        day: int | None = 0
        unrealised: int | None = 0
        for holding in holdings:
            now = self._with_sales(holding, self._worth(holding, began))
            quantity += holding.quantity
            cost += holding.cost_paise
            day = _plus(day, now.day_pnl_paise)
            unrealised = _plus(unrealised, now.unrealised_paise)
            value += now.value_paise
            charges += self._charges(holding)
        average = half_up(cost, quantity) if quantity else None
        return HoldingsValue(quantity, average, day, unrealised, value, _plus(day, -charges))

    def weight_bps(self, client_id: int, holding: Holding) -> int | None:
        """A holding's part of the client's portfolio in basis points; None where there is none."""
        worth = self.client(client_id).portfolio_paise
        return half_up(self.holding(holding).value_paise * BPS, worth) if worth > 0 else None

    def desk_total(self) -> ClientValue:
        """The sum over every client that was refreshed."""
        return self._total

    def total(self, client_ids: Iterable[int]) -> ClientValue:
        """The sum over some clients."""
        values = [self.client(client_id) for client_id in client_ids]
        return ClientValue(
            day_pnl_paise=sum([value.day_pnl_paise for value in values]),
            unrealised_paise=sum([value.unrealised_paise for value in values]),
            realised_today_paise=sum([value.realised_today_paise for value in values]),
            charges_today_paise=sum([value.charges_today_paise for value in values]),
            invested_paise=sum([value.invested_paise for value in values]),
            value_paise=sum([value.value_paise for value in values]),
            portfolio_paise=sum([value.portfolio_paise for value in values]),
        )

    def holders(self, key: str) -> frozenset[int]:
        """The clients whose value a stock's price moves."""
        return frozenset(self._holders.get(key, ()))

    def unpriced(self, client_ids: Iterable[int]) -> bool:
        """Whether these clients hold shares and not one of them has a price, so that no P&L can be told."""
        held = False
        for client_id in client_ids:
            for one in self._held.get(client_id, ()):
                held = True
                quote = self._quote(one.key)
                if quote is not None and quote.last_paise > 0:
                    return False
        return held

    def keys_of(self, client_ids: Iterable[int]) -> set[str]:
        """Every key whose price is in the value of these clients."""
        return {key for client_id in client_ids for key in self._followed.get(client_id, ())}

    def keys(self) -> set[str]:
        """Every key that a price is needed for: what someone holds, or held before today and has sold."""
        return {key for key, clients in self._holders.items() if clients}

    def _worth(self, holding: Holding, day_began: datetime) -> HoldingValue:
        return holding_value(holding, self._quote(holding.key), day_began)

    def _charges(self, holding: Holding) -> int:
        """What the day's trades in these shares cost in charges."""
        return sum(
            one.charges_paise
            for one in self._figures(holding.client_id).paid
            if (one.security, one.product) == (holding.security, holding.product)
        )

    def _with_sales(self, holding: Holding, worth: HoldingValue) -> HoldingValue:
        sold = sum(
            self._day_gain(sale)
            for sale in self._figures(holding.client_id).sales
            if (sale.key, sale.product) == (holding.key, holding.product)
        )
        return replace(worth, day_pnl_paise=_plus(worth.day_pnl_paise, sold)) if sold else worth

    def _compute(self, client_id: int, began: datetime, quotes: Mapping[str, Tick | None]) -> bool:
        figures, funds = self._figures(client_id), self._funds(client_id)
        day = sum([self._day_gain(sale) for sale in figures.sales]) if figures.sales else 0
        unrealised = invested = value = 0
        for held in self._held[client_id]:  # for every holder at every tick, so that no value is made
            invested += held.cost_paise
            quote = quotes[held.key]
            if quote is None or quote.last_paise <= 0:
                value += held.cost_paise
                continue
            of_day, since_bought = _gains(held, quote, began)
            day += of_day
            unrealised += since_bought
            value += held.quantity * quote.last_paise
        fresh = ClientValue(
            day_pnl_paise=day,
            unrealised_paise=unrealised,
            realised_today_paise=figures.realised_paise if figures.sales else 0,
            charges_today_paise=figures.charges_paise,
            invested_paise=invested,
            value_paise=value,
            portfolio_paise=funds.net_cash_paise + value,
        )
        before = self._values.get(client_id)
        if fresh == before:
            return False
        self._values[client_id] = fresh
        self._total = _moved(self._total, before or ClientValue(), fresh)
        return True

    def _day_gain(self, sale: DaySale) -> int:
        """What sales brought today: of shares held before, since their previous close where it is known."""
        quote = self._quote(sale.key) if sale.quantity else None
        if quote is None or quote.prev_close_paise <= 0:
            return sale.pnl_paise
        return sale.pnl_paise - (sale.quantity * quote.prev_close_paise - sale.cost_paise)


def _plus(known: int | None, more: int | None) -> int | None:
    return None if known is None or more is None else known + more


def _moved(total: ClientValue, before: ClientValue, after: ClientValue) -> ClientValue:
    return ClientValue(
        day_pnl_paise=total.day_pnl_paise + after.day_pnl_paise - before.day_pnl_paise,
        unrealised_paise=total.unrealised_paise + after.unrealised_paise - before.unrealised_paise,
        realised_today_paise=total.realised_today_paise
        + after.realised_today_paise
        - before.realised_today_paise,
        charges_today_paise=total.charges_today_paise
        + after.charges_today_paise
        - before.charges_today_paise,
        invested_paise=total.invested_paise + after.invested_paise - before.invested_paise,
        value_paise=total.value_paise + after.value_paise - before.value_paise,
        portfolio_paise=total.portfolio_paise + after.portfolio_paise - before.portfolio_paise,
    )

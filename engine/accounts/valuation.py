"""What clients' money and shares are worth now. A changed price touches only the clients that hold it.

Rules, all in paise:

* unrealised = quantity x last - cost;
* gross day P&L = for shares held before today, quantity x (last, or what they were sold for - previous
  close), and nothing while the price is that of an earlier day; for shares bought today, quantity x (last, or
  what they were sold for) - their cost. With dividends of today's ex-date, and less today's charges and
  interest, it is the net day P&L;
* portfolio = cash + blocked + unsettled + dividends due + shares - loans - charges due - shortfall;
* a percentage of the day is of the opening portfolio with what came in or went out since. That is the
  portfolio of now without the net day P&L, since nothing else moves it;
* a holding without a price is worth its cost and its P&L is not known, which is None and never 0. The sums of
  a client leave it out; where `unpriced` is true, there is nothing else in them and they say nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from msgspec.structs import astuple

from brokers.contract import Tick
from data.money import BPS, half_up
from data.records import replace
from data.vocabulary import Product
from engine.accounts.values import ClientValue, HoldingsValue, HoldingValue
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


class _Shares(NamedTuple):
    """What a client's value takes from a holding at every tick; `carried` are shares of before today."""

    key: str
    quantity: int
    cost_paise: int
    bought: int
    bought_paise: int
    carried: int


class _Standing(NamedTuple):
    """What a client's value takes from the books, read once for all ticks until they change."""

    shares: tuple[_Shares, ...]
    net_cash_paise: int
    sales: tuple[DaySale, ...]
    realised_paise: int
    charges_paise: int
    interest_paise: int
    dividends_paise: int


_Price = tuple[int, int]
"""The last price of a share and what it has moved since the previous close today, in paise."""


class _PricesOnce(dict[str, _Price | None]):
    """The prices of one moment, each looked up once for all who hold it."""

    def __init__(self, quote: Callable[[str], Tick | None], day_began: datetime) -> None:
        super().__init__()
        self._quote = quote
        self._day_began = day_began

    def __missing__(self, key: str) -> _Price | None:
        found = self[key] = _priced(self._quote(key), self._day_began)
        return found


def holding_value(
    holding: Holding,
    quote: Tick | None,
    day_began: datetime = LONG_AGO,
) -> HoldingValue:
    """A holding at the quote's last price, which is today's if the market told it since `day_began`."""
    cost = holding.cost_paise
    price = _priced(quote, day_began)
    if price is None:
        unknown = None if holding.quantity else 0
        return HoldingValue(None, unknown, unknown, None, cost)
    day, unrealised, _, value = _together((_shares(holding),), {holding.key: price})
    pnl_bps = half_up(unrealised * BPS, cost) if cost > 0 else None
    return HoldingValue(price[0], day, unrealised, pnl_bps, value)


def _shares(holding: Holding) -> _Shares:
    quantity = holding.quantity
    bought = min(holding.today, quantity)
    today_cost = holding.today_cost_paise if bought else 0
    return _Shares(holding.key, quantity, holding.cost_paise, bought, today_cost, quantity - bought)


def _priced(quote: Tick | None, day_began: datetime) -> _Price | None:
    """What a quote says of shares; it has not moved on the day where the market told it before that."""
    if quote is None or quote.last_paise <= 0:
        return None
    moved = quote.prev_close_paise > 0 and quote.market_at >= day_began
    return quote.last_paise, quote.last_paise - quote.prev_close_paise if moved else 0


def _together(held: Iterable[_Shares], prices: Mapping[str, _Price | None]) -> tuple[int, int, int, int]:
    """What shares have gained on the day and since bought, what they cost and are worth, in paise."""
    day = unrealised = invested = value = 0
    for key, quantity, cost, bought, bought_paise, carried in held:
        invested += cost
        price = prices[key]
        if price is None:
            value += cost
            continue
        last, move = price
        day += bought * last - bought_paise + carried * move
        unrealised += quantity * last - cost
        value += quantity * last
    return day, unrealised, invested, value


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
        self._standing: dict[int, _Standing] = {}
        self._followed: dict[int, frozenset[str]] = {}
        self._holders: dict[str, set[int]] = {}
        self._values: dict[int, ClientValue] = {}
        self._total: ClientValue | None = None
        self._aside: set[int] = set()

    def refresh(self, client_ids: Iterable[int]) -> set[int]:
        """Read these clients' books again. Returns the clients whose value changed."""
        read = list(client_ids)
        for client_id in read:
            books = self._standing[client_id] = self._read(client_id)
            # The day P&L of shares held before today and sold needs their previous close.
            keys = {sale.key for sale in books.sales if sale.quantity}
            keys.update([held.key for held in books.shares])
            self._follow(client_id, frozenset(keys))
        return self._value_anew(read)

    def _read(self, client_id: int) -> _Standing:
        figures = self._figures(client_id)
        return _Standing(
            tuple([_shares(holding) for holding in self._holdings(client_id) if holding.quantity]),
            self._funds(client_id).net_cash_paise,
            figures.sales,
            figures.realised_paise,
            figures.charges_paise,
            figures.interest_paise,
            figures.dividends_paise,
        )

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
        self._aside |= self._value_anew(touched)

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
        if self._total is None:
            self._total = _sum(self._values.values())
        return self._total

    def total(self, client_ids: Iterable[int]) -> ClientValue:
        """The sum over some clients."""
        return _sum([self.client(client_id) for client_id in client_ids])

    def holders(self, key: str) -> frozenset[int]:
        """The clients whose value a stock's price moves."""
        return frozenset(self._holders.get(key, ()))

    def unpriced(self, client_ids: Iterable[int]) -> bool:
        """Whether these clients hold shares and not one of them has a price, so that no P&L can be told."""
        held = False
        for client_id in client_ids:
            books = self._standing.get(client_id)
            for one in books.shares if books else ():
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

    def _value_anew(self, client_ids: Iterable[int]) -> set[int]:
        """Value these clients at the prices of this moment; returns those that are worth something else."""
        prices, known = _PricesOnce(self._quote, self._day_began()), self._values
        fresh = [(client_id, self._value_of(client_id, prices)) for client_id in client_ids]
        changed = {client_id: value for client_id, value in fresh if known.get(client_id) != value}
        if changed:
            known.update(changed)
            self._total = None
        return set(changed)

    def _value_of(self, client_id: int, prices: Mapping[str, _Price | None]) -> ClientValue:
        books = self._standing[client_id]
        day, unrealised, invested, value = _together(books.shares, prices)
        if books.sales:
            day += sum([self._day_gain(sale) for sale in books.sales])
        return ClientValue(
            day_pnl_paise=day,
            unrealised_paise=unrealised,
            realised_today_paise=books.realised_paise,
            charges_today_paise=books.charges_paise,
            interest_today_paise=books.interest_paise,
            invested_paise=invested,
            value_paise=value,
            portfolio_paise=books.net_cash_paise + value,
            dividends_today_paise=books.dividends_paise,
        )

    def _day_gain(self, sale: DaySale) -> int:
        """What sales brought today: of shares held before, since their previous close where it is known."""
        quote = self._quote(sale.key) if sale.quantity else None
        if quote is None or quote.prev_close_paise <= 0:
            return sale.pnl_paise
        return sale.pnl_paise - (sale.quantity * quote.prev_close_paise - sale.cost_paise)


def _plus(known: int | None, more: int | None) -> int | None:
    return None if known is None or more is None else known + more


def _sum(values: Iterable[ClientValue]) -> ClientValue:
    return ClientValue(*map(sum, zip(*map(astuple, values), strict=True)))

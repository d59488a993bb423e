"""What clients' shares are worth now. A changed price touches only the clients that hold it.

Rules, all in paise:

* unrealised = quantity x last - cost;
* day P&L = for shares held before today, quantity x (last - previous close), and nothing while the price is
  that of an earlier day; for shares bought today, quantity x last - their cost; plus what was realised today,
  as booked against cost. Charges are apart;
* a holding without a price is worth its cost and has no P&L, since no figure is better than a wrong one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from brokers.contract import Tick
from data.money import BPS, half_up

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""With a day that began then, every price is today's."""


class Holding(Protocol):
    """A client's shares of one stock in one product. `today` counts those bought today."""

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


@dataclass(frozen=True, slots=True)
class HoldingValue:
    """One holding at the last price; `last_paise` and `pnl_bps` are None where it cannot be told."""

    last_paise: int | None
    day_pnl_paise: int
    unrealised_paise: int
    pnl_bps: int | None
    value_paise: int


@dataclass(frozen=True, slots=True)
class ClientValue:
    """A client's, or the whole desk's, shares at the last price, and what today has brought and cost."""

    day_pnl_paise: int = 0
    unrealised_paise: int = 0
    realised_today_paise: int = 0
    charges_today_paise: int = 0
    invested_paise: int = 0
    value_paise: int = 0


def cost_of_today(holding: Holding) -> int:
    """The cost of the shares bought today: all of it, or their part of the average, rounded half up."""
    if holding.today >= holding.quantity:
        return holding.cost_paise
    return half_up(holding.cost_paise * holding.today, holding.quantity)


def holding_value(
    holding: Holding,
    quote: Tick | None,
    today_cost: Callable[[Holding], int] = cost_of_today,
    day_began: datetime = LONG_AGO,
) -> HoldingValue:
    """A holding at the quote's last price, which is today's if the market told it since `day_began`."""
    cost, quantity = holding.cost_paise, holding.quantity
    if quote is None or quote.last_paise <= 0:
        return HoldingValue(None, 0, 0, None, cost)
    last = quote.last_paise
    unrealised = quantity * last - cost
    day = 0
    bought = min(holding.today, quantity)
    if bought:
        day += bought * last - today_cost(holding)
    if quote.prev_close_paise > 0 and quote.market_at >= day_began:
        day += (quantity - bought) * (last - quote.prev_close_paise)
    pnl_bps = half_up(unrealised * BPS, cost) if cost > 0 else None
    return HoldingValue(last, day, unrealised, pnl_bps, quantity * last)


class Valuation:
    """The running value of every client, kept up from the changed prices.

    It reads holdings, quotes, and the day's realised P&L and charges through the callables given. After
    a fill or an import, `refresh` must be told whose books changed. `today_cost` gives the exact cost of the
    shares bought today where lots are known; by default it is their part of the average. `day_began` tells
    since when a price is today's.
    """

    def __init__(
        self,
        holdings: Callable[[int], Sequence[Holding]],
        quote: Callable[[str], Tick | None],
        realised_today: Callable[[int], int],
        charges_today: Callable[[int], int],
        today_cost: Callable[[Holding], int] = cost_of_today,
        day_began: Callable[[], datetime] = lambda: LONG_AGO,
    ) -> None:
        self._holdings = holdings
        self._quote = quote
        self._realised_today = realised_today
        self._charges_today = charges_today
        self._today_cost = today_cost
        self._day_began = day_began
        self._held: dict[int, tuple[Holding, ...]] = {}
        self._holders: dict[str, set[int]] = {}
        self._values: dict[int, ClientValue] = {}
        self._total = ClientValue()

    def refresh(self, client_ids: Iterable[int]) -> set[int]:
        """Read these clients' books again. Returns the clients whose value changed."""
        changed: set[int] = set()
        began = self._day_began()
        for client_id in client_ids:
            for holding in self._held.get(client_id, ()):
                self._holders.get(holding.key, set()).discard(client_id)
            held = tuple(holding for holding in self._holdings(client_id) if holding.quantity)
            self._held[client_id] = held
            for holding in held:
                self._holders.setdefault(holding.key, set()).add(client_id)
            if self._compute(client_id, began):
                changed.add(client_id)
        return changed

    def revalue(self, dirty_keys: Iterable[str]) -> set[int]:
        """Take the changed prices in. Returns the clients whose value changed."""
        touched: set[int] = set()
        for key in dirty_keys:
            touched |= self._holders.get(key, set())
        began = self._day_began()
        return {client_id for client_id in touched if self._compute(client_id, began)}

    def client(self, client_id: int) -> ClientValue:
        """A client's value as of the last `revalue` or `refresh`."""
        if client_id not in self._values:
            self.refresh((client_id,))
        return self._values[client_id]

    def holding(self, holding: Holding) -> HoldingValue:
        """One holding at the price of this moment."""
        return self._worth(holding, self._day_began())

    def desk_total(self) -> ClientValue:
        """The sum over every client that was refreshed."""
        return self._total

    def holders(self, key: str) -> frozenset[int]:
        """The clients that hold a stock."""
        return frozenset(self._holders.get(key, ()))

    def keys(self) -> set[str]:
        """Every key that someone holds, which is what a price is needed for."""
        return {key for key, clients in self._holders.items() if clients}

    def _worth(self, holding: Holding, day_began: datetime) -> HoldingValue:
        return holding_value(holding, self._quote(holding.key), self._today_cost, day_began)

    def _compute(self, client_id: int, began: datetime) -> bool:
        realised = self._realised_today(client_id)
        day, unrealised, invested, value = realised, 0, 0, 0
        for holding in self._held[client_id]:
            now = self._worth(holding, began)
            day += now.day_pnl_paise
            unrealised += now.unrealised_paise
            invested += holding.cost_paise
            value += now.value_paise
        fresh = ClientValue(
            day_pnl_paise=day,
            unrealised_paise=unrealised,
            realised_today_paise=realised,
            charges_today_paise=self._charges_today(client_id),
            invested_paise=invested,
            value_paise=value,
        )
        before = self._values.get(client_id)
        if fresh == before:
            return False
        self._values[client_id] = fresh
        self._total = _moved(self._total, before or ClientValue(), fresh)
        return True


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
    )

"""Holdings and the round trips that were closed."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from data.reference.phases import IntradayEnd
from data.repositories.accounts.clients import standing_holds
from data.repositories.trading.fills import closed_sales, noted_days
from data.vocabulary import Product
from engine.accounts.round_trips import Transaction, round_trips
from engine.book.kept import Kept
from engine.book.views import FundsView, HoldingView, free_to_sell
from engine.market.market_data import MarketData
from engine.timing import Timing


class HoldView(Struct, frozen=True):
    """Money kept from trading without an order: why, how much in paise, and since when."""

    kind: str
    amount_paise: int
    reason: str
    opened_at: datetime


class FundsTotal(Struct, frozen=True):
    """Free and blocked money of several clients, in paise; `held_paise` is the part that named holds keep."""

    available_paise: int
    blocked_paise: int
    held_paise: int


class FundsService:
    """Clients' balances."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def of(self, client_id: int) -> FundsView:
        """One client's balances; all zero for a client without any."""
        funds = self._kept.book.funds.get(client_id)
        return FundsView(client_id) if funds is None else funds

    def all(self) -> list[FundsView]:
        """The balances of every client that is not closed, in the order of the roster."""
        return [self.of(client.id) for client in self._kept.book.open_clients()]

    def total(self, client_ids: Iterable[int]) -> FundsTotal:
        """What some clients have free and blocked together."""
        shown = [self.of(client_id) for client_id in client_ids]
        return FundsTotal(
            sum(f.available_paise for f in shown),
            sum(f.blocked_paise for f in shown),
            sum(f.held_paise for f in shown),
        )

    async def holds(self, client_id: int) -> list[HoldView]:
        """What is held of one client's money and not released, oldest first."""
        async with self._kept.store.reader() as connection:
            held = await standing_holds(connection, client_id)
        return [HoldView(one.kind, one.amount_paise, one.reason, one.opened_at) for one in held]


class Holdings:
    """Clients' shares."""

    def __init__(self, kept: Kept, timing: Timing, market_data: MarketData) -> None:
        self._kept = kept
        self._timing = timing
        self._market_data = market_data

    def of(self, client_id: int) -> list[HoldingView]:
        """One client's holdings, by symbol."""
        return list(self._kept.book.holdings.get(client_id, ()))

    def all(self) -> list[HoldingView]:
        """Every holding of every client."""
        return [holding for client_id in self._kept.book.clients for holding in self.of(client_id)]

    def holders(self, key: str) -> tuple[int, ...]:
        """The clients with anything of a symbol, in the order of their codes."""
        instrument = self._market_data.index.get(key)
        if instrument is None:
            return ()
        held = {h.client_id for h in self.all() if h.security == instrument.security and h.quantity}
        return tuple(client_id for client_id in self._kept.book.clients if client_id in held)

    def free_to_sell(self, holding: HoldingView) -> int:
        """Shares of a holding that a sell may take now."""
        instrument = self._market_data.index.get(holding.key)
        found = self._kept.book.breaks.get(holding.client_id, ())
        return free_to_sell(holding, found, instrument is not None and instrument.trade_to_trade)

    def intraday_end(self, holding: HoldingView) -> IntradayEnd | None:
        """When its client's broker sells a holding out today; None of shares not held for the day."""
        instrument = self._market_data.index.get(holding.key) if holding.product is Product.MIS else None
        client = self._kept.book.clients.get(holding.client_id)
        return instrument and client and self._timing.intraday(instrument.fno, client.broker)

    def intraday_ending(self, within: timedelta) -> tuple[datetime, int] | None:
        """When, if so soon, brokers next sell intraday shares (MIS) out, and of how many clients."""
        now = self._timing.market.now()
        holders: dict[datetime, set[int]] = defaultdict(set)
        for client_id in self._kept.book.intraday:
            for holding in self._kept.book.holdings[client_id]:
                end = self.intraday_end(holding) if holding.quantity else None
                if end is not None and now < end.at <= now + within:
                    holders[end.at].add(client_id)
        if not holders:
            return None
        return min(holders), len(holders[min(holders)])

    async def transactions(self, client_id: int | None = None) -> list[Transaction]:
        """Closed round trips, oldest first."""
        async with self._kept.store.reader() as connection:
            sales = await closed_sales(connection, client_id)
            noted = await noted_days(connection, client_id)
        return round_trips(sales, noted)

"""What a rule's measures read of the desk, as of now: integers in what each counts in, None where unknown.

A price that is too old is not known: no rule comes true by one.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from brokers.connections import Connections
from brokers.meter import CallFigures
from data.money import BPS, half_up, moved_bps
from data.vocabulary import Measure, OrderState, RunStatus, SessionState
from engine.accounts.valuation import Valuation
from engine.accounts.values import ClientValue
from engine.book.kept import Kept
from engine.book.views import HoldingView, OrderView
from engine.colon.alert_rules import DESK, AlertCondition
from engine.market.market import Market
from engine.timing import Timing

RATE_OVER = timedelta(minutes=5)
"""Over how long rates of orders are counted."""

FEWEST_ORDERS = 5
"""Orders from which on a share of them says something."""

_ENDED_WELL = (OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.OPEN)

Ids = Iterable[int]


class Readings:
    """Reads the desk for conditions; within one look each figure is read once."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        market: Market,
        valuation: Valuation,
        connections: Connections,
    ) -> None:
        self._book = kept.book
        self._timing = timing
        self._market = market
        self._valuation = valuation
        self._connections = connections
        self._read: dict[tuple[Measure, str], int | None] = {}
        self._of_symbol: Mapping[Measure, Callable[[str], int | None]] = {
            Measure.PRICE: self._price,
            Measure.CHANGE: market.change_bps,
            Measure.VOLUME: self._volume,
            Measure.CIRCUIT: self._circuit,
        }
        self._of_desk: Mapping[Measure, Callable[[AlertCondition], int | None]] = {
            Measure.FEED: self._feed,
            Measure.DRIFT: self._drift,
            Measure.HALTED: lambda _: int(any(one.stops_desk for one in self._book.halts)),
            Measure.LATENCY: self._latency,
            Measure.ERRORS: self._errors,
        }
        self._of_client: Mapping[Measure, Callable[[AlertCondition, int], int | None]] = {
            Measure.PNL: lambda one, client: self._pnl(one, (client,)),
            Measure.CASH: lambda _, client: self._book.funds[client].available_paise,
            Measure.PORTFOLIO: self._portfolio,
            Measure.MTF: lambda _, client: self._book.funds[client].mtf_used_bps,
            Measure.SHARES: self._shares,
            Measure.WEIGHT: self._weight,
            Measure.SESSION: lambda _, client: int(
                self._book.clients[client].session is SessionState.EXPIRED
            ),
            Measure.REJECTED: lambda _, client: self._rejected((client,)),
            Measure.CIRCUIT: lambda _, client: self._any_circuit((client,)),
            Measure.REJECTS: lambda _, client: self._rejects((client,)),
            Measure.UNKNOWN: lambda _, client: self._unknown((client,)),
            Measure.BREAKS: lambda _, client: self._breaks((client,)),
        }
        self._of_many: Mapping[Measure, Callable[[AlertCondition, Ids], int | None]] = {
            Measure.PNL: self._pnl,
            Measure.CIRCUIT: lambda _, ids: self._any_circuit(ids),
            Measure.REJECTS: lambda _, ids: self._rejects(ids),
            Measure.UNKNOWN: lambda _, ids: self._unknown(ids),
            Measure.BREAKS: lambda _, ids: self._breaks(ids),
        }

    def begin(self) -> None:
        """Forget what was read: a new look begins."""
        self._read.clear()

    def of(self, one: AlertCondition, clients: Ids) -> Mapping[int, int | None]:
        """A condition's figures: of each of these clients, or of `DESK` where it is one figure."""
        measure = one.measure
        if one.key and measure in self._of_symbol:
            return {DESK: self._symbol(measure, one.key)}
        if measure in self._of_desk:
            return {DESK: self._of_desk[measure](one)}
        if one.each:
            read, book = self._of_client[measure], self._book
            return {client: read(one, client) for client in clients if client in book.funds}
        return {DESK: self._of_many[measure](one, clients)}

    # --- of a symbol ---

    def _symbol(self, measure: Measure, key: str) -> int | None:
        found = self._read.get((measure, key), DESK - 1)
        if found == DESK - 1 or found is None:
            fresh = not self._market.stale(key)
            found = self._read[measure, key] = self._of_symbol[measure](key) if fresh else None
        return found

    def _price(self, key: str) -> int | None:
        quote = self._market.quote(key)
        return quote.last_paise if quote is not None and quote.last_paise > 0 else None

    def _volume(self, key: str) -> int | None:
        quote = self._market.quote(key)
        return None if quote is None else quote.volume

    def _circuit(self, key: str) -> int | None:
        """1 where the day's high or low has been at the band's end, which no look between can miss."""
        quote = self._market.quote(key)
        if quote is None or not quote.upper_circuit_paise or not quote.lower_circuit_paise:
            return None
        up = max(quote.high_paise, quote.last_paise) >= quote.upper_circuit_paise
        low = min(quote.low_paise, quote.last_paise) if quote.low_paise else quote.last_paise
        return int(up or 0 < low <= quote.lower_circuit_paise)

    # --- of clients ---

    def _held(self, client: int, key: str = "") -> list[HoldingView]:
        found = self._book.holdings.get(client, ())
        return [one for one in found if one.quantity and (not key or one.key == key)]

    def _pnl(self, one: AlertCondition, ids: Ids) -> int | None:
        ids = list(ids)
        if one.key:
            return self._pnl_in(one, ids)
        if self._market.any_stale(self._valuation.keys_of(ids)) or self._valuation.unpriced(ids):
            return None
        value: ClientValue = self._valuation.total(ids)
        return value.net_day_bps if one.percent else value.net_day_pnl_paise

    def _pnl_in(self, one: AlertCondition, ids: Ids) -> int | None:
        """Of the shares of one symbol alone; its percentage is of what they were worth at the opening."""
        held = [holding for client in ids for holding in self._held(client, one.key)]
        if not held or self._market.stale(one.key):
            return None
        worth = self._valuation.together(held)
        net = worth.net_day_pnl_paise
        if net is None or not one.percent:
            return net
        opening = worth.value_paise - net
        return half_up(net * BPS, opening) if opening > 0 else None

    def _portfolio(self, one: AlertCondition, client: int) -> int | None:
        if self._market.any_stale(self._valuation.keys_of((client,))):
            return None
        worth = self._valuation.client(client).portfolio_paise
        capital = self._book.clients[client].capital_paise
        if not one.percent:
            return worth
        return half_up(worth * BPS, capital) if capital > 0 else None

    def _shares(self, one: AlertCondition, client: int) -> int | None:
        return sum(holding.quantity for holding in self._held(client, one.key))

    def _weight(self, one: AlertCondition, client: int) -> int | None:
        if self._market.any_stale(self._valuation.keys_of((client,))):
            return None
        worth: dict[str, int] = {}
        for holding in self._held(client, one.key):
            value = self._valuation.holding(holding).value_paise
            worth[holding.key] = worth.get(holding.key, 0) + value
        portfolio = self._valuation.client(client).portfolio_paise
        return half_up(max(worth.values(), default=0) * BPS, portfolio) if portfolio > 0 else None

    def _any_circuit(self, ids: Ids) -> int | None:
        keys = {holding.key for client in ids for holding in self._held(client)}
        return int(any(self._symbol(Measure.CIRCUIT, key) for key in keys))

    def _orders(self, ids: Ids) -> Iterable[OrderView]:
        book, day = self._book, self._timing.market.trading_day
        for client in ids:
            for order_id in book.orders_of_client.get(client, ()):
                order = book.orders[order_id]
                if order.trading_date == day:
                    yield order

    def _rejected(self, ids: Ids) -> int:
        """Orders of today that the broker had taken and rejected then."""
        rejected = (one for one in self._orders(ids) if one.state is OrderState.REJECTED)
        return sum(one.broker_order_id is not None for one in rejected)

    def _rejects(self, ids: Ids) -> int | None:
        """Of the orders that were answered lately the share that was rejected; of few it says nothing."""
        since = self._timing.wall.now() - RATE_OVER
        lately = [one for one in self._orders(ids) if one.sent_at is not None and one.updated_at >= since]
        rejected = sum(one.state is OrderState.REJECTED for one in lately)
        answered = rejected + sum(one.state in _ENDED_WELL for one in lately)
        return half_up(rejected * BPS, answered) if answered >= FEWEST_ORDERS else None

    def _unknown(self, ids: Ids) -> int:
        return sum(one.state is OrderState.UNKNOWN for one in self._orders(ids))

    def _breaks(self, ids: Ids) -> int:
        return sum(len(self._book.breaks.get(client, ())) for client in ids)

    # --- of the desk ---

    def _feed(self, _: AlertCondition) -> int | None:
        age = self._market.feed_age()
        return None if age is None else int(age * 1000)

    def _drift(self, _: AlertCondition) -> int | None:
        """How far the price of a run that goes on has left its plan's, of several the farthest."""
        book, drifts = self._book, list[int]()
        for run in book.runs.values():
            if run.status is not RunStatus.RUNNING or run.finished_at is not None or not run.priced_paise:
                continue
            keys = {book.orders[order_id].key for order_id in book.orders_of_run.get(run.number, ())}
            for key in keys if len(keys) == 1 else ():
                last = self._symbol(Measure.PRICE, key)
                moved = None if last is None else moved_bps(run.priced_paise, last)
                if moved is not None:
                    drifts.append(abs(moved))
        return max(drifts, default=None)

    def _met(self, one: AlertCondition) -> Iterable[CallFigures]:
        """What the calls of a connection took and became lately, or those of each of them."""
        named = [
            found
            for found in self._connections
            if not one.connection or found.name.casefold() == one.connection
        ]
        return [found.broker.meter.lately() for found in named]

    def _latency(self, one: AlertCondition) -> int | None:
        found = [met.p95_ms for met in self._met(one)]
        return max((value for value in found if value is not None), default=None)

    def _errors(self, one: AlertCondition) -> int | None:
        found = [met.errors_bps for met in self._met(one)]
        return max((value for value in found if value is not None), default=None)

"""So much of a desk as the short reads print, made of books at rest by SQL alone."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property

from msgspec import Struct

from data.clock import Clock, SystemClock
from data.closed_sales import ClosedSale, NotedDay
from data.engines import short_reads as sql
from data.engines.at_rest import FileAtRest
from data.engines.reading import rows
from data.roster import InGroup, StoredClient, StoredRule
from data.vocabulary import ClientStatus, RouteKind
from engine.accounts.round_trips import Transaction, round_trips
from engine.book.access_views import Admission
from engine.book.break_views import BreakView
from engine.book.roster import client_view, in_groups
from engine.book.views import ClientView, FundsView, OrderView, RunRow
from engine.execution.views import RunView, run_view
from engine.halt.certificate import Certificate


class NotShort(Exception):  # noqa: N818 - reads as a state
    """The books are not at rest, or something else needs an open desk."""


class RestingClock(Struct, frozen=True):
    """A market's time that stands."""

    at: datetime
    trading_day: date

    def now(self) -> datetime:
        """Aware UTC time of the market."""
        return self.at


class RestingDesk:
    """The services of a desk that the short reads ask, each with what they ask of it."""

    market_is_simulated = True

    def __init__(self, books: FileAtRest, market_clock: RestingClock) -> None:
        self.clock = SystemClock()
        self.market_clock = market_clock
        self.clients = RestingClients(books, market_clock.trading_day)
        self.orders = RestingOrders(books, market_clock.trading_day)
        self.runs = RestingRuns(books, self.orders, market_clock.trading_day, self.clock)
        self.reconcile = RestingBreaks(books)
        self.funds = RestingFunds(books)
        self.holdings = RestingHoldings(books)
        self.halt = RestingHalts(books)


class RestingClient(Struct, frozen=True):
    """What of a client its rows are printed with."""

    id: int
    code: str


class RestingClients:
    """Clients, of whom nothing but the code is read before all of them are asked for."""

    def __init__(self, books: FileAtRest, day: date) -> None:
        self._books, self._day = books, day
        found = books.execute("SELECT id, code FROM client")
        self._clients: Mapping[int, RestingClient] = {row[0]: RestingClient(*row) for row in found}

    def find(self, code_or_id: str) -> RestingClient:
        """A client by code or id. Raises `NotShort` where none has it."""
        text = code_or_id.strip()
        for client in self._clients.values():
            if client.code.upper() == text.upper():
                return client
        if text.isdecimal() and int(text) in self._clients:
            return self._clients[int(text)]
        raise NotShort

    def get(self, number: int) -> RestingClient:
        """One client. Raises `KeyError`."""
        return self._clients[number]

    def all(self) -> list[ClientView]:
        """Every client that is not closed, by code; paper, which carries all of them, lets it trade."""
        return [client for client in self._views if client.status is not ClientStatus.CLOSED]

    def closed(self) -> list[ClientView]:
        """Every client that is closed, by code."""
        return [client for client in self._views if client.status is ClientStatus.CLOSED]

    def groups(self) -> list[str]:
        """All group names."""
        return sorted({name for client in self.all() for name in client.groups})

    def ready_count(self) -> int:
        """Clients with nothing against trading."""
        return sum(client.gate is None for client in self._views)

    @cached_property
    def _views(self) -> Sequence[ClientView]:
        if rows(self._books, StoredRule, sql.GROUP_RULES, sql.GROUP_RULES_GIVEN):
            raise NotShort  # whom a rule is true of, an open desk knows
        groups = in_groups(rows(self._books, InGroup, sql.GROUPS, sql.GROUPS_GIVEN))
        day = self._day.isoformat()
        stored = rows(self._books, StoredClient, sql.CLIENTS, sql.CLIENTS_GIVEN, day=day)
        if any(one.paused_until is not None for one in stored):
            raise NotShort  # its time may have come, and an open desk ends it
        return [client_view(one, _on_paper(one), groups.get(one.id, ())) for one in stored]


def _on_paper(client: StoredClient) -> Admission:
    """What the gate makes of a client on the paper exchange, where neither route nor consent is asked for."""
    return Admission(client.session, RouteKind.PAPER.value, None, None, authorised=True)


class RestingOrders:
    """Orders of the day and of the one before, none of them live."""

    def __init__(self, books: FileAtRest, day: date) -> None:
        self._books, self._day = books, day

    def all(self, live: bool | None, client_id: int | None, run: int | None, today: bool) -> list[OrderView]:
        """Orders by the given marks, the newest first. Raises `NotShort` for those that live."""
        if live is not None:
            raise NotShort
        found = [
            order
            for order in rows(self._books, OrderView, sql.ORDERS, sql.ORDERS_GIVEN, day=self._day.isoformat())
            if (not today or order.trading_date >= self._day)
            and (client_id is None or order.client_id == client_id)
            and (run is None or order.run_number == run)
        ]
        return sorted(found, key=lambda order: -order.id)

    def by_run(self) -> dict[int, list[OrderView]]:
        """The same by the numbers of their runs, the oldest first."""
        day = self._day.isoformat()
        return _by_run(rows(self._books, OrderView, sql.ORDERS, sql.ORDERS_GIVEN, day=day))

    def by_run_of(self, day: date) -> dict[int, list[OrderView]]:
        """Those of a trading day, however long ago, by the numbers of their runs, the oldest first."""
        of_day = sql.ORDERS_OF_DAY, sql.ORDERS_OF_DAY_GIVEN
        return _by_run(rows(self._books, OrderView, *of_day, day=day.isoformat()))


def _by_run(orders: Iterable[OrderView]) -> dict[int, list[OrderView]]:
    found: dict[int, list[OrderView]] = defaultdict(list)
    for order in sorted(orders, key=lambda order: order.id):
        if order.run_number is not None:
            found[order.run_number].append(order)
    return found


class RestingRuns:
    """Runs, all of which have ended."""

    def __init__(self, books: FileAtRest, orders: RestingOrders, day: date, clock: Clock) -> None:
        self._books, self._orders, self._day, self._clock = books, orders, day, clock

    def of_today(self) -> list[RunView]:
        """Runs of the trading day and for later ones, newest first."""
        return [run for run in self._made(self._orders.by_run()) if run.trading_date >= self._day]

    async def of_day(self, day: date) -> list[RunView]:
        """The runs whose orders are of that trading day, newest first."""
        return self._made(self._orders.by_run_of(day))

    def _made(self, orders: Mapping[int, Sequence[OrderView]]) -> list[RunView]:
        numbers = json.dumps(list(orders))
        stored = rows(self._books, RunRow, sql.RUNS, sql.RUNS_GIVEN, numbers=numbers)
        now = self._clock.now()
        return [
            run_view(run, orders[run.number], now=now, trading_day=self._day, eta_s=0.0, frozen=None)
            for run in sorted(stored, key=lambda run: -run.number)
        ]


class RestingBreaks:
    """Differences from the brokers that stand."""

    def __init__(self, books: FileAtRest) -> None:
        self._books = books

    def breaks(self, client_id: int) -> list[BreakView]:
        """Those of one client."""
        return self._found.get(client_id, [])

    @cached_property
    def _found(self) -> Mapping[int, list[BreakView]]:
        found: dict[int, list[BreakView]] = defaultdict(list)
        for text, given in ((sql.BREAKS, sql.BREAKS_GIVEN), (sql.UNBOOKED, sql.UNBOOKED_GIVEN)):
            for one in rows(self._books, BreakView, text, given):
                found[one.client_id].append(one)
        return found


class RestingFunds:
    """Balances."""

    def __init__(self, books: FileAtRest) -> None:
        self._books = books

    def all(self) -> list[FundsView]:
        """Those of every client that is not closed, in the order of their codes."""
        return [
            self._funds[row[0]]
            for row in self._books.execute("SELECT id FROM client WHERE status <> 'closed' ORDER BY code")
        ]

    def of(self, client_id: int) -> FundsView:
        """One client's. Raises `KeyError`."""
        return self._funds[client_id]

    @cached_property
    def _funds(self) -> Mapping[int, FundsView]:
        return {one.client_id: one for one in rows(self._books, FundsView, sql.FUNDS, sql.FUNDS_GIVEN)}


class RestingHoldings:
    """What clients held once."""

    def __init__(self, books: FileAtRest) -> None:
        self._books = books

    async def transactions(self, client_id: int | None) -> list[Transaction]:
        """Closed round trips, oldest first."""
        if client_id is None:
            noted = rows(self._books, NotedDay, sql.NOTED_DAYS, sql.NOTED_DAYS_GIVEN)
            return round_trips(rows(self._books, ClosedSale, sql.SALES, sql.SALES_GIVEN), noted)
        days_of_client = sql.NOTED_DAYS_OF_CLIENT, sql.NOTED_DAYS_OF_CLIENT_GIVEN
        of_client = sql.SALES_OF_CLIENT, sql.SALES_OF_CLIENT_GIVEN
        noted = rows(self._books, NotedDay, *days_of_client, client=client_id)
        return round_trips(rows(self._books, ClosedSale, *of_client, client=client_id), noted)


class RestingHalts:
    """Certificates."""

    def __init__(self, books: FileAtRest) -> None:
        found = books.execute("SELECT halt_number, body FROM halt_certificate ORDER BY version")
        self._bodies: dict[int, str] = dict(found.fetchall())  # the latest version of each comes last

    def latest(self) -> Certificate:
        """The newest. Raises `NotShort` where there is none."""
        if not self._bodies:
            raise NotShort
        return self.certificate(max(self._bodies))

    def certificate(self, number: int) -> Certificate:
        """That of a halt as last made. Raises `NotShort` where there is none."""
        if number not in self._bodies:
            raise NotShort
        return Certificate.from_json(json.loads(self._bodies[number]))

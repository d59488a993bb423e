"""So much of a desk as the short reads print, made of books at rest by SQL alone."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from data.clock import SystemClock
from data.closed_sales import ClosedSale
from data.engines import short_reads as sql
from data.engines.reading import rows
from engine.accounts.round_trips import Transaction, round_trips
from engine.book.views import FundsView, OrderView
from engine.halt.certificate import Certificate


class NotShort(Exception):  # noqa: N818 - reads as a state
    """The books are not at rest, or something else needs an open desk."""


@dataclass(frozen=True, slots=True)
class RestingClock:
    """A market's time that stands."""

    at: datetime
    trading_day: date

    def now(self) -> datetime:
        """Aware UTC time of the market."""
        return self.at


class RestingDesk:
    """The services of a desk that the short reads ask, each with what they ask of it."""

    mode = "PAPER"

    def __init__(self, books: sqlite3.Connection, market_clock: RestingClock) -> None:
        self.clock = SystemClock()
        self.market_clock = market_clock
        self.clients = RestingClients(books)
        self.orders = RestingOrders(books, market_clock.trading_day)
        self.funds = RestingFunds(books)
        self.holdings = RestingHoldings(books)
        self.halt = RestingHalts(books)


@dataclass(frozen=True, slots=True)
class RestingClient:
    """What of a client its rows are printed with."""

    id: int
    code: str


class RestingClients:
    """Clients by their codes."""

    def __init__(self, books: sqlite3.Connection) -> None:
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


class RestingOrders:
    """Orders of the day and of the one before, none of them live."""

    def __init__(self, books: sqlite3.Connection, day: date) -> None:
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


class RestingFunds:
    """Balances."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._books = books

    def all(self) -> list[FundsView]:
        """Every client's, in the order of their codes."""
        found = {one.client_id: one for one in rows(self._books, FundsView, sql.FUNDS, sql.FUNDS_GIVEN)}
        return [found[row[0]] for row in self._books.execute("SELECT id FROM client ORDER BY code")]

    def of(self, client_id: int) -> FundsView:
        """One client's."""
        return next(funds for funds in self.all() if funds.client_id == client_id)


class RestingHoldings:
    """What clients held once."""

    def __init__(self, books: sqlite3.Connection) -> None:
        self._books = books

    async def transactions(self, client_id: int | None) -> list[Transaction]:
        """Closed round trips, oldest first."""
        if client_id is None:
            return round_trips(rows(self._books, ClosedSale, sql.SALES, sql.SALES_GIVEN))
        of_client = sql.SALES_OF_CLIENT, sql.SALES_OF_CLIENT_GIVEN
        return round_trips(rows(self._books, ClosedSale, *of_client, client=client_id))


class RestingHalts:
    """Certificates."""

    def __init__(self, books: sqlite3.Connection) -> None:
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

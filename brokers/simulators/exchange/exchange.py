"""The paper exchange: a small real exchange for the demo universe, in a database of its own.

Any process may drive it. A change is one short transaction that first moves market time on by the wall's.
"""

import sqlite3
import threading
from collections.abc import Collection, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

from brokers.contract import (
    Accepted,
    BrokerError,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerTrade,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Refused,
)
from brokers.simulators.exchange import accounts
from brokers.simulators.exchange.booking import Booking
from brokers.simulators.exchange.books import ExchangeBooks, State
from brokers.simulators.exchange.day_prices import Pin, check_pinned
from brokers.simulators.exchange.days import MarketDays, beginning_us
from brokers.simulators.exchange.market import ExchangeMarket, OtherMarket, PaperMarketClock
from brokers.simulators.exchange.openings import AccountOpening, HoldingOpening, ListedInstrument
from brokers.simulators.exchange.orders import OrderFlow, first_order_id
from brokers.simulators.exchange.prices import DEMO_SEED, Listing, Quote
from brokers.simulators.exchange.schema import ParcelRow, broker_holding, broker_order, to_us
from brokers.simulators.exchange.shorts import as_holding
from brokers.simulators.exchange.tables import connect
from brokers.simulators.faults.mishaps import Mishaps
from data.clock import Clock
from data.records import replace
from data.reference.instruments import at_broker
from data.reference.phases import Calendar
from data.vocabulary import Policy

DEMO_DAY = date(2026, 11, 18)
"""The demo's fixed first trading date."""

LONGEST_STEP_US = 2_000_000
"""Market time that one advance makes up for at most: a desk shut overnight does not jump."""


class ExchangeBusy(BrokerError):  # noqa: N818 - what it is
    """Another process holds the file too long; nothing was read or changed."""


class PaperExchange:
    """Opens the exchange's file, or one in memory for `path=None`, and makes it if it is not there.

    Seed and first day count when it is made; then the stored ones stand. A day begins when continuous trading
    opens, or at `begins` in India where that is earlier. Methods may be called from any thread.
    """

    def __init__(
        self,
        path: Path | None,
        clock: Clock,
        calendar: Calendar,
        *,
        policy: Policy = Policy.WORST,
        seed: int = DEMO_SEED,
        first_day: date = DEMO_DAY,
        begins: time | None = None,
    ) -> None:
        self.in_memory = path is None
        self._clock = clock
        self._lock = threading.RLock()
        self.database = connect(path)
        self.books = ExchangeBooks(self.database)
        self.books.open_state(
            State(
                seed,
                beginning_us(calendar, first_day, begins),
                to_us(clock.now()),
                first_day.isoformat(),
                1,
                1,
                first_order_id(first_day),
            )
        )
        state = self.books.state()
        self._active: State | None = None
        self._seen = (state.market_us, state.day)
        self._found = (state.market_us, to_us(clock.now()) - state.wall_us)
        self.market = ExchangeMarket(self.books, calendar, state)
        booking = Booking(self.books, self.market, policy)
        self._orders = OrderFlow(self.books, self.market, booking, policy)
        self._days = MarketDays(self.books, self.market, self._orders, calendar, begins)
        self._mishaps = Mishaps(self.books, self.market, booking)
        self.market_clock = PaperMarketClock(lambda: self._seen)

    @property
    def identity(self) -> str:
        """Random digits given when the exchange was made; a desk keeps them to know its own again."""
        with self._lock:
            return self.books.identity()

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self.database.close()

    def follow(self, other: OtherMarket) -> None:
        """Keep another market's time and days from now on, and match at its prices.

        Where that market is on an earlier day than this exchange was, time stands and no order is taken.
        """
        with self._lock:
            self.market.other = other

    @property
    def trading_day(self) -> date:
        """The date that is traded on here, as of the last advance or of the market that is followed."""
        other = self.market.other
        day = self.market_clock.trading_day
        return day if other is None else max(day, other.trading_day)

    # --- transactions and time ------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Generator[None]:
        """One short transaction, advanced to now; inside another it is a part that fails alone.

        Raises `ExchangeBusy`.
        """
        with self._lock:
            if self._active is not None:
                self.database.execute("SAVEPOINT part")
                try:
                    yield
                except BaseException:
                    self.database.execute("ROLLBACK TO part")
                    raise
                finally:
                    self.database.execute("RELEASE part")
                return
            try:
                self.database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                raise ExchangeBusy(f"The exchange is busy: {error}", "exchange_busy") from None
            try:
                self._active = state = self.books.state()
                before = replace(state)
                self.market.load(state)
                self._seen = (state.market_us, state.day)
                self.catch_up(state)
                yield
                self._orders.keep_depth()
                if state != before:
                    self.books.save_state(state)
                self.database.execute("COMMIT")
            except BaseException:
                self.market.forget()
                if self.database.in_transaction:
                    self.database.execute("ROLLBACK")
                raise
            finally:
                self._active = None
                self._orders.drop_depth()

    def advance(self) -> None:
        """Move market time on by the wall time since any process last did, two seconds at most."""
        with self.transaction():
            pass

    def jump(self, to: datetime) -> None:
        """Move market time to a later moment at once, for rehearsals; orders meet the prices of that moment.

        At or after the day's close it rolls to the next trading day's beginning.
        """
        with self.transaction():
            self._jump_to(to_us(to))

    def resume(self, longest: timedelta) -> None:
        """Let the market have gone on while no process moved it until this one opened it.

        Where that was longer than `longest`, it goes on where it was. A real one does not wait for its
        broker's server to start again.
        """
        market_us, away_us = self._found
        if LONGEST_STEP_US < away_us <= longest // timedelta(microseconds=1):
            with self.transaction():
                self._jump_to(market_us + away_us)

    def _jump_to(self, target_us: int) -> None:
        state = self._state
        self._days.move_to(state, max(state.market_us, target_us), every_second=False)
        self._seen = (state.market_us, state.day)

    @property
    def _state(self) -> State:
        if self._active is None:
            raise RuntimeError("the exchange is changed inside a transaction only")
        return self._active

    def _today(self) -> str:
        return (self._active or self.books.state()).trading_day

    def catch_up(self, state: State) -> None:
        """Bring the market to now, inside a transaction: matches, moves and rolls that have come due."""
        wall_us = to_us(self._clock.now())
        passed = wall_us - state.wall_us
        if passed > 0 or passed < -LONGEST_STEP_US:
            # Where the wall clock was set back, waiting for it to pass the old mark would stop the market.
            state.wall_us = wall_us
        if (other := self.market.other) is not None:
            self._days.follow(state, other)
        elif passed > 0:
            self._days.move_to(state, state.market_us + min(passed, LONGEST_STEP_US), every_second=True)
        self._seen = (state.market_us, state.day)

    # --- set-up and rehearsal -----------------------------------------------------------------------------

    def list_instruments(self, rows: Iterable[ListedInstrument]) -> None:
        """Add instruments, or bring the facts of known ones up to date; prices of known ones stand."""
        with self.transaction():
            self.market.add(self._state, rows)

    def set_margins(self, margins: Mapping[str, int | None]) -> None:
        """Ask for so much of a buyer's own money in MTF, by key in basis points; None lends no more."""
        with self.transaction():
            self.market.add(self._state, self.market.with_margins(margins))

    def rename(self, names: Iterable[tuple[str, str, str]]) -> None:
        """Give listings other names: each as key before, key now, and the security that stands there.

        Prices, pins, shares and orders of the day go on. Where another security stands, or none, nothing is
        done, so that the same may be said again.
        """
        with self.transaction():
            self.market.rename(self._state, names)

    def open_accounts(
        self, rows: Iterable[AccountOpening], shares_of: accounts.SharesOf = accounts.no_shares
    ) -> None:
        """Open accounts with their listed shares; of one that stands already the MTF limit alone is taken."""
        with self.transaction():
            accounts.open_accounts(self.books, self.market, rows, shares_of)

    def open_holdings(self, rows: Iterable[HoldingOpening]) -> None:
        """Give clients shares to start with; one who holds any of a security and product is passed over.

        Raises `BadInput` for an unknown instrument.
        """
        with self.transaction():
            accounts.open_holdings(self.books, self.market, rows)

    def pin(self, symbol: str, last_paise: int, prev_close_paise: int | None = None) -> None:
        """Hold a price still, at zero spread and without end of depth; orders it crosses fill at once.

        `symbol` is a tradingsymbol or `EXCHANGE:SYMBOL`. Raises `BadInput` for an unknown symbol, or for a
        price that is off its tick or outside the day's band.
        """
        with self.transaction():
            instrument = self.market.listing(symbol).instrument
            prev = prev_close_paise or instrument.prev_close_paise or last_paise
            check_pinned(instrument, last_paise, prev)
            self._set_pin(instrument.key, Pin(last_paise, prev))

    def unpin(self, symbol: str) -> None:
        """Let a price walk again. Raises `BadInput` for an unknown symbol."""
        with self.transaction():
            self._set_pin(self.market.listing(symbol).instrument.key, None)

    def _set_pin(self, key: str, pin: Pin | None) -> None:
        self.books.depth.pin(key, pin)
        self._state.pin_version += 1
        self.market.load(self._state)
        self._days.meet(self._state, key)

    # --- orders -------------------------------------------------------------------------------------------

    def place(self, user_id: str, request: OrderRequest, at_most: int | None = None) -> Accepted | Refused:
        """Take an order, or refuse it in a broker's words; a marketable one trades before this returns.

        Where `at_most` is given, no more of its shares trade until `allow`, or the process's end.
        """
        with self.transaction():
            if (other := self.market.other) is not None:
                if other.trading_day != self._state.day:
                    return Refused("market_closed", "The market is closed: orders are not accepted now.")
                self._list_as(other, f"{request.exchange}:{request.tradingsymbol}")
            return self._orders.place(self._state, user_id, request, at_most)

    def _list_as(self, other: OtherMarket, key: str) -> None:
        """List an instrument that the market which is followed knows, and this exchange does not yet."""
        if key in self.market.listings or (instrument := other.instrument(key)) is None:
            return
        price = quote.last_paise if (quote := other.quote(key)) else instrument.prev_close_paise
        self.list_instruments([Listing(at_broker(instrument, ""), price, price, price, price, 0)])

    def modify(self, user_id: str, broker_order_id: str, change: OrderChange) -> Accepted | Refused:
        """Change a live order."""
        with self.transaction():
            return self._orders.modify(self._state, user_id, broker_order_id, change)

    def cancel(self, user_id: str, broker_order_id: str) -> Accepted | Refused:
        """Take a live order out of the book."""
        with self.transaction():
            return self._orders.cancel(self._state, user_id, broker_order_id)

    # --- mishaps ------------------------------------------------------------------------------------------

    def allow(self, user_id: str, broker_order_id: str, quantity: int | None) -> Accepted | Refused:
        """Let `quantity` more shares trade of an order placed with `at_most`; with None all that is left."""
        with self.transaction():
            return self._orders.allow(self._state, user_id, broker_order_id, quantity)

    def overfill(self, user_id: str, broker_order_id: str, quantity: int) -> Accepted | Refused:
        """Trade `quantity` shares beyond an order's own, at the price of its newest trade.

        Of a live order the rest trades too. Money and shares follow as with any trade, except that a buy
        takes the account's cash no lower than nothing: the rest is owed, and the day's close collects it as
        far as the cash goes.
        """
        with self.transaction():
            return self._mishaps.overfill(self._state, user_id, broker_order_id, quantity)

    def resurrect(self, user_id: str, broker_order_id: str) -> Accepted | Refused:
        """Make a cancelled order of today live again.

        It blocks as far as the account's money goes; fills pay from that block first, then from the cash, and
        what neither pays is owed. It meets the book at the next second of market time.
        """
        with self.transaction():
            return self._mishaps.resurrect(self._state, user_id, broker_order_id)

    # --- reading ------------------------------------------------------------------------------------------

    def listings(self) -> list[Listing]:
        """All instruments with the figures their day started from."""
        with self._lock:
            return list(self.market.listings.values())

    def quotes(self, keys: Collection[str]) -> Mapping[str, Quote]:
        """The market now, after an advance; unknown keys are missing."""
        with self.transaction():
            at_us = self._state.market_us
            return {key: self.market.quote(key, at_us) for key in keys if key in self.market.listings}

    def funds(self, user_id: str) -> BrokerFunds:
        """A client's money. Raises `BrokerError` for an unknown client, as all reading does."""
        with self._lock:
            account = self.books.account(user_id)
            return BrokerFunds(
                available_paise=account.available_paise,
                blocked_paise=account.blocked_paise,
                mtf_limit_paise=account.mtf_limit_paise,
                mtf_loan_paise=account.mtf_loan_paise,
                as_of=self._clock.now(),
            )

    def held(self, user_id: str) -> int:
        """Money blocked beside what open orders and shorts block, such as a payout under way, in paise."""
        with self._lock:
            return self.books.account(user_id).blocked_paise - self.books.money_blocked(user_id)

    def holdings(self, user_id: str) -> list[BrokerHolding]:
        """A client's shares by security and product."""
        with self._lock:
            self.books.account(user_id)
            blocked, today, listed = self.books.shares_blocked(user_id), self._today(), self.market.listings
            groups: dict[tuple[str, str], list[ParcelRow]] = {}
            for parcel in self.books.parcels(user_id):
                groups.setdefault((parcel.security, parcel.product), []).append(parcel)
            shorts = [as_holding(s, listed[s.key].instrument) for s in self.books.shorts.of_user(user_id)]
            return shorts + [
                broker_holding(listed[parcels[0].key].instrument, parcels, today, blocked.get(group, 0))
                for group, parcels in groups.items()
            ]

    def orders(self, user_id: str) -> list[BrokerOrder]:
        """A client's order book of the trading day."""
        with self._lock:
            self.books.account(user_id)
            return [broker_order(row) for row in self.books.orders(user_id, self._today())]

    def trades(self, user_id: str) -> list[BrokerTrade]:
        """A client's fills of the trading day."""
        with self._lock:
            self.books.account(user_id)
            return self.books.trades(user_id, self._today())

    def last_event(self) -> int:
        """The number of the newest order event of any process."""
        with self._lock:
            return self.books.last_event()

    def updates_after(self, seq: int) -> list[tuple[int, OrderUpdate]]:
        """Order events of all accounts and processes above `seq`, in order."""
        with self._lock:
            return self.books.updates_after(seq)

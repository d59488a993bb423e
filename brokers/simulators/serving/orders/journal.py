"""The order books: what is kept of each order, how it reads, and what is announced of it.

What becomes of an order on its way to the exchange and back is worked out in `ways.py`.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import date
from typing import Protocol

from brokers.contract import BrokerTrade
from brokers.simulators.exchange.prices import Listing
from brokers.simulators.serving.answers import Row
from brokers.simulators.serving.keeping import Keeping
from brokers.simulators.serving.mishaps import MishapRules
from brokers.simulators.serving.orders.entries import UPDATE, Entry, entry_from
from brokers.simulators.serving.venue import Venue
from data.clock import Clock

OrderListener = Callable[[str, Row], None]
"""Told a user id and an order row as the socket carries it."""


class Wording(Protocol):
    """How one broker's books tell an order. Its ids are `id_prefix` and `id_digits` digits.

    `status_field` has an order's status in its row, `unheard_of` is one that is in no list: brokers say that
    theirs are not exhaustive.
    """

    @property
    def id_prefix(self) -> str:
        """What an order's id begins with."""
        ...

    @property
    def id_digits(self) -> int:
        """Digits of an order's id, the date's six among them."""
        ...

    @property
    def status_field(self) -> str:
        """The field of a row that has the status."""
        ...

    @property
    def unheard_of(self) -> str:
        """A status without a meaning."""
        ...

    def tells_every_step(self) -> bool:
        """Whether each status is announced, or fills, ends, modifications and triggers alone."""
        ...

    def order_row(self, entry: Entry, listing: Listing | None) -> Row:
        """A row of the order book."""
        ...

    def history_row(self, entry: Entry, row: Row) -> Row:
        """One state of an order's history, `row` being its row then."""
        ...

    def update_row(self, entry: Entry, row: Row, event: str) -> Row:
        """What the stream carries of a change; `event` is a status, or `UPDATE`."""
        ...


class Journal:
    """The order books of every user."""

    def __init__(
        self, wording: Wording, venue: Venue, clock: Clock, mishaps: MishapRules, keeping: Keeping
    ) -> None:
        self._wording = wording
        self._venue = venue
        self._clock = clock
        self._mishaps = mishaps
        self._keeping = keeping
        self._books: dict[str, dict[str, Entry]] = {}
        self._listeners: list[OrderListener] = []
        self._last_id = 0
        self.is_quiet = False
        """Whether nothing is announced, since the exchange tells what it told before."""

    def load(self) -> None:
        """Read what was kept; orders of earlier days are dropped."""
        today = self.today()
        for key, body in self._keeping.all("order"):
            entry = entry_from(body)
            self._last_id = max(self._last_id, int(key.removeprefix(self._wording.id_prefix)))
            if entry.day == today or entry.held:
                self.add(entry)
            else:
                self._keeping.drop("order", key)

    @contextmanager
    def quiet(self) -> Generator[None]:
        """Announce nothing meanwhile."""
        self.is_quiet = True
        try:
            yield
        finally:
            self.is_quiet = False

    def listen(self, listener: OrderListener) -> None:
        """Tell `listener` of every change that the broker announces."""
        self._listeners.append(listener)

    # --- reading ------------------------------------------------------------------------------------------

    def book(self, user_id: str) -> list[Entry]:
        """A user's orders of the trading day, oldest first, without those that do not show yet."""
        now, today = self._clock.monotonic(), self.today()
        entries = self.of_user(user_id)
        return [
            entry for entry in entries if entry.hidden_until <= now and (entry.day == today or entry.held)
        ]

    def of_user(self, user_id: str) -> Iterable[Entry]:
        """All that is kept of a user, shown or not."""
        return self._books.get(user_id, {}).values()

    def find(self, user_id: str, order_id: str) -> Entry | None:
        """One of a user's orders of the day."""
        entry = self._books.get(user_id, {}).get(order_id)
        return entry if entry is not None and (entry.day == self.today() or entry.held) else None

    def trades(self, user_id: str) -> list[tuple[Entry, BrokerTrade]]:
        """A user's fills of the trading day with their orders, oldest first."""
        traded = [(entry, trade) for entry in self.book(user_id) for trade in entry.trades]
        return sorted(traded, key=lambda pair: (pair[1].traded_at, pair[1].trade_id))

    def row(self, entry: Entry) -> Row:
        """An order's row as it stands."""
        if entry.row is None:
            entry.row = self._wording.order_row(entry, self._venue.listing(entry.key))
        if entry.masked_until > self._clock.monotonic():
            return {**entry.row, self._wording.status_field: self._wording.unheard_of}
        return entry.row

    def counts(self) -> dict[str, int]:
        """How many orders of the day stand at each status."""
        counts: dict[str, int] = {}
        for entry in self.entries():
            counts[entry.status] = counts.get(entry.status, 0) + 1
        return counts

    # --- keeping and telling ------------------------------------------------------------------------------

    def note(self, entry: Entry, status: str) -> None:
        """Keep that an order stands at a status now."""
        entry.status, entry.row = status, None
        entry.history.append(self._wording.history_row(entry, self.row(entry)))
        self._keeping.put("order", entry.order_id, entry.kept())
        if self._wording.tells_every_step():
            self._tell(entry, status)

    def announce(self, entry: Entry, event: str) -> None:
        """Tell every listener of an order, unless its status has told it already."""
        if event == UPDATE or not self._wording.tells_every_step():
            self._tell(entry, event)

    def _tell(self, entry: Entry, event: str) -> None:
        if self.is_quiet or not self._listeners:
            return
        row = self._wording.update_row(entry, self.row(entry), event)
        for sent in self._mishaps.updates(entry.user_id, row):
            for listener in self._listeners:
                listener(entry.user_id, sent)

    def add(self, entry: Entry) -> None:
        """Take an order into its user's book."""
        self._books.setdefault(entry.user_id, {})[entry.order_id] = entry

    def forget(self, entry: Entry) -> None:
        """Take an order out of its user's book, and keep it no longer."""
        self._books[entry.user_id].pop(entry.order_id, None)
        self._keeping.drop("order", entry.order_id)

    def entries(self) -> Iterable[Entry]:
        """Every order kept, of all users."""
        return (entry for book in self._books.values() for entry in book.values())

    def today(self) -> str:
        """The trading day that the books are of."""
        return self._venue.market.trading_day.isoformat()

    def new_id(self) -> str:
        """An id whose digits begin with the date; the exchange's own ids stay below a day's nine."""
        first = int(f"{date.fromisoformat(self.today()):%y%m%d}9") * 10 ** (self._wording.id_digits - 7)
        self._last_id = max(self._last_id + 1, first + 1)
        return f"{self._wording.id_prefix}{self._last_id}"

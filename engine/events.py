"""What happened on the desk, told to whoever listens after the commit that made it true."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from engine.news import News


class Event(Struct, frozen=True):
    """Something that is durable by the time it is heard."""


class ClientsChanged(Event, frozen=True):
    """Clients were added or edited; an empty set of ids means all."""

    client_ids: frozenset[int]


class SessionsChanged(Event, frozen=True):
    """These clients signed in, were signed out, or their sign-in moved on."""

    client_ids: frozenset[int]


class FundsChanged(Event, frozen=True):
    """Balances or holdings of these clients changed."""

    client_ids: frozenset[int]


class OrderChanged(Event, frozen=True):
    """Orders changed state or figures."""

    order_ids: frozenset[int]
    client_ids: frozenset[int]


class OrderFilled(Event, frozen=True):
    """One fill was booked; price in paise."""

    order_id: int
    client_id: int
    quantity: int
    price_paise: int


class ExternalOrderTraded(Event, frozen=True):
    """An order of this client that is not from this desk has traded: its books at the broker are others."""

    client_id: int


class ExternalOrderSeen(Event, frozen=True):
    """An order of this client that is not from this desk was seen for the first time, or has changed."""

    client_id: int


class OwedChanged(Event, frozen=True):
    """What this client has sold within the day and not bought back is something else than was read before."""

    client_id: int


class PositionsWanted(Event, frozen=True):
    """Orders of these clients wait until their positions have been read again."""

    client_ids: frozenset[int]


class PlanFrozen(Event, frozen=True):
    """A plan was numbered and stored."""

    number: int


class PlanApproved(Event, frozen=True):
    """Somebody has confirmed a plan of somebody else's."""

    number: int


class RunChanged(Event, frozen=True):
    """A run started, moved on or ended."""

    number: int


class HaltChanged(Event, frozen=True):
    """A halt was fired, its certificate moved on, or it was resumed."""

    number: int


class MarketHaltChanged(Event, frozen=True):
    """The whole market was halted, or a trader said that it is open."""


class FlattenChanged(Event, frozen=True):
    """A flatten began, one of its positions moved on, or it has its certificate."""

    number: int


class ChaseChanged(Event, frozen=True):
    """A chase of this order began or ended."""

    order_id: int


class AlertRaised(Event, frozen=True):
    """An alert was raised, under this number; the day's alerts are to be read again."""

    number: int


class AlertsChanged(Event, frozen=True):
    """The day's alerts were read again: one was raised, put off or done with."""


class AlertRulesChanged(Event, frozen=True):
    """A rule of alerts was made, changed or taken away, or has come."""


class OutboxChanged(Event, frozen=True):
    """An alert was taken by a channel, or was not."""


class JobsChanged(Event, frozen=True):
    """A job was asked for, taken back, or has moved on."""


class GuardsChanged(Event, frozen=True):
    """A guard was set, changed or taken away; one has tripped, or is armed again."""


class GuardsLooked(Event, frozen=True):
    """Guards' bars have moved, or they stand otherwise; those of single clients are of these."""

    client_ids: frozenset[int]


class WatchlistChanged(Event, frozen=True):
    """A watchlist gained or lost an instrument."""

    list_name: str


class LimitsChanged(Event, frozen=True):
    """A limit before the order was set or taken away, or a list of shares was imported."""


class PeopleChanged(Event, frozen=True):
    """Somebody was added, may do something else than before, signed in or was signed out."""


TAPE_LINES = 200
"""Lines that a tape keeps."""


class InstrumentsRenamed(Event, frozen=True):
    """Instruments have other names: `moved` gives the key of now by the one before."""

    moved: Mapping[str, str]


class TapeLine(Event, frozen=True):
    """One line for the tape: a run or an event, never a fill.

    `client_ids` are those of whom it is, where neither the news nor what it opens says it; None for all.
    """

    at: datetime
    news: News
    client_ids: frozenset[int] | None = None


class StoreTrouble(Event, frozen=True):
    """The database cannot be written: new orders stop, cancels still go. Empty when it works again."""

    message: str


Listener = Callable[[Event], None]


class Bus:
    """Calls each listener in turn on the event loop; a listener that fails does not stop the others."""

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._on_failure = on_failure

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every event from now on. Returns the function that ends it."""
        self._listeners += (listener,)

        def unsubscribe() -> None:
            if listener in self._listeners:
                at = self._listeners.index(listener)
                self._listeners = self._listeners[:at] + self._listeners[at + 1 :]

        return unsubscribe

    def publish(self, events: Iterable[Event]) -> None:
        """Tell all listeners, in order."""
        for event in events:
            for listener in self._listeners:
                try:
                    listener(event)
                except Exception as problem:
                    self._on_failure(problem)

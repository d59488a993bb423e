"""What happened on the desk, told to whoever listens after the commit that made it true."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.news import News


@dataclass(frozen=True, slots=True)
class Event:
    """Something that is durable by the time it is heard."""


@dataclass(frozen=True, slots=True)
class ClientsChanged(Event):
    """Clients were added or edited; an empty set of ids means all."""

    client_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class SessionsChanged(Event):
    """These clients signed in, were signed out, or their sign-in moved on."""

    client_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class FundsChanged(Event):
    """Balances or holdings of these clients changed."""

    client_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class OrderChanged(Event):
    """Orders changed state or figures."""

    order_ids: frozenset[int]
    client_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class OrderFilled(Event):
    """One fill was booked; price in paise."""

    order_id: int
    client_id: int
    quantity: int
    price_paise: int


@dataclass(frozen=True, slots=True)
class ExternalOrderTraded(Event):
    """An order of this client that is not from this desk has traded: its books at the broker are others."""

    client_id: int


@dataclass(frozen=True, slots=True)
class PositionsWanted(Event):
    """Orders of these clients wait until their positions have been read again."""

    client_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class PlanFrozen(Event):
    """A plan was numbered and stored."""

    number: int


@dataclass(frozen=True, slots=True)
class RunChanged(Event):
    """A run started, moved on or ended."""

    number: int


@dataclass(frozen=True, slots=True)
class HaltChanged(Event):
    """A halt was fired, its certificate moved on, or it was resumed."""

    number: int


@dataclass(frozen=True, slots=True)
class FlattenChanged(Event):
    """A flatten began, one of its positions moved on, or it has its certificate."""

    number: int


@dataclass(frozen=True, slots=True)
class ChaseChanged(Event):
    """A chase of this order began or ended."""

    order_id: int


@dataclass(frozen=True, slots=True)
class WatchlistChanged(Event):
    """A watchlist gained or lost an instrument."""

    list_name: str


TAPE_LINES = 200
"""Lines that a tape keeps."""


@dataclass(frozen=True, slots=True)
class InstrumentsRenamed(Event):
    """Instruments have other names: `moved` gives the key of now by the one before."""

    moved: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TapeLine(Event):
    """One line for the tape: a run or an event, never a fill."""

    at: datetime
    news: News


@dataclass(frozen=True, slots=True)
class StoreTrouble(Event):
    """The database cannot be written: new orders stop, cancels still go. Empty when it works again."""

    message: str


Listener = Callable[[Event], None]


class Bus:
    """Calls each listener in turn on the event loop; a listener that fails does not stop the others."""

    def __init__(self, on_failure: Callable[[Exception], None]) -> None:
        self._listeners: list[Listener] = []
        self._on_failure = on_failure

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hear every event from now on. Returns the function that ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, events: Iterable[Event]) -> None:
        """Tell all listeners, in order."""
        for event in events:
            for listener in tuple(self._listeners):
                try:
                    listener(event)
                except Exception as problem:
                    self._on_failure(problem)

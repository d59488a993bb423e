"""What happened on the desk as people hear it: of clients of their scope alone."""

from collections.abc import Callable, Iterable

from data.acting import acting_now
from engine.book.book import Book
from engine.events import (
    Bus,
    ChaseChanged,
    ClientsChanged,
    Event,
    ExternalOrderSeen,
    ExternalOrderTraded,
    FundsChanged,
    GuardsLooked,
    HaltChanged,
    OrderChanged,
    OrderFilled,
    PeopleChanged,
    PositionsWanted,
    RunChanged,
    SessionsChanged,
    StoreTrouble,
    TapeLine,
)
from engine.execution.changes.chase_news import ChasesLost
from engine.news import ClientNews, Page
from engine.people.who import WhoActs

WITHOUT_ANYBODY = (PeopleChanged, StoreTrouble, HaltChanged)
"""What is told where no sign-in stands: a screen locks by it, and says that the desk is halted."""


def heard_as(event: Event, scope: frozenset[int], book: Book) -> Event | None:
    """An event as somebody with this scope hears it, of their clients alone; None where they do not."""
    match event:
        case OrderChanged(order_ids=order_ids, client_ids=client_ids):
            orders = frozenset(one for one in order_ids if _is_of_scope(Page.ORDER, one, scope, book))
            return OrderChanged(orders, client_ids & scope) if orders or client_ids & scope else None
        case FundsChanged() | SessionsChanged() | PositionsWanted() | ClientsChanged():
            kept = event.client_ids & scope
            return type(event)(kept) if kept else None if event.client_ids else event
        case GuardsLooked(client_ids=client_ids):
            return GuardsLooked(client_ids & scope)
        case RunChanged(number=number):
            return event if _is_of_scope(Page.RUN, number, scope, book) else None
        case ChaseChanged(order_id=order_id):
            return event if _is_of_scope(Page.ORDER, order_id, scope, book) else None
        case _:
            return event if is_heard(event, scope, book) else None


def is_heard(event: Event, scope: frozenset[int], book: Book) -> bool:
    """Whether an event is told to somebody with this scope; what names no client tells nothing of any."""
    match event:
        case OrderFilled() | ExternalOrderTraded() | ExternalOrderSeen():
            return event.client_id in scope
        case TapeLine(news=ClientNews(code=code)):
            return book.by_code.get(code.upper()) in scope
        case TapeLine(news=ChasesLost(order_ids=order_ids)):
            return all(_is_of_scope(Page.ORDER, one, scope, book) for one in order_ids)
        case TapeLine(client_ids=client_ids) if client_ids is not None:
            return client_ids <= scope
        case TapeLine(news=news) if news.subject is not None:
            return _is_of_scope(news.subject.page, news.subject.number, scope, book)
        case _:
            return True


def _is_of_scope(page: Page, number: int, scope: frozenset[int], book: Book) -> bool:
    """Whether all of a run, or an order, is of the scope. A halt is everybody's."""
    match page:
        case Page.HALT:
            return True
        case Page.RUN:
            orders = book.orders_of_run.get(number, ())
            return all(book.orders[one].client_id in scope for one in orders)
        case Page.ORDER:
            return number in book.orders and book.orders[number].client_id in scope
        case _:
            return False


class EventsForPeople(Bus):
    """A desk's events as whoever sits at it hears them."""

    def __init__(self, bus: Bus, who: WhoActs, book: Book) -> None:
        self._bus = bus
        self._who = who
        self._book = book

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Hear every event of the scope from now on; what is returned ends it."""

        asked_by = acting_now()

        def hear(event: Event) -> None:
            actor = asked_by or self._who.seat
            if not self._who.stands(actor) and not isinstance(event, WITHOUT_ANYBODY):
                return
            scope = self._who.scope_of(actor)
            heard = event if scope is None else heard_as(event, scope, self._book)
            if heard is not None:
                listener(heard)

        return self._bus.subscribe(hear)

    def publish(self, events: Iterable[Event]) -> None:
        """Tell all listeners of the desk, each of what its own scope hears."""
        self._bus.publish(events)

"""What happened on the desk as people hear it: of clients of their scope alone."""

from collections.abc import Callable, Iterable

from data.acting import acting_now
from engine.book.book import Book
from engine.events import Bus, Event, ExternalOrderSeen, ExternalOrderTraded, OrderFilled, TapeLine
from engine.news import ChasesLost, ClientNews, Page
from engine.people.who import WhoActs


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
            scope = self._who.scope_of(asked_by or self._who.seat)
            if scope is None or is_heard(event, scope, self._book):
                listener(event)

        return self._bus.subscribe(hear)

    def publish(self, events: Iterable[Event]) -> None:
        """Tell all listeners of the desk, each of what its own scope hears."""
        self._bus.publish(events)

"""What a scope of clients leaves of an answer, and what it is asked for instead of a sum over all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from data.records import replace
from data.vocabulary import HaltScope, OrderState
from engine.access.connecting import ConnectionView
from engine.accounts.equity import Equity
from engine.accounts.groups import GroupView
from engine.book.alert_views import AlertView
from engine.book.audit_views import Chapter
from engine.book.book import Book
from engine.book.people_views import PersonView
from engine.book.views import BooksCounts, ClientView, HaltView
from engine.events import TapeLine
from engine.execution.views import RunView
from engine.flatten.views import FlattenView
from engine.halt.booked import members_of
from engine.halt.certificate import Certificate
from engine.halt.halts import Exposure
from engine.people.events import is_heard
from engine.people.scoping import Ids, of_flatten, of_lines, of_person, of_preset, of_run
from engine.planning.entry.presets import Preset


class HasClient(Protocol):
    """What is of one client, or of none."""

    @property
    def client_id(self) -> int | None:
        """Whose it is."""
        ...


Row = TypeVar("Row", bound=HasClient)
Numbers = TypeVar("Numbers", list[int], tuple[int, ...], set[int], frozenset[int])


def kept_rows(result: Iterable[Row], scope: frozenset[int], book: Book) -> list[Row]:
    """The rows of clients of the scope."""
    return [one for one in result if one.client_id in scope]


def kept_clients(result: Iterable[ClientView], scope: frozenset[int], book: Book) -> list[ClientView]:
    """The clients of the scope."""
    return [one for one in result if one.id in scope]


def kept_ids(result: Numbers, scope: frozenset[int], book: Book) -> Numbers:
    """The numbers of clients of the scope."""
    return type(result)(one for one in result if one in scope)


def kept_orders(result: Iterable[int], scope: frozenset[int], book: Book) -> list[int]:
    """The numbers of orders of the scope."""
    return [one for one in result if one in book.orders and book.orders[one].client_id in scope]


def _is_within(clients: Ids, scope: frozenset[int]) -> bool:
    return clients is not None and scope.issuperset(clients)


def kept_runs(result: Iterable[RunView], scope: frozenset[int], book: Book) -> list[RunView]:
    """The runs that are of the scope alone."""
    return [run for run in result if _is_within(of_run(book, run.number), scope)]


def kept_flattens(result: Iterable[FlattenView], scope: frozenset[int], book: Book) -> list[FlattenView]:
    """The flattens that are of the scope alone."""
    return [one for one in result if _is_within(of_flatten(book, one), scope)]


def members(result: GroupView, scope: frozenset[int], book: Book) -> GroupView:
    """A group with the members of the scope."""
    return replace(result, client_ids=tuple(one for one in result.client_ids if one in scope))


def kept_members(result: Iterable[GroupView], scope: frozenset[int], book: Book) -> list[GroupView]:
    """The groups that have members of the scope, with those."""
    return [group for one in result if (group := members(one, scope, book)).client_ids]


def kept_groups(result: Iterable[str], scope: frozenset[int], book: Book) -> list[str]:
    """The names of groups that clients of the scope are in."""
    within = {name for one in scope if one in book.clients for name in book.clients[one].groups}
    return [name for name in result if name in within]


def certificate(result: Certificate | None, scope: frozenset[int], book: Book) -> Certificate | None:
    """A certificate with the lines of the scope; its sums are those of the halt."""
    if result is None or _is_within(of_lines(book, result), scope):
        return result
    names = ("lines", "orders", "external", "unread", "unread_rows", "passed_over", "conditionals")
    parts = {name: tuple(one for one in getattr(result, name) if one.client_id in scope) for name in names}
    return replace(result, **parts, not_signed_in=())


def kept_presets(result: Iterable[Preset], scope: frozenset[int], book: Book) -> list[Preset]:
    """The presets that name nobody else than clients of the scope."""
    return [one for one in result if _is_within(of_preset(book, one), scope)]


def kept_people(result: Iterable[PersonView], scope: frozenset[int], book: Book) -> list[PersonView]:
    """The people who see nobody else than clients of the scope."""
    return [one for one in result if _is_within(of_person(book, one), scope)]


def kept_halts(result: Iterable[HaltView], scope: frozenset[int], book: Book) -> list[HaltView]:
    """The halts that are over clients of the scope, or over no client in particular."""
    clients = {one: book.clients[one] for one in scope if one in book.clients}
    return [one for one in result if one.scope in _OF_NO_CLIENT or members_of_halt(one, clients)]


def members_of_halt(halt: HaltView, clients: Mapping[int, ClientView]) -> frozenset[int]:
    """Those of some clients that a halt is over."""
    found = halt.members or members_of(clients, halt.scope, halt.value)
    named = {int(halt.value)} if halt.scope is HaltScope.CLIENT and halt.value.isdecimal() else set[int]()
    return (frozenset(found) | named) & frozenset(clients)


_OF_NO_CLIENT = (HaltScope.EVERYTHING, HaltScope.SYMBOL)


def kept_alert(result: AlertView, scope: frozenset[int], book: Book) -> AlertView:
    """An alert with the positions and orders of the scope."""
    positions = tuple(kept_rows(result.positions, scope, book))
    return replace(result, positions=positions, orders=tuple(kept_rows(result.orders, scope, book)))


def kept_alerts(result: Iterable[AlertView], scope: frozenset[int], book: Book) -> list[AlertView]:
    """The alerts that have a position or an order of the scope."""
    kept = (kept_alert(one, scope, book) for one in result)
    return [one for one in kept if one.positions or one.orders]


def audit_search(service: object, scope: frozenset[int], given: tuple[object, ...]) -> tuple[object, ...]:
    """A search of the audit that finds rows about clients of the scope alone."""
    return given[0] if given else None, scope


def audit_chapter(result: Chapter, scope: frozenset[int], book: Book) -> Chapter:
    """The rows of a chapter about clients of the scope."""
    return replace(result, rows=tuple(row for row in result.rows if row.client_id in scope))


def external_count(service: object, scope: frozenset[int], book: Book) -> int:
    """How many live orders of the scope's clients are at brokers that this desk did not send."""
    return sum(len(found) for client, found in book.external_orders.items() if client in scope)


def heard(result: Iterable[TapeLine], scope: frozenset[int], book: Book) -> list[TapeLine]:
    """The lines of the tape about clients of the scope."""
    return [line for line in result if is_heard(line, scope, book)]


def ready(result: int, scope: frozenset[int], book: Book) -> int:
    """How many clients of the scope may trade."""
    return len(book.ready & scope)


def books_counts(service: object, scope: frozenset[int], book: Book) -> BooksCounts:
    """How many clients' books of the scope stand against their trading."""
    ready = book.ready & scope
    differ = sum(1 for client_id in ready if book.breaks.get(client_id))
    return BooksCounts(differ, len(ready - book.reconciled))


def course(service: Equity, scope: frozenset[int], book: Book) -> list[int | None]:
    """The sum of the clients' courses, where any of them is known."""
    minutes = zip(*(service.course(one) for one in sorted(scope)), strict=False)
    known = ([net for net in minute if net is not None] for minute in minutes)
    return [sum(nets) if nets else None for nets in known]


def exposure(service: object, scope: frozenset[int], book: Book) -> Exposure:
    """What of the scope a cancel-all would meet now."""
    orders = [order for one in book.live if (order := book.orders[one]).client_id in scope]
    states = Counter(order.state for order in orders)
    return Exposure(
        live=states[OrderState.OPEN] + states[OrderState.SENDING],
        unsent=states[OrderState.RESERVED],
        unknown=states[OrderState.UNKNOWN],
        clients=len({order.client_id for order in orders}),
        blocked_paise=sum(order.blocked_paise for order in orders),
    )


def none_of(result: object, scope: frozenset[int], book: Book) -> tuple[()]:
    """None of them: they do not say of whom they are."""
    return ()


def connections(result: Iterable[ConnectionView], scope: frozenset[int], book: Book) -> list[ConnectionView]:
    """The connections with how many clients of the scope each carries."""
    carried = Counter(book.clients[one].connection for one in scope if one in book.clients)
    return [replace(one, clients=carried[one.row.name]) for one in result]


def nothing(result: object, scope: frozenset[int], book: Book) -> None:
    """Nothing: it speaks of all clients."""
    return

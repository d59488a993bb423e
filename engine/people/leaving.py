"""What a scope of clients leaves of an answer, and what it is asked for instead of a sum over all."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from data.records import replace
from data.vocabulary import AlertKind, HaltScope, LimitScope, OrderState
from engine.access.connecting import ConnectionView
from engine.accounts.equity import Equity
from engine.accounts.groups import GroupView
from engine.book.audit_views import Chapter
from engine.book.book import Book
from engine.book.halt_scope import HaltView
from engine.book.people_views import PersonView
from engine.book.views import BooksCounts, ClientView
from engine.book.watched.alert_views import AlertView
from engine.book.watched.guard_views import GuardView
from engine.book.watched.limit_views import LimitView
from engine.close.figures import desk_risk
from engine.close.views import DayReport
from engine.events import TapeLine
from engine.execution.views import RunView
from engine.flatten.views import FlattenView
from engine.halt.booked import members_of
from engine.halt.certificate import Certificate
from engine.halt.views import Exposure
from engine.people.events import is_heard
from engine.people.scoping import (
    Ids,
    LooksAtClients,
    of_alert_rule,
    of_flatten,
    of_guard,
    of_lines,
    of_person,
    of_preset,
    of_run,
)
from engine.planning.entry.presets import Preset
from engine.rebalancing.model import Model
from engine.risk.views import DayCosts, DispersionView


class HasClient(Protocol):
    """What is of one client, or of none."""

    @property
    def client_id(self) -> int | None:
        """Whose it is."""
        ...


Row = TypeVar("Row", bound=HasClient)
Looks = TypeVar("Looks", bound=LooksAtClients)
Numbers = TypeVar("Numbers", list[int], tuple[int, ...], set[int], frozenset[int])


def kept_rows(result: Iterable[Row], scope: frozenset[int], book: Book) -> list[Row]:
    """The rows of clients of the scope."""
    return [one for one in result if one.client_id in scope]


def kept_report(result: DayReport, scope: frozenset[int], book: Book) -> DayReport:
    """The days of the clients of the scope, and the sums over those."""
    clients = tuple(one for one in result.clients if one.client_id in scope)
    corrections = tuple(one for one in result.corrections if one.client_id in scope)
    costs = None if result.costs is None else _kept_costs(result.costs, scope)
    return replace(result, clients=clients, corrections=corrections, risk=desk_risk(clients), costs=costs)


def _kept_costs(costs: DayCosts, scope: frozenset[int]) -> DayCosts:
    of_day, month = (tuple(o for o in some if o.client_id in scope) for some in (costs.of_day, costs.month))
    return replace(costs, of_day=of_day, month=month)


def kept_dispersion(result: DispersionView, scope: frozenset[int], book: Book) -> DispersionView:
    """The runs and costs of the clients of the scope, each beside the average of its whole run."""
    runs = [
        replace(
            one,
            parts=tuple(part for part in one.parts if part.client_id in scope),
            places=tuple(place for place in one.places if place.client_id in scope),
        )
        for one in result.runs
    ]
    month = tuple(one for one in result.month if one.client_id in scope)
    return replace(result, runs=tuple(one for one in runs if one.places), month=month)


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


def kept_guards(result: Iterable[GuardView], scope: frozenset[int], book: Book) -> list[GuardView]:
    """The guards that are of the scope alone."""
    return [one for one in result if _is_within(of_guard(book, one), scope)]


def members(result: GroupView, scope: frozenset[int], book: Book) -> GroupView:
    """A group with the members of the scope."""
    return replace(result, client_ids=tuple(one for one in result.client_ids if one in scope))


def kept_members(result: Iterable[GroupView], scope: frozenset[int], book: Book) -> list[GroupView]:
    """The groups that have members of the scope, with those."""
    return [group for one in result if (group := members(one, scope, book)).client_ids]


def kept_limits(result: Iterable[LimitView], scope: frozenset[int], book: Book) -> list[LimitView]:
    """The desk's limits, and those of clients of the scope and of their groups."""
    clients = [book.clients[one] for one in scope if one in book.clients]
    whose = {(LimitScope.DESK, "")} | {(LimitScope.CLIENT, str(one.id)) for one in clients}
    whose |= {(LimitScope.GROUP, name) for one in clients for name in one.groups}
    return [one for one in result if (one.scope, one.whose) in whose]


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


def kept_model(result: Model, scope: frozenset[int], book: Book) -> Model:
    """A model with the exceptions of the scope."""
    return replace(result, exceptions=tuple(one for one in result.exceptions if one.client_id in scope))


def kept_models(result: Iterable[Model], scope: frozenset[int], book: Book) -> list[Model]:
    """Models with the exceptions of the scope."""
    return [kept_model(one, scope, book) for one in result]


def kept_people(result: Iterable[PersonView], scope: frozenset[int], book: Book) -> list[PersonView]:
    """The people who see nobody else than clients of the scope."""
    return [one for one in result if _is_within(of_person(book, one), scope)]


def kept_halts(result: Iterable[HaltView], scope: frozenset[int], book: Book) -> list[HaltView]:
    """The halts that are over clients of the scope, or over no client in particular."""
    clients = {one: book.clients[one] for one in scope if one in book.clients}
    return [one for one in result if one.scope in _OF_NO_CLIENT or members_of_halt(one, clients)]


def members_of_halt(halt: HaltView, clients: Mapping[int, ClientView]) -> frozenset[int]:
    """Those of some clients that a halt is over."""
    of_desk = halt.scope is HaltScope.DESK
    found = halt.members if of_desk else halt.members or members_of(clients, halt.scope, halt.value)
    named = {int(halt.value)} if halt.scope is HaltScope.CLIENT and halt.value.isdecimal() else set[int]()
    return (frozenset(found) | named) & frozenset(clients)


_OF_NO_CLIENT = (HaltScope.EVERYTHING, HaltScope.SYMBOL)


def kept_alert(result: AlertView, scope: frozenset[int], book: Book) -> AlertView:
    """An alert with what it names of the scope, and no figure of anybody else."""
    kept = replace(
        result,
        positions=tuple(kept_rows(result.positions, scope, book)),
        orders=tuple(kept_rows(result.orders, scope, book)),
        figures=tuple(kept_rows(result.figures, scope, book)),
        guards=tuple(kept_guards(result.guards, scope, book)),
        dying=tuple(kept_rows(result.dying, scope, book)),
    )
    if len(kept.figures) == len(result.figures):
        return kept
    readings = [{**reading, "value": None} for reading in result.told.get("readings", ())]
    mine = tuple(one for one in result.client_ids or () if one in scope)
    return replace(kept, told={**result.told, "readings": readings}, client_ids=mine)


def kept_alerts(result: Iterable[AlertView], scope: frozenset[int], book: Book) -> list[AlertView]:
    """The alerts of no client, or all of whose clients are of the scope, or that name one of it."""
    kept = (kept_alert(one, scope, book) for one in result)
    return [one for one in kept if _names_any(one) or _is_shown(one, scope)]


def _names_any(alert: AlertView) -> bool:
    return bool(alert.positions or alert.orders or alert.figures or alert.guards or alert.dying)


def _is_shown(alert: AlertView, scope: frozenset[int]) -> bool:
    """Whether an alert that names nobody of the scope is shown: it is of no client, or of all of theirs."""
    return alert.kind is not AlertKind.GUARDS and _is_within(alert.client_ids or (), scope)


def kept_rules(result: Iterable[Looks], scope: frozenset[int], book: Book) -> list[Looks]:
    """The rules of alerts that look at nobody else than clients of the scope."""
    return [one for one in result if _is_within(of_alert_rule(book, one), scope)]


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

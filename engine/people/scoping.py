"""How a scope of clients bears on what is asked of a desk: of whom it is, and what it leaves of an answer."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from data.records import replace
from data.vocabulary import HaltScope, OrderState
from engine.book.alert_views import AlertView
from engine.book.audit_views import Chapter
from engine.book.book import Book
from engine.book.people_views import PersonView
from engine.book.views import BooksCounts, ClientView, HaltView
from engine.halt.booked import members_of
from engine.halt.halts import Exposure
from engine.people.events import is_heard
from engine.people.rights import scope_ids
from engine.planning.service import clients_of

Ids = Collection[int] | None

# --- of which clients a call is ---------------------------------------------------------------------------


def _argument(given: tuple[Any, ...], named: Mapping[str, Any]) -> Any:
    return given[0] if given else next(iter(named.values()))


def of_client(book: Book, *given: Any, **named: Any) -> Ids:
    """The client that is named first."""
    return (_argument(given, named),)


def of_client_or_none(book: Book, *given: Any, **named: Any) -> Ids:
    """The client that is named first, where one is: a row may be of none."""
    named_first = _argument(given, named)
    return () if named_first is None else (named_first,)


def of_story(book: Book, result: Any) -> Ids:
    """The client of a row of the audit; None of one that is of no client, and so of the whole desk."""
    return None if result.row.client_id is None else (result.row.client_id,)


def of_clients(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients that are named first."""
    return tuple(_argument(given, named))


def of_clients_second(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients that are named second."""
    return tuple(given[1] if len(given) > 1 else named["client_ids"])


def of_row(book: Book, *given: Any, **named: Any) -> Ids:
    """The client of what is named first."""
    return (_argument(given, named).client_id,)


def of_rows(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of what is named first."""
    return tuple(one.client_id for one in _argument(given, named))


def of_order(book: Book, *given: Any, **named: Any) -> Ids:
    """The client of the order that is named first."""
    return _of_orders(book, (_argument(given, named),))


def of_orders_named(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of the orders that are named first."""
    return _of_orders(book, _argument(given, named))


def _of_orders(book: Book, order_ids: Iterable[int]) -> Ids:
    """Their clients; None where one is of an earlier day, so that nobody knows here whose it was."""
    ids = list(order_ids)
    known = [book.orders[one].client_id for one in ids if one in book.orders]
    return known if len(known) == len(ids) else None


def of_run_named(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of the run that is named first."""
    return _of_run(book, _argument(given, named))


def _of_run(book: Book, number: int) -> Ids:
    return _of_orders(book, book.orders_of_run.get(number, ())) if number in book.runs else None


def of_plan(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of a plan, on all its legs."""
    return clients_of(_argument(given, named))


def of_part(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of one leg of a plan."""
    return {line.client_id for line in _argument(given, named).lines}


def of_modifies(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of a list of modifies."""
    return {line.order.client_id for line in _argument(given, named).lines}


def of_lines(book: Book, result: Any) -> Ids:
    """The clients of what has a line for each."""
    return {line.client_id for line in result.lines}


def of_asked(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of modifies that were asked for."""
    return {one.line.order.client_id for one in _argument(given, named)}


def of_chases(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of the orders that chases are of."""
    return _of_orders(book, [one.order_id for one in _argument(given, named)])


def of_alert(book: Book, result: AlertView) -> Ids:
    """The clients of an alert's positions and orders."""
    return {one.client_id for one in (*result.positions, *result.orders)}


def of_preset(book: Book, result: Any) -> Ids:
    """The clients that a preset names; one for all, a group or a broker is whoever's acts by it."""
    return result.intent.selection.client_ids


def of_person(book: Book, result: PersonView) -> Ids:
    """The clients that somebody may see."""
    return None if result.scope is None else scope_ids(result, book.clients.values())


def of_flatten(book: Book, result: Any) -> Ids:
    """The clients of a flatten: of its lines, or where it found nothing to do of what it was asked for."""
    return of_lines(book, result) or of_halt_scope(book, result.scope, result.value)


def of_halt_scope(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of a scope of halts and flattens; what is not one client or group is of all."""
    scope, value = given[0], given[1]
    if scope is HaltScope.CLIENT:
        return (int(value),) if value.isdecimal() else None
    return members_of(book.clients, scope, value) or None


def of_halt(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of a halt that stands; one that is not known here is of all."""
    number = _argument(given, named)
    halt = next((one for one in book.halts if one.number == number), None)
    if halt is None:
        return None
    return halt.members or of_halt_scope(book, halt.scope, halt.value)


def of_approved(book: Book, result: Any) -> Ids:
    """The clients of a plan that was confirmed."""
    return of_plan(book, result.plan)


def of_noted(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients of whatever notes are asked of, each by its name or place."""
    client, order, run = (*given, None, None, None)[:3]
    client, order = named.get("client_id", client), named.get("order_id", order)
    run = named.get("run_number", run)
    of = [(client,)] if client is not None else []
    of += [_of_orders(book, (order,))] if order is not None else []
    of += [_of_run(book, run)] if run is not None else []
    if not of or None in of:
        return None
    return {one for ids in of for one in ids or ()}


def of_found_client(book: Book, client: Any) -> Ids:
    """The client that was found, if any."""
    return () if client is None else (client.id,)


def of_result(book: Book, result: Any) -> Ids:
    """The client of what was found, if any."""
    return () if result is None else (result.client_id,)


def of_everybody(book: Book, *given: Any, **named: Any) -> Ids:
    """It is of all clients there are."""
    return None


def of_person_named(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients that somebody may see who is named; of nobody of the name none."""
    name = _argument(given, named).strip().casefold()
    found = next((one for key, one in book.people.by_name.items() if key.casefold() == name), None)
    return () if found is None else of_person(book, found)


# --- what is looked at before it is known whose a call is ---------------------------------------------------


def viewed(service: Any, *given: Any, **named: Any) -> Any:
    """What is shown of the number that is named first."""
    return service.view(_argument(given, named))


def alert_now(alerts: Any, *given: Any, **named: Any) -> Any:
    """An alert with all that it is of, whatever of it was shown."""
    return alerts.of_kind(_argument(given, named).kind)


# --- what a scope leaves of a result ------------------------------------------------------------------------


def kept_rows(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The rows of clients of the scope."""
    return [one for one in result if one.client_id in scope]


def kept_clients(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The clients of the scope."""
    return [one for one in result if one.id in scope]


def kept_ids(result: Any, scope: frozenset[int], book: Book) -> Any:
    """The numbers of clients of the scope."""
    return type(result)(one for one in result if one in scope)


def kept_orders(result: Any, scope: frozenset[int], book: Book) -> list[int]:
    """The numbers of orders of the scope."""
    return [one for one in result if one in book.orders and book.orders[one].client_id in scope]


def _is_within(clients: Ids, scope: frozenset[int]) -> bool:
    return clients is not None and scope.issuperset(clients)


def kept_runs(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The runs that are of the scope alone."""
    return [run for run in result if _is_within(_of_run(book, run.number), scope)]


def kept_flattens(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The flattens that are of the scope alone."""
    return [one for one in result if _is_within(of_flatten(book, one), scope)]


def members(result: Any, scope: frozenset[int], book: Book) -> Any:
    """A group with the members of the scope."""
    return replace(result, client_ids=tuple(one for one in result.client_ids if one in scope))


def kept_members(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The groups that have members of the scope, with those."""
    return [group for one in result if (group := members(one, scope, book)).client_ids]


def kept_groups(result: Any, scope: frozenset[int], book: Book) -> list[str]:
    """The names of groups that clients of the scope are in."""
    within = {name for one in scope if one in book.clients for name in book.clients[one].groups}
    return [name for name in result if name in within]


def certificate(result: Any, scope: frozenset[int], book: Book) -> Any:
    """A certificate with the lines of the scope; its sums are those of the halt."""
    if result is None or _is_within(of_lines(book, result), scope):
        return result
    names = ("lines", "orders", "external", "unread", "unread_rows", "passed_over", "conditionals")
    parts = {name: tuple(one for one in getattr(result, name) if one.client_id in scope) for name in names}
    return replace(result, **parts, not_signed_in=())


def kept_presets(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
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


def audit_rows(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The rows of the audit about clients of the scope."""
    return [row for row in result if row.client_id in scope]


def audit_search(service: Any, scope: frozenset[int], given: tuple[Any, ...]) -> tuple[Any, ...]:
    """A search of the audit that finds rows about clients of the scope alone."""
    return given[0] if given else None, scope


def audit_chapter(result: Chapter, scope: frozenset[int], book: Book) -> Chapter:
    """The rows of a chapter about clients of the scope."""
    return replace(result, rows=tuple(row for row in result.rows if row.client_id in scope))


def external_count(service: Any, scope: frozenset[int], book: Book) -> int:
    """How many live orders of the scope's clients are at brokers that this desk did not send."""
    return sum(len(found) for client, found in book.external_orders.items() if client in scope)


def heard(result: Iterable[Any], scope: frozenset[int], book: Book) -> list[Any]:
    """The lines of the tape about clients of the scope."""
    return [line for line in result if is_heard(line, scope, book)]


def ready(result: int, scope: frozenset[int], book: Book) -> int:
    """How many clients of the scope may trade."""
    return len(book.ready & scope)


def books_counts(service: Any, scope: frozenset[int], book: Book) -> BooksCounts:
    """How many clients' books of the scope stand against their trading."""
    ready = book.ready & scope
    differ = sum(1 for client_id in ready if book.breaks.get(client_id))
    return BooksCounts(differ, len(ready - book.reconciled))


def course(service: Any, scope: frozenset[int], book: Book) -> list[int | None]:
    """The sum of the clients' courses, where any of them is known."""
    minutes = zip(*(service.course(one) for one in sorted(scope)), strict=False)
    known = ([net for net in minute if net is not None] for minute in minutes)
    return [sum(nets) if nets else None for nets in known]


def exposure(service: Any, scope: frozenset[int], book: Book) -> Exposure:
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


def none_of(result: Any, scope: frozenset[int], book: Book) -> tuple[()]:
    """None of them: they do not say of whom they are."""
    return ()


def nothing(result: Any, scope: frozenset[int], book: Book) -> None:
    """Nothing: it speaks of all clients."""
    return


# --- narrowed arguments -------------------------------------------------------------------------------------


def intent(plans: Any, scope: frozenset[int], given: tuple[Any, ...]) -> tuple[Any, ...]:
    """An intent for all, a group or a broker becomes one for those of the scope; the named must be of it."""
    intent = given[0]
    if intent.selection.client_ids:
        return given
    mine = tuple(client.id for client in plans.select(intent.selection) if client.id in scope)
    narrowed = replace(intent.selection, client_ids=mine or (NOBODYS,), groups=(), brokers=())
    return (replace(intent, selection=narrowed), *given[1:])


NOBODYS = -1
"""The number of no client, so that an empty choice does not mean everybody."""


def of_intent(book: Book, *given: Any, **named: Any) -> Ids:
    """The clients that an intent names."""
    intent = _argument(given, named)
    ids = {one for one in intent.selection.client_ids if one != NOBODYS}
    return ids | {change.client_id for change in intent.line_changes}


def whole(service: Any, scope: frozenset[int], given: tuple[Any, ...]) -> tuple[Any, ...]:
    """All that there are become all of the scope."""
    return (tuple(scope),) if not given or given[0] is None else given


NAME_CLIENTS = (of_client, of_client_or_none, of_clients, of_clients_second, of_row, of_rows, of_intent)
"""Whatever names the clients by themselves, so that a refusal says which of them it is of."""

"""Of which clients what is asked of a desk is, and what of it a scope of clients lets be asked."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Protocol

from data.records import replace
from data.vocabulary import HaltScope, LimitScope
from engine.book.book import Book
from engine.book.people_views import PersonView
from engine.book.views import ClientView
from engine.book.watched.alert_views import AlertView
from engine.conversion.views import ConversionView
from engine.flatten.views import FlattenView
from engine.halt.booked import members_of
from engine.halt.certificate import Certificate
from engine.people.approvals import ApprovalState
from engine.people.rights import known_as, scope_ids
from engine.planning.entry.presets import Preset
from engine.planning.limits.typed import LimitWish
from engine.planning.service import clients_of

Ids = Collection[int] | None

# --- of which clients a call is ---------------------------------------------------------------------------


def _argument(given: tuple[object, ...], named: Mapping[str, object]) -> Any:
    """What a call names first; whoever asks knows by the call what it is."""
    return given[0] if given else next(iter(named.values()))


def of_client(book: Book, *given: object, **named: object) -> Ids:
    """The client that is named first."""
    return (_argument(given, named),)


def of_client_or_none(book: Book, *given: object, **named: object) -> Ids:
    """The client that is named first, where one is: a row may be of none."""
    named_first = _argument(given, named)
    return () if named_first is None else (named_first,)


def of_story(book: Book, result: Any) -> Ids:
    """The client of a row of the audit; None of one that is of no client, and so of the whole desk."""
    return None if result.row.client_id is None else (result.row.client_id,)


def of_clients(book: Book, *given: object, **named: object) -> Ids:
    """The clients that are named first."""
    return tuple(_argument(given, named))


def of_clients_second(
    book: Book, first: object = None, client_ids: Iterable[int] = (), *given: object, **named: object
) -> Ids:
    """The clients that are named second."""
    return tuple(client_ids)


def of_group_edit(
    book: Book,
    name: str,
    new: str,
    rule: str = "",
    added: Iterable[int] = (),
    removed: Iterable[int] = (),
) -> Ids:
    """The clients put into a group and taken out; its name and its rule are of all."""
    return None if rule or new.strip() != name else {*added, *removed}


def of_row(book: Book, *given: object, **named: object) -> Ids:
    """The client of what is named first."""
    return (_argument(given, named).client_id,)


def of_rows(book: Book, *given: object, **named: object) -> Ids:
    """The clients of what is named first."""
    return tuple(one.client_id for one in _argument(given, named))


def of_order(book: Book, *given: object, **named: object) -> Ids:
    """The client of the order that is named first."""
    return _of_orders(book, (_argument(given, named),))


def of_orders_named(book: Book, *given: object, **named: object) -> Ids:
    """The clients of the orders that are named first."""
    return _of_orders(book, _argument(given, named))


def _of_orders(book: Book, order_ids: Iterable[int]) -> Ids:
    """Their clients; None where one is of an earlier day, so that nobody knows here whose it was."""
    ids = list(order_ids)
    known = [book.orders[one].client_id for one in ids if one in book.orders]
    return known if len(known) == len(ids) else None


def of_run_named(book: Book, *given: object, **named: object) -> Ids:
    """The clients of the run that is named first."""
    return of_run(book, _argument(given, named))


def of_run(book: Book, number: int) -> Ids:
    """The clients of a run by its number: of its orders, and of those that are to come."""
    of_orders = _of_orders(book, book.orders_of_run.get(number, ())) if number in book.runs else None
    return None if of_orders is None else {*of_orders, *book.to_come.get(number, ())}


def of_plan(book: Book, *given: object, **named: object) -> Ids:
    """The clients of a plan, on all its legs."""
    return clients_of(_argument(given, named))


def of_part(book: Book, *given: object, **named: object) -> Ids:
    """The clients of one leg of a plan."""
    return {line.client_id for line in _argument(given, named).lines}


def of_modifies(book: Book, *given: object, **named: object) -> Ids:
    """The clients of a list of modifies."""
    return {line.order.client_id for line in _argument(given, named).lines}


def of_lines(book: Book, result: FlattenView | Certificate) -> Ids:
    """The clients of what has a line for each."""
    return {line.client_id for line in result.lines}


def of_asked(book: Book, *given: object, **named: object) -> Ids:
    """The clients of modifies that were asked for."""
    return {one.line.order.client_id for one in _argument(given, named)}


def of_chases(book: Book, *given: object, **named: object) -> Ids:
    """The clients of the orders that chases are of."""
    return _of_orders(book, [one.order_id for one in _argument(given, named)])


def of_alert(book: Book, result: AlertView) -> Ids:
    """The clients of an alert and of what it names; None where a guard is the desk's."""
    ids = {one.client_id for one in (*result.positions, *result.orders, *result.figures)}
    ids.update(result.client_ids or ())
    for one in result.guards:
        theirs = of_guard(book, one)
        if theirs is None:
            return None
        ids.update(theirs)
    return ids


class LooksAtClients(Protocol):
    """What looks at clients."""

    @property
    def client_ids(self) -> Collection[int] | None:
        """Those that it looks at; None for all there are."""
        ...


def of_alert_rule(book: Book, result: LooksAtClients) -> Ids:
    """The clients that a rule of alerts looks at."""
    return result.client_ids


def of_alert_words(book: Book, *rules: Any) -> Ids:
    """The clients that rules name; one of all is of whoever its maker may see."""
    named = [one.client_ids for rule in rules for one in rule.conditions]
    return {client for ids in named if ids is not None for client in ids}


def of_preset(book: Book, result: Preset) -> Ids:
    """The clients that a preset names; one for all, a group or a broker is whoever's acts by it."""
    return result.intent.selection.client_ids


def of_person(book: Book, result: PersonView) -> Ids:
    """The clients that somebody may see."""
    return None if result.scope is None else scope_ids(result, book.clients.values())


def of_flatten(book: Book, result: FlattenView) -> Ids:
    """The clients of a flatten: of its lines, or where it found nothing to do of what it was asked for."""
    return of_lines(book, result) or of_halt_scope(book, result.scope, result.value)


def of_halt_scope(book: Book, scope: HaltScope, value: str, *given: object, **named: object) -> Ids:
    """The clients of a scope of halts and flattens; what is not one client or group is of all."""
    if scope is HaltScope.CLIENT:
        return (int(value),) if value.isdecimal() else None
    return members_of(book.clients, scope, value) or None


def of_limit(book: Book, wish: LimitWish, *given: object, **named: object) -> Ids:
    """The clients that a limit is set for; None, all of them, for the desk's."""
    if wish.scope is LimitScope.CLIENT:
        name = wish.whose.strip()
        found = book.by_code.get(name.upper()) or (int(name) if name.isdecimal() else None)
        return None if found is None else (found,)
    if wish.scope is LimitScope.DESK:
        return None
    name = wish.whose.strip().casefold()
    return [one.id for one in book.clients.values() if name in map(str.casefold, one.groups)] or None


def of_guard(book: Book, *given: object, **named: object) -> Ids:
    """The clients of the guard that is named first."""
    guard = _argument(given, named)
    return of_halt_scope(book, guard.scope, guard.value)


def of_halt(book: Book, *given: object, **named: object) -> Ids:
    """The clients of a halt that stands; one that is not known here is of all."""
    number = _argument(given, named)
    halt = next((one for one in book.halts if one.number == number), None)
    if halt is None:
        return None
    return halt.members or of_halt_scope(book, halt.scope, halt.value)


def of_approved(book: Book, result: ApprovalState) -> Ids:
    """The clients of a plan that was confirmed."""
    return of_plan(book, result.plan)


def of_noted(
    book: Book, client_id: int | None = None, order_id: int | None = None, run_number: int | None = None
) -> Ids:
    """The clients of whatever notes are asked of, each by its name or place."""
    of: list[Ids] = [(client_id,)] if client_id is not None else []
    of += [_of_orders(book, (order_id,))] if order_id is not None else []
    of += [of_run(book, run_number)] if run_number is not None else []
    if not of or None in of:
        return None
    return {one for ids in of for one in ids or ()}


def of_found_client(book: Book, client: ClientView | None) -> Ids:
    """The client that was found, if any."""
    return () if client is None else (client.id,)


def of_result(book: Book, result: ConversionView | None) -> Ids:
    """The client of what was found, if any."""
    return () if result is None else (result.client_id,)


def of_everybody(book: Book, *given: object, **named: object) -> Ids:
    """It is of all clients there are."""
    return None


def of_person_named(book: Book, *given: object, **named: object) -> Ids:
    """The clients that somebody may see who is named; of nobody of the name none."""
    name = _argument(given, named)
    found = next((one for key, one in book.people.by_name.items() if known_as(key) == known_as(name)), None)
    return () if found is None else of_person(book, found)


# --- what is looked at before it is known whose a call is ---------------------------------------------------


def viewed(service: Any, *given: object, **named: object) -> Any:
    """What is shown of the number that is named first."""
    return service.view(_argument(given, named))


def alert_now(alerts: Any, *given: object, **named: object) -> Any:
    """An alert with all that it is of, whatever of it was shown."""
    return alerts.named(str(_argument(given, named).number))


def rule_now(rules: Any, *given: object, **named: object) -> Any:
    """The rule of alerts with the number that is named first, as it stands."""
    return rules.get(_argument(given, named))


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


def of_intent(book: Book, *given: object, **named: object) -> Ids:
    """The clients that an intent names."""
    intent = _argument(given, named)
    ids = {one for one in intent.selection.client_ids if one != NOBODYS}
    return ids | {change.client_id for change in intent.line_changes}


def whole(service: Any, scope: frozenset[int], given: tuple[Any, ...]) -> tuple[Any, ...]:
    """All that there are become all of the scope."""
    return (tuple(scope),) if not given or given[0] is None else given


NAME_CLIENTS = (of_client, of_client_or_none, of_clients, of_clients_second, of_row, of_rows, of_intent)
"""Whatever names the clients by themselves, so that a refusal says which of them it is of."""

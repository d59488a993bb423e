"""A halt and its certificates in the books, each written in one commit with what the audit tells of it."""

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.engines.shared.leases import LeasedDesk, leased_desks
from data.errors import BadInput
from data.records import replace
from data.repositories.accounts.clients import client_ids
from data.repositories.trading import guards, halts
from data.repositories.trading.halt_desks import DeskUnderHalt, add_desks
from data.repositories.trading.halts import (
    AnnouncedHalt,
    FileHalt,
    FiredHalt,
    LiveOrder,
    StoredCertificate,
)
from data.store import Unit
from data.vocabulary import HaltScope, HaltStrength
from engine.book.halt_scope import HaltView, covers
from engine.book.views import ClientView
from engine.events import TapeLine
from engine.execution.changes.cancels import CancelsAsked, ask
from engine.halt.certificate import Certificate
from engine.halt.emergency import as_booked
from engine.halt.sweep import Before
from engine.news import HaltFired, HaltResumed

FILE_ONLY = 0
"""The number of the halt that only the HALT file tells of, no row."""

Clients = Mapping[int, ClientView]


class OpenedHalt(Struct, frozen=True):
    """A halt as written, what stood before it, and what was asked for."""

    halt: HaltView
    before: Before
    asked: CancelsAsked


class BookedCertificate(Struct, frozen=True):
    """How a certificate from a file was booked: its halt, its version, 0 where it was known, what began."""

    number: int
    version: int
    opened: OpenedHalt | None = None


def is_in(halt: HaltView, client: ClientView | None, key: str) -> bool:
    """Whether an order is of a halt; one whose client is not known here is of no part, but of everything."""
    return halt.scope is HaltScope.EVERYTHING or (client is not None and covers(halt, client, key))


def members_of(clients: Clients, scope: HaltScope, value: str) -> frozenset[int]:
    """The clients of a group, or of this desk, now; a halt of it stays with them."""
    if scope is HaltScope.DESK:
        return frozenset(clients)
    if scope is not HaltScope.GROUP:
        return frozenset()
    return frozenset(client.id for client in clients.values() if value in client.groups)


def met(halt: HaltView, orders: Iterable[LiveOrder], clients: Clients) -> Before:
    """What of the live orders is in a halt's scope, and what their clients have available.

    A client may be another process's, and not known here yet.
    """
    before = Before({}, {})
    for order in orders:
        known = clients.get(order.client_id)
        of_it = order.client_id in halt.members
        if of_it or is_in(halt, known, f"{order.exchange}:{order.symbol_now}"):
            before.orders[order.id] = order.blocked_paise
            before.available[order.client_id] = order.available_paise or 0
    return before


def open_halt(unit: Unit, halt: HaltView, clients: Clients) -> OpenedHalt:
    """Write a halt under the next number, free what was never sent, ask for every other cancel."""
    halt = replace(halt, number=unit.take_ids("halt", 1)[0])
    before, asked = _cancelled(unit, halt, clients)
    members = sorted(halt.members) or None
    fired = FiredHalt(halt.number, halt.scope, halt.value, halt.at, halt.by, members, before.to_json())
    halts.add_halt(unit, replace(fired, strength=halt.strength, home=halt.home))
    details = {
        "halt": halt.number,
        "scope": halt.scope.value,
        "value": halt.value,
        "orders": len(before.orders),
        "blocked_paise": sum(before.orders.values()),
    } | ({"strength": halt.strength.value} if halt.reduces else {})
    unit.audit(AuditEntry(AuditAction.HALT_FIRED, halt.by, details=details))
    _tell(unit, halt, before)
    return OpenedHalt(halt, before, asked)


def announce_halt(unit: Unit, halt: HaltView, clients: Clients, me: int = 0) -> tuple[HaltView, Before]:
    """Write a halt under the next number and nothing else: it stops what others begin from its commit on.

    To be written past the gate, and `sweep_halt` behind it. Returns what it has met so far, too: orders of
    which cancels that leave ahead of the sweep may be booked before that. `me` is the engine that knows of
    it by this, where several desks share the books.
    """
    desks = leased_desks(unit) if halt.home else []
    halt = replace(halt, number=unit.take_ids("halt", 1)[0], members=_members(halt, desks))
    members = sorted(halt.members) or None
    halts.add_halt(
        unit,
        AnnouncedHalt(
            halt.number, halt.scope, halt.value, halt.at, halt.by, members, halt.strength, halt.home
        ),
    )
    add_desks(unit, [_under(halt, one, me) for one in desks if _has_of(one, halt)])
    details = {"halt": halt.number, "scope": halt.scope.value, "value": halt.value}
    details |= {"strength": halt.strength.value} if halt.reduces else {}
    details |= {"firm": True} if halt.home and halt.scope is HaltScope.EVERYTHING else {}
    unit.audit(AuditEntry(AuditAction.HALT_FIRED, halt.by, details=details))
    unit.touched.halts = True
    return halt, met(halt, halts.live_orders(unit), clients)


def sweep_halt(unit: Unit, halt: HaltView, clients: Clients, earlier: Before) -> OpenedHalt | None:
    """Free what was never sent under an announced halt, ask for every other cancel; None where that is done.

    To be written alone, so that it meets whatever was reserved or claimed before the halt was known.
    `earlier` is what the announcement met.
    """
    if halt.scope is HaltScope.DESK:
        halt = replace(halt, members=_members(halt, leased_desks(unit)))
    before, asked = _cancelled(unit, halt, clients)
    before.orders = earlier.orders | before.orders
    before.available |= earlier.available
    if not halts.keep_swept(unit, halt.number, before.to_json(), halt.members):
        return None
    details = {
        "halt": halt.number,
        "orders": len(before.orders),
        "blocked_paise": sum(before.orders.values()),
    }
    unit.audit(AuditEntry(AuditAction.HALT_SWEPT, halt.by, details=details))
    _tell(unit, halt, before)
    return OpenedHalt(halt, before, asked)


def _members(halt: HaltView, desks: Iterable[LeasedDesk]) -> frozenset[int]:
    """The clients that a halt stays with: of a desk's, those whom engines of its home have now too."""
    if halt.scope is not HaltScope.DESK:
        return halt.members
    return halt.members.union(*(one.clients for one in desks if one.home == halt.home))


def _has_of(desk: LeasedDesk, halt: HaltView) -> bool:
    """Whether a desk has clients that a halt may be over."""
    if halt.scope is HaltScope.CLIENT:
        return int(halt.value) in desk.clients
    return not halt.members or not halt.members.isdisjoint(desk.clients)


def _under(halt: HaltView, desk: LeasedDesk, me: int) -> DeskUnderHalt:
    whom = [one for one in desk.clients if not halt.members or one in halt.members]
    knew_at = halt.at if desk.instance_id == me else None
    return DeskUnderHalt(halt.number, desk.instance_id, desk.name, whom, knew_at)


def _cancelled(unit: Unit, halt: HaltView, clients: Clients) -> tuple[Before, CancelsAsked]:
    """Free what was never sent under a halt, ask for every other cancel; returns what stood before.

    Of every desk's clients: each cancels for its own.
    """
    unit.of_anybody = True
    before = met(halt, halts.live_orders(unit), clients)
    asked = ask(unit, list(before.orders), f"halt {halt.number}", halt.by, halt.number)
    before.unsent_freed = len(asked.freed)
    return before, asked


def _tell(unit: Unit, halt: HaltView, before: Before) -> None:
    unit.touched.halts = True
    unit.publish(
        TapeLine(unit.now, HaltFired(halt.number, halt.by, len(before.orders), reduces=halt.reduces))
    )


def block_scope(unit: Unit, halt: HaltView, opening: Collection[int]) -> tuple[HaltView, CancelsAsked]:
    """Write a halt of strength `reduce` that cancels these orders alone: what reduces goes on living.

    It has no certificate, since nothing else of its scope is to end.
    """
    halt = replace(halt, number=unit.take_ids("halt", 1)[0], strength=HaltStrength.REDUCE)
    unit.of_anybody = True  # whoever has its clients
    asked = ask(unit, sorted(opening), f"halt {halt.number}", halt.by, halt.number)
    members = sorted(halt.members) or None
    fired = FiredHalt(
        halt.number, halt.scope, halt.value, halt.at, halt.by, members, Before({}, {}).to_json()
    )
    halts.add_halt(unit, replace(fired, strength=halt.strength))
    halts.end_halt(unit, halt.number, unit.now)
    details = {
        "halt": halt.number,
        "scope": halt.scope.value,
        "value": halt.value,
        "orders": len(asked.freed) + len(asked.requests),
        "strength": halt.strength.value,
    }
    unit.audit(AuditEntry(AuditAction.HALT_FIRED, halt.by, details=details))
    unit.touched.halts = True
    unit.publish(TapeLine(unit.now, HaltFired(halt.number, halt.by, len(asked.requests), reduces=True)))
    return halt, asked


def store_certificate(unit: Unit, made: Certificate) -> int:
    """Write a certificate as its halt's next version; returns that."""
    version = 1 + halts.last_version(unit, made.number)
    halts.add_certificate(unit, StoredCertificate(made.number, version, unit.now, made.ended, made.to_json()))
    if made.ended:
        halts.end_halt(unit, made.number, unit.now)
    details = {
        "halt": made.number,
        "version": version,
        "ended": made.ended,
        "cancelled": made.cancelled,
        "filled_meanwhile": made.filled_meanwhile,
        "refused": made.refused,
        "unknown": made.unknown,
        "unread": [one.code for one in made.unread],
        "unbooked": made.unbooked,
        "released_paise": made.released_paise,
    }
    unit.audit(AuditEntry(AuditAction.HALT_CERTIFIED, made.by, details=details))
    unit.touched.halts = True
    return version


def book_certificate(unit: Unit, made: Certificate, clients: Clients, home_id: str = "") -> BookedCertificate:
    """Write a certificate from a file that is not in the books, and its halt where that is not either.

    `home_id` is of the home whose file it is, where several desks share the books. Raises `BadInput` where
    it would halt a client or a group of nobody.
    """
    number = _halt_of(unit, made)
    if number is not None:
        stored = [Certificate.from_json(one.body) for one in halts.certificates_of(unit, number)]
        known = as_booked(made, number) in stored
        return BookedCertificate(number, 0 if known else store_certificate(unit, as_booked(made, number)))
    members = members_of(clients, made.scope, made.value)
    _check_known(unit, made, members)
    halt = HaltView(FILE_ONLY, made.scope, made.value, made.at, made.by, members, made.strength, home_id)
    if halt.scope is HaltScope.DESK and home_id:
        members = _members(halt, leased_desks(unit)).union(line.client_id for line in made.lines)
        halt = replace(halt, members=members)
    opened = open_halt(unit, halt, clients)
    number = opened.halt.number
    return BookedCertificate(number, store_certificate(unit, as_booked(made, number)), opened)


def _halt_of(unit: Unit, made: Certificate) -> int | None:
    if made.number == FILE_ONLY:
        return halts.halt_fired(unit, made.at, made.by, made.scope, made.value)
    return made.number if halts.known_halt(unit, made.number) else None


def _check_known(unit: Unit, made: Certificate, members: frozenset[int]) -> None:
    known = {
        HaltScope.CLIENT: lambda: made.value in set(map(str, client_ids(unit))),
        HaltScope.GROUP: lambda: bool(members),
    }
    if made.scope in known and not known[made.scope]():
        raise BadInput(made.scope.value, made.value, "give one that the desk knows")


def resume_by_word(
    unit: Unit, halt: HaltView, by: str, clients: Clients, home_id: str = ""
) -> tuple[int, bool]:
    """As `resume_halt`, by a person's word.

    Raises `BadInput` for the halt of a guard's trip that stands: it ends as its guard is armed again, which
    lets nobody trade beyond the limit.
    """
    trip = next((one for one in guards.standing_trips(unit) if one.halt_number == halt.number), None)
    if trip is not None:
        guard = next(one for one in guards.guards_set(unit) if one.number == trip.guard_number)
        client = clients.get(int(guard.value)) if guard.scope is HaltScope.CLIENT else None
        of = "desk" if guard.scope is HaltScope.EVERYTHING else client.code if client else guard.value
        what, whose = guard.what.value, f"g:{of}" if guard.scope is HaltScope.GROUP else of
        raise BadInput(
            "halt",
            halt.number,
            f"the guard of {of}, {what}, fired it, and it ends as that is armed again: r in :guard, or "
            f"`tradedesk guards arm {whose} {what}`",
        )
    return resume_halt(unit, halt, by, home_id)


def resume_halt(unit: Unit, halt: HaltView, by: str, home_id: str = "") -> tuple[int, bool]:
    """End a halt; returns its number, and whether no halt is left under which nothing may leave this home."""
    number = _row_for_file(unit, halt) if halt.number == FILE_ONLY else halt.number
    halts.resume_halt(unit, number, unit.now, by)
    unit.audit(AuditEntry(AuditAction.HALT_RESUMED, by, details={"halt": number}))
    unit.touched.halts = True
    unit.publish(TapeLine(unit.now, HaltResumed(number, by)))
    return number, not halts.desk_is_halted(unit, home_id)


def _row_for_file(unit: Unit, halt: HaltView) -> int:
    """Write the row that a halt of the file alone lacks; returns its number.

    As under any halt, what was not sent when it came is freed: it was confirmed before it.
    """
    number = unit.take_ids("halt", 1)[0]
    unit.of_anybody = True
    halts.add_halt(unit, FileHalt(number, halt.scope, halt.value, halt.at, halt.by))
    unsent = halts.unsent_orders(unit)
    if halt.scope is HaltScope.DESK:  # other desks' go on: no file of theirs was there
        own = met(halt, halts.live_orders(unit), {}).orders
        unsent = [order_id for order_id in unsent if order_id in own]
    ask(unit, unsent, f"halt {number}", halt.by, number)
    details = {"halt": number, "scope": halt.scope.value, "value": halt.value, "from": "the HALT file"}
    unit.audit(AuditEntry(AuditAction.HALT_FIRED, halt.by, details=details))
    return number


def as_fired(stored: FiredHalt | AnnouncedHalt) -> HaltView:
    """A halt as its row says."""
    members, scope = frozenset(stored.members or ()), HaltScope(stored.scope)
    reduces = stored.strength is HaltStrength.REDUCE  # a word that is not known stops all
    strength = HaltStrength.REDUCE if reduces else HaltStrength.ALL
    return HaltView(stored.number, scope, stored.value, stored.at, stored.by, members, strength, stored.home)

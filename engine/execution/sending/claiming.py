"""Claiming: which reserved orders may leave now, decided in one transaction before any byte does.

It is a guarded write, so two engines on one file never send the same order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct

from brokers.contract import OrderRequest
from data.audit import DISTRUSTED, AuditAction, AuditEntry
from data.clock import Clock
from data.repositories.instruments import own_name_now
from data.repositories.trading.halts import newest_halt
from data.repositories.trading.orders import CLAIMING
from data.store import Unit
from data.tables.orders import Order, RunRecord
from data.vocabulary import (
    HaltStrength,
    OrderType,
    PauseReason,
    PhaseKind,
    Product,
    Reason,
    RunStatus,
    Side,
    Validity,
)
from data.writing.audit_writer import ITSELF, standing_stop, stop_words
from engine.access.at_door import ConsentsAtDoor
from engine.book.book import Book
from engine.book.halt_scope import HaltView, Passes, covering, strength_of
from engine.book.reading import barred_clients, read_halts, read_market_halts, read_runs
from engine.book.views import OrderView, RunRow
from engine.booking.order import WorkingOrder
from engine.booking.overdue import may_be_sent
from engine.booking.requests import Attempt
from engine.booking.states import born
from engine.booking.stored import ATTEMPTS, ORDERS
from engine.events import TapeLine
from engine.execution.sending.conditions import OrderKind, Standing, as_leg, standing
from engine.execution.sending.exits import Exits
from engine.execution.sending.holds import hold, market_changed, pause_held
from engine.execution.sending.limiting import AtDoor, BeyondLimit, ClaimLimits
from engine.execution.sending.pauses import pause
from engine.execution.sending.reducing import Leaving, Reducing, deny
from engine.instances import ThisEngine
from engine.market.market_data import MarketData
from engine.news import TradingDisabled
from engine.timing import Timing

TAG_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
TAG_LENGTH = 16
"""Enough that no two tags are ever the same, where a broker takes as many."""


class Claimed(Struct, frozen=True):
    """An order that may leave now, and when by both clocks it was found so.

    `request` is what may leave: the row as it was held against its proof, whatever the file says later. It
    has the symbol that the order's `security` has at the claim. `under` are the halts that let it leave,
    `newest` is the one that was fired last, `passes` says which ones an order of a flatten passes, None for
    any other. `phase` is that of its market, None where that is not asked.
    """

    order_id: int
    client_id: int
    security: str
    request: OrderRequest
    at: datetime
    steady_s: float
    under: frozenset[int] = frozenset()
    newest: int = 0
    passes: Passes | None = None
    phase: PhaseKind | None = None
    term: int = 0
    """That of the desk's leases: it leaves under no later one."""


class ClaimsBeside(Struct, frozen=True):
    """What a claim needs beside the book: prices, chance for its tags, and what limits are held against."""

    market_data: MarketData
    rng: Random
    limits: AtDoor


@dataclass(slots=True)
class Claims:
    """What came of a claim: orders to send, and those that wait until their price is known anew.

    `again` are to be looked at once more, since limits were changed meanwhile.

    `unread` wait under a halt until their client's position is.
    `stopped` says why nothing was claimed where the books are not to be traded on.
    """

    made: list[Claimed] = field(default_factory=list[Claimed])
    waiting: list[int] = field(default_factory=list[int])
    unread: list[int] = field(default_factory=list[int])
    again: list[int] = field(default_factory=list[int])
    stopped: str = ""


def claim(
    unit: Unit,
    order_ids: Sequence[int],
    book: Book,
    timing: Timing,
    engine: ThisEngine,
    beside: ClaimsBeside,
) -> Claims:
    """Claim reserved orders for sending: the attempts with their tags, committed before any byte leaves.

    One whose session is over is never sent: its plan was for that session's prices, and a broker may keep it
    for the next. Nor is one that was to wait for a session that has begun. A run that does not run as its row
    says sends nothing; one whose conditions are broken is paused here, in the same commit. Where an order or
    its run is not as the audit left it, the books were found otherwise, or the venues are not of one day,
    nothing is sent and runs pause. An order leaves under the symbol that its security has now; where
    instruments do not say, its run pauses.
    Under a halt of strength `reduce` one that would not make a position smaller is denied, and waits where
    the position must be read first. One of a flatten leaves as `exits.py` says, else it is denied. So is one
    of a client who is no longer traded for, such as one that was paused meanwhile or withdrew its consent,
    and a buy that is beyond a limit as those stand now. Raises `LeaseLost` where another desk has a client.
    """
    if (stop := _stop(unit, order_ids, book, engine)) is not None:
        _hold(unit, order_ids, stop, book, timing.wall, engine, beside.market_data)
        return Claims(stopped=stop_words(stop.found) if stop.reason is PauseReason.BOOKS_DIFFER else "")
    orders = ORDERS.claimable(unit, order_ids, engine.id)
    epochs = unit.epochs_of({order.client_id for order in orders})
    claiming = _Claiming(unit, book, timing, engine, beside, orders, epochs)
    for order in orders:
        claiming.look_at(order)
    return claiming.done(order_ids)


class _Claiming:
    """One claim as it goes through its orders: what it has looked up, and what came of each."""

    def __init__(
        self,
        unit: Unit,
        book: Book,
        timing: Timing,
        engine: ThisEngine,
        beside: ClaimsBeside,
        orders: Sequence[WorkingOrder],
        epochs: Mapping[int, int],
    ) -> None:
        self._unit, self._book, self._timing, self._epochs = unit, book, timing, epochs
        self._engine, self._market_data, self._rng = engine, beside.market_data, beside.rng
        self._limits = ClaimLimits(unit, beside.limits, orders, timing, book)
        self._limited: list[tuple[WorkingOrder, BeyondLimit]] = []
        self._halts, self._newest = book.seen(read_halts(unit)), newest_halt(unit)
        self._awaited, self._day = timing.awaited_day(), timing.market.trading_day
        self._at, self._steady_s = timing.wall.now(), timing.wall.monotonic()
        self._deadline = unit.now + timedelta(seconds=timing.waits.send_timeout_s)
        self._actor = engine.actor
        self._market_halts = read_market_halts(unit, timing.market.trading_day)
        self._phases: dict[str, PhaseKind] = {}
        self._held: dict[int, tuple[RunRow, Standing]] = {}
        self._runs: dict[tuple[int, int], Standing | None] = {}
        self._names: dict[tuple[str, str, str], str | None] = {}
        self._reducing: Reducing | None = None
        if any(halt.reduces for halt in self._halts):
            clients = {order.client_id for order in orders}
            self._reducing = Reducing(unit, book, timing, engine, self._market_data.index, clients)
        self._exits = Exits(unit, timing, engine, orders)
        whose = {order.client_id for order in orders}
        self._barred = barred_clients(unit, whose)
        self._consents = ConsentsAtDoor(unit, whose, book, self._day)
        self._not_traded: dict[Reason, list[WorkingOrder]] = {}
        self._denied: list[WorkingOrder] = []
        self._no_exits: list[WorkingOrder] = []
        self._claims = Claims()
        self._orders: list[WorkingOrder] = []
        self._attempts: list[Attempt] = []

    def look_at(self, order: WorkingOrder) -> None:
        """Claim an order where it may leave now."""
        order.now = self._unit.now
        name = self._name_now(order)
        order.tradingsymbol = name or order.tradingsymbol
        halts = covering(self._halts, self._book.clients[order.client_id], order.key) if self._halts else ()
        if order.flatten_number is not None:
            self._leave(order, halts, named=name is not None)
            return
        if order.client_id in self._barred:
            self._not_traded.setdefault(self._barred[order.client_id], []).append(order)
            return
        lacking = self._consents.barred(order.client_id, order.side, order.product)
        if lacking is not None:
            self._not_traded.setdefault(lacking, []).append(order)
            return
        if strength_of(halts) is HaltStrength.ALL:
            return
        if not may_be_sent(order.after_market, order.trading_date, self._day, self._awaited):
            return
        if order.run_number is not None:
            found = self._standing(order.run_number, order, unnamed=name is None)
            if found is None:
                return
            if found.waits:
                self._claims.waiting.append(order.id)
                return
        if not halts or self._may_leave(order, halts):
            self._claim_within_limits(order, halts)

    def _claim_within_limits(self, order: WorkingOrder, halts: Sequence[HaltView]) -> None:
        """Claim an order that no limit keeps back; one beyond a limit is denied."""
        if self._limits.is_held(order):
            if self._limits.changed:
                self._claims.again.append(order.id)
                return
            if (beyond := self._limits.beyond(order)) is not None:
                self._limited.append((order, beyond))
                return
        self._claim(order, halts)
        self._limits.take(order)

    def _leave(self, order: WorkingOrder, halts: Sequence[HaltView], named: bool) -> None:
        """Claim an order of a flatten where it still makes the position smaller; any other is denied."""
        passes = self._exits.passes(order, halts, self._book.clients[order.client_id]) if named else None
        if passes is not None and may_be_sent(False, order.trading_date, self._day, self._awaited):
            self._claim(order, halts, passes)
        else:
            self._no_exits.append(order)

    def _may_leave(self, order: WorkingOrder, halts: Sequence[HaltView]) -> bool:
        """Whether an order reduces, as halts over it demand; one that does not is denied."""
        assert self._reducing is not None, "a halt that is over it reduces"
        match self._reducing.look_at(order, halts):
            case Leaving.MAY:
                return True
            case Leaving.UNREAD:
                self._claims.unread.append(order.id)
            case Leaving.MAY_NOT:
                self._denied.append(order)
        return False

    def _name_now(self, order: WorkingOrder) -> str | None:
        """What an order's security is called now; None where that is not known."""
        security = (order.security, order.exchange, order.tradingsymbol)
        if security not in self._names:
            self._names[security] = own_name_now(self._unit, *security)
        return self._names[security]

    def _standing(self, number: int, order: WorkingOrder, unnamed: bool) -> Standing | None:
        """How an order's run stands against its leg's conditions; None where it sends nothing."""
        leg = number, order.leg
        if leg not in self._runs:
            self._runs[leg] = self._stands(number, OrderKind.of(order), unnamed)
        return self._runs[leg]

    def _stands(self, number: int, kind: OrderKind, unnamed: bool) -> Standing | None:
        """How a run stands against its conditions; None where it sends nothing, kept back here or before.

        `unnamed` says that it is not known what its security is called now.
        """
        unit, clock, actor = self._unit, self._timing.wall, self._engine.actor
        run = as_leg(unit, read_runs(unit, [number])[number], kind.leg)
        if run.status is not RunStatus.RUNNING:
            return None
        found = standing(run, kind, clock, self._engine, self._market_data, clock.now())
        beyond = PauseReason.OTHER_SECURITY if unnamed else found.beyond
        instrument = self._market_data.index.get(kind.key)
        if instrument is not None and beyond is not PauseReason.OTHER_SECURITY:
            phase = self._timing.phase(instrument, self._market_halts)
            self._phases[kind.key] = phase.kind
            changed = market_changed(run, kind, phase, self._market_data.quotes.quote(kind.key))
            if changed is not None:
                hold(unit, run, kind, changed, phase, found, actor)
                self._held[number] = run, found
                return None
        if beyond is not None:
            pause(unit, run, beyond, found, actor)
            return None
        if run.held_phase is not None:
            self._held[number] = run, found
        return found

    def _claim(self, order: WorkingOrder, halts: Sequence[HaltView], passes: Passes | None = None) -> None:
        unit, key = self._unit, order.key
        connection = self._book.carrier_of(order.client_id)
        most = TAG_LENGTH if connection is None else connection.capabilities.tag_length
        order.claim("".join(self._rng.choices(TAG_ALPHABET, k=min(TAG_LENGTH, most))))
        assert order.tag is not None
        epoch = self._epochs[order.client_id]
        attempt = Attempt(
            order.id, order.attempts, order.tag, self._engine.id, unit.now, self._deadline, epoch
        )
        instrument = self._market_data.index.get(key)
        tick_paise = 0 if instrument is None else instrument.tick_paise
        request, steady_s = _request(order, order.tag, tick_paise), self._steady_s
        under = frozenset([halt.number for halt in halts])
        whose = order.id, order.client_id, order.security
        phase = None if passes is not None or order.after_market else self._phases.get(key)
        term = self._engine.term
        made = Claimed(*whose, request, self._at, steady_s, under, self._newest, passes, phase, term)
        if self._reducing is not None:
            self._reducing.take(order)
        self._claims.made.append(made)
        self._orders.append(order)
        self._attempts.append(attempt)
        unit.touched.orders.add(order.id)
        details = {"tag": order.tag, "attempt": order.attempts}
        plan, run = order.plan_number, order.run_number
        unit.audit(
            AuditEntry(AuditAction.ORDER_SENDING, self._actor, order.client_id, order.id, plan, run, details)
        )

    def done(self, order_ids: Sequence[int]) -> Claims:
        """Write what was claimed; returns what came of it, in the order of `order_ids`."""
        ORDERS.save(self._unit, self._orders, born(), CLAIMING)
        ATTEMPTS.insert(self._unit, self._attempts)
        if self._denied:
            deny(self._unit, self._denied, self._engine.actor, Reason.HALTED)
        for reason, orders in self._not_traded.items():
            deny(self._unit, orders, self._engine.actor, reason)
        for order, beyond in self._limited:
            deny(self._unit, [order], self._engine.actor, beyond.reason, beyond.words)
        if self._no_exits:
            deny(self._unit, self._no_exits, self._engine.actor, Reason.INSUFFICIENT_HOLDING)
        for run, at in self._held.values():  # with these gone, nothing may wait but what is kept back
            pause_held(self._unit, run, at, self._engine.actor)
        place = {order_id: number for number, order_id in enumerate(order_ids)}
        self._claims.made.sort(key=lambda claimed: place[claimed.order_id])
        self._claims.waiting.sort(key=lambda order_id: place[order_id])
        return self._claims


class _Stop(Struct, frozen=True):
    """Why none of these orders may leave: the reason for which their runs pause, and what was found."""

    reason: PauseReason
    found: list[str]


def _stop(unit: Unit, order_ids: Sequence[int], book: Book, engine: ThisEngine) -> _Stop | None:
    """What keeps every one of these orders back; changed books stop trading from here on, in this commit."""
    found = [f"order {i} is not as the audit left it" for i in unit.differing(Order, order_ids)]
    of_runs = _runs_of(order_ids, book)
    found += [f"run {n} is not as the audit left it" for n in unit.differing(RunRecord, of_runs)]
    if found:
        unit.audit(AuditEntry(DISTRUSTED, ITSELF, details={"found": found}))
    if found := found or list(standing_stop(unit)):
        return _Stop(PauseReason.BOOKS_DIFFER, found)
    differ = engine.venues_differ()
    return _Stop(PauseReason.VENUES_DIFFER, [differ]) if differ else None


def _runs_of(order_ids: Sequence[int], book: Book) -> dict[int, OrderView]:
    """The runs of these orders, each with one order of it."""
    return {n: book.orders[i] for i in order_ids if (n := book.orders[i].run_number) is not None}


def _hold(
    unit: Unit,
    order_ids: Sequence[int],
    stop: _Stop,
    book: Book,
    clock: Clock,
    engine: ThisEngine,
    market_data: MarketData,
) -> None:
    """Say on the tape why nothing may leave, and pause the runs of these orders."""
    words = stop_words(stop.found) if stop.reason is PauseReason.BOOKS_DIFFER else stop.found[0]
    unit.publish(TapeLine(unit.now, TradingDisabled(words)))
    for number, order in _runs_of(order_ids, book).items():
        run = book.runs[number]  # not what the file says: it may be what was changed
        at = standing(run, OrderKind.of(order), clock, engine, market_data, clock.now())
        pause(unit, run, stop.reason, at, engine.actor)


def _request(order: WorkingOrder, tag: str, tick_paise: int) -> OrderRequest:
    return OrderRequest(
        exchange=order.exchange,
        tradingsymbol=order.tradingsymbol,
        side=Side(order.side),
        quantity=order.quantity,
        product=Product(order.product),
        order_type=OrderType(order.order_type),
        tag=tag,
        validity=Validity(order.validity),
        price_paise=order.limit_paise,
        trigger_paise=order.trigger_paise,
        protection_bps=order.protection_bps,  # what its money was reserved for
        after_market=order.after_market,
        disclosed_quantity=order.disclosed_quantity,
        tick_paise=tick_paise,
    )

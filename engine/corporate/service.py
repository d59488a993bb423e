"""Companies' actions of clients: what was booked, what is not and why, taking back and booking again."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, timedelta
from typing import TypeVar

from msgspec import Struct

from brokers.connection import Connection
from brokers.contract import CompanyActs, HearsActions
from data.errors import BadInput
from data.repositories.accounts.actions import (
    StoredBooking,
    actions_between,
    bookings_of_action,
    read_actions_between,
    read_bookings,
    share_named,
)
from data.repositories.base import On
from data.repositories.mtf import StoredAction
from data.store import Unit
from data.vocabulary import ActionState, CorporateAction
from engine.book.kept import Kept
from engine.corporate.booking import (
    book_actions,
    book_again,
    holders_in,
    holders_of,
    since,
    state_of,
    take_back,
)
from engine.corporate.terms import action_of
from engine.instances import ThisEngine
from engine.labels import reason_from
from engine.timing import Timing

Done = TypeVar("Done")

SHOWN_DAYS = 60
"""Days of the calendar that past actions are listed over, and booked where an import is late."""


class ClientAction(Struct, frozen=True):
    """What has become of an action for one client that was entitled; shares, fraction and paise as booked."""

    client_id: int
    state: ActionState
    entitled: int
    shares: int = 0
    fraction: str = ""
    paise: int = 0
    reason: str = ""


class ActionView(Struct, frozen=True):
    """An action and what has become of it, client by client; `state` where none of them is told apart."""

    told: StoredAction
    state: ActionState
    clients: tuple[ClientAction, ...] = ()

    @property
    def counts(self) -> dict[ActionState, int]:
        """How many clients stand where."""
        return {state: n for state in ActionState if (n := sum(one.state is state for one in self.clients))}


class CompanyActions:
    """Books companies' actions beyond what a day's opening does by itself."""

    def __init__(
        self, kept: Kept, timing: Timing, engine: ThisEngine, connections: Iterable[Connection]
    ) -> None:
        self._kept = kept
        self._connections = connections
        self._timing = timing
        self._engine = engine

    async def all(self, client_ids: Collection[int]) -> list[ActionView]:
        """The actions of the last weeks and to come, and what has become of them for these; by ex-date."""
        today, wanted = self._timing.market.trading_day, frozenset(client_ids)
        return await self._kept.store.read_aside(lambda on: _views(on, today, wanted))

    async def of(self, client_ids: Collection[int]) -> list[StoredBooking]:
        """What was ever booked of these clients, the last turn of each; by ex-date."""
        async with self._kept.store.reader() as reader:
            return await read_bookings(reader, client_ids)

    async def book(self) -> int:
        """Book what is known, whose ex-date has come and that a client has nothing of. Returns of how many.

        Simulated venues are told of what is to come. Raises `StoreError`.
        """
        today, actor = self._timing.market.trading_day, self._engine.actor
        await self._tell_venues(today)
        return await self._write(
            lambda unit: book_actions(unit, actions_between(unit, _since(today), today), actor)
        )

    async def undo(self, client_id: int, key: str, ex_date: date, reason: str) -> list[StoredBooking]:
        """Take back what was booked of a share's actions of an ex-date. Raises `BadInput`, `StoreError`."""
        why, actor = reason_from(reason, "say why it is taken back"), self._engine.actor

        def unit_of_work(unit: Unit) -> list[StoredBooking]:
            stood = [
                booking
                for told in _named(unit, key, ex_date)
                if (booking := _booking(unit, told, client_id)) is not None and booking.stands
            ]
            if not stood:
                raise BadInput("action", f"{key} {ex_date}", "nothing of it is booked for this client")
            return [take_back(unit, one, why, actor) for one in reversed(stood)]

        return await self._write(unit_of_work)

    async def book_again(self, client_id: int, key: str, ex_date: date) -> list[StoredBooking]:
        """Book what was taken back. Raises `BadInput`, also before the ex-date, `StoreError`."""
        if ex_date > self._timing.market.trading_day:
            raise BadInput("ex-date", ex_date.isoformat(), "it is to come, and booked as that day begins")
        actor = self._engine.actor

        def unit_of_work(unit: Unit) -> list[StoredBooking]:
            actions = _named(unit, key, ex_date)
            if done := [one for told in actions for one in book_again(unit, told, client_id, actor)]:
                return done
            raise BadInput(
                "action", f"{key} {ex_date}", "nothing of it can be booked: see `tradedesk actions`"
            )

        return await self._write(unit_of_work)

    async def _tell_venues(self, today: date) -> None:
        """Have companies act at venues that have none of their own."""
        async with self._kept.store.reader() as reader:
            coming = await read_actions_between(reader, today, date.max)
        told = [CompanyActs(one.key, one.ex_date, one.kind, one.purpose, one.paid_to) for one in coming]
        for connection in self._connections:
            if isinstance(connection.broker, HearsActions):
                await connection.broker.hear_actions(told)

    async def _write(self, work: Callable[[Unit], Done]) -> Done:
        done = await self._engine.write_signed_on(work)
        self._engine.reached("action_booked")
        return done


def _since(today: date) -> date:
    return today - timedelta(days=SHOWN_DAYS)


def _named(on: On, key: str, ex_date: date) -> list[StoredAction]:
    """The actions of a share with this ex-date. Raises `BadInput`."""
    found = [one for one in actions_between(on, ex_date - timedelta(days=1), ex_date) if one.key == key]
    if not found:
        raise BadInput(
            "action", f"{key} {ex_date}", "no such action is known: `tradedesk actions` lists them"
        )
    return found


def _booking(on: On, told: StoredAction, client_id: int) -> StoredBooking | None:
    action = action_of(on, told)
    return None if action is None else bookings_of_action(on, action.share.security, told).get(client_id)


def _views(on: On, today: date, wanted: frozenset[int]) -> list[ActionView]:
    return [_view(on, one, today, wanted) for one in actions_between(on, _since(today), date.max)]


def _view(on: On, told: StoredAction, today: date, wanted: frozenset[int]) -> ActionView:
    action = action_of(on, told)
    if action is None:
        share = share_named(on, told.key)
        held = () if share is None else holders_in(on, share.security, told.ex_date)
        unsaid = (ClientAction(one.client_id, ActionState.UNSAID, one.quantity) for one in held)
        return ActionView(told, ActionState.UNSAID, tuple(one for one in unsaid if one.client_id in wanted))
    coming = told.ex_date > today
    whole = ActionState.COMING if coming else ActionState.PROOF if action.on_proof else ActionState.BOOKED
    if told.kind is CorporateAction.ISIN_CHANGE:
        return ActionView(told, whole)
    known = bookings_of_action(on, action.share.security, told)
    found: list[ClientAction] = []
    holders = holders_of(on, action)
    later = since(on, action, [] if coming else holders)
    for holder in holders:
        if holder.client_id not in wanted:
            continue
        booking = known.get(holder.client_id)
        if booking is None:
            state = ActionState.COMING if coming else state_of(action, holder, later) or ActionState.OPEN
            found.append(ClientAction(holder.client_id, state, holder.quantity))
            continue
        state = ActionState.BOOKED if booking.stands else ActionState.UNDONE
        figures = (booking.entitled, booking.shares, booking.fraction, booking.paise, booking.reason)
        found.append(ClientAction(holder.client_id, state, *figures))
    return ActionView(told, whole, tuple(found))

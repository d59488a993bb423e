"""JSON of companies' actions: what each does, and what has become of it in clients' books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import CorporateAction

if TYPE_CHECKING:
    from datetime import date

    from data.repositories.accounts.actions import StoredBooking
    from data.repositories.mtf import StoredAction
    from data.vocabulary import ActionState, DividendTo
    from engine.corporate.service import ActionView
    from engine.desk import Desk


class ActionShape(Struct, frozen=True):
    """What a company does with its shares."""

    symbol: str
    kind: CorporateAction
    purpose: str
    ex_date: date
    becomes: str | None
    allotted_on: date | None
    paid_to: DividendTo | None


def action_shape(one: StoredAction) -> ActionShape:
    """The action in that shape."""
    dividend = one.kind is CorporateAction.DIVIDEND
    return ActionShape(
        symbol=one.key.partition(":")[2],
        kind=one.kind,
        purpose=one.purpose,
        ex_date=one.ex_date,
        becomes=one.becomes or None,
        allotted_on=one.allotted_on,
        paid_to=one.paid_to if dividend else None,
    )


class ClientActionShape(Struct, frozen=True):
    """What has become of an action for one client; `fraction` is the part of a share that is paid in cash."""

    client_id: int
    code: str
    state: ActionState
    entitled: int
    shares: int
    fraction: str | None
    dividend_paise: int
    reason: str | None


class ActionViewShape(ActionShape, frozen=True, kw_only=True):
    """An action, with what has become of it."""

    state: ActionState
    clients: list[ClientActionShape]


def action_view_shape(desk: Desk, view: ActionView) -> ActionViewShape:
    """The action in that shape."""
    told = action_shape(view.told)
    return ActionViewShape(
        **{name: getattr(told, name) for name in ActionShape.__struct_fields__},
        state=view.state,
        clients=[
            ClientActionShape(
                client_id=one.client_id,
                code=desk.clients.get(one.client_id).code,
                state=one.state,
                entitled=one.entitled,
                shares=one.shares,
                fraction=one.fraction or None,
                dividend_paise=one.paise,
                reason=one.reason or None,
            )
            for one in view.clients
        ],
    )


class BookingShape(Struct, frozen=True):
    """What was booked of an action for a client, or taken back."""

    client_id: int
    code: str
    symbol: str
    purpose: str
    ex_date: date
    booked: bool
    entitled: int
    shares: int
    dividend_paise: int
    by: str
    reason: str | None


def booking_shape(desk: Desk, one: StoredBooking) -> BookingShape:
    """The booking in that shape."""
    return BookingShape(
        client_id=one.client_id,
        code=desk.clients.get(one.client_id).code,
        symbol=one.key.partition(":")[2],
        purpose=one.purpose,
        ex_date=one.ex_date,
        booked=one.stands,
        entitled=one.entitled,
        shares=one.shares,
        dividend_paise=one.paise,
        by=one.booked_by,
        reason=one.reason or None,
    )

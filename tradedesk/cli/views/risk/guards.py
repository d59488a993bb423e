"""The shape of a guard in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from engine.words.trading.guards import answer_key, state_words

if TYPE_CHECKING:
    from datetime import datetime

    from data.vocabulary import FlattenWhat, GuardAction, GuardState, GuardWait, HaltScope
    from engine.book.watched.guard_views import GuardTrip, GuardView


class GuardShape(Struct, frozen=True):
    """A guard; `of` is the client's code, the group's name or `desk`, `client_id` None for several.

    `net_paise` is None while it cannot be seen, for the reason in `wait`, because of the symbols in `unseen`.
    `says` and `next` are its state and the key that answers it, in words.
    """

    number: int
    scope: HaltScope
    of: str
    client_id: int | None
    set: FlattenWhat
    action: GuardAction
    state: GuardState
    wait: GuardWait
    unseen: tuple[str, ...]
    net_paise: int | None
    realised_paise: int
    open_paise: int
    charges_paise: int
    interest_paise: int
    exit_paise: int
    positions: int
    base_paise: int
    loss_bps: int | None
    loss_limit_paise: int | None
    target_bps: int | None
    target_limit_paise: int | None
    locked: tuple[str, ...]
    age_s: float | None
    alarmed: bool
    trip: GuardTrip | None
    set_at: datetime
    set_by: str
    says: str
    next: str


def guard_shape(view: GuardView) -> GuardShape:
    """A guard in its shape."""
    return GuardShape(
        number=view.number,
        scope=view.scope,
        of=view.of,
        client_id=view.client_id,
        set=view.what,
        action=view.action,
        state=view.state,
        wait=view.wait,
        unseen=view.unseen,
        net_paise=view.net_paise,
        realised_paise=view.realised_paise,
        open_paise=view.open_paise,
        charges_paise=view.charges_paise,
        interest_paise=view.interest_paise,
        exit_paise=view.exit_paise,
        positions=view.positions,
        base_paise=view.base_paise,
        loss_bps=view.loss_bps,
        loss_limit_paise=view.loss_limit_paise,
        target_bps=view.target_bps,
        target_limit_paise=view.target_limit_paise,
        locked=view.locked,
        age_s=None if view.age_s is None else round(view.age_s, 1),
        alarmed=view.alarmed,
        trip=view.trip,
        set_at=view.set_at,
        set_by=view.set_by,
        says=state_words(view),
        next=answer_key(view),
    )

"""Guards in lives of chaos: set, armed again and taken away by dice, and what books say of their trips."""

import random
import sqlite3
from collections import Counter
from contextlib import suppress

from data.errors import BadInput
from data.records import replace
from data.store import StoreError
from data.vocabulary import FlattenWhat, GuardAction, GuardState, HaltScope, TripKind
from engine.book.watched.guard_views import GuardView
from engine.desk import Desk
from engine.guards.asked import GuardWish
from engine.refusals import Refusal

LIMITS = (500, 50_000)
"""Between which amounts limits lie, in paise: what a few shares lose by half a percent, and by two."""

FAR = 10**12
"""A limit that nothing reaches, in paise."""

SET_AT_ONCE, MOST = 8, 60
"""How many guards are set at a time, and beyond how many some are taken away."""

FLAT_SHARE, SEVERAL_SHARE = 0.6, 0.1
"""Of guards, how many take flat; and how many are of the whole desk, which never do."""


async def guard_some(desk: Desk, dice: random.Random) -> None:
    """Have what has tripped go on, and set a few more guards, so near that they may trip soon."""
    many = len(desk.guards.all()) > MOST
    for view in desk.guards.all():
        if view.trip is not None or (many and dice.random() < 0.5):
            with suppress(Refusal, BadInput, StoreError):
                await _let_go(desk, view)
    clients = desk.clients.all()
    for client in dice.sample(clients, min(len(clients), SET_AT_ONCE)):
        wish = _wish(client.id, dice)
        with suppress(Refusal, BadInput, StoreError):
            await desk.guards.set(wish, desk.guards.answer(wish))


def _wish(client_id: int, dice: random.Random) -> GuardWish:
    loss, what = dice.randint(*LIMITS), dice.choice(tuple(FlattenWhat))
    target = dice.randint(*LIMITS) if dice.random() < 0.3 else None
    if dice.random() < SEVERAL_SHARE:
        return GuardWish(HaltScope.EVERYTHING, "", what, loss_paise=loss * 100, target_paise=target)
    action = GuardAction.FLAT if dice.random() < FLAT_SHARE else GuardAction.BLOCK
    return GuardWish(HaltScope.CLIENT, str(client_id), what, action, loss_paise=loss, target_paise=target)


async def _let_go(desk: Desk, view: GuardView) -> None:
    """Arm a guard again under a limit that stands, and take it away."""
    of = (view.scope, view.value, view.what)
    if view.trip is not None and view.trip.kind is not TripKind.BLIND:
        far = replace(GuardWish(*of), loss_paise=FAR)
        await desk.guards.set(far, desk.guards.answer(far))
        await desk.guards.arm(*of, f"arm {view.of}")
    await desk.guards.remove(*of)


def missed(desk: Desk) -> list[str]:
    """Guards whose limit stands broken and that have not tripped, once the market has stood still."""
    standing = (GuardState.ARMED, GuardState.NEAR)
    return [
        f"guard {one.number} of {one.of} has not tripped at {one.net_paise}"
        for one in desk.guards.all()
        if one.state in standing and _is_broken(one.net_paise, one.loss_limit_paise, one.target_limit_paise)
    ]


def _is_broken(net: int | None, loss: int | None, target: int | None) -> bool:
    if net is None:
        return False
    return (loss is not None and net <= -loss) or (target is not None and net >= target)


def trips_in(database: sqlite3.Connection) -> tuple[int, int, list[str]]:
    """How many trips the books of a home tell of, how many took flat, and what of them cannot be right."""
    trips = database.execute(
        "SELECT guard_number, kind, net_paise, limit_paise, flatten_number FROM guard_trip"
    ).fetchall()
    begun = Counter(flatten for *_, flatten in trips if flatten is not None)
    stored = dict(database.execute("SELECT number, by FROM flatten"))
    of_guards = {number for number, by in stored.items() if by.startswith("guard ")}
    wrong = [f"flatten {number} was begun by {count} trips" for number, count in begun.items() if count > 1]
    wrong += [f"flatten {number} is of a guard, and of no trip" for number in of_guards - begun.keys()]
    # A trip takes up a flatten of its set that somebody had begun: the same one asked for twice is one.
    wrong += [f"a trip began flatten {number}, which is not there" for number in begun.keys() - stored.keys()]
    for guard, kind, net, limit, _ in trips:
        if kind == TripKind.BLIND.value:
            continue
        side = (limit, None) if kind == TripKind.LOSS.value else (None, limit)
        if not _is_broken(net, *side):
            wrong.append(f"guard {guard} tripped at {net}, its {kind} limit being {limit}")
    return len(trips), len(begun), wrong

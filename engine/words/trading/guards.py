"""What guards say: the bar, how one stands and why, and the keys that answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import BPS, half_up
from data.vocabulary import FlattenWhat, GuardAction, GuardState, GuardWait, HaltScope, TripKind
from engine.words import formats

if TYPE_CHECKING:
    from engine.book.watched.guard_views import GuardTrip, GuardView
    from engine.guards.asked import GuardOf, GuardWish
    from engine.guards.news import GuardNews

WAITS = {
    GuardWait.NONE: "",
    GuardWait.STALE: "no fresh price",
    GuardWait.NO_SIDE: "nobody on the other side",
    GuardWait.BAND: "a price outside its band",
    GuardWait.RATES: "no rates loaded",
    GuardWait.PHASE: "no continuous trading",
    GuardWait.BOOKS: "books not compared yet",
    GuardWait.BASE: "no sizing base",
}
"""Why a guard cannot judge, in a trader's words."""

BRIEF_WAITS = {
    GuardWait.NONE: "",
    GuardWait.STALE: "no price",
    GuardWait.NO_SIDE: "one side",
    GuardWait.BAND: "band",
    GuardWait.RATES: "rates",
    GuardWait.PHASE: "market",
    GuardWait.BOOKS: "books",
    GuardWait.BASE: "no base",
}
"""The same where space is short."""

SETS = {
    FlattenWhat.MIS: "MIS",
    FlattenWhat.TODAY: "bought today",
    FlattenWhat.MTF: "MTF",
    FlattenWhat.ALL: "ALL, settled shares too",
}
"""What a guard guards."""

KINDS = {TripKind.LOSS: "loss limit", TripKind.TARGET: "target", TripKind.BLIND: "no fresh price"}
"""Why a guard has tripped."""


def _uses_percent(view: GuardView) -> bool:
    return view.loss_bps is not None or (view.loss_limit_paise is None and view.target_bps is not None)


def _figure(view: GuardView, paise: int, percent: bool, sign: bool) -> str:
    """A figure of a guard: a per cent of its base to a tenth, or rupees."""
    if not percent:
        return formats.signed(paise) if sign else formats.rupees(paise)
    bps = half_up(paise * BPS, view.base_paise) if view.base_paise > 0 else 0
    return f"{'+' if sign and bps > 0 else ''}{formats.tenth_percent(bps)}"


def bar_words(view: GuardView, masked: bool = False) -> str:
    """What a set has brought against the limit it goes towards: `-1.4 / 2.0 %`, or `-7,000 / 10,000`."""
    net = view.net_paise
    if masked and not _uses_percent(view):
        return formats.MASK
    towards_target = view.target_limit_paise is not None and (
        view.loss_limit_paise is None or (net is not None and net > 0)
    )
    limit = view.target_limit_paise if towards_target else view.loss_limit_paise
    percent = (view.target_bps if towards_target else view.loss_bps) is not None
    shown = formats.DASH if net is None else _figure(view, net, percent, sign=True)
    against = formats.DASH if limit is None else _figure(view, limit, percent, sign=False)
    return f"{shown} / {against}{' %' if percent else ''}"


def cell_words(view: GuardView, masked: bool = False) -> str:
    """A guard in a column of 13 cells: its bar, or the word for how it stands."""
    match view.state:
        case GuardState.ARMED | GuardState.NEAR:
            return bar_words(view, masked)
        case GuardState.WAITING:
            blocked = "BLOCKED" if view.trip is not None else "waits"
            return f"{blocked} {BRIEF_WAITS[view.wait]}".rstrip()
        case _:
            return f"{view.state.value.upper()}{_at_trip(view, masked)}"


def guard_words(view: GuardView, masked: bool = False) -> str:
    """A guard on its client's page: `guard mis -1.4 / 2.0 %`, or how it stands."""
    near = " near" if view.state is GuardState.NEAR else ""
    return f"guard {view.what.value} {cell_words(view, masked)}{near}"


def _at_trip(view: GuardView, masked: bool) -> str:
    trip = view.trip
    if trip is None or trip.net_paise is None:
        return ""
    percent = _uses_percent(view)
    if masked and not percent:
        return ""
    return f" {_figure(view, trip.net_paise, percent, sign=True)}{'%' if percent else ''}"


def limits_words(view: GuardView, masked: bool = False) -> str:
    """`loss 2 % (10,000) target 3 % (15,000)`."""
    said: list[str] = []
    for name, bps, paise in (
        ("loss", view.loss_bps, view.loss_limit_paise),
        ("target", view.target_bps, view.target_limit_paise),
    ):
        if bps is None and paise is None:
            continue
        amount = formats.MASK if masked else formats.rupees(paise)
        said.append(f"{name} {formats.percent(bps)} % ({amount})" if bps is not None else f"{name} {amount}")
    return " ".join(said)


def action_words(action: GuardAction) -> str:
    """What a guard does when it trips."""
    if action is GuardAction.BLOCK:
        return "blocks: only orders that reduce leave"
    return "blocks, and takes the set flat once"


BESIDE_DAY = "as if out now: at bid or ask, exit charged; the day's net: at last prices"
"""How a guard's net P&L differs from the day's, which stands on the same screens."""


def made_of_words(view: GuardView, masked: bool = False) -> str:
    """What its net P&L is made of: `realised -500 open -6,200 charges 88 to get out 212`."""
    if view.net_paise is None:  # then neither are its parts
        return formats.DASH
    if masked:
        return formats.MASK
    parts = [
        f"realised {formats.signed(view.realised_paise)}",
        f"open {formats.signed(view.open_paise)}",
        f"charges {formats.rupees(view.charges_paise)}",
    ]
    if view.interest_paise:
        parts.append(f"interest {formats.rupees(view.interest_paise)}")
    return " ".join((*parts, f"to get out {formats.rupees(view.exit_paise)}"))


def state_words(view: GuardView) -> str:
    """How a guard stands and why: `waiting: no fresh price of TCS, INFY`."""
    trip = view.trip
    if trip is not None:
        return _trip_words(view, trip)
    if view.state is GuardState.WAITING:
        of = f" of {', '.join(view.unseen[:3])}" if view.unseen and view.wait is not GuardWait.PHASE else ""
        return f"waiting: {WAITS[view.wait]}{of}"
    if view.locked:
        return f"{view.state.value} · {', '.join(view.locked[:3])} at its circuit, it cannot be got out of"
    return view.state.value


def _trip_words(view: GuardView, trip: GuardTrip) -> str:
    why = KINDS[trip.kind]
    if trip.kind is TripKind.BLIND and view.unseen:
        why += f" of {', '.join(view.unseen[:3])}"
    said = [f"{view.state.value}: {why}"]
    if trip.locked:  # what only a telephone ends comes first
        said = [f"{view.state.value}: {', '.join(trip.locked)} at the circuit", why]
    if trip.halted:
        said.append(f"blocked by halt {trip.halt_number}")
    if trip.flattens:
        said.append(_flatten_words(trip))
    return " · ".join(one for one in said if one)


def _flatten_words(trip: GuardTrip) -> str:
    if trip.flatten_number is None:
        return "HELD BACK from flattening by the halt" if trip.held_back else "to be taken flat"
    counts = f"flatten {trip.flatten_number}: flat {trip.flat}"
    if trip.going:
        counts += f" going {trip.going}"
    if trip.left:
        counts += f" left {trip.left}"
    return counts


def answer_key(view: GuardView) -> str:
    """The key that answers what a guard asks; empty where it asks nothing."""
    trip = view.trip
    if trip is None:
        return "Enter" if view.alarmed else ""
    if view.state is GuardState.LOCKED:
        return "F7 again · phone"
    if trip.flatten_number is not None and trip.left:
        return "F7 again"
    if view.state is GuardState.FLAT:
        return "Enter certificate"
    return "F7 flatten" if trip.kind is not TripKind.BLIND and not trip.flattens else ""


def asking_words(view: GuardView) -> str:
    """How a guard stands, with the key that answers it behind what it is that asks."""
    said, key = state_words(view), answer_key(view)
    if not key:
        return said
    first, between, rest = said.partition(" · ")
    return f"{first} · {key}{between}{rest}"


def guard_line(view: GuardView, masked: bool = False) -> str:
    """A guard in one line: `mis -2.1 / 2.0 % tripped: loss limit · F7 flatten · blocked by halt 7`."""
    return f"{view.what.value} {bar_words(view, masked)} {asking_words(view)}"


def at_once_words(view: GuardView, masked: bool = False) -> str:
    """`trips at once: now -177` of a guard whose limit stands broken before it is set; empty of others."""
    if not view.stands_broken or view.net_paise is None:
        return ""
    percent = _uses_percent(view) and view.base_paise > 0
    if masked and not percent:
        return "trips at once"
    now = _figure(view, view.net_paise, percent, sign=True)
    return f"trips at once: now {now}{' %' if percent else ''}"


def wish_words(wish: GuardWish | GuardOf, named: str) -> str:
    """What setting a guard would do, in one sentence."""
    from engine.guards.asked import GuardOf

    if isinstance(wish, GuardOf):
        return f"{'take away' if wish.off else 'arm again'} the guard of {named}, {wish.what.value}; asks"
    said = [f"GUARD {named}: {SETS[wish.what]}"]
    for name, bps, paise in (
        ("loss", wish.loss_bps, wish.loss_paise),
        ("target", wish.target_bps, wish.target_paise),
    ):
        if bps is not None:
            said.append(f"{name} {formats.percent(bps)} %")
        elif paise is not None:
            said.append(f"{name} {formats.rupees(paise)}")
    return " · ".join((*said, action_words(wish.action)))


def scope_title(scope: HaltScope, named: str) -> str:
    """Of whom a guard is: `PS1015`, `group swing`, `the desk`."""
    if scope is HaltScope.EVERYTHING:
        return "the desk"
    return f"group {named}" if scope is HaltScope.GROUP else named


def news_of_guard(news: GuardNews) -> str:
    """What the tape says of a guard."""
    from engine.guards import news as told

    who = f"guard {news.of} {news.what.value}"
    match news:
        case told.GuardSet(by=by, off=off):
            return f"{who} {'taken away' if off else 'set'} by {by}"
        case told.GuardTripped(kind=TripKind.BLIND):
            return f"{who} BLOCKS: {WAITS[GuardWait.STALE]} near its limit; only orders that reduce leave · !"
        case told.GuardTripped():
            at = ""
            if news.net_paise is not None and news.limit_paise is not None:
                at = f" at {formats.signed(news.net_paise)} of {formats.rupees(news.limit_paise)}"
            then = "its set is taken flat" if news.flattens else "only orders that reduce leave"
            return f"{who} TRIPPED on its {KINDS[news.kind]}{at}; {then} · !"
        case told.GuardTold(state=GuardState.WAITING, wait=wait):
            return f"{who} WAITS: {WAITS[wait]} · !"
        case told.GuardTold(state=state):
            return f"{who} is {state.value} · !"
        case told.GuardSees():
            return f"{who} sees its prices again; its block has ended"
        case told.GuardArmed(by=by):
            return f"{who} armed again by {by}"
        case _:
            raise TypeError(f"no words for {news!r}")

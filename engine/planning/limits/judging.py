"""What limits say of an order: each that it would be beyond, and the most shares that would be within all.

Pure, in whole paise and basis points; a figure that would be beyond a limit is rounded so that it shows. What
makes a position smaller is told of live orders that it would meet and of slips, and is stopped by none of
them.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from data.money import BPS, ceil_div
from data.records import replace
from data.vocabulary import LimitKind, LimitScope, LimitStrength, Product, Reason, Side
from engine.book.watched.limit_views import T2T, LimitView
from engine.planning.limits.figures import ClientExposure, ListedShare, Surroundings, Total, WantedOrder
from engine.planning.limits.slips import decimal_slip, swapped
from engine.planning.limits.why import (
    DecimalSlip,
    HeldLimit,
    Limiting,
    MeetsOwn,
    NotJudged,
    OnShareList,
    OverLimit,
    SettlesGross,
    Swapped,
)
from engine.planning.sizing import whole_lots
from engine.planning.why import LineRefusal, Why

REACHED = frozenset({LimitKind.DAILY_LOSS, LimitKind.DAILY_LOSS_PERCENT, LimitKind.TOTAL_LOSS})
"""Limits that stop once they are reached; all others once an order would be beyond them."""

WEIGHTS = frozenset({LimitKind.STOCK, LimitKind.SECTOR})
"""Limits of a part of the portfolio."""

WORTHS = WEIGHTS | REACHED
"""Limits that need what a client's shares are worth."""

NO_SECTOR = "other"
"""Where no list tells a share's sector."""


class Measured(Struct, frozen=True):
    """What stands against a limit before an order and what would with it."""

    now: int
    would: int


class Judged(Struct, frozen=True):
    """What limits say of an order: why it is refused, None where it may go, and what else is to be known."""

    refusal: LineRefusal | None = None
    remarks: tuple[Why, ...] = ()


def judged(wanted: WantedOrder, exposure: ClientExposure, around: Surroundings, override: str = "") -> Judged:
    """Whether an order may go, for a soft limit by the reason that was typed."""
    found = findings(wanted, exposure, around)
    if wanted.side is Side.SELL:
        return Judged(None, tuple(replace(one, held=None) for one in found))
    hard = [one for one in found if _is(one, LimitStrength.HARD)]
    soft = [one for one in found if _is(one, LimitStrength.SOFT)]
    if hard:
        return Judged(LineRefusal(Reason.OVER_LIMIT, (*hard, *soft)))
    if soft and not override:
        return Judged(LineRefusal(Reason.OVER_SOFT_LIMIT, tuple(soft)))
    return Judged(None, tuple(_overridden(one, override) for one in found))


def passing(found: Iterable[Why], typed: bool = True) -> Iterable[str]:
    """What of that said is passed by a reason, or of soft limits could be: each by what it is of."""
    for one in found:
        if not isinstance(one, Limiting) or one.held is None:
            continue
        if one.held.override if typed else one.held.strength is LimitStrength.SOFT:
            of = one.limit.value if isinstance(one, OverLimit | NotJudged) else ""
            yield f"{type(one).__name__} {of or (one.name if isinstance(one, OnShareList) else '')}"


def _is(found: Limiting, strength: LimitStrength) -> bool:
    held = found.held
    if held is None:
        return strength is LimitStrength.HARD and isinstance(found, SettlesGross)
    return held.strength is strength


def _overridden(found: Limiting, override: str) -> Limiting:
    return found if found.held is None else replace(found, held=replace(found.held, override=override))


def findings(wanted: WantedOrder, exposure: ClientExposure, around: Surroundings) -> list[Limiting]:
    """All that an order would be beyond, hard or soft, and what is only told of it."""
    found: list[Limiting] = []
    if wanted.side is Side.BUY:
        found += _figures(wanted, exposure)
        found += _lists(wanted, exposure, around)
    found += _meetings(wanted, exposure, around)
    found += _slips(wanted, exposure)
    return found


_OF_WHAT_IS_NAMED = frozenset({LimitKind.LIST, LimitKind.CROSS, LimitKind.DECIMAL_SLIP, LimitKind.SWAPPED})
"""Limits that look for a list, an order of the other side, a price or a quantity that was typed."""


def says_nothing(limits: Sequence[LimitView], around: Surroundings, priced: bool) -> bool:
    """Whether there is nothing that these limits could find against an order, whoever's it is.

    `priced` says that it has a limit or a trigger. Of none was the quantity typed as a number.
    """
    named = priced or around.opposite or around.listings or around.trade_to_trade
    return not named and all(one.kind in _OF_WHAT_IS_NAMED for one in limits)


# --- figures ------------------------------------------------------------------------------------------


def _figures(wanted: WantedOrder, exposure: ClientExposure) -> Iterable[Limiting]:
    for limits in strictest(exposure.limits):
        for limit in filter(None, limits):
            finding = _beyond(limit, wanted, exposure)
            if finding is not None:
                yield finding
                break


def strictest(limits: Sequence[LimitView]) -> list[tuple[LimitView | None, LimitView | None]]:
    """The strictest hard and the strictest soft limit of each kind; of two alike the nearer to the client."""
    found: dict[tuple[LimitKind, LimitStrength], LimitView] = {}
    for one in limits:
        if one.figure is None:
            continue
        known = found.get((one.kind, one.strength))
        if known is None or known.figure is None or one.figure < known.figure:
            found[one.kind, one.strength] = one
    kinds = {kind for kind, _ in found}
    return [
        (found.get((kind, LimitStrength.HARD)), found.get((kind, LimitStrength.SOFT)))
        for kind in LimitKind
        if kind in kinds
    ]


def _beyond(limit: LimitView, wanted: WantedOrder, exposure: ClientExposure) -> Limiting | None:
    assert limit.figure is not None, "a limit of a figure"
    measured, held = measure(limit, wanted, exposure), _held(limit, wanted)
    if measured is None:
        return NotJudged(held, limit.kind)
    reached = measured.would >= limit.figure if limit.kind in REACHED else measured.would > limit.figure
    if not reached:
        return None
    of = {LimitKind.STOCK: wanted.tradingsymbol, LimitKind.SECTOR: exposure.sector or NO_SECTOR}
    return OverLimit(held, limit.kind, limit.figure, measured.now, measured.would, of.get(limit.kind, ""))


def _held(limit: LimitView, wanted: WantedOrder) -> HeldLimit:
    whose = wanted.code if limit.scope is LimitScope.CLIENT else limit.whose
    return HeldLimit(limit.scope, whose, limit.strength)


def measure(limit: LimitView, wanted: WantedOrder, exposure: ClientExposure) -> Measured | None:
    """What stands against a limit, and what would with the order; None where that is not known."""
    match limit.kind:
        case LimitKind.ORDER_VALUE:
            return Measured(0, wanted.quantity * wanted.bound_paise)
        case LimitKind.ORDER_QUANTITY:
            return Measured(0, wanted.quantity)
        case LimitKind.PRICE_AWAY:
            return Measured(0, away_bps(wanted))
        case LimitKind.STOCK:
            held = exposure.shares * wanted.last_paise
            return _weight(held, wanted, exposure)
        case LimitKind.SECTOR:
            return _weight(exposure.sector_paise, wanted, exposure)
        case LimitKind.ORDERS:
            return Measured(exposure.orders, exposure.orders + wanted.orders)
        case LimitKind.TOTAL_ORDERS:
            sent = exposure.totals.get((limit.scope, limit.whose), Total()).orders
            return Measured(sent, sent + wanted.orders)
        case _:
            return _loss(limit, exposure)


def away_bps(wanted: WantedOrder) -> int:
    """How far the limit or the trigger is from the last price, the further of both, in basis points of it."""
    prices = [price for price in (wanted.limit_paise, wanted.trigger_paise) if price is not None]
    if not prices or wanted.last_paise <= 0:
        return 0
    return max(ceil_div(abs(price - wanted.last_paise) * BPS, wanted.last_paise) for price in prices)


def _weight(held_paise: int | None, wanted: WantedOrder, exposure: ClientExposure) -> Measured | None:
    portfolio = exposure.portfolio_paise
    if held_paise is None or portfolio is None or portfolio <= 0:
        return None
    with_order = held_paise + wanted.quantity * wanted.last_paise
    return Measured(held_paise * BPS // portfolio, ceil_div(with_order * BPS, portfolio))


def _loss(limit: LimitView, exposure: ClientExposure) -> Measured | None:
    net = exposure.net_paise
    if limit.kind is LimitKind.TOTAL_LOSS:
        net = exposure.totals.get((limit.scope, limit.whose), Total()).net_paise
    if net is None:
        return None
    loss = -net
    if limit.kind is LimitKind.DAILY_LOSS_PERCENT:
        if exposure.base_paise <= 0:
            return None
        loss = loss * BPS // exposure.base_paise
    return Measured(loss, loss)


def fits(wanted: WantedOrder, exposure: ClientExposure, around: Surroundings, override: str = "") -> int:
    """The most shares, in whole lots, for which an order may go; 0 where fewer would not help."""
    most = wanted.quantity
    for hard, soft in strictest(exposure.limits):
        for limit in (hard, None if override else soft):
            if limit is not None:
                most = min(most, _most(limit, wanted, exposure))
    most = max(0, whole_lots(most, wanted.lot_size))
    if not most:
        return 0
    orders = ceil_div(most, wanted.slice_quantity) if wanted.slice_quantity else 1
    fewer = judged(replace(wanted, quantity=most, orders=orders), exposure, around, override)
    return most if fewer.refusal is None else 0


def _most(limit: LimitView, wanted: WantedOrder, exposure: ClientExposure) -> int:
    """The most shares within one limit, as far as their number is what it is held against."""
    assert limit.figure is not None, "a limit of a figure"
    portfolio, last = exposure.portfolio_paise or 0, wanted.last_paise
    match limit.kind:
        case LimitKind.ORDER_VALUE if wanted.bound_paise > 0:
            return limit.figure // wanted.bound_paise
        case LimitKind.ORDER_QUANTITY:
            return limit.figure
        case LimitKind.STOCK if last > 0:
            return limit.figure * portfolio // BPS // last - exposure.shares
        case LimitKind.SECTOR if last > 0:
            return (limit.figure * portfolio // BPS - (exposure.sector_paise or 0)) // last
        case LimitKind.ORDERS | LimitKind.TOTAL_ORDERS if wanted.slice_quantity:
            measured = measure(limit, wanted, exposure)
            left = limit.figure - (measured.now if measured else 0)
            return left * wanted.slice_quantity
        case _:
            return wanted.quantity


# --- what has no figure -------------------------------------------------------------------------------


def _flag(
    exposure: ClientExposure, wanted: WantedOrder, kind: LimitKind, list_name: str = ""
) -> HeldLimit | None:
    """How strict the desk is about what a kind looks for: the hardest, and of two alike the nearest."""
    limits = [one for one in exposure.limits if (one.kind, one.list_name) == (kind, list_name)]
    for strength in (LimitStrength.HARD, LimitStrength.SOFT):
        for one in limits:
            if one.strength is strength:
                return _held(one, wanted)
    return None


def _lists(wanted: WantedOrder, exposure: ClientExposure, around: Surroundings) -> Iterable[Limiting]:
    gross = around.trade_to_trade or any(one.name == T2T for one in around.listings)
    if gross and wanted.product is not Product.CNC:
        yield SettlesGross(None, wanted.product)
    for one in around.listings:
        yield _on_list(one, _flag(exposure, wanted, LimitKind.LIST, one.name))


def _on_list(one: ListedShare, held: HeldLimit | None) -> OnShareList:
    return OnShareList(held, one.name, one.told, one.as_of, one.stale)


def _meetings(wanted: WantedOrder, exposure: ClientExposure, around: Surroundings) -> Iterable[Limiting]:
    held = _flag(exposure, wanted, LimitKind.CROSS)
    met = [one for one in around.opposite if _meets(wanted, one.price_paise)] if held else []
    if met:
        first = min(met, key=lambda one: (one.client_id != wanted.client_id, one.order_id or 0))
        own = first.client_id == wanted.client_id
        yield MeetsOwn(held, first.order_id, first.quantity, first.price_paise, len(met) - 1, own)


def _meets(wanted: WantedOrder, price_paise: int | None) -> bool:
    if price_paise is None:
        return True
    if wanted.side is Side.BUY:
        return wanted.bound_paise >= price_paise
    return wanted.bound_paise <= price_paise


def _slips(wanted: WantedOrder, exposure: ClientExposure) -> Iterable[Limiting]:
    last = wanted.last_paise
    if last <= 0:
        return
    if (held := _flag(exposure, wanted, LimitKind.DECIMAL_SLIP)) is not None:
        for what, price in (("limit", wanted.limit_paise), ("trigger", wanted.trigger_paise)):
            slip = None if price is None else decimal_slip(price, last)
            if price is not None and slip is not None:
                yield DecimalSlip(held, what, price, last, slip.times, slip.too_much)
    held = _flag(exposure, wanted, LimitKind.SWAPPED)
    if held is not None and wanted.typed and swapped(wanted.quantity, wanted.limit_paise, last):
        yield Swapped(held, wanted.quantity, last, wanted.limit_paise)

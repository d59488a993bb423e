"""A client's stocks while a rebalance works out what would be held of each; values in paise."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from data.money import ceil_div
from data.vocabulary import RebalanceNote, RebalanceTo
from engine.rebalancing.model import WHOLE, ModelRules, Target
from engine.rebalancing.proposal import StockNote
from engine.rebalancing.shares import HeldStock


class StockPrice(Struct, frozen=True):
    """A stock of the model as all clients trade it; prices in paise, `last_paise` 0 where none is young.

    `reserve_paise` is what a buy reserves for each share.
    """

    security: str
    symbol: str
    exchange: str
    last_paise: int
    reserve_paise: int
    lot_size: int = 1


class WorkingStock:
    """One stock: what is held and wanted of it, what would be, and its trade in shares."""

    __slots__ = (
        "buy",
        "charges",
        "desired",
        "gain_long",
        "gain_short",
        "held",
        "last",
        "later",
        "notes",
        "price",
        "sell",
        "target",
        "unit",
        "value",
        "want",
    )

    def __init__(self, target: Target, price: StockPrice, held: HeldStock, base_paise: int) -> None:
        self.target, self.price, self.held = target, price, held
        self.last = price.last_paise
        self.unit = price.last_paise * price.lot_size
        self.value = self.desired = held.quantity * price.last_paise
        self.want = base_paise * target.weight // WHOLE
        self.sell = self.buy = self.later = self.charges = self.gain_short = self.gain_long = 0
        self.notes: list[StockNote] = []

    @property
    def after(self) -> int:
        """What is held of it once all of its trade is done."""
        return self.value + (self.buy + self.later - self.sell) * self.last

    def note(self, kind: RebalanceNote, shares: int = 0) -> None:
        """Say why it is not traded as far as it would be."""
        self.notes.append(StockNote(kind, shares))


def spread(amount: int, rooms: Sequence[int]) -> list[int]:
    """An amount over rooms in proportion to them, each at most its room; in whole paise."""
    total = sum(rooms)
    if amount >= total:
        return list(rooms)
    parts = [amount * room // total for room in rooms]
    left = amount - sum(parts)
    for place, room in enumerate(rooms):
        more = min(left, room - parts[place], 1)
        parts[place] += more
        left -= more
    return parts


def desire(
    own: Sequence[WorkingStock], band: int, rules: ModelRules, gain_rate: Callable[[WorkingStock], int]
) -> None:
    """Say what would be held of a sector's stocks: nothing else where everything of it is inside the band.

    A stock whose target is nothing is sold whole. To the edge, each stock is brought inside its band first,
    then the sector; `gain_rate` says which stocks such sales are taken from first where losses go first.
    """
    want, value = sum(one.want for one in own), sum(one.value for one in own)
    leaving = any(one.value and not one.target.weight for one in own)
    if not leaving and abs(value - want) <= band and all(abs(one.value - one.want) <= band for one in own):
        return
    if rules.to is RebalanceTo.TARGET:
        for one in own:
            one.desired = one.want
        return
    for one in own:
        inside = band if one.target.weight else 0
        one.desired = max(min(one.value, one.want + inside), one.want - inside)
        _to_whole_shares(one)
    over = sum(one.desired for one in own) - want - band
    if over > 0:
        _take_down(own, over, rules, gain_rate)
    if (under := want - band - sum(one.desired for one in own)) > 0:
        rooms = [max(0, one.want - one.desired) for one in own]
        for one, part in zip(own, spread(under, rooms), strict=True):
            one.desired += part
    for one in own:
        _to_whole_shares(one)


def _to_whole_shares(one: WorkingStock) -> None:
    """Have a stock that is brought to its edge end inside its band, by a whole share.

    It goes past its target by less than half a share, as all trades do.
    """
    away = one.desired - one.value
    if not away or not one.unit:
        return
    whole = ceil_div(abs(away), one.unit) * one.unit
    if 2 * (whole - abs(one.want - one.value)) < one.unit:
        one.desired = one.value + (whole if away > 0 else -whole)


def _take_down(
    own: Sequence[WorkingStock], over: int, rules: ModelRules, gain_rate: Callable[[WorkingStock], int]
) -> None:
    if rules.losses_first:
        for one in sorted(own, key=gain_rate):
            part = min(over, max(0, one.desired - one.want))
            one.desired -= part
            over -= part
        return
    rooms = [max(0, one.desired - one.want) for one in own]
    for one, part in zip(own, spread(over, rooms), strict=True):
        one.desired -= part


def raise_cash(stocks: Sequence[WorkingStock], cash: int, kept: int) -> None:
    """Have no more be held than leaves what is kept: fewer buys first, then sales of what is over target."""
    short = kept - cash - sum(one.value - one.desired for one in stocks)
    if short <= 0:
        return
    buys = [max(0, one.desired - one.value) for one in stocks]
    cut = spread(short, buys) if sum(buys) else [0] * len(stocks)
    for one, part in zip(stocks, cut, strict=True):
        one.desired -= part
    short -= sum(cut)
    over = [max(0, one.desired - one.want) for one in stocks]
    if short > 0 and sum(over):
        for one, part in zip(stocks, spread(short, over), strict=True):
            one.desired -= part


def invest_cash(stocks: Sequence[WorkingStock], cash: int, kept: int) -> None:
    """Have what is idle bring stocks that are under their targets towards these, inside the band too."""
    idle = cash + sum(one.value - one.desired for one in stocks) - kept
    rooms = [max(0, one.want - one.desired) if one.last else 0 for one in stocks]
    if idle > 0 and sum(rooms):
        for one, part in zip(stocks, spread(idle, rooms), strict=True):
            one.desired += part


class ModelDrift(NamedTuple):
    """The largest distance of a sector or stock from its target, in paise, and which of them it is of."""

    paise: int
    of: str


def drift_of(sectors: Mapping[str, Sequence[WorkingStock]], *, after: bool) -> ModelDrift:
    """How far a client is from its model; a stock is named before its sector where both are as far."""
    most = ModelDrift(0, "")
    for sector, own in sectors.items():
        total = 0
        for one in own:
            beyond = (one.after if after else one.value) - one.want
            total += beyond
            if abs(beyond) > most.paise:
                most = ModelDrift(abs(beyond), one.price.symbol)
        if abs(total) > most.paise:
            most = ModelDrift(abs(total), sector)
    return most

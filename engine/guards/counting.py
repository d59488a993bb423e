"""What a set of a client's positions has brought today, as it could be got out of now. Pure, in paise.

* Realised against cost; what was sold of shares held before today counts from the previous close.
* Open: what is held at the bid, what is owed at the ask, against cost; shares held before today against the
  previous close. At its circuit, where nobody is on the other side, a position counts at the circuit.
* Less the charges and the interest of the day, and what the charges of getting out would be.

Money that comes in or goes out, adopted cash and changes of the number of shares are in none of these.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from brokers.contract import Tick
from data.errors import BadInput
from data.reference.rates import estimate
from data.vocabulary import FlattenWhat, GuardWait, Product, Side
from engine.book.owed import OwedShares
from engine.book.views import DayFigures, HoldingView

DEMAT = frozenset({Product.CNC, Product.MTF})
"""Products of which shares held before today leave the demat account when they are sold, for a fee."""

EXIT_STEP = 200
"""The charges of an exit are worked out anew once its worth has moved by one part in so many."""


class Mark(NamedTuple):
    """What an instrument can be sold and bought at now, or why that is not known; 0 is no price.

    `close` is the previous close, adjusted by the exchange for what it did to the shares.
    """

    bid: int
    ask: int
    close: int
    wait: GuardWait = GuardWait.NONE
    floor: bool = False
    """At its lower circuit without a buyer: it cannot be sold."""
    ceiling: bool = False
    """At its upper circuit without a seller: it cannot be bought."""


def mark_of(quote: Tick | None, old: bool, trading: bool) -> Mark:
    """A quote as guards take it: whether it is too `old` to act on, or not `trading` continuously."""
    if not trading:
        return Mark(0, 0, 0, GuardWait.PHASE)
    if quote is None or old or quote.last_paise <= 0:
        return Mark(0, 0, 0, GuardWait.STALE)
    low, high = quote.lower_circuit_paise, quote.upper_circuit_paise
    bid, ask = quote.bid_paise, quote.ask_paise
    floor = bid <= 0 < low and quote.last_paise <= low
    ceiling = ask <= 0 < high and quote.last_paise >= high
    bid, ask = (low if floor else bid), (high if ceiling else ask)
    for price in (bid, ask, quote.prev_close_paise):
        if price > 0 and ((low > 0 and price < low) or (high > 0 and price > high)):
            return Mark(0, 0, 0, GuardWait.BAND)
    return Mark(bid, ask, quote.prev_close_paise, GuardWait.NONE, floor, ceiling)


class HeldPart(NamedTuple):
    """A holding's part of a set: shares of today and what they cost, shares held before, or owed ones."""

    key: str
    product: Product
    bought: int
    bought_paise: int
    carried: int
    owed: int = 0
    owed_paise: int = 0


class SoldBefore(NamedTuple):
    """Shares held before today and sold today; they count from the previous close, not from their cost."""

    key: str
    quantity: int
    cost_paise: int


class SetBooks(Struct, frozen=True):
    """What of a client's books is in a set; `realised_paise` is against cost."""

    realised_paise: int = 0
    charges_paise: int = 0
    interest_paise: int = 0
    held: tuple[HeldPart, ...] = ()
    sold: tuple[SoldBefore, ...] = ()

    @property
    def keys(self) -> set[str]:
        """Every instrument whose price is in it."""
        return {one.key for one in (*self.held, *self.sold)}


class Counted(Struct, frozen=True):
    """What a set has brought; `net_paise` is None while something of it cannot be seen, and `wait` says why.

    `unseen` are those instruments, `locked` those that cannot be got out of at their circuit. `open` counts
    its positions.
    """

    net_paise: int | None = 0
    realised_paise: int = 0
    open_paise: int = 0
    charges_paise: int = 0
    interest_paise: int = 0
    exit_paise: int = 0
    open: int = 0
    wait: GuardWait = GuardWait.NONE
    unseen: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()


def books_of(
    what: FlattenWhat,
    holdings: Iterable[HoldingView],
    owed: Iterable[OwedShares],
    figures: DayFigures,
    trade_to_trade: frozenset[str],
    interest_paise: int = 0,
) -> SetBooks:
    """What of a client's books is in a set. `trade_to_trade` are keys of shares that no day trade is of.

    `mis` is what is of the day, `today` that and what was bought today for delivery or on margin, `mtf` what
    is on margin, `all` everything. Charges of a product and security count whole where anything of them is
    in the set.
    """
    held: list[HeldPart] = []
    todays: set[tuple[str, Product]] = set()
    for one in holdings:
        part = _part(what, one, trade_to_trade)
        if part is not None:
            held.append(part)
        if one.today:
            todays.add((one.security, one.product))
    if what is not FlattenWhat.MTF:
        held += [
            HeldPart(one.key, Product.MIS, 0, 0, 0, one.quantity, one.proceeds_paise)
            for one in owed
            if one.quantity
        ]
    realised, sold = 0, list[SoldBefore]()
    for sale in figures.sales:
        before = sale.quantity > 0
        if not _counts(what, sale.product, bought_today=not before):
            continue
        if what is FlattenWhat.TODAY and sale.key in trade_to_trade:
            continue
        realised += sale.pnl_paise
        if before:
            sold.append(SoldBefore(sale.key, sale.quantity, sale.cost_paise))
    charges = sum(
        one.charges_paise
        for one in figures.paid
        if _counts(what, one.product, bought_today=False)
        or (what is FlattenWhat.TODAY and (one.security, one.product) in todays)
    )
    return SetBooks(realised, charges, interest_paise, tuple(held), tuple(sold))


def _counts(what: FlattenWhat, product: Product, bought_today: bool) -> bool:
    """Whether shares of a product are in a set, by whether they were bought today."""
    match what:
        case FlattenWhat.MIS:
            return product is Product.MIS
        case FlattenWhat.TODAY:
            return product is Product.MIS or bought_today
        case FlattenWhat.MTF:
            return product is Product.MTF
        case FlattenWhat.ALL:
            return True


def _part(what: FlattenWhat, one: HoldingView, trade_to_trade: frozenset[str]) -> HeldPart | None:
    """What of a holding is in a set; None where nothing is."""
    quantity = one.quantity
    if not quantity or (what is FlattenWhat.TODAY and one.key in trade_to_trade):
        return None
    bought = quantity if one.product is Product.MIS else min(one.today, quantity)
    cost = one.cost_paise if bought == quantity else one.today_cost_paise
    of_today = bought if _counts(what, one.product, bought_today=True) else 0
    carried = quantity - bought if _counts(what, one.product, bought_today=False) else 0
    if not of_today and not carried:
        return None
    return HeldPart(one.key, one.product, of_today, cost if of_today else 0, carried)


class ExitCosts:
    """What it would cost to get out of positions of one client, worked out anew as their worth moves."""

    def __init__(self, broker: str, on: date) -> None:
        self._broker = broker
        self._on = on
        self._known: dict[HeldPart, tuple[int, int]] = {}

    def of(self, one: HeldPart, worth_paise: int) -> int:
        """Charges of trading a position away at this worth. Raises `BadInput` where no rates are loaded."""
        known = self._known.get(one)
        if known is not None and abs(worth_paise - known[0]) * EXIT_STEP <= known[0]:
            return known[1]
        side = Side.BUY if one.owed else Side.SELL
        leaves_demat = one.carried > 0 and one.product in DEMAT
        exchange = one.key.partition(":")[0]
        charges = estimate(
            self._on, self._broker, exchange, one.product, side, worth_paise, demat_sale=leaves_demat
        ).total_paise
        self._known[one] = (worth_paise, charges)
        return charges


def count(books: SetBooks, marks: Mapping[str, Mark], exits: ExitCosts) -> Counted:
    """What a set has brought at these marks."""
    realised, gained, leaving = books.realised_paise, 0, 0
    wait, unseen, locked = GuardWait.NONE, list[str](), list[str]()
    for sale in books.sold:
        mark = marks[sale.key]
        if mark.wait is not GuardWait.NONE or mark.close <= 0:
            wait = _weightier(wait, mark.wait or GuardWait.BAND)
            unseen.append(sale.key)
        else:
            realised -= sale.quantity * mark.close - sale.cost_paise
    for one in books.held:
        mark = marks[one.key]
        price = mark.ask if one.owed else mark.bid
        why = mark.wait
        if not why and price <= 0:
            why = GuardWait.NO_SIDE
        elif not why and one.carried and mark.close <= 0:
            why = GuardWait.BAND
        elif not why and one.owed and one.owed_paise <= 0:
            why = GuardWait.BOOKS
        if why:
            wait = _weightier(wait, why)
            unseen.append(one.key)
            continue
        if one.owed:
            worth = one.owed * price
            gained += one.owed_paise - worth
            if mark.ceiling:
                locked.append(one.key)
        else:
            worth = (one.bought + one.carried) * price
            gained += one.bought * price - one.bought_paise + one.carried * (price - mark.close)
            if mark.floor:
                locked.append(one.key)
        try:
            leaving += exits.of(one, worth)
        except BadInput:
            wait = _weightier(wait, GuardWait.RATES)
            unseen.append(one.key)
    spent = books.charges_paise + books.interest_paise + leaving
    return Counted(
        None if wait else realised + gained - spent,
        realised,
        gained,
        books.charges_paise,
        books.interest_paise,
        leaving,
        len(books.held),
        wait,
        tuple(unseen),
        tuple(locked),
    )


_WEIGHT = {why: place for place, why in enumerate(GuardWait)}


def _weightier(one: GuardWait, other: GuardWait) -> GuardWait:
    """Of two reasons the one that is said: a closed market explains itself, and comes after all else."""
    if not one or one is GuardWait.PHASE:
        return other if other else one
    if not other or other is GuardWait.PHASE:
        return one
    return one if _WEIGHT[one] <= _WEIGHT[other] else other


def together(counted: Sequence[Counted]) -> Counted:
    """Sets of several clients as one; it cannot be seen while one of them cannot."""
    wait = GuardWait.NONE
    for one in counted:
        wait = _weightier(wait, one.wait)
    nets = [one.net_paise for one in counted]
    return Counted(
        None if wait else sum(net or 0 for net in nets),
        sum(one.realised_paise for one in counted),
        sum(one.open_paise for one in counted),
        sum(one.charges_paise for one in counted),
        sum(one.interest_paise for one in counted),
        sum(one.exit_paise for one in counted),
        sum(one.open for one in counted),
        wait,
        tuple(dict.fromkeys(key for one in counted for key in one.unseen)),
        tuple(dict.fromkeys(key for one in counted for key in one.locked)),
    )

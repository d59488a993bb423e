"""One client's lots of one security as the tax sees them, from its trades in the market's order.

A day's purchases and sales on one exchange are netted first, as the exchange nets them, whatever their
products: those round trips are speculative. What is left is delivered, and leaves the demat account first in,
first out, CNC and MTF alike. A trade-to-trade security is not netted. Splits, bonuses and mergers change the
queue as their day begins.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from msgspec import Struct, structs

from data.reference.tax import gain_term, stt_is_expense
from data.vocabulary import GainTerm, Side


class TaxTrade(Struct, frozen=True):
    """One trade; money in paise. `charges_paise` includes `stt_paise`; `is_gross` is a trade-to-trade's."""

    day: date
    exchange: str
    tradingsymbol: str
    side: Side
    quantity: int
    price_paise: int
    charges_paise: int
    stt_paise: int
    is_gross: bool = False


class SharesIn(Struct, frozen=True):
    """Shares that came without a trade of ours from `day` on; `bought_on` is None where nobody knows it."""

    day: date
    quantity: int
    cost_paise: int
    bought_on: date | None
    charges_paise: int = 0
    stt_paise: int = 0


class SharesOut(Struct, frozen=True):
    """Shares that left without a trade of ours."""

    day: date
    quantity: int


class SharesBecome(Struct, frozen=True):
    """What a company made of every share that was held as a day began: so many, as old and as dear.

    `leave` says that they went on as another company's, out of this queue.
    """

    day: date
    shares_of_one: Fraction
    leave: bool = False


class TaxLot(Struct, frozen=True):
    """Shares in the demat account, bought together; charges include securities transaction tax. In paise."""

    bought_on: date | None
    quantity: int
    cost_paise: int
    charges_paise: int
    stt_paise: int


class TaxSale(Struct, frozen=True):
    """Shares of one lot that one sale sold; money in paise.

    Cost and day are None where no purchase is known. Charges are those of both sides, `stt_paise` included.
    """

    term: GainTerm
    exchange: str
    tradingsymbol: str
    quantity: int
    bought_on: date | None
    sold_on: date
    cost_paise: int | None
    proceeds_paise: int
    charges_paise: int
    stt_paise: int

    @property
    def expenses_paise(self) -> int:
        """The charges that lessen the gain by the rules of the day of the sale."""
        counts = stt_is_expense(self.term, self.sold_on)
        return self.charges_paise if counts else self.charges_paise - self.stt_paise

    @property
    def gain_paise(self) -> int | None:
        """What was gained; None where the cost is not known."""
        return (
            None if self.cost_paise is None else self.proceeds_paise - self.cost_paise - self.expenses_paise
        )


class TaxBook(Struct, frozen=True):
    """What was sold of one security, what is left of it, and what left without a trade."""

    sales: tuple[TaxSale, ...]
    lots: tuple[TaxLot, ...]
    gone: tuple[SharesOut, ...]
    left: tuple[TaxLot, ...] = ()
    """What went on as another company's."""


def tax_book(
    trades: Sequence[TaxTrade],
    came: Iterable[SharesIn] = (),
    gone: Iterable[SharesOut] = (),
    become: Iterable[SharesBecome] = (),
) -> TaxBook:
    """Run through a security's days. `trades` stand in the market's order.

    What a company does is done as its day begins; bonus shares are among those that came.
    """
    by_day: dict[date, list[TaxTrade]] = defaultdict(list)
    for trade in trades:
        by_day[trade.day].append(trade)
    entering: dict[date, list[SharesIn]] = defaultdict(list)
    for one in sorted(came, key=lambda one: (one.day, one.bought_on or one.day)):
        entering[one.day].append(one)
    leaving: dict[date, list[SharesOut]] = defaultdict(list)
    for one in gone:
        leaving[one.day].append(one)
    changing: dict[date, list[SharesBecome]] = defaultdict(list)
    for one in become:
        changing[one.day].append(one)
    queue: deque[TaxLot] = deque()
    sales: list[TaxSale] = []
    left: list[TaxLot] = []
    for day in sorted(by_day.keys() | entering.keys() | leaving.keys() | changing.keys()):
        for one in changing[day]:
            held = scaled(tuple(queue), one.shares_of_one)
            queue = deque(() if one.leave else held)
            left += held if one.leave else ()
        queue.extend(
            TaxLot(one.bought_on, one.quantity, one.cost_paise, one.charges_paise, one.stt_paise)
            for one in entering[day]
        )
        sales.extend(_day(by_day[day], queue))
        for one in leaving[day]:
            list(_taken(queue, one.quantity))
    out = tuple(one for each in leaving.values() for one in each)
    return TaxBook(tuple(sales), tuple(queue), out, tuple(left))


def scaled(lots: Sequence[TaxLot], shares_of_one: Fraction) -> list[TaxLot]:
    """Lots in other shares, each as old and as dear; parts of a share are lost once, at the end.

    What lots too small for a share have cost goes to the next one, of the last ones to the one before.
    """
    made: list[TaxLot] = []
    before = after = cost = charges = stt = 0
    for lot in lots:
        before += lot.quantity
        quantity = int(before * shares_of_one) - after
        after += quantity
        cost, charges, stt = cost + lot.cost_paise, charges + lot.charges_paise, stt + lot.stt_paise
        if quantity:
            made.append(TaxLot(lot.bought_on, quantity, cost, charges, stt))
            cost = charges = stt = 0
    if made:
        last = made[-1]
        made[-1] = structs.replace(
            last,
            cost_paise=last.cost_paise + cost,
            charges_paise=last.charges_paise + charges,
            stt_paise=last.stt_paise + stt,
        )
    return made


def _day(trades: Sequence[TaxTrade], queue: deque[TaxLot]) -> Iterator[TaxSale]:
    """A day's trades: round trips, then purchases into the queue, then what is sold out of it."""
    delivered: list[TaxTrade] = []
    by_exchange: dict[str, list[TaxTrade]] = defaultdict(list)
    for trade in trades:
        by_exchange[trade.exchange].append(trade)
    for each in by_exchange.values():
        if any(trade.is_gross for trade in each):
            delivered.extend(each)
        else:
            yield from _netted(each, delivered)
    for trade in delivered:
        if trade.side is Side.BUY:
            cost = trade.quantity * trade.price_paise
            queue.append(TaxLot(trade.day, trade.quantity, cost, trade.charges_paise, trade.stt_paise))
    for trade in delivered:
        if trade.side is Side.SELL:
            yield from _sold(trade, queue)


def _netted(trades: Sequence[TaxTrade], delivered: list[TaxTrade]) -> Iterator[TaxSale]:
    """Pair purchases with sales as they came; what is left over is `delivered`."""
    waiting: dict[Side, deque[TaxTrade]] = {Side.BUY: deque(), Side.SELL: deque()}
    for trade in trades:
        left: TaxTrade | None = trade
        other = waiting[Side.SELL if trade.side is Side.BUY else Side.BUY]
        while left is not None and other:
            quantity = min(left.quantity, other[0].quantity)
            (part, left), (match, rest) = _split(left, quantity), _split(other.popleft(), quantity)
            if rest is not None:
                other.appendleft(rest)
            yield _round_trip(*((part, match) if part.side is Side.BUY else (match, part)))
        if left is not None:
            waiting[trade.side].append(left)
    delivered.extend((*waiting[Side.BUY], *waiting[Side.SELL]))


def _round_trip(bought: TaxTrade, sold: TaxTrade) -> TaxSale:
    return TaxSale(
        GainTerm.SPECULATIVE,
        sold.exchange,
        sold.tradingsymbol,
        sold.quantity,
        bought.day,
        sold.day,
        bought.quantity * bought.price_paise,
        sold.quantity * sold.price_paise,
        bought.charges_paise + sold.charges_paise,
        bought.stt_paise + sold.stt_paise,
    )


def _sold(sale: TaxTrade, queue: deque[TaxLot]) -> Iterator[TaxSale]:
    left: TaxTrade | None = sale
    for lot in _taken(queue, sale.quantity):
        if left is None:
            return
        part, left = _split(left, lot.quantity)
        yield TaxSale(
            GainTerm.UNKNOWN if lot.bought_on is None else gain_term(lot.bought_on, sale.day),
            sale.exchange,
            sale.tradingsymbol,
            lot.quantity,
            lot.bought_on,
            sale.day,
            lot.cost_paise,
            part.quantity * part.price_paise,
            part.charges_paise + lot.charges_paise,
            part.stt_paise + lot.stt_paise,
        )
    if left is not None:
        yield TaxSale(
            GainTerm.UNKNOWN,
            sale.exchange,
            sale.tradingsymbol,
            left.quantity,
            None,
            sale.day,
            None,
            left.quantity * left.price_paise,
            left.charges_paise,
            left.stt_paise,
        )


def _taken(queue: deque[TaxLot], quantity: int) -> Iterator[TaxLot]:
    """Up to so many shares out of the queue, the oldest first, each part with its own share of the money."""
    while quantity and queue:
        lot = queue.popleft()
        part = min(quantity, lot.quantity)
        if part < lot.quantity:
            taken = structs.replace(
                lot,
                quantity=part,
                cost_paise=lot.cost_paise * part // lot.quantity,
                charges_paise=lot.charges_paise * part // lot.quantity,
                stt_paise=lot.stt_paise * part // lot.quantity,
            )
            queue.appendleft(
                structs.replace(
                    lot,
                    quantity=lot.quantity - part,
                    cost_paise=lot.cost_paise - taken.cost_paise,
                    charges_paise=lot.charges_paise - taken.charges_paise,
                    stt_paise=lot.stt_paise - taken.stt_paise,
                )
            )
            lot = taken
        quantity -= part
        yield lot


def _split(trade: TaxTrade, quantity: int) -> tuple[TaxTrade, TaxTrade | None]:
    """So many shares of a trade, and the rest of it, which bears what the division leaves of charges."""
    if quantity >= trade.quantity:
        return trade, None
    charges = trade.charges_paise * quantity // trade.quantity
    stt = trade.stt_paise * quantity // trade.quantity
    first = structs.replace(trade, quantity=quantity, charges_paise=charges, stt_paise=stt)
    rest = structs.replace(
        trade,
        quantity=trade.quantity - quantity,
        charges_paise=trade.charges_paise - charges,
        stt_paise=trade.stt_paise - stt,
    )
    return first, rest

"""A bank and an order book in plain Python: the truth that the desk's books are compared with.

It knows nothing of the desk. Each change of an order makes a new word with a stamp of its own; what the desk
hears of the words, and when, is the test's affair.
"""

from collections import defaultdict
from datetime import date, datetime

from brokers.contract import BrokerOrder, BrokerStatus, BrokerTrade
from data.clock import ManualClock
from data.records import replace
from data.reference.instruments import Instrument
from data.reference.rates import estimate
from data.vocabulary import OrderType, Product, Side


class Slip:
    """One order at the broker. `order_id` is the desk's number; `words` holds each row the book has shown."""

    def __init__(self, order_id: int, client_id: int, day: date, at: datetime, word: BrokerOrder) -> None:
        self.order_id = order_id
        self.client_id = client_id
        self.day = day
        self.words = [(at, word)]
        self.trades: list[BrokerTrade] = []

    def __repr__(self) -> str:
        return f"<slip {self.word.broker_order_id} of order {self.order_id}>"

    @property
    def word(self) -> BrokerOrder:
        """The order as it stands."""
        return self.words[-1][1]

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.word.status is BrokerStatus.OPEN

    @property
    def rest(self) -> int:
        """Shares that have not traded."""
        return max(0, self.word.quantity - self.word.filled_quantity)

    def word_at(self, moment: datetime) -> BrokerOrder | None:
        """The row that the book showed at a moment; None before there was one."""
        return next((word for at, word in reversed(self.words) if at <= moment), None)

    def trades_at(self, moment: datetime) -> tuple[BrokerTrade, ...]:
        """The trades that the trade book held at a moment."""
        return tuple(trade for trade in self.trades if trade.traded_at <= moment)


class Broker:
    """Every client's account at one broker: its shares, its trades and its order book."""

    def __init__(self, clock: ManualClock, instrument: Instrument, day: date) -> None:
        self.clock = clock
        self.instrument = instrument
        self.day = day
        self.slips: list[Slip] = []
        self.paid_in: dict[int, int] = defaultdict(int)
        self.shares: dict[tuple[int, Product], int] = defaultdict(int)
        self._trades = 0

    # --- what happens at the broker ---

    def place(
        self,
        order_id: int,
        client_id: int,
        tag: str,
        side: Side,
        product: Product,
        order_type: OrderType,
        quantity: int,
        price_paise: int,
    ) -> Slip:
        """Take an order in; a sale of more than the client has to sell is rejected.

        A protected market order becomes a limit order at the protected price.
        """
        now = self._tick()
        word = BrokerOrder(
            broker_order_id=f"X{len(self.slips) + 1}",
            user_id=f"ZA{client_id:04}",
            tags=(tag,),
            exchange=self.instrument.exchange,
            tradingsymbol=self.instrument.tradingsymbol,
            side=side,
            product=product,
            order_type=OrderType.LIMIT,
            quantity=quantity,
            filled_quantity=0,
            average_price_paise=0,
            status=BrokerStatus.OPEN,
            status_text="OPEN",
            placed_at=now,
            updated_at=now,
            price_paise=price_paise,
        )
        if side is Side.SELL and quantity > self.sellable(client_id, product):
            word = replace(word, status=BrokerStatus.REJECTED, status_text="RMS")
        slip = Slip(order_id, client_id, self.day, now, word)
        self.slips.append(slip)
        return slip

    def fill(self, slip: Slip, quantity: int, price_paise: int, quick: bool = False) -> BrokerTrade | None:
        """Trade a part of an order, more than its rest or after its end if that is asked for.

        A sale goes no further than the client's shares; returns None where there are none.
        """
        word = slip.word
        key = (slip.client_id, word.product)
        if word.side is Side.SELL:
            quantity = min(quantity, self.shares[key])
        if quantity <= 0:
            return None
        self._trades += 1
        trade = BrokerTrade(
            str(self._trades),
            word.broker_order_id,
            word.user_id,
            word.exchange,
            word.tradingsymbol,
            word.side,
            word.product,
            quantity,
            price_paise,
            slip.day,
            self._tick(quick),
        )
        slip.trades.append(trade)
        self.shares[key] += quantity if word.side is Side.BUY else -quantity
        filled = word.filled_quantity + quantity
        status = BrokerStatus.COMPLETE if filled >= word.quantity else word.status
        self._say(slip, filled_quantity=filled, status=status, status_text=status.value.upper())
        return trade

    def end(self, slip: Slip, status: BrokerStatus, quick: bool = False) -> None:
        """Cancel, reject or expire what is left of an order."""
        self._tick(quick)
        self._say(slip, status=status, status_text=status.value.upper(), message="the end")

    def resurrect(self, slip: Slip, stamped: bool = True) -> None:
        """Bring an ended order back; without a stamp of its own only a read long afterwards shows it."""
        stamp = slip.word.updated_at
        self._tick()
        self._say(slip, status=BrokerStatus.OPEN, status_text="OPEN")
        if not stamped:
            at, word = slip.words[-1]
            slip.words[-1] = (at, replace(word, updated_at=stamp))

    def change(self, slip: Slip, quantity: int | None, price_paise: int | None, quick: bool = False) -> bool:
        """Change an order that is live; returns whether it was done."""
        quantity = slip.word.quantity if quantity is None else quantity
        if not slip.live or quantity <= slip.word.filled_quantity:
            return False
        if slip.word.side is Side.SELL:
            more = quantity - slip.word.quantity
            if more > self.sellable(slip.client_id, slip.word.product):
                return False
        self._tick(quick)
        self._say(slip, quantity=quantity, price_paise=price_paise or slip.word.price_paise)
        return True

    def next_day(self, day: date) -> None:
        """End what is live with its day."""
        for slip in self.slips:
            if slip.live:
                self.end(slip, BrokerStatus.EXPIRED)
        self.day = day

    # --- what is true ---

    def sellable(self, client_id: int, product: Product) -> int:
        """Shares of a client that no live sale of it covers."""
        covered = sum(
            slip.rest
            for slip in self.of(client_id)
            if slip.live and slip.word.side is Side.SELL and slip.word.product is product
        )
        return self.shares[client_id, product] - covered

    def of(self, client_id: int) -> list[Slip]:
        """A client's order book."""
        return [slip for slip in self.slips if slip.client_id == client_id]

    def of_order(self, order_id: int) -> list[Slip]:
        """What the broker has of one order of the desk: nothing, an order, or twins."""
        return [slip for slip in self.slips if slip.order_id == order_id]

    def _tick(self, quick: bool = False) -> datetime:
        """The moment of a change: a second after the last, or the same second where it is `quick`."""
        if not quick:
            self.clock.shift(1)
        return self.clock.now()

    def _say(self, slip: Slip, **changed: object) -> None:
        now = self.clock.now()
        slip.words.append((now, replace(slip.word, updated_at=now, **changed)))


def cash(trades: list[BrokerTrade]) -> int:
    """What trades have added to a client's money before charges, in paise."""
    worth = [trade.quantity * trade.price_paise for trade in trades]
    signs = [1 if trade.side is Side.SELL else -1 for trade in trades]
    return sum(sign * amount for sign, amount in zip(signs, worth, strict=True))


def charges(trades: list[BrokerTrade], on: date, demat_sale: bool) -> int:
    """The charges of all trades of one order, in paise."""
    if not trades:
        return 0
    first, total = trades[0], sum(trade.quantity * trade.price_paise for trade in trades)
    return estimate(
        on, "zerodha", first.exchange, first.product, first.side, total, demat_sale=demat_sale
    ).total_paise

"""An order as a unit of work changes it: its state, its marks, what it has traded and keeps blocked."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, TypeAlias

from data.reference.rates import estimate
from data.vocabulary import (
    LIVE_STATES,
    TERMINAL_STATES,
    OrderState,
    OrderType,
    Policy,
    Product,
    Side,
    Validity,
)
from engine.booking.states import Flag, OrderEvent, transition
from engine.planning.need import Traded, need_of

ShareKey: TypeAlias = tuple[int, str, Product]
"""Client, security and product: shares that are held and sold together."""


class Blocked(NamedTuple):
    """What an order keeps blocked: money and room for a loan in paise, and shares."""

    money: int
    loan: int
    shares: int


NOTHING = Blocked(0, 0, 0)

IN_DOUBT = "in_doubt"
"""The reason code of an order whose doubt waits for the trader."""


class Flags:
    """The marks of an order, a set that keeps the order in which they came.

    A stored word that is none of the marks stays.
    """

    __slots__ = ("_words",)

    def __init__(self, words: tuple[str, ...] = ()) -> None:
        self._words = words

    @classmethod
    def of_text(cls, text: str) -> "Flags":
        """The marks that stand as this text."""
        return cls(tuple(text.split())) if text else _NO_FLAGS

    def text(self) -> str:
        """The marks as they are stored."""
        return " ".join(self._words)

    def __contains__(self, flag: object) -> bool:
        return flag in self._words

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __bool__(self) -> bool:
        return bool(self._words)

    def plus(self, flag: Flag) -> "Flags":
        """These marks and one more."""
        return self if flag in self._words else Flags((*self._words, flag.value))

    def minus(self, flag: Flag) -> "Flags":
        """These marks but one."""
        return Flags(tuple(word for word in self._words if word != flag))


_NO_FLAGS = Flags()


@dataclass(slots=True, eq=False)
class WorkingOrder:
    """One order of one client. What changes it moves it: `updated_at` becomes the unit's `now`.

    `asked_quantity` and `asked_reserve_paise` are what an open modify would make of it; `told_at` is the
    broker's own stamp of its latest word that was booked. One that `closes_external` ends a position which
    the broker has and our books have not: it blocks nothing, and of its trades only charges are booked. The
    market sees `disclosed_quantity` of it, all where that is 0.
    """

    id: int
    client_id: int
    run_number: int | None
    plan_number: int | None
    broker: str
    exchange: str
    tradingsymbol: str
    security: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    limit_paise: int | None
    trigger_paise: int | None
    reserve_price_paise: int
    margin_bps: int
    policy: Policy
    state: OrderState
    instance_id: int
    trading_date: date
    created_at: datetime
    updated_at: datetime
    leg: int = 1
    slice: int = 1
    after_market: bool = False
    flatten_number: int | None = None
    closes_external: bool = False
    disclosed_quantity: int = 0
    protection_bps: int | None = None
    asked_quantity: int | None = None
    asked_reserve_paise: int | None = None
    sub_status: str = ""
    reason_code: str = ""
    reason_text: str = ""
    flags: Flags = _NO_FLAGS
    broker_order_id: str | None = None
    tag: str | None = None
    attempts: int = 0
    filled_quantity: int = 0
    filled_notional_paise: int = 0
    blocked_paise: int = 0
    blocked_shares: int = 0
    mtf_reserved_paise: int = 0
    own_paise: int = 0
    charges_paise: int = 0
    demat_sale: bool = False
    sent_at: datetime | None = None
    told_at: datetime | None = None
    ended_at: datetime | None = None
    now: datetime = field(init=False)
    changed: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.now = self.updated_at

    @property
    def share(self) -> ShareKey:
        """The shares that it buys or sells."""
        return self.client_id, self.security, self.product

    @property
    def key(self) -> str:
        """Its instrument, by the name that it was sent under."""
        return f"{self.exchange}:{self.tradingsymbol}"

    @property
    def live(self) -> bool:
        """Whether it may still trade."""
        return self.state in LIVE_STATES

    @property
    def ended(self) -> bool:
        """Whether the broker holds nothing of it that could still trade."""
        return self.state in TERMINAL_STATES

    # --- changing ---

    def touch(self) -> None:
        """It moves now: a later fact of the same unit is not after it."""
        self.updated_at = self.now
        self.changed = True

    def apply(self, event: OrderEvent) -> OrderState:
        """Let something happen to it; returns the state after.

        Raises `CommandRefused` for a command that its state does not allow.
        """
        state, flag = transition(self.state, event)
        self.flag(flag)
        if state is not self.state:
            self.state = state
            self.ended_at = self.now if state in TERMINAL_STATES else None
            self.touch()
        return state

    def claim(self, tag: str) -> None:
        """Take it up for one more attempt, under this tag. Raises `CommandRefused` unless it is RESERVED."""
        self.apply(OrderEvent.CLAIM)
        self.tag = tag
        self.attempts += 1
        self.sent_at = self.now
        self.touch()

    def flag(self, flag: Flag | None) -> None:
        """Mark it with something odd, once."""
        if flag is not None and flag not in self.flags:
            self.flags = self.flags.plus(flag)
            self.touch()

    def unflag(self, flag: Flag) -> None:
        """Take a mark off it."""
        self.flags = self.flags.minus(flag)
        self.touch()

    def say(self, reason_code: str, reason_text: str) -> None:
        """Say why it is as it is: a code, empty for none, and words."""
        self.reason_code, self.reason_text = reason_code, reason_text
        self.touch()

    def status(self, words: str) -> None:
        """Say in words where it stands beside its state."""
        self.sub_status = words
        self.touch()

    def forget_change(self) -> None:
        """Forget what an open modify asked for."""
        self.asked_quantity = self.asked_reserve_paise = None
        self.touch()

    def count(self, quantity: int, price_paise: int, charges_paise: int) -> None:
        """Count a trade of it; negative numbers take one back."""
        self.filled_quantity += quantity
        self.filled_notional_paise += quantity * price_paise
        self.charges_paise += charges_paise
        self.touch()

    # --- what it needs ---

    def charges_at(self, notional_paise: int) -> int:
        """Estimated charges once it has traded so many paise in all."""
        return estimate(
            self.trading_date,
            self.broker,
            self.exchange,
            Product(self.product),
            Side(self.side),
            notional_paise,
            demat_sale=self.demat_sale,
        ).total_paise

    def need(self) -> Blocked:
        """What its open rest keeps blocked."""
        return self.need_with(self.quantity, self.reserve_price_paise)

    def need_with(self, quantity: int, reserve_paise: int) -> Blocked:
        """What its open rest would keep blocked with another quantity and price reserved for.

        While a modify is open that is the larger of what it is and what it would become, since either may
        trade.
        """
        now = self._need_as(quantity, reserve_paise)
        if self.asked_quantity is None:
            return now
        price = self.reserve_price_paise if self.asked_reserve_paise is None else self.asked_reserve_paise
        return Blocked(*map(max, now, self._need_as(self.asked_quantity, price)))

    def _need_as(self, quantity: int, reserve_paise: int) -> Blocked:
        rest = 0 if self.closes_external else max(0, quantity - self.filled_quantity)
        if self.side == Side.SELL:
            return Blocked(0, 0, rest)
        if not rest:
            return NOTHING
        traded = Traded(self.filled_notional_paise, self.own_paise, self.charges_paise)
        need = need_of(
            rest, reserve_paise, self.product, self.margin_bps, self.policy, self.charges_at, traded
        )
        return Blocked(need.total_paise, need.loan_paise, 0)

    def give_back(self) -> Blocked:
        """Keep no more blocked than its open rest needs, nothing once it has ended; returns what is freed."""
        if not (self.blocked_paise or self.mtf_reserved_paise or self.blocked_shares):
            self.touch()
            return NOTHING
        need = NOTHING if self.ended else self.need()
        freed = Blocked(
            max(0, self.blocked_paise - need.money),
            max(0, self.mtf_reserved_paise - need.loan),
            max(0, self.blocked_shares - need.shares),
        )
        self.block(-freed.money, -freed.loan, -freed.shares)
        self.touch()
        return freed

    def lacks(self) -> Blocked:
        """What its open rest needs beyond what it has blocked."""
        need = self.need()
        return Blocked(
            max(0, need.money - self.blocked_paise),
            max(0, need.loan - self.mtf_reserved_paise),
            max(0, need.shares - self.blocked_shares),
        )

    def block(self, money: int, loan: int, shares: int) -> None:
        """Count more, or with negative numbers less, as blocked for it."""
        self.blocked_paise += money
        self.mtf_reserved_paise += loan
        self.blocked_shares += shares

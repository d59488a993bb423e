"""A plan as it is shown and carried out: its lines, its legs and what they come to."""

from collections import Counter
from datetime import date, datetime

from msgspec import Struct

from data.money import BPS, amount_words, ceil_div
from data.records import replace
from data.reference.instruments import Instrument
from data.vocabulary import (
    AlternativeKind,
    PerClient,
    PhaseKind,
    Policy,
    Product,
    Reason,
    Side,
    Verdict,
)
from engine.book.views import standing_words
from engine.planning.intent import Intent
from engine.planning.sizing import slices
from engine.planning.why import Why
from engine.rules import SHOWN_DIGITS

FORMAT = 2
"""The form of the records that are written; 1 is of before there were legs, and is read for ever."""


class Alternative(Struct, frozen=True):
    """One way out of a line that cannot be paid.

    Own money and loan add up to the value at the reserve price; charges come on top. `quantity_at_last` is
    what the same money buys at the last price (or the limit) without charges.
    """

    kind: AlternativeKind
    quantity: int
    product: Product
    own_paise: int
    loan_paise: int
    charges_paise: int
    limit_used_before_bps: int
    limit_used_after_bps: int
    quantity_at_last: int

    @property
    def cash_paise(self) -> int:
        """What leaves the client's cash: its own money and the charges."""
        return self.own_paise + self.charges_paise


class PlanLine(Struct, frozen=True):
    """What the plan decided for one client (for one product, when selling as held).

    `quantity` is what would be sent and 0 on a skipped line; `wanted` is the size asked for. Reserve (own
    share, charges and slack), charges and loan are those of `wanted`; a sell reserves shares, not money.
    `price_paise` is the limit, None for MARKET. `left_paise` is what of the allocation buys nothing; below
    zero where a quantity was set by hand above it. `sellable` counts shares for a sell. `why` says why it is
    skipped, or what else is to be known of it; plans of earlier versions have it as words, in `detail`.
    `ref` names the instruction that it is made on, `multiplier_bps` by how much the client's own size is
    larger or smaller than that of all. `later` are shares wanted beside those, which wait for cash.
    """

    client_id: int
    code: str
    name: str
    broker: str
    product: Product
    verdict: Verdict
    reason: Reason | None = None
    why: tuple[Why, ...] = ()
    detail: str = ""
    quantity: int = 0
    wanted: int = 0
    base_paise: int = 0
    allocation_paise: int = 0
    left_paise: int = 0
    price_paise: int | None = None
    reserve_paise: int = 0
    charges_paise: int = 0
    loan_paise: int = 0
    available_before_paise: int = 0
    available_after_paise: int = 0
    mtf_room_paise: int = 0
    sellable: int = 0
    short_paise: int = 0
    by_hand: bool = False
    alternatives: tuple[Alternative, ...] = ()
    ref: str = ""
    multiplier_bps: int = BPS
    later: int = 0

    @property
    def ok(self) -> bool:
        """Whether the line would be sent."""
        return self.verdict is Verdict.OK

    @property
    def dropped(self) -> bool:
        """Whether the trader took it out of the plan."""
        return self.by_hand and self.reason is Reason.QUANTITY_ZERO

    @property
    def sized_paise(self) -> int:
        """What of the allocation the quantity takes, at the price it was sized at."""
        return self.allocation_paise - self.left_paise


class Plan(Struct, frozen=True):
    """An intent applied to frozen inputs. A preview has no number and no digest; `freeze` gives both.

    `trading_day` is that of its orders: the next session's for orders that wait for it. `price_age_ms` is the
    price's age when the plan was made, None if no price was known. The lines stand problems first. A line
    larger than `slice_quantity` goes as several orders; 0 sets no limit. `sending_s` is what the brokers'
    budgets need to take all orders, as they were used then; an order may leave for `send_within_s` after the
    plan was confirmed. Both are None on plans of versions that did not say it. By those budgets `late_orders`
    of them cannot leave before the session of their shares ends at `late_at`; None where all can. `priced_by`
    is the broker whose price it is, None where one alone brings prices; it is held against no other's.
    `drift_limit_bps` is None where the price may move as far as it will.

    Where the intent has several legs, the plan itself says the first, and `further` holds a plan of each
    other one, without number and digest of its own; `parts` are all of them, each alone. What is counted or
    summed is so over all legs, but `lines` are those of one. `format` is its record's: 1 before there were
    legs.
    """

    intent: Intent
    instrument: Instrument
    frozen_at: datetime
    expires_at: datetime
    trading_day: date
    market_at: datetime
    phase: PhaseKind
    last_paise: int
    bid_paise: int
    ask_paise: int
    lower_circuit_paise: int
    upper_circuit_paise: int
    price_age_ms: int | None
    sizing_price_paise: int
    reserve_price_paise: int
    policy: Policy
    protection_bps: int
    drift_limit_bps: int | None
    orders_per_second: int
    desk_halted: bool
    lines: tuple[PlanLine, ...]
    number: int | None = None
    digest: str = ""
    slice_quantity: int = 0
    sending_s: int | None = None
    send_within_s: int | None = None
    late_orders: int | None = None
    late_at: datetime | None = None
    priced_by: str | None = None
    format: int = FORMAT
    per_client: PerClient = PerClient.ALL
    leg: int = 1
    stage: int = 0
    further: "tuple[Plan, ...]" = ()

    @property
    def parts(self) -> "tuple[Plan, ...]":
        """A plan of one leg for each leg, in their order."""
        if not self.further:
            return (self,)
        return replace(self, intent=self.intent.parts[0], further=()), *self.further

    @property
    def in_legs(self) -> bool:
        """Whether it is read leg by leg: it has several, or one for some of its clients alone."""
        return self.intent.in_legs

    @property
    def short_digest(self) -> str:
        """As much of its hash as is shown everywhere, and as confirms it."""
        return self.digest[:SHOWN_DIGITS]

    @property
    def title(self) -> str:
        """The intent in a few words, such as `BUY RELIANCE 25 % of capital`."""
        words = f"{self.intent.side.value} {self.instrument.tradingsymbol}"
        if self.intent.listed:
            words = f"{self.intent.selection.title}: {words}"
        else:
            words = f"{words} {self.intent.sizing.words()}"
        if self.price_terms:
            words += f" {self.price_terms}"
        if self.further:
            noun = "leg" if len(self.further) == 1 else "legs"
            words += f" and {len(self.further)} {noun} more"
        return f"{words} {self.standing}" if self.standing else words

    @property
    def price_terms(self) -> str:
        """At which price: `at 1,490.00`, of a stop `SL at 1,490.00 trigger 1,500.00`; empty for none."""
        intent = self.intent
        limit = "" if intent.limit_paise is None else f"at {amount_words(intent.limit_paise)}"
        if intent.trigger_paise is None:
            return limit
        terms = (intent.order_type.value, limit, f"trigger {amount_words(intent.trigger_paise)}")
        return " ".join(word for word in terms if word)

    @property
    def standing(self) -> str:
        """How long its orders stand: `IOC`, `AMO for 24 Nov`, or empty for orders of the day."""
        return standing_words(self.intent.validity, self.intent.after_market, self.trading_day)

    @property
    def bound_paise(self) -> int | None:
        """The least favourable price an order of it can trade at: its limit, or where it is protected.

        None where no price is known, and of a MARKET order under `exact`, which is reserved for at the last,
        or without a drift limit, which is protected from a price of later.
        """
        intent = self.intent
        market = intent.limit_paise is None and intent.trigger_paise is None
        if market and (self.policy is Policy.EXACT or self.drift_limit_bps is None):
            return None
        return self.reserve_price_paise or None

    @property
    def age_s(self) -> float | None:
        """The price's age in seconds when the plan was made."""
        return None if self.price_age_ms is None else self.price_age_ms / 1000

    @property
    def ok_lines(self) -> tuple[PlanLine, ...]:
        """The lines that would be sent."""
        return tuple(line for part in self.parts for line in part.lines if line.ok)

    @property
    def skipped_lines(self) -> tuple[PlanLine, ...]:
        """The lines that would not."""
        return tuple(line for part in self.parts for line in part.lines if not line.ok)

    @property
    def orders(self) -> int:
        """How many orders would be sent."""
        return sum(len(part.slices(line)) for part in self.parts for line in part.lines if line.ok)

    def slices(self, line: PlanLine) -> list[int]:
        """The quantities of a line's orders."""
        return slices(line.quantity, self.slice_quantity)

    @property
    def shares(self) -> int:
        """How many shares the orders add up to."""
        return sum(line.quantity for part in self.parts for line in part.lines)

    @property
    def at_last_paise(self) -> int:
        """What the orders are worth at the last price."""
        return sum(line.quantity * part.last_paise for part in self.parts for line in part.lines)

    @property
    def reserve_paise(self) -> int:
        """The money the orders would block; 0 for a sell."""
        return sum(line.reserve_paise for line in self.ok_lines)

    def brings_at_least(self, line: PlanLine) -> int:
        """What a sale's line brings at its reserve price, before charges, in paise."""
        return line.quantity * self.reserve_price_paise

    @property
    def left_paise(self) -> int:
        """What rounding to whole lots leaves of the orders' allocations; listed orders have none."""
        if self.intent.listed:
            return 0
        return sum(part.rounded_off_paise(line) for part in self.parts for line in part.lines if line.ok)

    @property
    def cut_paise(self) -> int:
        """What quantities set by hand below their allocations leave of these; listed orders have none."""
        if self.intent.listed:
            return 0
        return sum(part.cut_off_paise(line) for part in self.parts for line in part.lines if line.ok)

    def rounded_off_paise(self, line: PlanLine) -> int:
        """What rounding to whole lots leaves of a line's allocation, in paise."""
        lot_paise = self.sizing_price_paise * self.instrument.lot_size
        odd = line.allocation_paise % lot_paise if lot_paise else 0
        return min(odd, max(0, line.left_paise))

    def cut_off_paise(self, line: PlanLine) -> int:
        """What a smaller quantity set by hand leaves of a line's allocation beside rounding, in paise."""
        return max(0, line.left_paise - self.rounded_off_paise(line)) if line.by_hand else 0

    @property
    def eta_s(self) -> int:
        """About how many seconds sending takes: clients are sent to side by side, each at its own pace."""
        if self.sending_s is not None:
            return self.sending_s
        per_client = self.calls
        return ceil_div(max(per_client.values(), default=0), self.orders_per_second)

    @property
    def skipped_by_reason(self) -> dict[Reason, int]:
        """How many lines each reason skips, in the order the lines stand."""
        return dict(Counter(line.reason for line in self.skipped_lines if line.reason is not None))

    @property
    def answer(self) -> str:
        """What the trader types to send it, such as `buy 45`; of both sides `sell 60 buy 71`."""
        counts = Counter[Side]()
        for part in self.parts:
            counts[part.intent.side] += sum(len(part.slices(line)) for line in part.lines if line.ok)
        sides = [side for side in (Side.SELL, Side.BUY) if counts[side]] or [self.intent.side]
        return " ".join(f"{side.value.lower()} {counts[side]}" for side in sides)

    @property
    def stages(self) -> int:
        """How many stages it has: 2 where buys wait for its sales."""
        return 1 + max(part.stage for part in self.parts)

    @property
    def calls(self) -> Counter[int]:
        """How many orders each client would send."""
        found = Counter[int]()
        for part in self.parts:
            for line in part.lines:
                if line.ok:
                    found[line.client_id] += len(part.slices(line))
        return found

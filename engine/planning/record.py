"""A plan as it is shown, stored and proved: its lines, its JSON form and its digest.

The digest covers the whole JSON record but itself, so whatever was shown can be checked a year later
from the stored record alone.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from data.json_values import JsonObject
from data.money import ceil_div
from data.reference.instruments import Instrument
from data.vocabulary import (
    OrderType,
    PerClient,
    PhaseKind,
    Policy,
    Product,
    Reason,
    Side,
    SizingKind,
    Validity,
    Verdict,
)
from engine.book.views import standing_words
from engine.planning.intent import Intent, LineChange, Selection, Sizing
from engine.planning.sizing import slices
from engine.rules import SHOWN_DIGITS

VALID_FOR = timedelta(seconds=60)
"""How long a frozen plan may be confirmed."""


FORMAT = 2
"""The form of the records that are written; 1 is of before there were legs, and is read for ever."""


class AlternativeKind(StrEnum):
    """What would work where a line does not: fewer shares, or the margin trading facility."""

    AFFORDABLE = "affordable"
    MTF = "mtf"


@dataclass(frozen=True, slots=True)
class Alternative:
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


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What the plan decided for one client (for one product, when selling as held).

    `quantity` is what would be sent and 0 on a skipped line; `wanted` is the size asked for. Reserve (own
    share, charges and slack), charges and loan are those of `wanted`; a sell reserves shares, not money.
    `price_paise` is the limit, None for MARKET. `left_paise` is what of the allocation buys nothing; below
    zero where a quantity was set by hand above it. `sellable` counts shares for a sell.
    """

    client_id: int
    code: str
    name: str
    broker: str
    product: Product
    verdict: Verdict
    reason: Reason | None = None
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

    @property
    def ok(self) -> bool:
        """Whether the line would be sent."""
        return self.verdict is Verdict.OK

    @property
    def sized_paise(self) -> int:
        """What of the allocation the quantity takes, at the price it was sized at."""
        return self.allocation_paise - self.left_paise


@dataclass(frozen=True, slots=True)
class Plan:
    """An intent applied to frozen inputs. A preview has no number and no digest; `freeze` gives both.

    `trading_day` is that of its orders: the next session's for orders that wait for it. `price_age_ms` is the
    price's age when the plan was made, None if no price was known. The lines stand problems first. A line
    larger than `slice_quantity` goes as several orders; 0 sets no limit. `sending_s` is what the brokers'
    budgets need to take all orders, as they were used then; an order may leave for `send_within_s` after the
    plan was confirmed. Both are None on plans of versions that did not say it.

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
    drift_limit_bps: int
    orders_per_second: int
    desk_halted: bool
    lines: tuple[PlanLine, ...]
    number: int | None = None
    digest: str = ""
    slice_quantity: int = 0
    sending_s: int | None = None
    send_within_s: int | None = None
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
    def short_digest(self) -> str:
        """As much of its hash as is shown everywhere, and as confirms it."""
        return self.digest[:SHOWN_DIGITS]

    @property
    def title(self) -> str:
        """The intent in a few words, such as `BUY RELIANCE 25 % of capital`."""
        words = f"{self.intent.side.value} {self.instrument.tradingsymbol} {self.intent.sizing.words()}"
        if self.further:
            noun = "leg" if len(self.further) == 1 else "legs"
            words += f" and {len(self.further)} {noun} more"
        return f"{words} {self.standing}" if self.standing else words

    @property
    def standing(self) -> str:
        """How long its orders stand: `IOC`, `AMO for 24 Nov`, or empty for orders of the day."""
        return standing_words(self.intent.validity, self.intent.after_market, self.trading_day)

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
        """What rounding to whole lots leaves of the orders' allocations."""
        return sum(part.rounded_off_paise(line) for part in self.parts for line in part.lines if line.ok)

    @property
    def cut_paise(self) -> int:
        """What quantities set by hand below their allocations leave of these, beside rounding."""
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
        """What the trader types to send it, such as `buy 45`."""
        return f"{'send' if self.further else self.intent.side.value.lower()} {self.orders}"

    @property
    def calls(self) -> Counter[int]:
        """How many orders each client would send."""
        found = Counter[int]()
        for part in self.parts:
            for line in part.lines:
                if line.ok:
                    found[line.client_id] += len(part.slices(line))
        return found


def freeze(plan: Plan, number: int, now: datetime, valid_for: timedelta = VALID_FOR) -> Plan:
    """The plan numbered and sealed, to be confirmed within `valid_for` of `now` (wall time)."""
    numbered = replace(plan, number=number, frozen_at=now, expires_at=now + valid_for, digest="")
    return replace(numbered, digest=record_digest(to_json(numbered)))


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the canonical form of a plan's record, its own `digest` left out."""
    content = {key: value for key, value in record.items() if key != "digest"}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify_record(record: Mapping[str, Any]) -> bool:
    """Whether a stored record still is what was confirmed."""
    return record.get("digest") == record_digest(record)


# --- to JSON and back ---------------------------------------------------------------------------------

_SIZING_UNITS = {
    SizingKind.PERCENT_OF_CAPITAL: "value_bps",
    SizingKind.PERCENT_OF_AVAILABLE: "value_bps",
    SizingKind.PERCENT_OF_POSITION: "value_bps",
    SizingKind.FIXED_AMOUNT: "value_paise",
    SizingKind.FIXED_QUANTITY: "value_shares",
}


_LATER = ("sending_s", "send_within_s")
"""Fields that plans of earlier versions do not have."""


_OF_LEGS = ("format", "per_client", "leg", "stage", "further")
"""Fields that say how a plan's legs hang together; its record tells them in `legs`."""


def to_json(plan: Plan) -> JsonObject:
    """The plan as JSON values: whole numbers, words, UTC times in ISO form; money in `_paise` keys.

    Its first leg stands in the record itself; each further one has a record of its own in `legs`.
    """
    record = _alone(plan)
    if plan.format >= FORMAT:
        record |= {"format": plan.format, "per_client": plan.per_client.value}
        record["legs"] = [
            leg_in_short(part) | ({"plan": _alone(part)} if part.leg > 1 else {}) for part in plan.parts
        ]
    return record


def _alone(plan: Plan) -> JsonObject:
    """The record of one leg, or of a plan of before there were legs."""
    record: JsonObject = _plain(replace(plan, further=()))
    for name in _LATER:  # what a plan does not say is no part of what was confirmed
        if record[name] is None:
            del record[name]
    for name in _OF_LEGS:
        del record[name]
    record["intent"] = _plain_intent(plan.intent)
    return record


def _plain_intent(intent: Intent) -> JsonObject:
    record: JsonObject = _plain(replace(intent, further=()))
    record["sizing"] = _plain_sizing(intent.sizing)
    del record["further"], record["per_client"]
    return record


def _plain_sizing(sizing: Sizing) -> JsonObject:
    return {"kind": sizing.kind.value, _SIZING_UNITS[sizing.kind]: sizing.value}


def leg_in_short(part: Plan) -> JsonObject:
    """One leg as its plan's record names it, without its lines."""
    intent = part.intent
    return {
        "leg": part.leg,
        "stage": part.stage,
        "key": part.instrument.key,
        "side": intent.side.value,
        "product": None if intent.product is None else intent.product.value,
        "sizing": _plain_sizing(intent.sizing),
        "order_type": intent.order_type.value,
        "limit_paise": intent.limit_paise,
        "trigger_paise": intent.trigger_paise,
        "last_paise": part.last_paise,
        "reserve_price_paise": part.reserve_price_paise,
        "drift_limit_bps": part.drift_limit_bps,
        "orders": part.orders,
    }


def _plain(value: Any) -> Any:
    if value is None or type(value) in (int, str, bool):
        return value
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a plan holds whole numbers and words only, not {value!r}")


def from_json(record: Mapping[str, Any]) -> Plan:
    """The plan of a stored record of any format. `from_json(to_json(plan))` is the plan again."""
    told = {**record}
    legs: list[JsonObject] = told.pop("legs", [])
    per_client = PerClient(told.pop("per_client", PerClient.ALL))
    made = _of_one_leg(told | {"format": told.get("format", 1)})
    further = tuple(
        replace(_of_one_leg(leg["plan"]), leg=leg["leg"], stage=leg["stage"], per_client=per_client)
        for leg in legs[1:]
    )
    if not further:
        return replace(made, per_client=per_client)
    intent = replace(
        made.intent,
        per_client=per_client,
        further=tuple(replace(part.intent.legs[0], stage=part.stage) for part in further),
    )
    return replace(made, intent=intent, per_client=per_client, further=further)


def _of_one_leg(record: Mapping[str, Any]) -> Plan:
    values = _read(
        record,
        intent=_intent,
        instrument=lambda it: Instrument(**it),
        frozen_at=datetime.fromisoformat,
        expires_at=datetime.fromisoformat,
        trading_day=date.fromisoformat,
        market_at=datetime.fromisoformat,
        phase=PhaseKind,
        policy=Policy,
        lines=lambda rows: tuple(_line(row) for row in rows),
    )
    return Plan(**values)


def _intent(record: Mapping[str, Any]) -> Intent:
    values = _read(
        {"validity": Validity.DAY, **record},
        side=Side,
        sizing=_sizing,
        order_type=OrderType,
        product=_product,
        validity=Validity,
        selection=lambda it: Selection(**_read(it, client_ids=tuple, groups=tuple, brokers=tuple)),
        line_changes=lambda rows: tuple(LineChange(**_read(row, product=_product)) for row in rows),
    )
    return Intent(**values)


def _sizing(record: Mapping[str, Any]) -> Sizing:
    kind = SizingKind(record["kind"])
    return Sizing(kind, record[_SIZING_UNITS[kind]])


def _line(record: Mapping[str, Any]) -> PlanLine:
    values = _read(
        record,
        product=Product,
        verdict=Verdict,
        reason=lambda word: None if word is None else Reason(word),
        alternatives=lambda rows: tuple(_alternative(row) for row in rows),
    )
    return PlanLine(**values)


def _alternative(record: Mapping[str, Any]) -> Alternative:
    return Alternative(**_read(record, kind=AlternativeKind, product=Product))


def _read(record: Mapping[str, Any], **readers: Callable[[Any], Any]) -> JsonObject:
    """A record with these of its values read as what they stand for."""
    return {**record, **{name: read(record[name]) for name, read in readers.items()}}


def _product(word: str | None) -> Product | None:
    return None if word is None else Product(word)

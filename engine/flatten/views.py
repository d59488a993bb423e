"""A flatten as screens and commands see it: how far each position is, and at last its certificate."""

from datetime import date, datetime

from msgspec import Struct, convert, to_builtins

from data.json_values import JsonObject
from data.reference.phases import IntradayEnd
from data.vocabulary import (
    FlattenLineState,
    FlattenReason,
    FlattenState,
    FlattenWhat,
    HaltScope,
    Product,
    Side,
)


class FlattenPosition(Struct, frozen=True):
    """What a flatten would send of a client's position now, at no worse than `limit_paise`.

    `reason` says why nothing, or not all of it, goes; `t1` of it has not been delivered yet. None of the
    figures is known of a client who could not be read.
    """

    client_id: int
    code: str
    name: str
    security: str
    key: str
    tradingsymbol: str
    product: Product
    net: int | None
    side: Side | None = None
    quantity: int = 0
    limit_paise: int | None = None
    last_paise: int | None = None
    reason: FlattenReason = FlattenReason.NONE
    detail: str = ""
    t1: int = 0


class FlattenProspect(Struct, frozen=True):
    """What a flatten would do now. `others` counts positions of the same clients that are not in it.

    `not_signed_in` are codes of active clients whom nobody could ask, and who have nothing here.
    """

    scope: HaltScope
    value: str
    what: FlattenWhat
    positions: tuple[FlattenPosition, ...]
    others: int
    intraday_ends: tuple[IntradayEnd, ...]
    not_signed_in: tuple[str, ...] = ()

    @property
    def sent(self) -> int:
        """How many positions it would send orders for."""
        return sum(bool(one.quantity) for one in self.positions)

    @property
    def answer(self) -> str:
        """What the trader types to begin it, such as `flat 23`, or `flat all 23`."""
        named = "" if self.what is FlattenWhat.MIS else f"{self.what.value} "
        return f"flat {named}{self.sent}"


class FlattenLineView(Struct, frozen=True, forbid_unknown_fields=True):
    """One position of a flatten: the broker's net before and now, what was sent and filled of it.

    `cancelled` are orders of the client's that were cancelled first. `net` is None before the first read.
    """

    client_id: int
    code: str
    name: str
    security: str
    key: str
    tradingsymbol: str
    product: Product
    net_before: int | None
    net: int | None
    state: FlattenLineState
    reason: FlattenReason
    detail: str
    side: Side | None
    sent: int
    filled: int
    notional_paise: int
    limit_paise: int | None
    orders: tuple[int, ...]
    cancelled: tuple[int, ...]


class FlattenProgress(Struct, frozen=True):
    """How far a flatten is that has not ended: positions flat, of which something is left, and in all.

    `carried` is false where the engine that was to carry it out has ended.
    """

    number: int
    flat: int
    left: int
    positions: int
    carried: bool = True


class FlattenView(Struct, frozen=True, forbid_unknown_fields=True):
    """A flatten as it goes on, and with `ended_at` its certificate.

    Of what it sent nothing lives then but the orders that the `detail` of a line names.

    `passes` are the halts that stood when it was confirmed; it went on under those alone.
    """

    number: int
    scope: HaltScope
    value: str
    what: FlattenWhat
    by: str
    at: datetime
    trading_date: date
    state: FlattenState
    passes: tuple[int, ...]
    stopped_by: str
    ended_at: datetime | None
    lines: tuple[FlattenLineView, ...]
    not_signed_in: tuple[str, ...] = ()
    """Codes of active clients in its scope whom nobody could ask, and who have nothing here."""
    carried: bool = True
    """Whether a living engine carries it out, or it has ended."""

    def count(self, state: FlattenLineState) -> int:
        """How many of its positions are so far."""
        return sum(line.state is state for line in self.lines)

    @property
    def flat(self) -> int:
        """How many are flat by the broker's word."""
        return self.count(FlattenLineState.FLAT)

    @property
    def going(self) -> int:
        """How many go on."""
        return self.count(FlattenLineState.GOING)

    @property
    def left(self) -> int:
        """Of how many something is left."""
        return self.count(FlattenLineState.LEFT)

    def to_json(self) -> JsonObject:
        """As JSON values: money in `_paise` keys, times as UTC ISO."""
        ended_at = None if self.ended_at is None else self.ended_at.isoformat()
        values = to_builtins(self) | {"at": self.at.isoformat(), "ended_at": ended_at}
        return {name: value for name, value in values.items() if name != "carried"}

    @staticmethod
    def from_json(values: JsonObject) -> "FlattenView":
        """A stored certificate. Raises `ValueError` for what is none."""
        return convert(values, FlattenView)

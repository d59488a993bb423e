"""What a plan says of a line: why it is skipped, or what else is to be known of it.

Each kind has its figures; `engine/words/why.py` makes the sentences. Money is in paise. Texts among them are
data: what a broker said, what a trader entered, or what another room found.
"""

from dataclasses import dataclass
from datetime import date

from data.vocabulary import PhaseKind, Product, Reason, SizingKind
from engine.book.gate_views import ConsentFigures, GateFinding, RouteFigures


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that a plan says of a line."""


@dataclass(frozen=True, slots=True)
class Plain(Why):
    """What its kind says alone; each of those is a class without figures."""


@dataclass(frozen=True, slots=True)
class UnderHalt(Plain):
    """A halt lets nothing of it leave."""


@dataclass(frozen=True, slots=True)
class ReduceOnly(Plain):
    """A halt lets only what makes a position smaller leave."""


@dataclass(frozen=True, slots=True)
class NotActive(Why):
    """The client does not trade, since a day and for a reason that the trader gave."""

    since: date | None
    told: str


@dataclass(frozen=True, slots=True)
class NotSignedIn(Plain):
    """The client's session is over."""


@dataclass(frozen=True, slots=True)
class AtGate(Why):
    """What the gate found of the client's route or consent."""

    finding: GateFinding
    figures: RouteFigures | ConsentFigures | None


@dataclass(frozen=True, slots=True)
class NotCompared(Plain):
    """Its books were not read since the desk was opened."""


@dataclass(frozen=True, slots=True)
class OnlySells(Why):
    """Its books differ from the broker's, or `rows` of its `book` could not be read; `detail` says which."""

    book: str = ""
    rows: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SessionOn(Why):
    """An order for the next session is taken between two, and one is on."""

    phase: PhaseKind


@dataclass(frozen=True, slots=True)
class PhaseTakesNone(Why):
    """The phase takes no such `orders`, a type or IOC; where any is taken, one for `awaited` would wait."""

    phase: PhaseKind
    orders: str
    awaited: date | None


@dataclass(frozen=True, slots=True)
class NoPrice(Plain):
    """No price is known."""


@dataclass(frozen=True, slots=True)
class PriceOld(Why):
    """The price is older than it may be."""

    age_ms: int
    limit_ms: int


@dataclass(frozen=True, slots=True)
class OffBand(Why):
    """A price outside the day's band; `last_paise` where it is the last traded one."""

    lower_paise: int
    upper_paise: int
    last_paise: int | None = None


@dataclass(frozen=True, slots=True)
class NoNextSession(Plain):
    """The client's broker keeps no order for the next session."""


@dataclass(frozen=True, slots=True)
class NotListed(Why):
    """The broker by which the client trades does not list the instrument."""

    broker: str
    key: str


@dataclass(frozen=True, slots=True)
class InstrumentInDoubt(Why):
    """What is in doubt of the instrument."""

    told: str


@dataclass(frozen=True, slots=True)
class NotOffered(Why):
    """The client's broker does not offer the product."""

    product: Product


@dataclass(frozen=True, slots=True)
class NotOnMtfList(Why):
    """The security is not lent on; `unknown` where nobody has told its margin yet."""

    tradingsymbol: str
    unknown: bool


@dataclass(frozen=True, slots=True)
class LotTooDear(Why):
    """Not even one lot is within what an order may be worth."""

    most_paise: int


@dataclass(frozen=True, slots=True)
class TooLarge(Why):
    """More than the most slices take; `worth_paise` where it is the value that limits a slice."""

    quantity: int
    worth_paise: int | None
    slices: int
    slice_quantity: int


@dataclass(frozen=True, slots=True)
class SliceTooLarge(Why):
    """One order has more shares than it may have at the price now."""

    quantity: int


@dataclass(frozen=True, slots=True)
class NotAuthorised(Why):
    """The client must first authorise the sale; `released` shares may leave today."""

    released: int


@dataclass(frozen=True, slots=True)
class OverMtf(Why):
    """Beyond the client's MTF limit by so much; None where it has none."""

    over_paise: int | None


@dataclass(frozen=True, slots=True)
class MoneyShort(Why):
    """The client's money does not do."""

    paise: int


@dataclass(frozen=True, slots=True)
class AtPriceNow(Plain):
    """It does not do at the price now."""


@dataclass(frozen=True, slots=True)
class SentBefore(Why):
    """The same was sent lately, or still is, by this run where that is known."""

    run: int | None = None


@dataclass(frozen=True, slots=True)
class DroppedByHand(Plain):
    """The trader took the line out."""


@dataclass(frozen=True, slots=True)
class BelowOne(Why):
    """The sizing comes to less than a share or lot: of `of_shares`, or else at a price."""

    sizing: SizingKind
    value: int
    lot_size: int
    of_shares: int | None
    price_paise: int | None


@dataclass(frozen=True, slots=True)
class HoldsNone(Why):
    """The client holds none of the symbol, or none in the product but in others."""

    tradingsymbol: str
    product: Product
    others: tuple[Product, ...]


@dataclass(frozen=True, slots=True)
class NoneFree(Why):
    """All that the client holds in the product is on sale or cannot be sold."""

    quantity: int
    product: Product


@dataclass(frozen=True, slots=True)
class SharesShort(Why):
    """Fewer shares are free to sell than wanted."""

    short: int
    free: int


@dataclass(frozen=True, slots=True)
class FewerAtBroker(Why):
    """The broker has fewer of the client's shares than our books."""

    theirs: int
    ours: int


@dataclass(frozen=True, slots=True)
class OddShares(Why):
    """Shares that make no whole lot and stay."""

    odd: int
    quantity: int
    lot_size: int


@dataclass(frozen=True, slots=True)
class InSlices(Why):
    """The line goes as several orders."""

    orders: int
    slice_quantity: int


@dataclass(frozen=True, slots=True)
class LegsLost(Why):
    """Other legs of the client's cannot go, and all go or none."""

    legs: tuple[int, ...]


KINDS: dict[str, type[Why]] = {
    "under_halt": UnderHalt,
    "reduce_only": ReduceOnly,
    "not_active": NotActive,
    "not_signed_in": NotSignedIn,
    "at_gate": AtGate,
    "not_compared": NotCompared,
    "books_differ": OnlySells,
    "session_on": SessionOn,
    "phase_takes_none": PhaseTakesNone,
    "no_price": NoPrice,
    "price_old": PriceOld,
    "off_band": OffBand,
    "no_next_session": NoNextSession,
    "not_listed": NotListed,
    "in_doubt": InstrumentInDoubt,
    "not_offered": NotOffered,
    "not_on_mtf_list": NotOnMtfList,
    "lot_too_dear": LotTooDear,
    "too_large": TooLarge,
    "slice_too_large": SliceTooLarge,
    "not_authorised": NotAuthorised,
    "over_mtf": OverMtf,
    "money_short": MoneyShort,
    "at_price_now": AtPriceNow,
    "sent_before": SentBefore,
    "dropped_by_hand": DroppedByHand,
    "below_one": BelowOne,
    "holds_none": HoldsNone,
    "none_free": NoneFree,
    "shares_short": SharesShort,
    "fewer_at_broker": FewerAtBroker,
    "odd_shares": OddShares,
    "in_slices": InSlices,
    "legs_lost": LegsLost,
}
"""The word under which each kind stands in a plan's record."""


@dataclass(frozen=True, slots=True)
class LineRefusal:
    """Why a line is skipped: the reason, its figures, and how much money is missing (0 if not money)."""

    reason: Reason
    why: tuple[Why, ...] = ()
    short_paise: int = 0

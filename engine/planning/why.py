"""What a plan says of a line: why it is skipped, or what else is to be known of it.

Each kind has its figures; `engine/words/trading/why.py` makes the sentences. Money is in paise. Texts among
them are data: what a broker said, what a trader entered, or what another room found.
"""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import PhaseKind, Product, Reason, SizingKind
from engine.book.gate_views import ConsentFigures, GateFinding, RouteFigures


class Why(Struct, frozen=True):
    """One thing that a plan says of a line."""


class Plain(Why, frozen=True):
    """What its kind says alone; each of those is a class without figures."""


class UnderHalt(Plain, frozen=True):
    """A halt lets nothing of it leave."""


class ReduceOnly(Plain, frozen=True):
    """A halt lets only what makes a position smaller leave."""


class NotActive(Why, frozen=True):
    """The client does not trade, since a day and for a reason that the trader gave."""

    since: date | None
    told: str


class ClientPaused(Why, frozen=True):
    """The client is paused, until a moment of the market's time or with no end, for a reason."""

    until: datetime | None
    told: str


class NotSignedIn(Plain, frozen=True):
    """The client's session is over."""


class AtGate(Why, frozen=True):
    """What the gate found of the client's route or consent."""

    finding: GateFinding
    figures: RouteFigures | ConsentFigures | None


class NotCompared(Plain, frozen=True):
    """Its books were not read since the desk was opened."""


class OnlySells(Why, frozen=True):
    """Its books differ from the broker's, or `rows` of its `book` could not be read; `detail` says which."""

    book: str = ""
    rows: int = 0
    detail: str = ""


class SessionOn(Why, frozen=True):
    """An order for the next session is taken between two, and one is on."""

    phase: PhaseKind


class PhaseTakesNone(Why, frozen=True):
    """The phase takes no such `orders`, a type or IOC; where any is taken, one for `awaited` would wait."""

    phase: PhaseKind
    orders: str
    awaited: date | None


class NoPrice(Plain, frozen=True):
    """No price is known."""


class PriceOld(Why, frozen=True):
    """The price is older than it may be."""

    age_ms: int
    limit_ms: int


class OffBand(Why, frozen=True):
    """A price outside the day's band; `last_paise` where it is the last traded one."""

    lower_paise: int
    upper_paise: int
    last_paise: int | None = None


class NoNextSession(Plain, frozen=True):
    """The client's broker keeps no order for the next session."""


class NotListed(Why, frozen=True):
    """The broker by which the client trades does not list the instrument."""

    broker: str
    key: str


class InstrumentInDoubt(Why, frozen=True):
    """What is in doubt of the instrument."""

    told: str


class NotOffered(Why, frozen=True):
    """The client's broker does not offer the product; plans of before its name was kept have none."""

    product: Product
    broker: str = ""


class NotOnMtfList(Why, frozen=True):
    """The security is not lent on; `unknown` where nobody has told its margin yet."""

    tradingsymbol: str
    unknown: bool


class NoMtfConsent(Plain, frozen=True):
    """The client has not agreed to its broker's terms of the margin trading facility."""


class LotTooDear(Why, frozen=True):
    """Not even one lot is within what an order may be worth, by the least limit, that of `broker`."""

    most_paise: int
    broker: str = ""


class TooLarge(Why, frozen=True):
    """More than the most slices take; `worth_paise` where it is the value that limits a slice.

    Of several brokers' limits that of `broker` is the least, which the whole plan keeps to.
    """

    quantity: int
    worth_paise: int | None
    slices: int
    slice_quantity: int
    broker: str = ""


class SliceTooLarge(Why, frozen=True):
    """One order has more shares than it may have at the price now."""

    quantity: int


class NotAuthorised(Why, frozen=True):
    """The client must first authorise the sale; `released` shares may leave today."""

    released: int


class NoInstruction(Plain, frozen=True):
    """The client is traded for on its own instruction alone, and none is named."""


class DisclosedOff(Why, frozen=True):
    """Of an order of so many shares the exchange lets another quantity be seen than the one asked for."""

    quantity: int
    disclosed: int


class ShowsAll(Plain, frozen=True):
    """The client's broker takes no disclosed quantity."""


class AtWeight(Why, frozen=True):
    """The position is at that part of the portfolio already, or beyond it, in basis points of it."""

    weight_bps: int
    target_bps: int


class PortfolioUnpriced(Plain, frozen=True):
    """What the client's portfolio is worth is not known: shares of it have no price that is young enough."""


class OverMtf(Why, frozen=True):
    """Beyond the client's MTF limit by so much; None where it has none."""

    over_paise: int | None


class MoneyShort(Why, frozen=True):
    """The client's money does not do."""

    paise: int


class AtPriceNow(Plain, frozen=True):
    """It does not do at the price now."""


class WaitsForCash(Why, frozen=True):
    """So many shares are wanted for which there is no cash today."""

    shares: int


class NoPriceOf(Why, frozen=True):
    """No young price is known of these stocks, which the client holds."""

    symbols: tuple[str, ...]


class OrderLives(Why, frozen=True):
    """An order of the client in one of these stocks has not ended."""

    order: int
    symbol: str


class RunStillBuys(Why, frozen=True):
    """A run of before has still to buy for the client."""

    run: int


class SentBefore(Why, frozen=True):
    """The same was sent lately, or still is, by this run where that is known."""

    run: int | None = None


class DroppedByHand(Plain, frozen=True):
    """The trader took the line out."""


class BelowOne(Why, frozen=True):
    """The sizing comes to less than a share or lot: of `of_shares`, or else at a price."""

    sizing: SizingKind
    value: int
    lot_size: int
    of_shares: int | None
    price_paise: int | None


class HoldsNone(Why, frozen=True):
    """The client holds none of the symbol, or none in the product but in others."""

    tradingsymbol: str
    product: Product
    others: tuple[Product, ...]


class NoneFree(Why, frozen=True):
    """All that the client holds in the product is on sale or cannot be sold."""

    quantity: int
    product: Product


class SharesShort(Why, frozen=True):
    """Fewer shares are free to sell than wanted."""

    short: int
    free: int


class FewerAtBroker(Why, frozen=True):
    """The broker has fewer of the client's shares than our books."""

    theirs: int
    ours: int


class OddShares(Why, frozen=True):
    """Shares that make no whole lot and stay."""

    odd: int
    quantity: int
    lot_size: int


class InSlices(Why, frozen=True):
    """The line goes as several orders."""

    orders: int
    slice_quantity: int


class LegsLost(Why, frozen=True):
    """Other legs of the client's cannot go, and all go or none."""

    legs: tuple[int, ...]


KINDS: dict[str, type[Why]] = {
    "under_halt": UnderHalt,
    "reduce_only": ReduceOnly,
    "not_active": NotActive,
    "client_paused": ClientPaused,
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
    "no_mtf_consent": NoMtfConsent,
    "lot_too_dear": LotTooDear,
    "too_large": TooLarge,
    "slice_too_large": SliceTooLarge,
    "not_authorised": NotAuthorised,
    "over_mtf": OverMtf,
    "money_short": MoneyShort,
    "at_price_now": AtPriceNow,
    "waits_for_cash": WaitsForCash,
    "no_price_of": NoPriceOf,
    "order_lives": OrderLives,
    "run_still_buys": RunStillBuys,
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
    "no_instruction": NoInstruction,
    "disclosed_off": DisclosedOff,
    "shows_all": ShowsAll,
    "at_weight": AtWeight,
    "portfolio_unpriced": PortfolioUnpriced,
}
"""The word under which each kind stands in a plan's record, but for those of limits."""


class LineRefusal(Struct, frozen=True):
    """Why a line is skipped: the reason, its figures, and how much money is missing (0 if not money)."""

    reason: Reason
    why: tuple[Why, ...] = ()
    short_paise: int = 0

"""What the trader wants: the intent, its checks, and its words."""

from collections.abc import Sequence

from msgspec import Struct, field

from data.errors import BadInput
from data.money import BPS, amount_words, grouped
from data.records import replace
from data.reference.instruments import Instrument
from data.vocabulary import Drift, OrderType, PerClient, Product, Side, SizingKind, Validity

STANDINGS = {"DAY": (Validity.DAY, False), "IOC": (Validity.IOC, False), "AMO": (Validity.DAY, True)}
"""How long orders stand, in traders' words: validity, and whether they wait for the next session (AMO)."""


MOST_REF = 60
"""Characters of what names a client's instruction."""

MOST_REASON = 120
"""Characters of a reason typed to go beyond a soft limit."""

PERCENTAGES = frozenset(
    {
        SizingKind.PERCENT_OF_CAPITAL,
        SizingKind.PERCENT_OF_AVAILABLE,
        SizingKind.PERCENT_OF_POSITION,
        SizingKind.PERCENT_OF_PORTFOLIO,
        SizingKind.TARGET_WEIGHT,
    }
)
"""Sizings whose value is basis points."""


def side_from(text: str) -> Side:
    """`buy` or `sell`. Raises `BadInput`."""
    try:
        return Side(text.strip().upper())
    except ValueError:
        raise BadInput("side", text, "give buy or sell") from None


def product_from(text: str | None, side: Side) -> Product | None:
    """The product; left out it is CNC for a buy and as held for a sell. Raises `BadInput`."""
    if text is None:
        return Product.CNC if side is Side.BUY else None
    try:
        return Product(text.strip().upper())
    except ValueError:
        raise BadInput("product", text, "give CNC, MTF or MIS") from None


def standing_from(word: str) -> tuple[Validity, bool]:
    """Validity, and whether the order waits for the next session. Raises `BadInput` for another word."""
    try:
        return STANDINGS[word.strip().upper()]
    except KeyError:
        raise BadInput("validity", word, f"give {', '.join(STANDINGS)}") from None


def drift_from(word: str) -> Drift:
    """How far the price may move before orders have left. Raises `BadInput` for another word."""
    try:
        return Drift(word.strip().lower())
    except ValueError:
        expected = "give none for no drift limit, or desk for that of the settings"
        raise BadInput("drift", word, expected) from None


class Sizing(Struct, frozen=True):
    """How much for each client. `value` is basis points for percentages, paise for an amount, else shares."""

    kind: SizingKind
    value: int

    def words(self) -> str:
        """The sizing as a trader reads it, such as `25 % of capital`."""
        if self.kind is SizingKind.FIXED_AMOUNT:
            return f"₹{amount_words(self.value)} each"
        if self.kind is SizingKind.FIXED_QUANTITY:
            return f"{grouped(self.value)} {'share' if self.value == 1 else 'shares'} each"
        percent = f"{self.value / 100:.2f}".rstrip("0").rstrip(".")
        if self.kind is SizingKind.TARGET_WEIGHT:
            return f"to {percent} % of portfolio"
        return f"{percent} % of {self.kind.value.removeprefix('percent_of_')}"


class Selection(Struct, frozen=True):
    """Which clients: everyone, or those named by id, group, or broker. Empty fields do not narrow."""

    client_ids: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()
    brokers: tuple[str, ...] = ()
    title: str = "all"


class Leg(Struct, frozen=True):
    """One security of an intent that has several: what is done in it, and when.

    `product` None means "as held" and is only for sells. `stage` is which legs are reserved together: a buy
    of stage 1 waits until the plan's sales of that security have ended, for all clients. `drift` says how far
    the price may move before its orders have left.
    """

    side: Side
    key: str
    sizing: Sizing
    order_type: OrderType = OrderType.MARKET
    product: Product | None = Product.CNC
    limit_paise: int | None = None
    trigger_paise: int | None = None
    stage: int = 0
    drift: Drift = Drift.DESK


class Intent(Struct, frozen=True):
    """Side, symbol, sizing, product, price and clients; the whole wish before any figure is looked up.

    `product` None means "as held" and is only for sells. `line_changes` maps a client id to a quantity the
    trader set by hand, or to a product; a quantity of 0 drops the line. `after_market` asks for orders that
    wait at the broker for the next session. `drift` says how far the price may move before its orders have
    left. `ref` names the client's instruction, such as a call and its time; the plan and the audit keep it.
    `multiplied` has each client's own multiplier scale what is sized alike for all. Of each order the market
    sees `disclosed_quantity` shares, all of them where that is 0. `override` is the reason typed to go beyond
    soft limits.

    `model` names the model that it brings clients to; what of it waits for cash is kept under that.
    `further` are its legs behind the first, which the intent itself says; `per_client` says how a client's
    legs go together. Clients and how long orders stand are one for all. Where it is `listed`, a leg is for
    those of the clients alone whom a change names in it.
    """

    side: Side
    key: str
    sizing: Sizing
    order_type: OrderType = OrderType.MARKET
    product: Product | None = Product.CNC
    limit_paise: int | None = None
    trigger_paise: int | None = None
    selection: Selection = field(default_factory=Selection)
    again: bool = False
    line_changes: tuple["LineChange", ...] = ()
    validity: Validity = Validity.DAY
    after_market: bool = False
    further: tuple[Leg, ...] = ()
    per_client: PerClient = PerClient.ALL
    drift: Drift = Drift.DESK
    listed: bool = False
    ref: str = ""
    multiplied: bool = False
    disclosed_quantity: int = 0
    override: str = ""
    model: str = ""

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All of it, leg by leg."""
        first = Leg(
            self.side,
            self.key,
            self.sizing,
            self.order_type,
            self.product,
            self.limit_paise,
            self.trigger_paise,
            drift=self.drift,
        )
        return first, *self.further

    @property
    def parts(self) -> "tuple[Intent, ...]":
        """An intent of one leg for each leg, with the changes of its own lines."""
        changes = self._changes_by_leg()
        alone = replace(self, further=(), per_client=PerClient.ALL, line_changes=changes.get(1, ()))
        return alone, *(
            replace(alone.with_legs((leg,)), line_changes=changes.get(number, ()))
            for number, leg in enumerate(self.further, start=2)
        )

    def with_legs(self, legs: Sequence[Leg]) -> "Intent":
        """The same wish for these legs, at least one, in place of its own."""
        first, *further = legs
        return replace(
            self,
            side=first.side,
            key=first.key,
            sizing=first.sizing,
            order_type=first.order_type,
            product=first.product,
            limit_paise=first.limit_paise,
            trigger_paise=first.trigger_paise,
            drift=first.drift,
            further=tuple(further),
        )

    def listed_for(self, legs: "Sequence[tuple[Leg, Sequence[LineChange]]]", title: str) -> "Intent":
        """The same wish for these legs, each for those clients whom its changes name."""
        changes = [replace(one, leg=place) for place, (_, own) in enumerate(legs, start=1) for one in own]
        client_ids = tuple(sorted({change.client_id for change in changes}))
        return replace(
            self.with_legs([leg for leg, _ in legs]),
            selection=Selection(client_ids=client_ids, title=title),
            line_changes=tuple(changes),
            listed=True,
        )

    def _changes_by_leg(self) -> "dict[int, tuple[LineChange, ...]]":
        if not self.further:
            return {1: self.line_changes}
        changes: dict[int, list[LineChange]] = {}
        for change in self.line_changes:
            changes.setdefault(change.leg, []).append(replace(change, leg=1))
        return {leg: tuple(of_leg) for leg, of_leg in changes.items()}

    @property
    def in_legs(self) -> bool:
        """Whether it is read leg by leg: it has several, or one for some of its clients alone."""
        return bool(self.further) or self.listed

    @property
    def standing(self) -> str:
        """How long its orders stand, by one of the words of `STANDINGS`."""
        return next(word for word, terms in STANDINGS.items() if terms == (self.validity, self.after_market))


class LineChange(Struct, frozen=True):
    """One client's line as the trader edited it: a quantity (0 drops the line), a product, or both.

    With neither it says only that the client is in a leg of an intent that is `listed`. `later` are shares
    wanted beside the quantity, for which there is no cash today.
    """

    client_id: int
    quantity: int | None = None
    product: Product | None = None
    leg: int = 1
    later: int = 0


def check_intent(intent: Intent, instrument: Instrument) -> None:
    """Refuse what no client could trade. Raises `BadInput` with the field, value and what would be right."""
    if (intent.validity, intent.after_market) not in STANDINGS.values():
        raise BadInput("validity", f"{intent.validity} AMO", f"give one of {', '.join(STANDINGS)}")
    check_ref(intent.ref)
    check_override(intent.override)
    check_disclosed(intent, instrument)
    value = intent.sizing.value
    if intent.sizing.kind in PERCENTAGES:
        if not 0 < value <= BPS:
            raise BadInput("percent", f"{value / 100:g}", "give more than 0 and at most 100")
    elif value <= 0:
        field_name = intent.sizing.kind.value.removeprefix("fixed_")
        given = f"{value / 100:.2f}" if intent.sizing.kind is SizingKind.FIXED_AMOUNT else value
        raise BadInput(field_name, given, "give a number above zero")
    if intent.sizing.kind is SizingKind.PERCENT_OF_POSITION and intent.side is Side.BUY:
        raise BadInput("sizing", intent.sizing.kind.value, "a percentage of the position is only for SELL")
    if not instrument.tradable:
        raise BadInput("symbol", instrument.key, "an index has a price but cannot be traded")
    if intent.sizing.kind is SizingKind.FIXED_QUANTITY:
        check_lots(value, instrument)
    if intent.product is None and intent.side is Side.BUY:
        raise BadInput("product", "as held", "a buy needs CNC, MTF or MIS")
    if intent.order_type in (OrderType.LIMIT, OrderType.SL):
        check_price("limit", intent.limit_paise, instrument)
    elif intent.limit_paise is not None:
        raise BadInput(
            "limit", intent.limit_paise / 100, f"a {intent.order_type.value} order has no limit price"
        )
    if intent.order_type in (OrderType.SL, OrderType.SL_M):
        if intent.validity is Validity.IOC:
            raise BadInput("validity", "IOC", f"{intent.order_type.value} waits for its trigger, give DAY")
        check_price("trigger", intent.trigger_paise, instrument)
    elif intent.trigger_paise is not None:
        raise BadInput("trigger", intent.trigger_paise / 100, "only SL and SL-M orders have a trigger")
    if intent.limit_paise is not None and intent.trigger_paise is not None:
        ahead = (intent.limit_paise - intent.trigger_paise) * (1 if intent.side is Side.BUY else -1)
        if ahead < 0:
            side = "at or above" if intent.side is Side.BUY else "at or below"
            raise BadInput(
                "limit",
                f"{intent.limit_paise / 100:.2f}",
                f"a {intent.side.value} order's limit stands {side} its trigger, "
                f"{intent.trigger_paise / 100:.2f}",
            )


def check_ref(ref: str) -> None:
    """Refuse what is no name of an instruction: too long, or more than a line. Raises `BadInput`."""
    if len(ref) > MOST_REF or not ref.isprintable():
        raise BadInput("ref", ref, f"give one line of at most {MOST_REF} characters")


def check_override(reason: str) -> None:
    """Refuse what is no reason: too long, or more than a line. Raises `BadInput`."""
    if len(reason) > MOST_REASON or not reason.isprintable():
        raise BadInput("override", reason, f"give a reason of one line, at most {MOST_REASON} characters")


def check_disclosed(intent: Intent, instrument: Instrument) -> None:
    """Refuse a disclosed quantity of what has none: only limit orders of the day in shares do.

    NSE takes none or at least a tenth of the order, and less than all of it; the order's own quantity is
    looked at line by line. Raises `BadInput`.
    """
    disclosed = intent.disclosed_quantity
    if disclosed == 0:
        return
    if disclosed < 0:
        raise BadInput("disclosed", disclosed, "give 0 or more shares")
    if intent.order_type is not OrderType.LIMIT:
        raise BadInput(
            "disclosed", disclosed, f"a {intent.order_type.value} order shows all of it; give LIMIT"
        )
    if intent.validity is Validity.IOC or intent.further:
        raise BadInput("disclosed", disclosed, "only an order of one security that stands for the day has it")
    check_lots(disclosed, instrument)


def check_trigger(intent: Intent, last_paise: int) -> None:
    """Refuse a trigger that the last price has reached already, as brokers do. Raises `BadInput`."""
    if intent.trigger_paise is None or last_paise <= 0:
        return
    buying = intent.side is Side.BUY
    if (intent.trigger_paise <= last_paise) if buying else (intent.trigger_paise >= last_paise):
        side = "above" if buying else "below"
        raise BadInput(
            "trigger",
            f"{intent.trigger_paise / 100:.2f}",
            f"a stop order to {intent.side.value} waits {side} the last price, {last_paise / 100:.2f}",
        )


def check_price(field_name: str, price_paise: int | None, instrument: Instrument) -> None:
    """Refuse a price that is missing, not positive, or off the instrument's tick. Raises `BadInput`."""
    if price_paise is None or price_paise <= 0:
        given = None if price_paise is None else f"{price_paise / 100:.2f}"
        raise BadInput(field_name, given, "give a price in rupees above zero")
    tick = instrument.tick_paise
    if price_paise % tick:
        below = price_paise // tick * tick
        raise BadInput(
            field_name,
            f"{price_paise / 100:.2f}",
            f"{instrument.tradingsymbol} trades in ticks of {tick / 100:.2f}: "
            f"{below / 100:.2f} or {(below + tick) / 100:.2f}",
        )


def check_lots(quantity: int, instrument: Instrument) -> None:
    """Refuse a count of shares that is no whole number of lots, with the nearest. Raises `BadInput`."""
    lot = instrument.lot_size
    if quantity % lot:
        below = quantity // lot * lot
        nearest = f"{grouped(below)} or {grouped(below + lot)}" if below > 0 else grouped(lot)
        raise BadInput(
            "quantity",
            quantity,
            f"{instrument.tradingsymbol} trades in lots of {grouped(lot)}: give {nearest}",
        )

"""Legs as they are typed: `RELIANCE:15%`, `TCS:10:MTF@2500`."""

from collections.abc import Iterable, Sequence

from data.errors import BadInput
from data.money import bps_from_percent_text, count_from_text, paise_from_text
from data.reference.instrument_index import InstrumentIndex
from data.reference.instruments import Instrument
from data.vocabulary import OrderType, Side, SizingKind
from engine.planning.entry.leg_checks import check_legs
from engine.planning.intent import Intent, Leg, Sizing, check_intent, product_from, side_from

SIZES = "give 15% (of capital; of the position for a sell), 15%available, ₹50000, or 10 for shares"
"""The ways to size a leg, as a message offers them."""

_OF = {
    "": None,
    "capital": SizingKind.PERCENT_OF_CAPITAL,
    "available": SizingKind.PERCENT_OF_AVAILABLE,
    "position": SizingKind.PERCENT_OF_POSITION,
}
"""What a percentage is of, by the word behind it."""


def sizing_from(side: Side, text: str) -> Sizing:
    """The sizing that a leg's size says. Raises `BadInput`."""
    size = text.strip()
    if "%" in size:
        figure, _, of = size.partition("%")
        of = of.strip().lower().removeprefix("of ").strip()
        if of not in _OF:
            raise BadInput("size", text, SIZES)
        usual = SizingKind.PERCENT_OF_CAPITAL if side is Side.BUY else SizingKind.PERCENT_OF_POSITION
        return Sizing(_OF[of] or usual, bps_from_percent_text(figure, "size"))
    for sign in ("₹", "rs"):
        if size.lower().startswith(sign):
            return Sizing(SizingKind.FIXED_AMOUNT, paise_from_text(size[len(sign) :], "size"))
    if not size[:1].isdigit():
        raise BadInput("size", text, SIZES)
    return Sizing(SizingKind.FIXED_QUANTITY, count_from_text(size, "size"))


def legs_from_words(
    words: Iterable[str], index: InstrumentIndex, product: str | None = None
) -> tuple[Leg, ...]:
    """Legs as typed: `buy` or `sell`, then `SYMBOL:SIZE`, with a product behind a further `:` and a limit
    behind `@`. Either word counts until the other. Raises `BadInput`, `UnknownSymbol` with the nearest.
    """
    side: Side | None = None
    legs: list[Leg] = []
    for word in words:
        if word.strip().upper() in {side.value for side in Side}:
            side = side_from(word)
        elif side is None:
            raise BadInput("side", word, "give buy or sell first")
        else:
            legs.append(_leg_from_word(word, side, index, product))
    if not legs:
        raise BadInput("legs", " ".join(words), "give a leg or more, such as RELIANCE:15%")
    check_legs(intent_of(legs))
    return tuple(legs)


def _leg_from_word(word: str, side: Side, index: InstrumentIndex, product: str | None) -> Leg:
    expected = "give SYMBOL:SIZE, SYMBOL:SIZE:PRODUCT or SYMBOL:SIZE@LIMIT, such as RELIANCE:15%"
    told, at, limit = word.partition("@")
    parts = told.split(":")
    symbol = parts.pop(0)
    if symbol.upper() in ("NSE", "BSE") and len(parts) > 1:
        symbol = f"{symbol}:{parts.pop(0)}"
    if not symbol or not 1 <= len(parts) <= 2 or (at and not limit):
        raise BadInput("leg", word, expected)
    size, *own = parts
    instrument = index.resolve(symbol)
    return leg_of(instrument, side, size, own[0] if own else product, "", limit, "")


def leg_of(
    instrument: Instrument, side: Side, size: str, product: str | None, kind: str, limit: str, trigger: str
) -> Leg:
    """A leg whose values are held to its instrument. Raises `BadInput`."""
    leg = Leg(
        side=side,
        key=instrument.key,
        sizing=sizing_from(side, size),
        order_type=_order_type(kind, limit, trigger),
        product=product_from(product or None, side),
        limit_paise=paise_from_text(limit, "limit") if limit else None,
        trigger_paise=paise_from_text(trigger, "trigger") if trigger else None,
    )
    check_intent(intent_of((leg,)), instrument)
    return leg


def _order_type(kind: str, limit: str, trigger: str) -> OrderType:
    """What kind of order the prices make it, which is to be the kind that is named where one is."""
    if trigger:
        meant = OrderType.SL if limit else OrderType.SL_M
    else:
        meant = OrderType.LIMIT if limit else OrderType.MARKET
    if not kind:
        return meant
    try:
        named = OrderType(kind.strip().upper())
    except ValueError:
        raise BadInput("type", kind, f"give {', '.join(OrderType)}") from None
    if named is not meant:
        needs = {
            OrderType.MARKET: "neither limit nor trigger",
            OrderType.LIMIT: "a limit and no trigger",
            OrderType.SL: "a limit and a trigger",
            OrderType.SL_M: "a trigger and no limit",
        }
        raise BadInput("type", kind, f"give it {needs[named]}, or {meant.value} as its type")
    return named


def intent_of(legs: Sequence[Leg]) -> Intent:
    """An intent of these legs for all clients, each by its multiplier."""
    first = legs[0]
    return Intent(first.side, first.key, first.sizing, multiplied=True).with_legs(legs)


def words_of_legs(legs: Sequence[Leg]) -> str:
    """Legs as they would be typed. What cannot be typed, such as a trigger, is left out."""
    words: list[str] = []
    side: Side | None = None
    for leg in legs:
        if leg.side is not side:
            side = leg.side
            words.append(side.value.lower())
        words.append(_word_of_leg(leg))
    return " ".join(words)


def _word_of_leg(leg: Leg) -> str:
    word = f"{typed_symbol(leg.key)}:{typed_size(leg)}"
    if leg.product is not product_from(None, leg.side) and leg.product is not None:
        word += f":{leg.product.value}"
    return word if leg.limit_paise is None else f"{word}@{leg.limit_paise / 100:.2f}"


def typed_symbol(key: str) -> str:
    """A key as it is typed: `RELIANCE`, `BSE:RELIANCE`."""
    exchange, _, symbol = key.partition(":")
    return symbol if exchange == "NSE" else key


def typed_size(leg: Leg) -> str:
    """A leg's size as it is typed: `15%`, `15%available`, `₹50000`, `10`."""
    kind, value = leg.sizing.kind, leg.sizing.value
    if kind is SizingKind.FIXED_QUANTITY:
        return str(value)
    if kind is SizingKind.FIXED_AMOUNT:
        return f"₹{value // 100}" if value % 100 == 0 else f"₹{value / 100:.2f}"
    usual = SizingKind.PERCENT_OF_CAPITAL if leg.side is Side.BUY else SizingKind.PERCENT_OF_POSITION
    of = "" if kind is usual else kind.value.removeprefix("percent_of_")
    return f"{f'{value / 100:.2f}'.rstrip('0').rstrip('.')}%{of}"

"""What stands in the fields of a basket's form, kept while the form is closed, and legs made of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import Struct

from data.errors import BadInput
from data.records import replace
from data.vocabulary import OrderType, PerClient, Product, Side, SizingKind
from engine.planning.entry.leg_checks import check_legs
from engine.planning.entry.leg_words import intent_of
from engine.planning.intent import Intent, Leg, Selection, check_intent
from engine.words import formats
from screens.bulk.typed import sizing_from
from screens.frame.intent_fields import AS_HELD, FIRST_VALUES, SIZES, prices_from, symbol_problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.desk import Desk


class TypedLeg(Struct, frozen=True):
    """A leg as it stands in its fields; `text` is what was typed for a symbol that is not chosen yet."""

    side: Side = Side.BUY
    key: str | None = None
    text: str = ""
    kind: SizingKind = SizingKind.PERCENT_OF_CAPITAL
    value: str = ""
    product: str = Product.CNC.value
    order_type: OrderType = OrderType.MARKET
    price: str = ""
    trigger: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing of it was said: it is no leg then, and nothing is wrong with it."""
        return self.key is None and not (self.text.strip() or self.price.strip() or self.trigger.strip())

    def leg(self, desk: Desk) -> Leg:
        """The leg that it says, held to its instrument. Raises `BadInput` naming the field."""
        if self.key is None:
            raise symbol_problem(desk, self.text)
        instrument = desk.market.index.get(self.key)
        if instrument is None:
            raise BadInput("symbol", self.key, "choose one that is listed today")
        sizing = sizing_from(self.kind, self.value)
        limit, trigger = prices_from(self.order_type, self.price, self.trigger)
        product = None if self.product == AS_HELD else Product(self.product)
        made = Leg(self.side, self.key, sizing, self.order_type, product, limit, trigger)
        check_intent(intent_of((made,)), instrument)
        return made


def first_leg(side: Side, key: str | None = None, text: str = "") -> TypedLeg:
    """A leg as a side begins: nothing typed but its symbol, where there is one.

    Sales begin with the whole position; of a buy the size is the trader's to say.
    """
    kind = SIZES[side][0]
    product = AS_HELD if side is Side.SELL else Product.CNC.value
    value = FIRST_VALUES[kind] if side is Side.SELL else ""
    return TypedLeg(side, key, text, kind, value, product)


def typed_leg(leg: Leg, desk: Desk) -> TypedLeg:
    """A leg as it would have been typed."""
    kind, value = leg.sizing.kind, leg.sizing.value
    instrument = desk.market.index.get(leg.key)
    return TypedLeg(
        leg.side,
        leg.key,
        leg.key if instrument is None else instrument.tradingsymbol,
        kind,
        size_text(kind, value),
        AS_HELD if leg.product is None else leg.product.value,
        leg.order_type,
        formats.typed(leg.limit_paise),
        formats.typed(leg.trigger_paise),
    )


def size_text(kind: SizingKind, value: int) -> str:
    """A size as its field holds it: shares, rupees, or a percentage."""
    if kind is SizingKind.FIXED_QUANTITY:
        return str(value)
    return formats.typed(value) if kind is SizingKind.FIXED_AMOUNT else formats.percent(value)


@dataclass(slots=True)
class BasketDraft:
    """The form's contents: its legs, for whom, and how a client's go together.

    `marked` are the clients that it was begun for, if not for all.
    """

    legs: list[TypedLeg] = field(default_factory=lambda: [first_leg(Side.BUY)])
    per_client: PerClient = PerClient.ALL
    marked: tuple[int, ...] = ()
    given: Selection | None = None
    name: str = ""
    """Under which the legs are saved, where they were opened by a name."""

    @property
    def said(self) -> list[tuple[int, TypedLeg]]:
        """The legs of which something was said, with their places from 1."""
        return [(place, leg) for place, leg in enumerate(self.legs, start=1) if not leg.is_blank]

    def made(self, desk: Desk) -> tuple[Leg, ...]:
        """Its legs. Raises `BadInput` naming the leg and its field, or that there is none."""
        made: list[Leg] = []
        for place, leg in self.said:
            try:
                made.append(leg.leg(desk))
            except BadInput as bad:
                raise BadInput(f"leg {place} {bad.field}", bad.value, bad.expected) from None
        if not made:
            raise BadInput("legs", "", "choose a symbol for a leg or more")
        check_legs(intent_of(made))
        return tuple(made)

    def take(self, legs: Sequence[Leg], per_client: PerClient, desk: Desk) -> None:
        """Have these legs stand in the form."""
        self.legs = [typed_leg(leg, desk) for leg in legs]
        self.per_client = per_client


def draft_of(intent: Intent, desk: Desk) -> BasketDraft:
    """An intent as the form would have been filled."""
    draft = BasketDraft(given=intent.selection)
    draft.take(intent.legs, intent.per_client, desk)
    return draft


def intent_for(legs: Sequence[Leg], per_client: PerClient, selection: Selection | None) -> Intent:
    """The intent of legs for these clients, for all without any."""
    made = replace(intent_of(legs), per_client=per_client)
    return made if selection is None else replace(made, selection=selection)

"""What the fields of a bulk form say, as an intent."""

from __future__ import annotations

from msgspec import Struct

from data.errors import BadInput
from data.money import bps_from_percent_text, count_from_text, paise_from_text
from data.records import replace
from data.vocabulary import OrderType, Product, Side, SizingKind
from engine.planning.intent import Intent, Selection, Sizing, drift_from, standing_from
from engine.words.formats import counted
from engine.words.trading.plans import SIZING_WORDS, run_named_by
from screens.frame.intent_fields import AS_HELD, prices_from


class Typed(Struct, frozen=True):
    """The answers as they stand in the fields; money and counts are text."""

    side: Side
    key: str
    sizing: SizingKind
    value: str
    order_type: OrderType
    product: str
    price: str
    trigger: str
    validity: str
    drift: str
    disclosed: str = ""
    ref: str = ""

    def intent(self) -> Intent:
        """The intent for all clients. Raises `BadInput` naming the field that does not do."""
        sizing = sizing_from(self.sizing, self.value)
        limit, trigger = prices_from(self.order_type, self.price, self.trigger)
        validity, after_market = standing_from(self.validity)
        return Intent(
            side=self.side,
            key=self.key,
            sizing=sizing,
            order_type=self.order_type,
            product=None if self.product == AS_HELD else Product(self.product),
            limit_paise=limit,
            trigger_paise=trigger,
            selection=Selection(),
            validity=validity,
            after_market=after_market,
            drift=drift_from(self.drift),
            disclosed_quantity=count_from_text(self.disclosed or "0", "shows"),
            ref=self.ref.strip(),
            multiplied=True,
        )


def sizing_from(kind: SizingKind, text: str) -> Sizing:
    """A size as typed. Raises `BadInput`."""
    if not text.strip():
        raise BadInput("size", text, f"give a number for {SIZING_WORDS[kind]}")
    if kind is SizingKind.FIXED_QUANTITY:
        return Sizing(kind, count_from_text(text, "quantity"))
    if kind is SizingKind.FIXED_AMOUNT:
        return Sizing(kind, paise_from_text(text, "amount"))
    return Sizing(kind, bps_from_percent_text(text, "size"))


def with_changes(made: Intent, base: Intent | None) -> Intent:
    """Changes by hand last as long as what they were made for, and so does the name of a reversal."""
    if base is None or base.selection != made.selection:
        return made
    if _wish(base) == _wish(made):
        return replace(made, line_changes=base.line_changes)
    if not run_named_by(made.selection.title):
        return made
    title = counted(len(made.selection.client_ids), "client")
    return replace(made, selection=replace(made.selection, title=title))


def _wish(intent: Intent) -> tuple[Side, str, Product | None, Sizing]:
    return intent.side, intent.key, intent.product, intent.sizing

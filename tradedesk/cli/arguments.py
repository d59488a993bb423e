"""What is typed on the command line, turned into the desk's own values, or refused by name."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.errors import BadInput
from data.money import bps_from_percent_text, count_from_text, paise_from_text
from data.records import replace
from data.vocabulary import OrderType, PerClient, Side, SizingKind

if TYPE_CHECKING:
    from engine.desk import Desk
    from engine.planning.intent import Intent, Selection, Sizing

SIZINGS = "--percent, --of-available, --of-portfolio, --to-weight, --amount, --quantity, --of-position"


def sizing_from(
    side: Side,
    percent: str | None,
    of_available: str | None,
    amount: str | None,
    quantity: str | None,
    of_position: str | None,
    of_portfolio: str | None = None,
    to_weight: str | None = None,
) -> "Sizing":
    """The one sizing that was given. `percent` is of capital for a buy and of the position for a sell.

    Raises `BadInput` for none, for several, and for a value that is no number.
    """
    from engine.planning.intent import Sizing

    given = {
        "--percent": percent,
        "--of-available": of_available,
        "--of-portfolio": of_portfolio,
        "--to-weight": to_weight,
        "--amount": amount,
        "--quantity": quantity,
        "--of-position": of_position,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise BadInput("sizing", ", ".join(named) or "none", f"give exactly one of {SIZINGS}")
    if percent is not None:
        kind = SizingKind.PERCENT_OF_CAPITAL if side is Side.BUY else SizingKind.PERCENT_OF_POSITION
        return Sizing(kind, bps_from_percent_text(percent, "percent"))
    if of_available is not None:
        return Sizing(SizingKind.PERCENT_OF_AVAILABLE, bps_from_percent_text(of_available, "of-available"))
    if of_portfolio is not None:
        return Sizing(SizingKind.PERCENT_OF_PORTFOLIO, bps_from_percent_text(of_portfolio, "of-portfolio"))
    if to_weight is not None:
        return Sizing(SizingKind.TARGET_WEIGHT, bps_from_percent_text(to_weight, "to-weight"))
    if amount is not None:
        return Sizing(SizingKind.FIXED_AMOUNT, paise_from_text(amount, "amount"))
    if quantity is not None:
        return Sizing(SizingKind.FIXED_QUANTITY, count_from_text(quantity, "quantity"))
    return Sizing(SizingKind.PERCENT_OF_POSITION, bps_from_percent_text(of_position or "", "of-position"))


def selection_from(
    desk: "Desk", clients: str | None, groups: Sequence[str] = (), brokers: Sequence[str] = ()
) -> "Selection":
    """Which clients: `all`, or codes or ids separated by commas; groups, brokers. Raises `BadInput`."""
    from engine.planning.intent import Selection
    from engine.planning.titles import broker_title, group_title, named_title

    ids: list[int] = []
    if clients is not None and clients.strip().lower() != "all":
        words = [word.strip() for word in clients.split(",") if word.strip()]
        if not words:
            raise BadInput("clients", clients, "give codes or ids separated by commas")
        ids = list(dict.fromkeys(desk.clients.find(word).id for word in words))
    known = desk.clients.all()
    titles = [named_title(len(ids))] if ids else []
    titles += [group_title(name, known) for name in groups] + [broker_title(name, known) for name in brokers]
    return Selection(tuple(ids), tuple(groups), tuple(brokers), ", ".join(titles) or "all")


def intent_from(
    desk: "Desk",
    side: Side,
    symbol: str,
    sizing: "Sizing",
    limit: str | None,
    trigger: str | None,
    product: str | None,
    validity: str,
    selection: "Selection",
    again: bool,
    drift: str,
) -> "Intent":
    """The intent that was typed. Raises `BadInput`, `UnknownSymbol` with the nearest symbols."""
    from engine.planning.intent import Intent, drift_from, product_from, standing_from

    lasts, after_market = standing_from(validity)
    return Intent(
        side=side,
        key=desk.market.index.resolve(symbol).key,
        sizing=sizing,
        order_type=_order_type(limit, trigger),
        product=product_from(product, side),
        limit_paise=price_from(limit, "limit"),
        trigger_paise=price_from(trigger, "trigger"),
        selection=selection,
        again=again,
        validity=lasts,
        after_market=after_market,
        drift=drift_from(drift),
    )


def with_entry(
    intent: "Intent", ref: str, disclosed: str | None = None, multiplied: bool = False, override: str = ""
) -> "Intent":
    """The intent on an instruction, showing a part of each order, by each client's multiplier.

    `override` is the reason for which it goes beyond soft limits.
    """
    shown = 0 if disclosed is None else count_from_text(disclosed, "disclosed")
    terms = {"ref": ref.strip(), "override": override.strip()}
    return replace(intent, **terms, disclosed_quantity=shown, multiplied=multiplied)


def with_terms(intent: "Intent", per_client: PerClient, validity: str, drift: str, again: bool) -> "Intent":
    """The intent of several legs under the terms that were typed for all of them. Raises `BadInput`."""
    from engine.planning.intent import drift_from, standing_from

    lasts, after_market = standing_from(validity)
    limit = drift_from(drift)
    return replace(
        intent,
        per_client=per_client,
        validity=lasts,
        after_market=after_market,
        again=again,
        drift=limit,
        further=tuple(replace(leg, drift=limit) for leg in intent.further),
    )


def price_from(text: str | None, field: str) -> int | None:
    """A price in rupees as paise, None where none was given. Raises `BadInput`."""
    return None if text is None else paise_from_text(text, field)


def _order_type(limit: str | None, trigger: str | None) -> OrderType:
    if trigger is None:
        return OrderType.MARKET if limit is None else OrderType.LIMIT
    return OrderType.SL_M if limit is None else OrderType.SL

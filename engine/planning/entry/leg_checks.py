"""Whether the legs of an intent go together: how many, each product once, and in which stages."""

from collections.abc import Sequence

from data.errors import BadInput
from data.vocabulary import PerClient, Product, Side
from engine.planning.intent import Intent, Leg

MOST_LEGS = 20
"""More legs than that are no basket that anybody confirms by looking at it."""

MOST_LISTED_LEGS = 200
"""More different orders than that are no file that is looked through before it is sent."""

LAST_STAGE = 1
"""The stage of buys that wait for the plan's sales; those, and all else, are of stage 0."""


def check_legs(intent: Intent) -> None:
    """Refuse legs that do not go together. Raises `BadInput`."""
    most = MOST_LISTED_LEGS if intent.listed else MOST_LEGS
    if len(intent.further) >= most:
        raise BadInput("legs", len(intent.further) + 1, f"give at most {most}")
    places = range(1, len(intent.further) + 2)
    for change in intent.line_changes:
        if change.leg not in places:
            raise BadInput("leg", change.leg, f"give one of the {len(places)} legs of this plan")
    if intent.listed:
        _check_listed(intent)
        return
    products: dict[str, list[Product | None]] = {}
    for leg in intent.legs:
        if leg.stage:
            raise BadInput("stage", leg.stage, "give 0: only a plan that names its clients has later stages")
        _check_product_once(leg, products.setdefault(leg.key, []))


def _check_listed(intent: Intent) -> None:
    """Hold that no client has a security and product in two legs."""
    _check_stages(intent)
    products: dict[tuple[int, str], list[Product | None]] = {}
    for leg, part in zip(intent.legs, intent.parts, strict=True):
        if not part.line_changes:
            raise BadInput("legs", leg.key, "name a client in each leg")
        for client_id in {change.client_id for change in part.line_changes}:
            _check_product_once(leg, products.setdefault((client_id, leg.key), []))


def _check_stages(intent: Intent) -> None:
    """Hold that only buys wait for the sales of their plan, and stand behind them."""
    stages = [leg.stage for leg in intent.legs]
    for leg, before in zip(intent.legs[1:], stages, strict=False):
        if not before <= leg.stage <= LAST_STAGE or (leg.stage and leg.side is Side.SELL):
            raise BadInput("stage", leg.stage, f"give 0, or {LAST_STAGE} for buys behind all other legs")
    if any(stages) and intent.per_client is not PerClient.IN_ORDER:
        raise BadInput("per client", intent.per_client.value, "legs in stages go each in its order")


def _check_product_once(leg: Leg, before: list[Product | None]) -> None:
    if clashes(leg.product, before):
        product = "as held" if leg.product is None else leg.product.value
        raise BadInput("legs", f"{leg.key} {product}", "have each security and product in one leg only")
    before.append(leg.product)


def clashes(product: Product | None, before: Sequence[Product | None]) -> bool:
    """Whether a security that stands in legs with these products may not stand in one with this too."""
    return bool(before) and (product in before or None in (product, *before))

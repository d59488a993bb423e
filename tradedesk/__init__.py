"""tradedesk: a desk for many client accounts, and the words to use it from a program of one's own.

    from tradedesk import Intent, Selection, Side, Sizing, SizingKind, open_desk

    async with open_desk() as desk:
        plan = await desk.plans.freeze(Intent(Side.BUY, "NSE:TCS", Sizing(SizingKind.FIXED_QUANTITY, 1)))

Everything named here is loaded when it is first asked for, so that the first frame waits for nothing. Every
error that a caller can meet is a `TradedeskError`; `data/errors.py` draws the tree.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from brokers.contract import BrokerError as BrokerError
    from data.errors import BadInput as BadInput
    from data.errors import TradedeskError as TradedeskError
    from data.store import StoreError as StoreError
    from data.vocabulary import DeskKind as DeskKind
    from data.vocabulary import Drift as Drift
    from data.vocabulary import HaltScope as HaltScope
    from data.vocabulary import OrderState as OrderState
    from data.vocabulary import OrderType as OrderType
    from data.vocabulary import PerClient as PerClient
    from data.vocabulary import Product as Product
    from data.vocabulary import Reason as Reason
    from data.vocabulary import RunCount as RunCount
    from data.vocabulary import RunStatus as RunStatus
    from data.vocabulary import Side as Side
    from data.vocabulary import SizingKind as SizingKind
    from data.vocabulary import Validity as Validity
    from engine.accounts.values import ClientValue as ClientValue
    from engine.book.views import ClientView as ClientView
    from engine.book.views import FundsView as FundsView
    from engine.book.views import HoldingView as HoldingView
    from engine.book.views import OrderView as OrderView
    from engine.colon.searches import search_from as search_from
    from engine.desk import Desk as Desk
    from engine.execution.life import OrderLife as OrderLife
    from engine.execution.views import RunView as RunView
    from engine.halt.certificate import Certificate as Certificate
    from engine.planning.intent import Intent as Intent
    from engine.planning.intent import Leg as Leg
    from engine.planning.intent import Selection as Selection
    from engine.planning.intent import Sizing as Sizing
    from engine.planning.plan import Plan as Plan
    from engine.planning.plan import PlanLine as PlanLine
    from engine.refusals import Refusal as Refusal
    from engine.words.refusals import refusal_words as refusal_words
    from tradedesk.compose.wiring import open_desk as open_desk

_PLACES = {
    "BadInput": "data.errors",
    "BrokerError": "brokers.contract",
    "Certificate": "engine.halt.certificate",
    "ClientValue": "engine.accounts.values",
    "ClientView": "engine.book.views",
    "Desk": "engine.desk",
    "DeskKind": "data.vocabulary",
    "Drift": "data.vocabulary",
    "FundsView": "engine.book.views",
    "HaltScope": "data.vocabulary",
    "HoldingView": "engine.book.views",
    "Intent": "engine.planning.intent",
    "Leg": "engine.planning.intent",
    "OrderLife": "engine.execution.life",
    "OrderState": "data.vocabulary",
    "OrderType": "data.vocabulary",
    "OrderView": "engine.book.views",
    "PerClient": "data.vocabulary",
    "Plan": "engine.planning.plan",
    "PlanLine": "engine.planning.plan",
    "Product": "data.vocabulary",
    "Reason": "data.vocabulary",
    "Refusal": "engine.refusals",
    "RunCount": "data.vocabulary",
    "RunStatus": "data.vocabulary",
    "RunView": "engine.execution.views",
    "Selection": "engine.planning.intent",
    "Side": "data.vocabulary",
    "Sizing": "engine.planning.intent",
    "SizingKind": "data.vocabulary",
    "StoreError": "data.store",
    "TradedeskError": "data.errors",
    "Validity": "data.vocabulary",
    "open_desk": "tradedesk.compose.wiring",
    "refusal_words": "engine.words.refusals",
    "search_from": "engine.colon.searches",
}
"""Where each public name stands."""

__all__ = [*_PLACES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """A public name, imported when first asked for."""
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module 'tradedesk' has no attribute {name!r}")
    return getattr(import_module(place), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})

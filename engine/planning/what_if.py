"""What a line of a plan would leave of its client: cash, MTF, a weight, charges; before and after. Pure."""

from collections.abc import Iterable

from msgspec import Struct

from data.money import BPS, half_up
from data.vocabulary import Product, Side
from engine.book.views import FundsView, HoldingView
from engine.planning.plan import Plan, PlanLine


class WhatIf(Struct, frozen=True):
    """One client before and after a line of a plan, as if it traded at the last price; money in paise.

    Cash after a buy is what its reservation leaves, below zero where it is short; after a sale it is with
    what that brings, which for shares on their way comes with their settlement. `weight` is what part of the
    portfolio the stock is, in basis points, None without a portfolio; `quantity` what is asked for, whether
    or not it can go. `mtf_after_paise` is None for a sale on margin, which repays what its lots were lent.
    """

    client_id: int
    code: str
    name: str
    side: Side
    tradingsymbol: str
    product: Product
    quantity: int
    goes: bool
    cash_before_paise: int
    cash_after_paise: int
    mtf_before_paise: int
    mtf_after_paise: int | None
    mtf_limit_paise: int
    shares_before: int
    shares_after: int
    weight_before_bps: int | None
    weight_after_bps: int | None
    charges_paise: int


def what_if(
    plan: Plan, line: PlanLine, funds: FundsView, holdings: Iterable[HoldingView], portfolio_paise: int
) -> WhatIf:
    """What a line of a plan of one leg would leave, by its own figures and the client's of now."""
    buying, security = plan.intent.side is Side.BUY, plan.instrument.security
    quantity, price = line.wanted, plan.last_paise
    before = sum(holding.quantity for holding in holdings if holding.security == security)
    after = max(0, before + (quantity if buying else -quantity))
    worth_after = portfolio_paise - line.charges_paise
    proceeds = quantity * price - line.charges_paise
    cash = line.available_before_paise + (-line.reserve_paise if buying else proceeds)
    mtf: int | None = funds.mtf_used_paise + (line.loan_paise if buying else 0)
    if not buying and line.product is Product.MTF:
        mtf = None
    return WhatIf(
        client_id=line.client_id,
        code=line.code,
        name=line.name,
        side=plan.intent.side,
        tradingsymbol=plan.instrument.tradingsymbol,
        product=line.product,
        quantity=quantity,
        goes=line.ok,
        cash_before_paise=line.available_before_paise,
        cash_after_paise=cash,
        mtf_before_paise=funds.mtf_used_paise,
        mtf_after_paise=mtf,
        mtf_limit_paise=funds.mtf_limit_paise,
        shares_before=before,
        shares_after=after,
        weight_before_bps=_weight_bps(before * price, portfolio_paise),
        weight_after_bps=_weight_bps(after * price, worth_after),
        charges_paise=line.charges_paise,
    )


def _weight_bps(worth_paise: int, portfolio_paise: int) -> int | None:
    return half_up(worth_paise * BPS, portfolio_paise) if portfolio_paise > 0 else None

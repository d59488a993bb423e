"""A client's shares of one stock as a rebalance sees them: what may be sold, and what may not, each named."""

from collections.abc import Sequence

from data.vocabulary import Product, RebalanceNote
from engine.book.break_views import BreakView
from engine.book.views import ClientView, HoldingView, brokers_quantity, free_to_sell
from engine.rebalancing.shares import HeldLot, HeldStock


def held_of(
    client: ClientView,
    holdings: Sequence[HoldingView],
    breaks: Sequence[BreakView],
    released: int,
    lots: Sequence[HeldLot],
    *,
    trade_to_trade: bool,
) -> HeldStock:
    """What a client holds of a stock, of all delivery products.

    `released` are shares that a client without DDPI has authorised to be sold today. Shares on margin and in
    pledge count as held, and are not sold.
    """
    quantity = sum(one.quantity for one in holdings)
    unable = [(RebalanceNote.ON_MARGIN, one.quantity) for one in holdings if one.product is Product.MTF]
    own = next((one for one in holdings if one.product is Product.CNC), None)
    if own is None:
        return HeldStock(quantity, unable=tuple(unable), lots=tuple(lots))
    sellable = free_to_sell(own, breaks, trade_to_trade)
    theirs = brokers_quantity(own, breaks)
    missing = 0 if theirs is None else max(0, own.quantity - theirs)
    unsettled = own.due + (own.today + own.t1 if trade_to_trade else 0)
    today = 0 if trade_to_trade else min(own.today, sellable)
    may = sellable
    if not client.authorised:
        may = min(sellable, max(today, today + released - own.blocked))
    unable += [
        (RebalanceNote.PLEDGED, own.pledged),
        (RebalanceNote.ON_SALE, own.blocked),
        (RebalanceNote.NOT_SETTLED, unsettled),
        (RebalanceNote.FEWER_AT_BROKER, missing),
        (RebalanceNote.NOT_AUTHORISED, sellable - may),
    ]
    return HeldStock(
        quantity=quantity,
        sellable=may,
        today=today,
        today_cost_paise=own.today_cost_paise * today // own.today if own.today else 0,
        settled=min(own.free, may - min(today, may)),
        unable=tuple((kind, count) for kind, count in unable if count > 0),
        lots=tuple(lots),
    )

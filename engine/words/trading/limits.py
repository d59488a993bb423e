"""Limits before the order in words: what each is, whose it is, and what it says of an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.money import amount_words, ceil_div, grouped
from data.vocabulary import LimitKind, LimitScope, LimitStrength, LimitUnit
from engine.planning.limits import why as kinds
from engine.planning.limits.slips import part_word
from engine.words.formats import counted

if TYPE_CHECKING:
    from engine.market.lists.share_lists import ListImport
    from engine.planning.limits.typed import LimitWish
    from engine.planning.limits.why import HeldLimit, Limiting

KIND_WORDS = {
    LimitKind.ORDER_VALUE: "order value",
    LimitKind.ORDER_QUANTITY: "order quantity",
    LimitKind.PRICE_AWAY: "price away from the last",
    LimitKind.STOCK: "one stock of the portfolio",
    LimitKind.SECTOR: "one sector of the portfolio",
    LimitKind.DAILY_LOSS: "daily loss",
    LimitKind.DAILY_LOSS_PERCENT: "daily loss of the capital",
    LimitKind.TOTAL_LOSS: "daily loss of all together",
    LimitKind.ORDERS: "orders a day",
    LimitKind.TOTAL_ORDERS: "orders a day of all together",
    LimitKind.LIST: "list",
    LimitKind.CROSS: "meeting an order of an own client",
    LimitKind.DECIMAL_SLIP: "decimal slip",
    LimitKind.SWAPPED: "price typed as quantity",
}
"""What each kind of limit is of."""

LIST_WORDS = {
    "gsm": "GSM",
    "asm_long": "long-term ASM",
    "asm_short": "short-term ASM",
    "esm": "ESM",
    "insolvency": "insolvency",
    "t2t": "T2T",
    "fno_ban": "F&O ban",
    "fno": "F&O",
}
"""Lists as the market says them; any other has its own name."""


def list_words(name: str) -> str:
    """A list's name as a trader says it."""
    return LIST_WORDS.get(name, name)


def kind_words(kind: LimitKind, list_name: str = "") -> str:
    """A limit's kind, with the list that it is of."""
    return f"{list_words(list_name)} list" if list_name else KIND_WORDS[kind]


def figure_words(kind: LimitKind, figure: int | None) -> str:
    """A figure of that kind: `₹1,00,000`, `25 %`, `500`; empty where the kind has none."""
    if figure is None:
        return ""
    if kind.unit is LimitUnit.PAISE:
        return f"₹{_rupees(figure)}"
    if kind.unit is LimitUnit.BPS:
        return f"{_percent(figure)} %"
    return grouped(figure)


def _rupees(paise: int) -> str:
    """Rupees, whole where the paise are none, else rounded up so that what is beyond a limit shows so."""
    return grouped(paise // 100) if paise % 100 == 0 else grouped(ceil_div(paise, 100))


def _percent(bps: int) -> str:
    return f"{bps / 100:.2f}".rstrip("0").rstrip(".")


def whose_words(scope: LimitScope, whose: str) -> str:
    """Whose a limit is: `the desk's`, `group HNI's`, `PS1015's`."""
    if scope is LimitScope.DESK:
        return "the desk's"
    return f"group {whose}'s" if scope is LimitScope.GROUP else f"{whose}'s"


def limit_words(held: HeldLimit, kind: LimitKind, figure: int) -> str:
    """Which limit it is: `PS1015's limit 25 %`, `the desk's soft limit ₹1,00,000`."""
    soft = "soft " if held.strength is LimitStrength.SOFT else ""
    return f"{whose_words(held.scope, held.whose)} {soft}limit {figure_words(kind, figure)}"


def limiting_words(why: Limiting) -> str:
    """What a limit says of an order, with the reason that was typed to go beyond it."""
    words = _words(why)
    return f"{words}, by reason: {why.held.override}" if why.held is not None and why.held.override else words


def _words(why: Limiting) -> str:
    match why:
        case kinds.OverLimit():
            return _over(why)
        case kinds.NotJudged(held=held, limit=limit):
            whose = whose_words(held.scope, held.whose) if held else "the"
            return f"{whose} limit of {KIND_WORDS[limit]} cannot be told: shares without a young price"
        case kinds.OnShareList():
            return _on_list(why)
        case kinds.SettlesGross(product=product):
            return f"trade to trade: bought for delivery in full alone, not {product.value}"
        case kinds.MeetsOwn():
            return _meets(why)
        case kinds.DecimalSlip(what=what, price_paise=price, last_paise=last, times=times, too_much=much):
            than = f"{times} times the last price" if much else f"a {part_word(times)} of the last price"
            return f"{what} {amount_words(price)} is about {than}, {amount_words(last)}: a decimal slip?"
        case kinds.Swapped(quantity=quantity, price_paise=last, limit_paise=limit):
            price = last if limit is None else limit
            return f"{grouped(quantity)} shares at {amount_words(price)}: was a price typed as the quantity?"
        case _:
            raise TypeError(f"no words for {why!r}")


def _over(why: kinds.OverLimit) -> str:
    kind, would = why.limit, figure_words(why.limit, why.would)
    limit = "its limit" if why.held is None else limit_words(why.held, kind, why.figure)
    match kind:
        case LimitKind.ORDER_VALUE:
            return f"worth {would} at most, {limit}"
        case LimitKind.ORDER_QUANTITY:
            return f"{would} shares, {limit}"
        case LimitKind.PRICE_AWAY:
            return f"{would} away from the last price, {limit}"
        case LimitKind.STOCK | LimitKind.SECTOR:
            now = figure_words(kind, why.now)
            return f"{why.of} would be {would} of the portfolio, now {now}, {limit}"
        case LimitKind.ORDERS | LimitKind.TOTAL_ORDERS:
            return f"it would be order {would} of the day, {limit}"
        case _:
            return f"{would} lost today, {limit}: only what makes a position smaller may leave"


def _on_list(why: kinds.OnShareList) -> str:
    told = f" ({why.told})" if why.told else ""
    stale = ", stale" if why.stale else ""
    whose = f", {whose_words(why.held.scope, why.held.whose)} limit" if why.held is not None else ""
    return f"on the {list_words(why.name)} list{told} of {why.as_of:%d %b}{stale}{whose}"


def _meets(why: kinds.MeetsOwn) -> str:
    whose = "the client's own" if why.own else "another client's"
    order = "an order placed elsewhere" if why.order_id is None else f"live order {why.order_id}"
    order = "order of this plan" if why.order_id == kinds.OF_THIS_PLAN else order
    price = "" if why.price_paise is None else f" at {amount_words(why.price_paise)}"
    more = f" and {why.more} more" if why.more else ""
    return f"it would meet {whose} {order} of {grouped(why.quantity)}{price}{more}"


def place_words(scope: LimitScope, whose: str) -> str:
    """Whose a limit is, as a row begins: `desk`, `group HNI`, `PS1015`."""
    if scope is LimitScope.DESK:
        return "desk"
    return f"group {whose}" if scope is LimitScope.GROUP else whose


def limit_wish_words(wish: LimitWish, removes: bool = False) -> str:
    """A limit that is asked for: `PS1015: order value ₹5,00,000, soft`."""
    of = place_words(wish.scope, wish.whose)
    what = f"{of}: {kind_words(wish.kind, wish.list_name)} {figure_words(wish.kind, wish.figure)}".rstrip()
    return f"{what}: taken away" if removes else f"{what}, {wish.strength.value}"


def list_import_words(made: ListImport) -> str:
    """What became of a list, or would: `gsm of 17 Nov 2026: 48 shares, 2 not known here, 3 came, 1 gone`."""
    since = "" if made.before is None else f", {len(made.came)} came, {len(made.gone)} gone"
    unknown = f", {made.unknown} not known here" if made.unknown else ""
    return f"{made.name} of {made.as_of:%d %b %Y}: {counted(made.shares, 'share')}{unknown}{since}"

"""What a flatten says of each position: what it sends, why something is left, and the key that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.money import amount_words, grouped
from data.vocabulary import FlattenReason, FlattenWhat, HaltScope, Side
from engine.words import formats
from engine.words.formats import counted

if TYPE_CHECKING:
    from engine.flatten.views import FlattenLineView, FlattenPosition, FlattenProspect, FlattenView

WHY = {
    FlattenReason.NONE: "",
    FlattenReason.AUCTION: "closing auction until 15:35",
    FlattenReason.AUTHORISATION: "no DDPI, not authorised today",
    FlattenReason.CIRCUIT: "locked at the circuit",
    FlattenReason.CUT_OFF: "after the cut-off, the broker squares it off",
    FlattenReason.HALTED: "stopped by a later halt",
    FlattenReason.INACTIVE: "client not active",
    FlattenReason.LIVE_ORDER: "an order in it still lives",
    FlattenReason.MARKET_CLOSED: "market closed",
    FlattenReason.MARKET_HALTED: "the whole market is halted",
    FlattenReason.NO_CONNECTION: "no connection to its broker on this desk",
    FlattenReason.NOT_SIGNED_IN: "not signed in",
    FlattenReason.ODD_LOT: "no whole lot",
    FlattenReason.OTHER_FLATTEN: "another flatten has it",
    FlattenReason.PLEDGED: "pledged",
    FlattenReason.PRICE_STALE: "no young price",
    FlattenReason.REFUSED: "refused",
    FlattenReason.ROUTE_NOT_READY: "its route is not ready",
    FlattenReason.STOPPED: "stopped",
    FlattenReason.T1: "T1 not sold: short delivery risk, auction",
    FlattenReason.TRADE_TO_TRADE: "trade-to-trade, not in demat yet",
    FlattenReason.TRADING_DISABLED: "trading is stopped",
    FlattenReason.UNFILLED: "not filled in time",
    FlattenReason.UNKNOWN_ORDER: "an order is UNKNOWN",
    FlattenReason.UNREACHABLE: "unreachable",
}
"""Why something of a position is left, in a trader's words."""

NEXT = {
    FlattenReason.NONE: "",
    FlattenReason.AUCTION: ":flatten again then",
    FlattenReason.AUTHORISATION: "client: TPIN",
    FlattenReason.CIRCUIT: "phone",
    FlattenReason.CUT_OFF: "phone",
    FlattenReason.HALTED: ":flatten again",
    FlattenReason.INACTIVE: "7 gate",
    FlattenReason.LIVE_ORDER: "x",
    FlattenReason.MARKET_CLOSED: ":flatten at the open",
    FlattenReason.MARKET_HALTED: ":flatten once it trades",
    FlattenReason.NO_CONNECTION: "phone",
    FlattenReason.NOT_SIGNED_IN: "7 sign in, phone",
    FlattenReason.ODD_LOT: "phone",
    FlattenReason.OTHER_FLATTEN: ":flatten show",
    FlattenReason.PLEDGED: "phone: unpledge",
    FlattenReason.PRICE_STALE: ":flatten again",
    FlattenReason.REFUSED: "u",
    FlattenReason.ROUTE_NOT_READY: "7 gate, phone",
    FlattenReason.STOPPED: ":flatten again",
    FlattenReason.T1: "tomorrow",
    FlattenReason.TRADE_TO_TRADE: "tomorrow",
    FlattenReason.TRADING_DISABLED: "tradedesk doctor",
    FlattenReason.UNFILLED: ":flatten again",
    FlattenReason.UNKNOWN_ORDER: "u",
    FlattenReason.UNREACHABLE: ":flatten again, phone",
}
"""What answers it: a key, a command, or who is called."""


def symbol_words(one: FlattenPosition | FlattenLineView) -> str:
    """The symbol; where nobody could be asked what there is, that it is about positions."""
    return one.tradingsymbol or "positions"


_IN = {
    FlattenWhat.MIS: "CNC, MTF, T1, pledged",
    FlattenWhat.TODAY: "what was bought before today, pledged",
    FlattenWhat.MTF: "MIS, CNC",
    FlattenWhat.ALL: "pledged",
}
"""What is never in a flatten of each kind."""


def scope_words(scope: HaltScope, value: str) -> str:
    """Of whom a flatten is: `desk`, `group swing`; a client by its code."""
    return "desk" if scope is HaltScope.EVERYTHING else f"{scope.value} {value}"


def left_words(reason: FlattenReason, detail: str) -> str:
    """Why a position is left, with what answers it: `locked at the circuit · phone`."""
    why = ": ".join(words for words in (WHY[reason], detail) if words)
    return " · ".join(words for words in (why, NEXT[reason]) if words)


def order_words(side: Side | None, quantity: int, limit_paise: int | None) -> str:
    """What is sent of a position: `BUY 100 ≤ 1,376.60`; empty for nothing."""
    if side is None or not quantity:
        return ""
    sign = "≤" if side is Side.BUY else "≥"
    bound = "" if limit_paise is None else f" {sign} {amount_words(limit_paise)}"
    return f"{side.value} {grouped(quantity)}{bound}"


def signed(net: int | None) -> str:
    """A position in shares with its sign; empty where it is not known."""
    return "" if net is None else f"{'+' if net > 0 else ''}{grouped(net)}"


def title_words(what: FlattenWhat, scope: str, number: int | None = None) -> str:
    """What is taken flat, of whom: `FLATTEN 3 MIS group swing`, without a number until it is begun."""
    return " ".join(("FLATTEN", *([str(number)] if number is not None else []), what.value.upper(), scope))


def prospect_counts(found: FlattenProspect) -> list[str]:
    """How much a flatten would take flat: its positions, of how many clients, long and short."""
    known = [one for one in found.positions if one.net]
    long = sum((one.net or 0) > 0 for one in known)
    clients = len({one.client_id for one in known})
    return [
        counted(len(known), "position"),
        counted(clients, "client"),
        f"long {long} short {len(known) - long}",
    ]


def worth_words(found: FlattenProspect) -> str:
    """What its positions are worth at the last prices, longs and shorts added up: `₹18,40,220`."""
    return f"₹{formats.rupees(sum(abs(one.net or 0) * (one.last_paise or 0) for one in found.positions))}"


def beside_words(found: FlattenProspect) -> str:
    """What is not in a flatten, and how many positions its clients have of that."""
    beside = f" ({counted(found.others, 'position')} of the same clients)" if found.others else ""
    return f"NOT in it: {_IN[found.what]}{beside}"


def absent_words(codes: Sequence[str], most: int | None = None) -> str:
    """Clients whom nobody could ask and of whom nothing is known here; empty where there is none."""
    shown = codes if most is None else codes[:most]
    more = f" and {len(codes) - len(shown)} more" if len(shown) < len(codes) else ""
    return f"not signed in, nothing known here: {', '.join(shown)}{more}" if codes else ""


def position_words(one: FlattenPosition) -> str:
    """What a flatten would do of a position, in one line."""
    sends = order_words(one.side, one.quantity, one.limit_paise)
    risk = f"{grouped(one.t1)} of it T1: short delivery risk, auction" if one.t1 else ""
    return " · ".join(words for words in (sends, risk, left_words(one.reason, one.detail)) if words)


def line_words(line: FlattenLineView) -> str:
    """What a flatten did of a position, or does."""
    done = order_words(line.side, line.sent, line.limit_paise)
    filled = f"{grouped(line.filled)} filled" if line.sent else ""
    cancelled = f"{counted(len(line.cancelled), 'order')} cancelled first" if line.cancelled else ""
    left = left_words(line.reason, line.detail)
    return " · ".join(words for words in (done, filled, cancelled, left) if words)


def going_words(flat: int, positions: int, left: int, carried: bool = True) -> str:
    """How far a flatten is, in the strip: `flat 9/23`, with `STANDS STILL` where nobody carries it on."""
    words = f"flat {flat}/{positions} left {left}" if left else f"flat {flat}/{positions}"
    return words if carried else f"{words} STANDS STILL"


def carry_on_answer(view: FlattenView) -> str:
    """What is typed to have a flatten that stands still go on."""
    return f"carry on {view.number}"


def counts_words(view: FlattenView) -> str:
    """`flat 9 going 12 left 2`, without what is nought."""
    counts = (("flat", view.flat), ("going", view.going), ("left", view.left))
    return " ".join(f"{word} {count}" for word, count in counts if count or word == "flat")

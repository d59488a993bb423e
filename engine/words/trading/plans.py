"""How an intent, a plan and its verdicts read on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from data.money import moved_bps
from data.vocabulary import AlternativeKind, Product, Reason, Side, SizingKind
from engine.rules import THROUGH_MARKET_BPS
from engine.words import formats
from engine.words.formats import counted
from engine.words.trading.client_terms import multiplier_words
from engine.words.trading.orders import bound_words
from engine.words.trading.reasons import REASON_WORDS, counts_words, reason_word
from engine.words.trading.why import detail_words

if TYPE_CHECKING:
    from engine.planning.intent import Intent, Sizing
    from engine.planning.plan import Alternative, Plan, PlanLine

SIZING_WORDS = {
    SizingKind.PERCENT_OF_CAPITAL: "% of capital",
    SizingKind.PERCENT_OF_AVAILABLE: "% of available",
    SizingKind.PERCENT_OF_POSITION: "% of position",
    SizingKind.FIXED_AMOUNT: "₹ each",
    SizingKind.FIXED_QUANTITY: "shares each",
    SizingKind.PERCENT_OF_PORTFOLIO: "% of portfolio",
    SizingKind.TARGET_WEIGHT: "% target weight",
}
"""The ways to size as the form offers them."""

REVERSE_OF = "reverse of "
"""How the selection of a reversal is titled, before the run it reverses."""

REPAIR_OF = "repair of "
"""How the selection of a repair is titled, before the run it repairs."""


def run_named_by(title: str) -> str:
    """The run, such as `run 9`, whose reversal or repair a selection is titled as; empty for any other."""
    start = next((start for start in (REVERSE_OF, REPAIR_OF) if title.startswith(start)), "")
    return title.removeprefix(start) if start else ""


def sizing_words(sizing: Sizing) -> str:
    """`25 % of capital`, `₹1,00,000 each`, `10 shares each`."""
    if sizing.kind is SizingKind.FIXED_AMOUNT:
        return f"₹{formats.rupees(sizing.value)} each"
    if sizing.kind is SizingKind.FIXED_QUANTITY:
        return f"{counted(sizing.value, 'share')} each"
    return f"{formats.percent(sizing.value)} {SIZING_WORDS[sizing.kind]}"


def title_of(title: str, lines: int) -> str:
    """The title of a plan or run of so many lines: what one client gets is not said to be for each."""
    return title.replace(" each", "", 1) if lines == 1 else title


def wish_words(intent: Intent) -> str:
    """The sizing; where each line has its own quantity, as a reversal has, where they come from."""
    title = intent.selection.title
    if title.startswith(REVERSE_OF) and intent.line_changes:
        return f"what {title.removeprefix(REVERSE_OF)} filled"
    return sizing_words(intent.sizing)


def product_words(intent: Intent) -> str:
    """The product, or `as held`."""
    return "as held" if intent.product is None else intent.product.value


def price_words(plan: Plan, brief: bool = False) -> str:
    """`MARKET up to 2,499.60 (2 %)`, or the limit, with the trigger of a stop order."""
    intent, bound = plan.intent, protection_words(plan, brief)
    if intent.trigger_paise is not None:
        limit = bound if intent.limit_paise is None else formats.price(intent.limit_paise)
        trigger = formats.price(intent.trigger_paise)
        return f"{intent.order_type.value} {limit} {'T' if brief else 'trigger '}{trigger}"
    if intent.limit_paise is not None:
        return f"{'LMT' if brief else 'LIMIT'} {formats.price(intent.limit_paise)}"
    return f"{'MKT' if brief else 'MARKET'} {bound}"


def protection_words(plan: Plan, brief: bool = False) -> str:
    """How far an order without a limit is protected: `up to 2,499.60 (2 %)`, in brief `≤2,499.60`.

    Where it is not known at which price, or the plan reserves for none, the percentage alone.
    """
    side, bound, percent = plan.intent.side, plan.bound_paise, formats.percent(plan.protection_bps)
    if bound is None:
        return f"±{percent} %" if brief else f"within {percent} %"
    if brief:
        return f"{'≤' if side is Side.BUY else '≥'}{formats.price(bound)}"
    words = bound_words(side, bound)
    return words if plan.intent.trigger_paise is not None else f"{words} ({percent} %)"


def limit_words(plan: Plan) -> str:
    """That its orders leave however far the price has moved; empty where they have a limit."""
    return "no drift limit" if plan.drift_limit_bps is None and plan.intent.limit_paise is None else ""


def clients_words(plan: Plan) -> str:
    """Whom the plan is for: `all (50)`, `12 MARKED of 50`."""
    title = plan.intent.selection.title
    return f"{title} ({len({line.client_id for line in plan.lines})})" if title == "all" else title


def intent_line(plan: Plan, brief: bool) -> str:
    """Everything that was asked for, behind side and symbol."""
    sizing = wish_words(plan.intent)
    if brief:
        sizing = sizing.replace("% of", "%")
    clients = clients_words(plan)
    price = price_words(plan, brief)
    return " │ ".join(
        (
            sizing,
            product_words(plan.intent),
            f"{price} {plan.intent.standing if brief else plan.standing}" if plan.standing else price,
            clients if brief else f"clients {clients}",
        )
    )


def figures_line(plan: Plan, brief: bool, masked: str = "") -> str:
    """What the plan would send and take. `masked` stands for amounts under privacy."""
    orders = f"{counted(plan.orders, 'order')} {formats.quantity(plan.shares)} sh"
    at_last = masked or f"₹{formats.rupees(plan.at_last_paise if plan.last_paise else None)}"
    reserve = masked or f"₹{formats.rupees(plan.reserve_paise)}"
    money = [f"reserve {reserve}"] if plan.intent.side is Side.BUY else []
    if not brief or not money:
        money.insert(0, f"at LTP{whose_price(plan)} {at_last}")
    return " · ".join((orders, *money))


def whose_price(plan: Plan) -> str:
    """` of Upstox`, whose price the plan is made at; empty where one broker alone brings prices."""
    return f" of {plan.priced_by.capitalize()}" if plan.priced_by else ""


def late_words(plan: Plan) -> str:
    """`last 140 after 15:15`: orders for which the session ends too early; empty where it does for none."""
    if not plan.late_orders or plan.late_at is None:
        return ""
    return f"last {formats.quantity(plan.late_orders)} after {formats.time_of_day(plan.late_at)[:5]}"


def within_words(plan: Plan, brief: bool) -> str:
    """How long after its confirmation orders of the plan may leave; what is unsent then pauses by itself."""
    if plan.send_within_s is None:
        return ""
    return f"send ≤{plan.send_within_s} s" if brief else f"sends within {plan.send_within_s} s"


def fitting(said: str, more: Sequence[str], width: int) -> list[str]:
    """Those of `more`, the most important first, that have room behind what is said; "" takes none."""
    room, taken = width - len(said), list[str]()
    for words in more:
        if words and len(words) + 3 <= room:
            taken.append(words)
            room -= len(words) + 3
    return taken


def skipped_words(plan: Plan, brief: bool) -> str:
    """`45 ok · 5 skipped: 2 short of cash, 1 session expired`."""
    skipped = len(plan.skipped_lines)
    words = f"{plan.orders} ok"
    if skipped:
        words += f" · {skipped} skipped: {counts_words(plan.skipped_by_reason, brief)}"
    return words


def by_hand_words(plan: Plan) -> str:
    """`3 lines changed by hand`; empty where none is, or where each has its own quantity by its kind."""
    intent = plan.intent
    changes = 0 if run_named_by(intent.selection.title) else len(intent.line_changes)
    return f"{counted(changes, 'line')} changed by hand" if changes else ""


NOT_COUNTED = frozenset(
    {
        Reason.CLIENT_INACTIVE,
        Reason.CLIENT_PENDING,
        Reason.CLIENT_CLOSED,
        Reason.CLIENT_PAUSED,
        Reason.SESSION_EXPIRED,
        Reason.ROUTE_NOT_READY,
        Reason.CONSENT_MISSING,
        Reason.HALTED,
    }
)
"""Reasons of clients whose shares no plan looks at."""


def free_words(line: PlanLine) -> str:
    """Shares free to sell; a client who may not trade at all was not counted, so a 0 would be a guess."""
    known = line.ok or line.sellable or line.reason not in NOT_COUNTED
    return formats.quantity(line.sellable) if known else formats.DASH


def fewer_words(way: Alternative, side: Side) -> str:
    """Fewer shares that could go: `19 shares in cash (20 at the last price without charges)`."""
    if side is Side.SELL:
        return f"{counted(way.quantity, 'share')}, all that are free"
    how = "in cash" if way.product is Product.CNC else f"by {way.product.value}"
    more = way.quantity_at_last
    also = f" ({formats.quantity(more)} at the last price without charges)" if more > way.quantity else ""
    return f"{counted(way.quantity, 'share')} {how}{also}"


def alternative(line: PlanLine, kind: AlternativeKind) -> Alternative | None:
    """The way out of that kind, if the line has it."""
    return next((way for way in line.alternatives if way.kind is kind), None)


def verdict(line: PlanLine, side: Side, brief: bool) -> str:
    """What a plan's line says at its end: ok, or what is wrong and which key mends it."""
    if line.reason is Reason.DUPLICATE_INTENT:
        return f"{problem(line)} · A again"
    if line.reason is Reason.SESSION_EXPIRED:
        return f"{problem(line)} · Enter: sign in"
    if line.ok:
        words = ["ok"]
        if line.by_hand:
            words.append("by hand")
        words += line_terms(line)
        if line.loan_paise:
            words.append(f"MTF lends {formats.rupees(line.loan_paise)}")
        if told := detail_words(line):
            words.append(told)
        return " · ".join(words)
    if line.reason is Reason.QUANTITY_ZERO and line.by_hand:
        return "dropped by hand · d restores"
    parts = [*(["A reason"] * (line.reason is Reason.OVER_SOFT_LIMIT)), problem(line)]
    fewer, lent = alternative(line, AlternativeKind.AFFORDABLE), alternative(line, AlternativeKind.MTF)
    if fewer is not None:
        parts.append(f"a {formats.quantity(fewer.quantity)} sh")
    if lent is not None:
        parts.append(f"m {formats.quantity(lent.quantity)} MTF")
    elif _no_mtf(line, side):
        parts.append("no MTF")
    if fewer is not None and not brief and fewer.quantity_at_last > fewer.quantity:
        # Last, since it explains and is no remedy: it is what goes when the line is cut.
        parts.append(f"{formats.quantity(fewer.quantity_at_last)} before charges")
    return " · ".join(parts)


def line_terms(line: PlanLine) -> list[str]:
    """The client's own multiplier, and the instruction that its line is made on."""
    words = [multiplier_words(line.multiplier_bps), f"ref {line.ref}" if line.ref else ""]
    return [word for word in words if word]


def _no_mtf(line: PlanLine, side: Side) -> bool:
    """Whether a buy that lacks money cannot be lent any: the client has no limit, or none of it is left."""
    lacks_money = line.reason is Reason.INSUFFICIENT_FUNDS and side is Side.BUY
    return lacks_money and line.product is Product.CNC and line.mtf_room_paise <= 0


def problem(line: PlanLine) -> str:
    """Why a line is left out, without the keys that would mend it."""
    match line.reason:
        case None:
            return detail_words(line)
        case Reason.DUPLICATE_INTENT:
            return REASON_WORDS[line.reason]
        case Reason.SESSION_EXPIRED:
            return REASON_WORDS[line.reason]
        case Reason.CLIENT_PENDING | Reason.CLIENT_INACTIVE | Reason.CLIENT_CLOSED | Reason.CLIENT_PAUSED:
            return f"{reason_word(line.reason, True)} {detail_words(line)}".strip()
        case reason:
            return detail_words(line) or REASON_WORDS[reason]


def difference(old: Plan, new: Plan) -> str:
    """What changed when a plan was made anew, in one line; clients are named by code."""
    parts: list[str] = []
    if old.last_paise != new.last_paise:
        moved = moved_bps(old.last_paise, new.last_paise)
        parts.append(
            f"LTP {formats.price(old.last_paise)} → {formats.price(new.last_paise)} "
            f"({formats.signed_percent(moved)} %)"
        )
    if old.orders != new.orders:
        parts.append(f"orders {old.orders} → {new.orders}")
    if old.shares != new.shares:
        parts.append(f"shares {formats.quantity(old.shares)} → {formats.quantity(new.shares)}")
    if old.reserve_paise != new.reserve_paise:
        parts.append(f"reserve {formats.rupees(old.reserve_paise)} → {formats.rupees(new.reserve_paise)}")
    before = {line.code for line in old.ok_lines}
    after = {line.code for line in new.ok_lines}
    if before - after:
        parts.append(f"now skipped {_codes(before - after)}")
    if after - before:
        parts.append(f"now ok {_codes(after - before)}")
    return " · ".join(parts) or "no figure changed"


def _codes(codes: set[str]) -> str:
    named = sorted(codes)
    more = f" and {len(named) - 6} more" if len(named) > 6 else ""
    return " ".join(named[:6]) + more


def outcome_words(plan: Plan) -> str:
    """A plan's outcome in one line: `BUY TCS 25 % of capital: 45 orders · 1 skipped: 1 session expired`."""
    words = f"{plan.title}: {counted(plan.orders, 'order')}"
    return (
        f"{words} · {len(plan.skipped_lines)} skipped: {counts_words(plan.skipped_by_reason)}"
        if plan.skipped_lines
        else words
    )


def report_verdict(line: PlanLine, side: Side, ways: bool = True) -> str:
    """What a report says at the end of a line: ok, or why not and, with `ways`, every way out in full."""
    if line.reason is None:
        return " · ".join([f"{line.verdict.value} {detail_words(line)}".strip(), *line_terms(line)])
    why = REASON_WORDS[line.reason]
    told = detail_words(line)
    why = f"{why}: {told}" if told and told != why else why
    return " · ".join([why, *(way_words(way, side) for way in line.alternatives if ways)])


def way_words(way: Alternative, side: Side) -> str:
    """A way out of a line that cannot be sent, in full."""
    if way.loan_paise:
        return (
            f"by MTF {counted(way.quantity, 'share')}: own {formats.rupees(way.own_paise)}, borrowed "
            f"{formats.rupees(way.loan_paise)}, limit used {formats.percent(way.limit_used_before_bps)} % → "
            f"{formats.percent(way.limit_used_after_bps)} %"
        )
    return f"{'can sell' if side is Side.SELL else 'affordable'} {fewer_words(way, side)}"


def through_words(side: Side, limit_paise: int | None, last_paise: int | None) -> str:
    """`9.6 % above the market: trades at once`, of a limit far through the last price; empty of another."""
    moved = moved_bps(last_paise or 0, limit_paise or 0)
    if moved is None or (moved if side is Side.BUY else -moved) <= THROUGH_MARKET_BPS:
        return ""
    where = "above" if side is Side.BUY else "below"
    return f"{abs(moved) / 100:.1f} % {where} the market: trades at once"


def plan_through_words(plan: Plan) -> str:
    """The same of a plan's limit at its frozen price; a stop order waits for its trigger first."""
    intent = plan.intent
    if intent.trigger_paise is not None:
        return ""
    return through_words(intent.side, intent.limit_paise, plan.last_paise)

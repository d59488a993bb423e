"""The margin trading facility in words: the ladder of a client, what its loan costs, what restores it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import MissedPledge, MtfLevel, MtfRuleKind, MtfWarningKind, PledgeState
from engine.words.day.actions import action_words
from engine.words.formats import DASH, counted, percent, price, quantity, rupees, time_of_day

if TYPE_CHECKING:
    from engine.mtf.ladder import Alone, Rung, Threshold
    from engine.mtf.lists import MtfListImport
    from engine.mtf.pledges import PledgeView
    from engine.mtf.views import MtfView, Restoring
    from engine.mtf.warnings import MtfWarning

LEVEL_WORDS = {MtfLevel.FLOOR: "floor", MtfLevel.CALL: "calls", MtfLevel.SALE: "sells"}
"""What happens at a level, as it stands before how far it is."""

ESTIMATE = "estimate at the last prices, all MTF stocks falling alike, free cash counted"
"""What every ladder is, as it is said beneath it."""


def fall_words(fall_bps: int | None) -> str:
    """A fall to a tenth of a percent, never later than it is: `-7.3 %`; a dash where none reaches it."""
    if fall_bps is None:
        return DASH
    whole, part = divmod(fall_bps // 10, 10)
    return f"-{whole}.{part} %"


def rung_words(rung: Rung) -> str:
    """`calls at -7.3 %`, `floor NOW`, `sells -`."""
    level = LEVEL_WORDS[rung.threshold.level]
    doubt = "" if rung.threshold.verified else "?"
    if rung.reached:
        return f"{level} NOW{doubt}"
    if rung.fall_bps is None:
        return f"{level} {DASH}"
    return f"{level} at {fall_words(rung.fall_bps)}{doubt}"


def near_words(view: MtfView) -> str:
    """The nearest of a client's ladder; what stands against one where there is none."""
    if view.unpriced:
        return "no price"
    return DASH if view.nearest is None else rung_words(view.nearest)


def ladder_words(view: MtfView) -> str:
    """All rungs of a client: `floor at -6.0 % · calls at -4.0 % · sells at -16.0 %?`."""
    if view.unpriced:
        return "a stock has no price: no ladder"
    return " · ".join(map(rung_words, view.rungs)) or "no share on margin"


def threshold_words(threshold: Threshold) -> str:
    """What a client is held against: `loss of 20 % of its own part beyond free cash`."""
    share = percent(threshold.percent_bps)
    match threshold.kind:
        case MtfRuleKind.LOSS_OF_OWN:
            words = f"loss beyond free cash of {share} % of the client's own part"
        case MtfRuleKind.EQUITY_BELOW:
            words = f"worth less than {share} % beyond the loan, free cash counted"
        case _:
            words = f"portfolio down to {share} % of the capital it came with, pay-ins and pay-outs counted"
    return words if threshold.verified else f"{words} (not verified)"


def money_words(view: MtfView) -> str:
    """What is lent, the client's own part, what it costs: `lent 3,99,600 of 5,00,000 · own 99,900 · …`."""
    own = f"own {rupees(view.own_paise)}"
    cost = (
        f"interest {rupees(view.interest_a_day_paise)} a day, {rupees(30 * view.interest_a_day_paise)} in 30"
    )
    limit = f"lent {rupees(view.loan_paise)} of {rupees(view.limit_paise)}"
    return f"{limit} · {own} · free {rupees(view.cash_paise)} · {cost}"


def head_words(view: MtfView) -> str:
    """The same in few: `lent 2,99,820 of 5,00,000 · own 74,955 · 120 a day · brought 1,11,111`."""
    lent = f"lent {rupees(view.loan_paise)} of {rupees(view.limit_paise)} · own {rupees(view.own_paise)}"
    return f"{lent} · {rupees(view.interest_a_day_paise)} a day · brought {rupees(view.base_paise)}"


def base_words(view: MtfView) -> str:
    """`portfolio 70,040 of 1,00,000 brought`."""
    return f"portfolio {rupees(view.portfolio_paise)} of {rupees(view.base_paise)} brought"


def alone_words(alone: Alone | None) -> str:
    """A stock's own fall and the price there: `-12.4 % 1,314.00`."""
    if alone is None or alone.fall_bps is None:
        return DASH
    return f"{fall_words(alone.fall_bps)} {price(alone.price_paise)}"


# --- pledges ------------------------------------------------------------------------------------------------

PLEDGE_WORDS = {
    PledgeState.PENDING: "to accept",
    PledgeState.OVERDUE: "NOT ACCEPTED",
    PledgeState.AUTOMATIC: "by DDPI",
    PledgeState.ACCEPTED: "accepted",
}
"""How far a pledge is."""

MISSED_WORDS = {MissedPledge.CONVERTED_OR_SOLD: "else converted to CNC, the loan due at once, or sold"}
"""What becomes of shares whose pledge is not accepted in time."""


def pledge_words(one: PledgeView) -> str:
    """`INFY 300 of 18 Nov, lent 3,60,000: to accept by 19:00 18 Nov?`."""
    what = f"{one.tradingsymbol} {quantity(one.quantity)} of {one.bought_on:%d %b}"
    return f"{what}, lent {rupees(one.loan_paise)}: {pledge_state_words(one)}"


def pledge_state_words(one: PledgeView) -> str:
    """`to accept by 19:00 18 Nov?`; the sign says that the broker's pages differ in that time."""
    if not one.open:
        return PLEDGE_WORDS[one.state] + (f" ({one.note}, {one.accepted_by})" if one.note else "")
    doubt = "" if one.verified else "?"
    return f"{PLEDGE_WORDS[one.state]} by {time_of_day(one.accept_by)[:5]} {one.bought_on:%d %b}{doubt}"


# --- lists and companies' actions ---------------------------------------------------------------------------


def list_words(view: MtfView) -> str:
    """`list of 18 Nov`, `list of 17 Nov STALE`, `no list imported`."""
    if view.list_of is None:
        return "no list imported: margins as its broker tells them"
    return f"list of {view.list_of:%d %b}{' STALE' if view.list_stale else ''}"


def list_import_words(one: MtfListImport) -> str:
    """What became of a broker's list."""
    before = "" if one.before is None else f" (before: {one.before:%d %b})"
    changed = f"{len(one.came)} came, {len(one.gone)} left, {counted(len(one.margins), 'other margin')}"
    unknown = f"; {counted(len(one.unknown), 'symbol')} not known here" if one.unknown else ""
    lends = f"{one.broker} lends on {counted(one.stocks, 'stock')} as of {one.as_of:%d %b}"
    return f"{lends}{before}: {changed}{unknown}"


# --- warnings -----------------------------------------------------------------------------------------------


def warning_words(one: MtfWarning) -> str:
    """What a trader is warned of, without whose it is. Raises `TypeError` where its figures lack."""
    symbol = "" if one.stock is None else one.stock.tradingsymbol
    match one.kind:
        case MtfWarningKind.FLOOR | MtfWarningKind.CALL if one.rung is not None:
            return f"{rung_words(one.rung)}: {threshold_words(one.rung.threshold)}"
        case MtfWarningKind.PLEDGE if one.pledge is not None:
            return f"pledge {pledge_words(one.pledge)}; {MISSED_WORDS[one.pledge.missed]}"
        case MtfWarningKind.LEFT_LIST if one.left_on is not None:
            days = "" if one.days is None else f": {one.days} days to sell or convert it"
            return f"{symbol} left the broker's list on {one.left_on:%d %b}{days}"
        case MtfWarningKind.ACTION if one.action is not None:
            return f"{action_words(one.action)}: the broker ends MTF positions the day before"
        case MtfWarningKind.MANY:
            return f"{counted(one.count, 'stock')} on margin"
        case _:
            raise TypeError(f"no words for {one!r}")


def restoring_words(one: Restoring) -> str:
    """`off the call: pay in 12,345, or sell INFY 120 (of one stock)`."""
    level = {MtfLevel.FLOOR: "off the floor", MtfLevel.CALL: "off the call", MtfLevel.SALE: "off the sale"}
    sells = [f"{sale.key.partition(':')[2]} {quantity(sale.quantity)}" for sale in one.sales if sale.quantity]
    sold = f", or sell {' or '.join(sells)}" if sells else ""
    return f"{level[one.threshold.level]}: pay in {rupees(-(-one.pay_in_paise // 100) * 100)}{sold}"

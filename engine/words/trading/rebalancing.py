"""Rebalances in words: what a client sells and buys towards its model, and why not more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.vocabulary import ModelException, RebalanceNote, RebalanceTo, RebalanceVerdict
from engine.words.formats import counted, rupees
from engine.words.trading.why import all_words

if TYPE_CHECKING:
    from engine.rebalancing.model import Model, ModelRules, Wish
    from engine.rebalancing.proposal import Proposal, StockLine, StockNote
    from engine.rebalancing.service import Rebalance

VERDICT_WORDS = {
    RebalanceVerdict.PROPOSED: "proposed",
    RebalanceVerdict.WITHIN_BAND: "within band",
    RebalanceVerdict.UNABLE: "unable",
    RebalanceVerdict.UNABLE_TO_CHECK: "unable to check",
}

NOTE_WORDS = {
    RebalanceNote.PLEDGED: "pledged",
    RebalanceNote.ON_MARGIN: "on margin",
    RebalanceNote.ON_SALE: "on sale",
    RebalanceNote.NOT_SETTLED: "not settled (T2T)",
    RebalanceNote.NOT_AUTHORISED: "not authorised (TPIN)",
    RebalanceNote.FEWER_AT_BROKER: "not at the broker",
    RebalanceNote.NO_PRICE: "no young price",
    RebalanceNote.KEPT: "kept for this client",
    RebalanceNote.NO_BUY: "not bought for this client",
    RebalanceNote.NO_SELL: "not sold for this client",
    RebalanceNote.SHORT_TERM: "would be a short-term gain",
    RebalanceNote.BELOW_MINIMUM: "below the least trade",
    RebalanceNote.NO_CASH: "no cash",
    RebalanceNote.WAITS_FOR_CASH: "waits for cash",
    RebalanceNote.WAITED: "waited for cash",
}

EXCEPTION_WORDS = {
    ModelException.KEEP: "neither bought nor sold",
    ModelException.NO_BUY: "not bought",
    ModelException.NO_SELL: "not sold",
}


def percent(bps: int, places: int = 1) -> str:
    """Basis points as a percentage without its sign."""
    return f"{bps / 100:.{places}f}"


def rules_words(rules: ModelRules) -> str:
    """By what a model is kept, such as `band 3 % to edge, min trade ₹5,000, cash 2 %`."""
    to = "to edge" if rules.to is RebalanceTo.EDGE else "to target"
    parts = [
        f"band {rules.band_bps / 100:g} % {to}",
        f"min trade ₹{rupees(rules.least_paise)}",
        f"costs ≤{rules.cost_bps / 100:g} %",
        f"cash {rules.cash_bps / 100:g} %",
    ]
    parts += ["no short-term gains"] * rules.avoid_short + ["losses first"] * rules.losses_first
    return ", ".join(parts)


def short_rules_words(rules: ModelRules) -> str:
    """The same in few words: `3 % edge`."""
    return f"{rules.band_bps / 100:g} % {rules.to.value}"


def model_words(model: Model) -> str:
    """A model in a line: its version, sectors and rules."""
    sectors = ", ".join(f"{name} {bps / 100:g} %" for name, bps in model.sectors.items())
    return f"{model.title}: {sectors}; {rules_words(model.rules)}"


def note_words(note: StockNote) -> str:
    """Why a stock is not traded further, with how many shares."""
    words = NOTE_WORDS[note.kind]
    return f"{note.shares} {words}" if note.shares else words


def sells_words(made: Proposal) -> str:
    """What a client sells, such as `INFY 8 TCS 3`."""
    return " ".join(f"{line.symbol} {line.sell}" for line in made.sells)


def buys_words(made: Proposal) -> str:
    """What it buys today, and behind a plus what waits for cash: `SBIN 12+4`."""
    return " ".join(_buy_words(line) for line in made.buys)


def _buy_words(line: StockLine) -> str:
    return f"{line.symbol} {line.buy}" + (f"+{line.later}" if line.later else "")


def trade_words(line: StockLine) -> str:
    """What is traded of a stock: `-8`, `+12`, or `+12+4` where four wait for cash."""
    if line.sell:
        return f"-{line.sell}"
    later = f"+{line.later}" if line.later else ""
    return f"+{line.buy}{later}" if line.buy or line.later else ""


def stock_notes(made: Proposal) -> list[str]:
    """Why its stocks are not traded further, each with its symbol, behind what keeps the drift as it is."""
    stays = [f"drift stays, in {made.drift_after_of}"] if made.drift_stays else []
    if made.unraised_paise:
        stays.insert(0, f"₹{rupees(made.unraised_paise)} short of what is raised")
    return stays + [f"{line.symbol} {note_words(note)}" for line in made.lines for note in line.notes]


def client_words(model: Model, made: Proposal) -> list[str]:
    """A client's money before and after, and what the model does not do for it, a line each."""
    if made.refused is not None:
        return [proposal_words(made)]
    lines = [
        f"portfolio ₹{rupees(made.portfolio_paise)}",
        f"cash ₹{rupees(made.cash_paise)}, then ₹{rupees(made.cash_after_paise)}",
    ]
    if made.pending_paise:
        lines.append(f"₹{rupees(made.pending_paise)} of its sales comes on a later day")
    if made.charges_paise:
        lines.append(f"charges ₹{rupees(made.charges_paise)}")
    if made.tax_paise:
        lines.append(f"estimated tax ₹{rupees(made.tax_paise)}")
    excepted = (one for one in model.exceptions if one.client_id == made.client_id)
    return [*lines, *(f"{one.key.partition(':')[2]} {EXCEPTION_WORDS[one.does]}" for one in excepted)]


def proposal_words(made: Proposal) -> str:
    """The verdict on a client, and why not more."""
    verdict = VERDICT_WORDS[made.verdict]
    if made.refused is not None:
        why = all_words(made.refused.why)
        return f"{verdict}: {why}" if why else f"{verdict}: {made.refused.reason.value}"
    notes = stock_notes(made)
    if made.verdict is RebalanceVerdict.UNABLE and not notes:
        return f"{verdict}: no trade of whole shares brings it nearer"
    return f"{verdict}: {'; '.join(notes)}" if notes else verdict


def wish_words(wish: Wish) -> str:
    """What is wanted beside the model's rules, empty for nothing."""
    if wish.raise_paise:
        return f"raises ₹{rupees(wish.raise_paise)} of each client"
    return "invests what is idle" if wish.invest else ""


def changed_words(looked: Rebalance) -> str:
    """What of the model has another name or ISIN by now; empty where all is as it was kept."""
    said = [
        f"{one.key} is {one.key_now} by now"
        if one.key != one.key_now
        else f"{one.key} is {one.security_now}, was {one.security}"
        for one in looked.changed
    ]
    return f"{', '.join(said)}: import the model to keep that" if said else ""


def idle_words(looked: Rebalance) -> str:
    """The cash that is left beyond the model's own, and the tax that the sales are about to bring."""
    tax = sum(one.tax_paise for one in looked.proposed)
    idle = f"idle cash ₹{rupees(looked.idle_paise)}"
    return f"{idle} · estimated tax ₹{rupees(tax)}" if tax else idle


def unfinished_words(looked: Rebalance) -> str:
    """Who cannot finish today, by code; empty where all can."""
    unfinished = looked.unfinished
    if not unfinished:
        return ""
    codes = ", ".join(one.code for one in unfinished[:6]) + (" …" if len(unfinished) > 6 else "")
    return f"{len(unfinished)} cannot finish today: {codes}"


def whole_words(looked: Rebalance) -> str:
    """A rebalance in a line: how many clients trade, who cannot finish today, and the cash left idle."""
    proposed = looked.proposed
    turnover = sum(one.sold_paise + one.bought_paise for one in proposed)
    parts = [
        f"{counted(len(looked.proposals), 'client')}",
        f"{len(proposed)} to trade",
        f"turnover ₹{rupees(turnover)}",
        idle_words(looked),
        unfinished_words(looked),
        changed_words(looked),
    ]
    return " · ".join(filter(None, parts))

"""The columns of models, of clients and of one client's sectors and stocks; bars are parts of the largest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from data.money import BPS, half_up
from data.vocabulary import RebalanceVerdict
from engine.words import formats
from engine.words.formats import MASK
from engine.words.privacy import unless_private
from engine.words.trading.baskets import short_verdict
from engine.words.trading.rebalancing import (
    buys_words,
    percent,
    proposal_words,
    sells_words,
    short_rules_words,
    stock_notes,
    trade_words,
)
from screens.frame.records import percent as percent_of
from screens.frame.records import rupees
from widgets.columns import LINE_CELLS, Column
from widgets.sparks import bar

if TYPE_CHECKING:
    from engine.planning.by_client import PlanClient
    from engine.planning.plan import Plan
    from engine.rebalancing.model import Model
    from engine.rebalancing.proposal import Proposal, StockLine
    from screens.frame.records import Record

BAR_CELLS = 6
"""Cells of the bar of what a sector or stock is now."""


class DriftRow(Struct, frozen=True):
    """A client's proposal, and what a plan makes of it, where one is known; `out` is left out by hand."""

    made: Proposal
    plan: Plan | None = None
    planned: PlanClient | None = None
    out: bool = False

    @property
    def checked(self) -> bool:
        """Whether anything is known of the client beside the model."""
        return self.made.verdict is not RebalanceVerdict.UNABLE_TO_CHECK

    @property
    def verdict(self) -> str:
        """What the plan keeps back, then why not more; nothing is said of who trades as the model says."""
        proposed = self.made.verdict is RebalanceVerdict.PROPOSED
        words = "; ".join(stock_notes(self.made)) if proposed else proposal_words(self.made)
        if self.out:
            return " · ".join(filter(None, ("left out by hand", words)))
        if self.plan is None or self.planned is None or self.planned.problem is None:
            return words
        return " · ".join(filter(None, (short_verdict(self.plan, self.planned), words)))

    @property
    def style(self) -> str | None:
        """Loud where something keeps the client from its model, dim where nothing is to be done."""
        if self.planned is not None and self.planned.problem is not None:
            return "warn"
        if self.out or self.made.verdict is RebalanceVerdict.WITHIN_BAND:
            return "dim"
        stuck = self.made.verdict in (RebalanceVerdict.UNABLE, RebalanceVerdict.UNABLE_TO_CHECK)
        return "warn" if stuck or self.made.unfinished else None


def model_columns() -> list[Column]:
    """The models with their rules; rows are models."""
    return [
        Column("name", "model", 12, lambda one: one.title, sort=lambda one: one.name.casefold(), flex=True),
        Column("stocks", "stocks", 6, lambda one: str(len(one.targets)), "right", priority=2),
        Column("exceptions", "exc", 3, lambda one: str(len(one.exceptions) or ""), "right", priority=1),
        Column("rules", "kept by", 12, lambda one: short_rules_words(one.rules)),
    ]


def client_columns(masked: Callable[[], bool]) -> list[Column]:
    """The clients with their drift and trades; rows are `DriftRow`s."""

    def drift(row: DriftRow) -> int | None:
        return row.made.drift_before_bps if row.checked else None

    def cash(row: DriftRow) -> int | None:
        return row.made.cash_after_paise if row.checked else None

    def tax(row: DriftRow) -> int | None:
        return row.made.tax_paise if row.checked else None

    def after(row: DriftRow) -> str:
        trades = row.made.verdict is RebalanceVerdict.PROPOSED
        return percent(row.made.drift_after_bps) if trades else ""

    def money(of: Callable[[DriftRow], int | None]) -> Callable[[DriftRow], str]:
        return lambda row: formats.or_blank(formats.rupees, of(row))

    return [
        Column("code", "code", 7, lambda row: row.made.code, sort=lambda row: row.made.code),
        Column(
            "name",
            "client",
            10,
            lambda row: MASK if masked() else row.made.name,
            sort=lambda row: row.made.name.casefold(),
            priority=6,
            flex=True,
            most=20,
        ),
        Column(
            "drift",
            "drift",
            5,
            lambda row: formats.or_blank(percent, drift(row)),
            "right",
            style=lambda row: row.style,
            sort=drift,
        ),
        Column("after", "after", 5, after, "right", sort=lambda row: row.made.drift_after_bps, priority=1),
        Column(
            "sells",
            "sells",
            10,
            lambda row: sells_words(row.made),
            style=lambda row: "dim" if row.out else "sell",
            sort=lambda row: row.made.sold_paise,
            priority=2,
            grows=True,
        ),
        Column(
            "buys",
            "buys (+later)",
            13,
            lambda row: buys_words(row.made),
            style=lambda row: "dim" if row.out else "buy",
            sort=lambda row: row.made.bought_paise,
            priority=3,
            flex=True,
            most=60,
        ),
        Column(
            "cash",
            "cash then",
            10,
            money(cash),
            "right",
            sort=cash,
            priority=4,
        ),
        Column(
            "tax",
            "est. tax",
            8,
            money(tax),
            "right",
            sort=lambda row: tax(row) or None,
            priority=7,
        ),
        Column(
            "verdict",
            " why not more",
            14,
            lambda row: f" {row.verdict}",
            style=lambda row: row.style,
            sort=lambda row: row.verdict,
            flex=True,
            most=LINE_CELLS,
        ),
    ]


class PartRow(Struct, frozen=True):
    """A sector, or a stock of one, of the client under the cursor, in basis points of what is invested.

    `line` is the stock's; `most_bps` is what its bar is a part of. Without a client only the target is known.
    """

    name: str
    target_bps: int
    most_bps: int
    band_bps: int
    before_bps: int | None = None
    after_bps: int | None = None
    line: StockLine | None = None
    key: str = ""
    """The stock, empty of a sector."""

    @property
    def style(self) -> str | None:
        """Loud beyond the band."""
        if self.before_bps is None:
            return None
        return "warn" if abs(self.before_bps - self.target_bps) > self.band_bps else None


def part_rows(model: Model, made: Proposal | None) -> dict[str, PartRow]:
    """Each sector with its stocks under it, by sector or key."""
    checked = made is not None and made.verdict is not RebalanceVerdict.UNABLE_TO_CHECK
    sectors = {one.sector: one for one in made.sectors} if made is not None and checked else {}
    lines = {one.key: one for one in made.lines} if made is not None and checked else {}
    figures = [bps for one in sectors.values() for bps in (one.target_bps, one.before_bps, one.after_bps)]
    most, band = max((*figures, *model.sectors.values(), 1)), model.rules.band_bps
    rows: dict[str, PartRow] = {}
    for sector, target_bps in model.sectors.items():
        of = sectors.get(sector)
        before, after = (None, None) if of is None else (of.before_bps, of.after_bps)
        rows[sector] = PartRow(sector, target_bps, most, band, before, after)
        for target in (one for one in model.targets if one.sector == sector):
            line = lines.get(target.key)
            rows[target.key] = PartRow(
                f"  {target.key.partition(':')[2]}",
                target.weight_bps,
                most,
                band,
                None if line is None else line.before_bps,
                None if line is None else line.after_bps,
                line,
                target.key,
            )
    return rows


def part_columns() -> list[Column]:
    """Target, now and then of a sector or a stock, and what is traded; rows are `PartRow`s."""

    def now_bar(row: PartRow) -> str:
        return "" if row.before_bps is None else bar(half_up(row.before_bps * BPS, row.most_bps), BAR_CELLS)

    def after(row: PartRow) -> str:
        moved = row.after_bps is not None and row.after_bps != row.before_bps
        return f"→{percent(row.after_bps or 0)}" if moved else ""

    return [
        Column("part", "sector", 10, lambda row: row.name, flex=True, most=18),
        Column("target", "target", 6, lambda row: percent(row.target_bps), "right"),
        Column(
            "now",
            "now",
            5,
            lambda row: formats.or_blank(percent, row.before_bps),
            "right",
            style=lambda row: row.style,
        ),
        Column("bar", "", BAR_CELLS, now_bar, style=lambda row: row.style, priority=2),
        Column("after", "then", 6, after, "right", priority=1),
        Column(
            "trade",
            "trade",
            7,
            lambda row: "" if row.line is None else trade_words(row.line),
            "right",
            style=lambda row: None if row.line is None else "sell" if row.line.sell else "buy",
        ),
    ]


def client_rows(
    proposals: Sequence[Proposal], plan: Plan | None, planned: Mapping[int, PlanClient], out: set[int]
) -> dict[int, DriftRow]:
    """A row a client, as the proposals stand."""
    return {
        made.client_id: DriftRow(made, plan, planned.get(made.client_id), made.client_id in out)
        for made in proposals
    }


def is_meant(row: DriftRow, who: str, words: Sequence[str]) -> bool:
    """Whether a filter's words find a client: each in `who` it is, what it trades, or why not more."""
    made = row.made
    text = " ".join((who, sells_words(made), buys_words(made), row.verdict)).casefold()
    return all(word in text for word in words)


def rebalance_record(row: DriftRow) -> Record:
    """A client's proposal for a file, in full; empty where nothing is known."""
    made = row.made
    money = {
        "portfolio": made.portfolio_paise,
        "cash": made.cash_paise,
        "cash then": made.cash_after_paise,
        "idle": made.idle_paise,
        "est. tax": made.tax_paise,
    }
    drifts = {"drift %": made.drift_before_bps, "drift then %": made.drift_after_bps}
    return {
        "code": made.code,
        "client": unless_private(made.name),
        **{name: percent_of(bps if row.checked else None) for name, bps in drifts.items()},
        **{name: rupees(paise if row.checked else None) for name, paise in money.items()},
        "sells": sells_words(made),
        "buys": buys_words(made),
        "verdict": row.verdict,
    }

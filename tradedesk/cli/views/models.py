"""The shapes of models and of what brings clients to one."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from data.vocabulary import ModelException, RebalanceNote, RebalanceTo, RebalanceVerdict

if TYPE_CHECKING:
    from engine.rebalancing.model import Model
    from engine.rebalancing.proposal import Proposal
    from engine.rebalancing.service import Rebalance


class ModelTargetShape(Struct, frozen=True):
    """A stock's part: of its sector, whose own part stands beside it, and of all that is invested."""

    key: str
    sector: str
    sector_bps: int
    within_bps: int
    target_bps: int


class ModelExceptionShape(Struct, frozen=True):
    """What a model does not do for a client in a stock."""

    client_id: int
    key: str
    does: ModelException


class ModelShape(Struct, frozen=True):
    """One version of a model with the rules by which it is kept."""

    name: str
    version: int
    band_bps: int
    to: RebalanceTo
    least_paise: int
    cost_bps: int
    cash_bps: int
    avoid_short: bool
    losses_first: bool
    saved_by: str
    saved_at: datetime
    targets: list[ModelTargetShape]
    exceptions: list[ModelExceptionShape]


def model_shape(model: Model) -> ModelShape:
    """The model in that shape."""
    rules = model.rules
    return ModelShape(
        name=model.name,
        version=model.version,
        band_bps=rules.band_bps,
        to=rules.to,
        least_paise=rules.least_paise,
        cost_bps=rules.cost_bps,
        cash_bps=rules.cash_bps,
        avoid_short=rules.avoid_short,
        losses_first=rules.losses_first,
        saved_by=model.saved_by,
        saved_at=model.saved_at,
        targets=[
            ModelTargetShape(one.key, one.sector, one.sector_bps, one.within_bps, one.weight_bps)
            for one in model.targets
        ],
        exceptions=[ModelExceptionShape(one.client_id, one.key, one.does) for one in model.exceptions],
    )


class StockNoteShape(Struct, frozen=True):
    """Why a stock is not traded further, for how many shares."""

    kind: RebalanceNote
    shares: int


class ProposedStockShape(Struct, frozen=True):
    """One stock of a client; `buy` for which there is cash today, `later` shares wait for it."""

    key: str
    symbol: str
    sector: str
    held: int
    last_paise: int | None
    target_bps: int
    before_bps: int
    after_bps: int
    sell: int
    buy: int
    later: int
    charges_paise: int
    gain_short_paise: int
    gain_long_paise: int
    notes: list[StockNoteShape]


class ProposedSectorShape(Struct, frozen=True):
    """A sector of a client, in basis points of what is invested."""

    sector: str
    target_bps: int
    before_bps: int
    after_bps: int


class ProposalShape(Struct, frozen=True):
    """What brings one client to the model; `why` says it in words.

    `kept_back` is what a plan would keep back of it by the desk's limits, null for nothing.
    """

    client_id: int
    code: str
    name: str
    verdict: RebalanceVerdict
    reason: str | None
    why: str
    portfolio_paise: int
    base_paise: int
    cash_paise: int
    cash_after_paise: int
    kept_paise: int
    pending_paise: int
    unraised_paise: int
    idle_paise: int
    drift_before_bps: int
    drift_after_bps: int
    drift_before_of: str
    drift_after_of: str
    tax_paise: int
    charges_paise: int
    waited: bool
    unfinished: bool
    kept_back: str | None
    sectors: list[ProposedSectorShape]
    lines: list[ProposedStockShape]


class StockChangedShape(Struct, frozen=True):
    """A stock that has another key or ISIN by now than in the model."""

    key: str
    key_now: str
    security: str
    security_now: str


class RebalanceShape(Struct, frozen=True):
    """What brings clients to a model, worked out at one moment: who waited for cash first, then by drift."""

    model: str
    version: int
    made_at: datetime
    raise_paise: int
    invest: bool
    clients: int
    proposed: int
    unfinished: int
    idle_paise: int
    proposals: list[ProposalShape]
    changed: list[StockChangedShape]


def rebalance_shape(looked: Rebalance) -> RebalanceShape:
    """The rebalance in that shape."""
    from engine.words.trading.baskets import kept_back_words

    back = kept_back_words(looked.preview)
    return RebalanceShape(
        model=looked.model.name,
        version=looked.model.version,
        made_at=looked.made_at,
        raise_paise=looked.wish.raise_paise,
        invest=looked.wish.invest,
        clients=len(looked.proposals),
        proposed=len(looked.proposed),
        unfinished=len(looked.unfinished),
        idle_paise=looked.idle_paise,
        proposals=[_proposal(one, back.get(one.client_id)) for one in looked.proposals],
        changed=[
            StockChangedShape(one.key, one.key_now, one.security, one.security_now) for one in looked.changed
        ],
    )


def _proposal(made: Proposal, kept_back: str | None) -> ProposalShape:
    from engine.words.trading.rebalancing import proposal_words

    return ProposalShape(
        client_id=made.client_id,
        code=made.code,
        name=made.name,
        verdict=made.verdict,
        reason=None if made.refused is None else made.refused.reason.value,
        why=proposal_words(made),
        portfolio_paise=made.portfolio_paise,
        base_paise=made.base_paise,
        cash_paise=made.cash_paise,
        cash_after_paise=made.cash_after_paise,
        kept_paise=made.kept_paise,
        pending_paise=made.pending_paise,
        unraised_paise=made.unraised_paise,
        idle_paise=made.idle_paise,
        drift_before_bps=made.drift_before_bps,
        drift_after_bps=made.drift_after_bps,
        drift_before_of=made.drift_before_of,
        drift_after_of=made.drift_after_of,
        tax_paise=made.tax_paise,
        charges_paise=made.charges_paise,
        waited=made.waited,
        unfinished=made.unfinished,
        kept_back=kept_back,
        sectors=[
            ProposedSectorShape(one.sector, one.target_bps, one.before_bps, one.after_bps)
            for one in made.sectors
        ],
        lines=[
            ProposedStockShape(
                line.key,
                line.symbol,
                line.sector,
                line.held,
                line.last_paise or None,
                line.target_bps,
                line.before_bps,
                line.after_bps,
                line.sell,
                line.buy,
                line.later,
                line.charges_paise,
                line.gain_short_paise,
                line.gain_long_paise,
                [StockNoteShape(note.kind, note.shares) for note in line.notes],
            )
            for line in made.lines
        ],
    )

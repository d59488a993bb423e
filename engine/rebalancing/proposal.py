"""What a rebalance proposes for a client: before, after and why, stock by stock. Money is in paise."""

from msgspec import Struct

from data.vocabulary import RebalanceNote, RebalanceVerdict
from engine.planning.why import LineRefusal


class StockNote(Struct, frozen=True):
    """Why a stock is not traded as far as the model would have it, for how many shares."""

    kind: RebalanceNote
    shares: int = 0


class StockLine(Struct, frozen=True):
    """One stock of one client: held, target and weights in basis points of what is invested, and its trade.

    `buy` are shares for which there is cash today, `later` those that wait for it. Gains and `tax_paise` are
    those of the oldest shares, as a sale takes them; the tax is an estimate before surcharge and exemption.
    """

    key: str
    symbol: str
    sector: str
    held: int
    last_paise: int
    target_bps: int
    before_bps: int
    after_bps: int
    sell: int = 0
    buy: int = 0
    later: int = 0
    charges_paise: int = 0
    gain_short_paise: int = 0
    gain_long_paise: int = 0
    notes: tuple[StockNote, ...] = ()

    @property
    def trades(self) -> bool:
        """Whether anything of it is bought or sold, today or later."""
        return bool(self.sell or self.buy or self.later)


class SectorLine(Struct, frozen=True):
    """A sector of one client, in basis points of what is invested."""

    sector: str
    target_bps: int
    before_bps: int
    after_bps: int


class Proposal(Struct, frozen=True):
    """What brings one client to the model. `refused` says why it cannot be looked at.

    Drift is the largest distance of a sector or stock from its target, in basis points of what is invested
    (`base_paise`). `cash_after_paise` is what is free once all that can be done today is done, `idle_paise`
    what there is then beyond the model's own cash; `pending_paise` is what today's sales bring only later.
    """

    client_id: int
    code: str
    name: str
    verdict: RebalanceVerdict
    refused: LineRefusal | None = None
    portfolio_paise: int = 0
    base_paise: int = 0
    cash_paise: int = 0
    cash_after_paise: int = 0
    kept_paise: int = 0
    pending_paise: int = 0
    unraised_paise: int = 0
    """What of the cash that is to be raised all its sales and its cash do not come to."""
    idle_paise: int = 0
    drift_before_bps: int = 0
    drift_after_bps: int = 0
    drift_before_of: str = ""
    drift_after_of: str = ""
    """The sector or stock that the drift is of, before and after; trades of others leave it as it is."""
    tax_paise: int = 0
    charges_paise: int = 0
    waited: bool = False
    sectors: tuple[SectorLine, ...] = ()
    lines: tuple[StockLine, ...] = ()

    @property
    def drift_stays(self) -> bool:
        """Whether its trades leave the drift as it was, since they are none of what that is of."""
        return any(line.trades for line in self.lines) and self.drift_after_bps >= self.drift_before_bps

    @property
    def sells(self) -> tuple[StockLine, ...]:
        """The stocks of which it sells."""
        return tuple(line for line in self.lines if line.sell)

    @property
    def buys(self) -> tuple[StockLine, ...]:
        """The stocks of which it buys, today or later."""
        return tuple(line for line in self.lines if line.buy or line.later)

    @property
    def unfinished(self) -> bool:
        """Whether something of it waits for cash."""
        return any(line.later for line in self.lines)

    @property
    def sold_paise(self) -> int:
        """What its sales are worth at the last prices."""
        return sum(line.sell * line.last_paise for line in self.lines)

    @property
    def bought_paise(self) -> int:
        """What its buys of today are worth at the last prices."""
        return sum(line.buy * line.last_paise for line in self.lines)

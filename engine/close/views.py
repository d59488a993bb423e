"""A day as its report tells it, client by client: frozen figures, all in paise."""

from datetime import date, datetime

from msgspec import Struct

from data.reference.rates import Charges
from data.repositories.close.corrections import Correction
from data.repositories.close.stored import ClientDayFigures, PositionAtClose
from data.vocabulary import CloseSource, CloseStepKind, WhyOpen
from engine.risk.views import DayCosts


class ClientDay(ClientDayFigures, frozen=True):
    """One client's day as the report tells it.

    `charges` are as the day's contract note will have them, `charges_booked_paise` what the books have of
    them until the close books the difference. `unpriced` are positions without a closing price, which count
    at their cost.
    """

    code: str
    name: str
    broker: str
    charges: Charges
    charges_booked_paise: int
    positions: tuple[PositionAtClose, ...] = ()
    unpriced: tuple[str, ...] = ()
    digest: str = ""

    @property
    def charges_paise(self) -> int:
        """All charges of the day."""
        return self.charges.total_paise + self.other_charges_paise


class DeskRisk(Struct, frozen=True):
    """The day's risk of all clients in the report; what history does not carry is None.

    `max_gain_paise` and `max_loss_paise` are the best and the worst client's day; of value at risk a loss is
    positive.
    """

    total_value_paise: int
    todays_pnl_paise: int
    profitable: int
    losing: int
    average_value_paise: int
    max_gain_paise: int
    max_loss_paise: int
    var95_paise: int | None = None
    var99_paise: int | None = None
    drawdown_paise: int | None = None
    beta: float | None = None


class DayReport(Struct, frozen=True):
    """A day's figures: provisional until the day was sealed, then as they were closed.

    `rev` counts the revisions of a closed day from 1; 0 is a provisional one. `seal` is the day's hash and
    `audit_head` that of the audit's row that tells of it, empty before. `prices` counts closing prices by
    where they are from.
    """

    day: date
    at: datetime
    rev: int
    clients: tuple[ClientDay, ...]
    risk: DeskRisk
    prices: dict[CloseSource, int] = {}
    folder: str = ""
    seal: str = ""
    audit_head: str = ""
    costs: DayCosts | None = None
    """What runs cost clients beside each other; None where that was not asked."""
    corrections: tuple[Correction, ...] = ()
    """What was found out of it since it was closed; those of a later `rev` wait for the next close of it."""

    @property
    def provisional(self) -> bool:
        """Whether the day is not closed yet."""
        return self.rev == 0


class StaysOpen(Struct, frozen=True):
    """A client that a close leaves open: why, and how many orders or differences it is, or which shares."""

    client_id: int
    code: str
    why: WhyOpen
    count: int = 0
    keys: tuple[str, ...] = ()


class CloseProspect(Struct, frozen=True):
    """What a close of a day would do: how many clients it closes, who stays open, what waits for tomorrow.

    `begins_at` is from when on the day can be closed, None where it can be now. `done` are the steps of this
    revision that were done; `waiting` are orders for a later session (AMO), which are no obstacle.
    `rev` is the revision that the close makes; `closed` says that the day needs none.
    """

    day: date
    rev: int
    closing: int
    open: tuple[StaysOpen, ...]
    done: tuple[CloseStepKind, ...] = ()
    begins_at: datetime | None = None
    waiting: int = 0
    closed: bool = False


class ForTomorrow(Struct, frozen=True):
    """What waits for the next day: pledges that clients have to accept, TPINs, ex-dates of what is held.

    And GTTs and alerts that place orders, by client with what they do, as brokers told of them at `gtts_at`:
    None where nobody has asked since the desk was opened, though `gtts_kept` at some broker.
    """

    pledges: tuple[tuple[str, str, str], ...] = ()
    """Code, symbol, and until when, each to be accepted."""
    tpin: tuple[str, ...] = ()
    """Codes of clients who must release shares before they can be sold."""
    ex_dates: tuple[tuple[str, str, str], ...] = ()
    """Symbol, the exchange's words, and the day."""
    gtts_kept: bool = False
    gtts_at: datetime | None = None
    gtts: tuple[tuple[str, str], ...] = ()
    gtts_unread: tuple[tuple[str, str], ...] = ()
    """Code, and why it is not known what stands there."""

"""What the tape tells: each kind of news with its figures; `engine/words/tape.py` makes the sentences."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from msgspec import Struct

from data.vocabulary import (
    AlertKind,
    FlattenWhat,
    Product,
    RunCount,
    Side,
)
from engine.book.pause import Pause


class NewsTopic(StrEnum):
    """What a line of the tape is about; a screen styles it by this."""

    PLAN = "plan"
    RUN = "run"
    HALT = "halt"
    BREAK = "break"
    EXTERNAL = "external"
    RECONCILE = "reconcile"
    INSTRUMENTS = "instruments"
    WARNING = "warn"
    TROUBLE = "trouble"
    RECORDED = "recorded"


class Page(StrEnum):
    """What a line of the tape opens."""

    PLAN = "plan"
    RUN = "run"
    HALT = "halt"
    ORDER = "order"
    FLATTEN = "flatten"


class Subject(Struct, frozen=True):
    """The one plan, run, halt, order or flatten that news is of."""

    page: Page
    number: int


class News(Struct, frozen=True):
    """Something the tape tells. `subject` is what the line opens, where that has a page."""

    topic: ClassVar[NewsTopic]

    @property
    def subject(self) -> Subject | None:
        """What the news is of, where that has a page of its own."""
        return None


class PlanNews(News, frozen=True):
    """News of a plan."""

    topic: ClassVar[NewsTopic] = NewsTopic.PLAN
    number: int
    title: str

    @property
    def subject(self) -> Subject:
        """The plan."""
        return Subject(Page.PLAN, self.number)


class PlanMade(PlanNews, frozen=True):
    """A plan was frozen: so many orders would be sent, so many lines of its legs are skipped."""

    orders: int
    skipped: int
    digest: str


class PlanConfirmed(PlanNews, frozen=True):
    """Somebody else has confirmed a plan."""

    by: str


class RunNews(News, frozen=True):
    """News of a run."""

    topic: ClassVar[NewsTopic] = NewsTopic.RUN
    number: int

    @property
    def subject(self) -> Subject:
        """The run."""
        return Subject(Page.RUN, self.number)


class RunBegan(RunNews, frozen=True):
    """A run with its counts, which are None where it began before this desk was opened.

    `by_another` names who began it in another process.
    """

    title: str
    orders: int | None = None
    skipped: int | None = None
    by_another: str = ""


class RunEnded(RunNews, frozen=True):
    """A run came to its end; `counts` are its orders by state."""

    title: str
    counts: Mapping[RunCount, int]


class RunPaused(RunNews, frozen=True):
    """A run keeps its unsent orders back; `title` is given where it was paused before the desk was opened."""

    pause: Pause
    unsent: int
    blocked_paise: int = 0
    title: str = ""


class RunGoesOn(RunNews, frozen=True):
    """A paused run sends on."""

    going: int
    denied: int


class HaltNews(News, frozen=True):
    """News of a halt."""

    topic: ClassVar[NewsTopic] = NewsTopic.HALT
    number: int

    @property
    def subject(self) -> Subject:
        """The halt, by its certificate."""
        return Subject(Page.HALT, self.number)


class HaltFired(HaltNews, frozen=True):
    """A halt, with the orders it met where this process fired it; under one that `reduces` some may leave."""

    by: str
    orders: int | None = None
    by_another: bool = False
    reduces: bool = False


class HaltResumed(HaltNews, frozen=True):
    """A halt ended; `by` is empty where another process ended it."""

    by: str = ""


class FlattenNews(News, frozen=True):
    """News of a flatten."""

    topic: ClassVar[NewsTopic] = NewsTopic.HALT
    number: int

    @property
    def subject(self) -> Subject:
        """The flatten."""
        return Subject(Page.FLATTEN, self.number)


class FlattenBegan(FlattenNews, frozen=True):
    """A flatten began, over so many positions."""

    by: str
    what: FlattenWhat
    positions: int


class FlattenEnded(FlattenNews, frozen=True):
    """A flatten has its certificate: so many positions are flat, of so many something is left."""

    flat: int
    left: int


class FlattenInterrupted(FlattenNews, frozen=True):
    """A flatten's engine has ended before it: nobody carries it on, with so many positions flat."""

    flat: int
    positions: int


class SquareOffNear(News, frozen=True):
    """Intraday positions are open, and brokers end them from these moments on, the earliest first."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    positions: int
    clients: int
    ends: tuple[datetime, ...]


class AlertNews(News, frozen=True):
    """An alert was raised; `told` are the figures of its kind, and `codes` those of the clients it is of."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    kind: AlertKind
    told: Mapping[str, Any]
    codes: tuple[str, ...] = ()


class RecordedNews(News, frozen=True):
    """A line that was told on the day that this desk replays, in the words of then."""

    topic: ClassVar[NewsTopic] = NewsTopic.RECORDED
    words: str


class CertificateLeftOut(News, frozen=True):
    """The file of a cancel-all's certificate could not be read into the books."""

    topic: ClassVar[NewsTopic] = NewsTopic.HALT
    file: str
    why: str


class ChangeNotSent(News, frozen=True):
    """A change of an order was kept back."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    order_id: int
    why: str

    @property
    def subject(self) -> Subject:
        """The order."""
        return Subject(Page.ORDER, self.order_id)


class ClientNews(News, frozen=True):
    """News of a client, by its code."""

    code: str


class FactUnbooked(ClientNews, frozen=True):
    """What a broker said of an order was taken by no booking."""

    topic: ClassVar[NewsTopic] = NewsTopic.BREAK
    order: str
    problem: str


class BookUnread(ClientNews, frozen=True):
    """Rows of a broker's book could not be read."""

    topic: ClassVar[NewsTopic] = NewsTopic.BREAK
    book: str
    rows: int
    detail: str


class BookReadAgain(ClientNews, frozen=True):
    """Every row of that book can be read again."""

    topic: ClassVar[NewsTopic] = NewsTopic.BREAK
    book: str


class BooksDiffer(ClientNews, frozen=True):
    """A figure of ours and the broker's differ: a symbol's shares, the cash, the MTF loan."""

    topic: ClassVar[NewsTopic] = NewsTopic.BREAK
    what: str


class BooksAgree(ClientNews, frozen=True):
    """They agree again."""

    topic: ClassVar[NewsTopic] = NewsTopic.BREAK


class ExternalOrder(ClientNews, frozen=True):
    """An order at the broker that this desk did not send is live, or has traded."""

    topic: ClassVar[NewsTopic] = NewsTopic.EXTERNAL
    side: Side
    quantity: int
    symbol: str
    product: Product
    traded: bool


class ExternalBooked(ClientNews, frozen=True):
    """The broker's own sell-out was booked as an order; the average is 0 where nothing has traded."""

    topic: ClassVar[NewsTopic] = NewsTopic.EXTERNAL
    order: str
    average_paise: int


class BooksBeingRead(News, frozen=True):
    """Many clients' books are read, which takes a while."""

    topic: ClassVar[NewsTopic] = NewsTopic.RECONCILE
    clients: int
    eta_s: float


class PauseEnded(ClientNews, frozen=True):
    """A pause has ended at its time."""

    topic: ClassVar[NewsTopic] = NewsTopic.EXTERNAL
    told: str


class RouteRefused(ClientNews, frozen=True):
    """A broker refused an order for the way it came."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    why: str


class DematNotKnown(ClientNews, frozen=True):
    """The broker knows of no right to sell from the demat account, the client's route says there is one."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    demat: str


class SecurityRenamed(News, frozen=True):
    """A security has another name; `words` are what the audit keeps of it."""

    topic: ClassVar[NewsTopic] = NewsTopic.INSTRUMENTS
    words: str


class SecurityDoubted(News, frozen=True):
    """It is not certain which security these keys are; `words` are what the audit keeps of it."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    words: str
    keys: tuple[str, ...]


class InstrumentsRead(News, frozen=True):
    """A broker's dump of the day was read: counts against what was known of it, what is odd in each odd row.

    With a `problem` nothing was read, and `day` is that of the instruments which are kept, if any.
    """

    topic: ClassVar[NewsTopic] = NewsTopic.INSTRUMENTS
    broker: str
    day: date | None
    count: int
    added: int
    gone: int
    renamed: int
    unread: tuple[str, ...]
    problem: str


class TradingDisabled(News, frozen=True):
    """Books were found changed, or venues of different days, so that nothing is sent."""

    topic: ClassVar[NewsTopic] = NewsTopic.TROUBLE
    found: str


class FeedMoved(ClientNews, frozen=True):
    """A client's api key brings no prices; `by` is whose does now, empty where nobody's."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    by: str


class BrokerSaid(News, frozen=True):
    """What a connection says of itself, in its own words."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    words: str

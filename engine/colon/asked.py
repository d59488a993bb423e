"""What a line asks for, once all its words are understood."""

from datetime import date
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from data.audit_wanted import AuditWanted
from data.vocabulary import ExportKind, ExportWhat, FlattenWhat, HaltScope, Product
from engine.colon.alert_rules import AlertRule
from engine.colon.records.asked import AskedOfRecord
from engine.guards.asked import GuardOf, GuardWish
from engine.planning.intent import Intent
from engine.planning.limits.typed import LimitWish
from engine.rebalancing.asked import AskedOfModels


class AskedOrders(Struct, frozen=True):
    """An order in one symbol. With `client_id` it is one client's, of a count of shares: a ticket."""

    intent: Intent
    client_id: int | None = None


class AskedBasket(Struct, frozen=True):
    """Legs to be planned together; without an intent the form, and what stood there."""

    intent: Intent | None = None


class AskedToSave(Struct, frozen=True):
    """The legs of the basket's form, or of the plan that came of it, to be kept under a name."""

    name: str


class AskedToFlatten(Struct, frozen=True):
    """Positions to be taken flat."""

    scope: HaltScope
    value: str
    what: FlattenWhat


class AskedGuard(Struct, frozen=True):
    """A guard that is to be set, taken away or armed again; without one all of them."""

    guard: GuardWish | GuardOf | None = None


class AskedLimit(Struct, frozen=True):
    """A limit before the order that is to be set, or taken away; with `form` its form is to be opened."""

    wish: LimitWish
    removes: bool = False
    form: bool = False


class AskedLimits(Struct, frozen=True):
    """The limits that are set; with a client those over it."""

    client_id: int | None = None


class AskedLists(Struct, frozen=True):
    """The lists of shares; with a name the shares of one; with a file lists to be taken, under that name."""

    name: str = ""
    path: Path | None = None
    as_of: date | None = None


class AskedToConvert(Struct, frozen=True):
    """One client's shares of one symbol to go on in another product."""

    client_id: int
    key: str
    of: Product
    to: Product


class AskedToConvertAll(Struct, frozen=True):
    """What several clients have in a product, of one symbol or all, to go on in another."""

    client_ids: tuple[int, ...]
    key: str | None
    of: Product
    to: Product


class AskedChange(Struct, frozen=True):
    """What is to change of a live order; None leaves a value as it is."""

    order_id: int
    quantity: int | None = None
    limit_paise: int | None = None
    trigger_paise: int | None = None


class Numbered(StrEnum):
    """What has a number."""

    AUDIT_ROW = "row of the audit"
    CERTIFICATE = "certificate"
    FLATTEN = "flatten"
    ORDER = "order"
    PLAN = "plan"
    RUN = "run"


class AskedPage(Struct, frozen=True):
    """The page of what has a number; of halts without one the latest."""

    kind: Numbered
    number: int | None


class OfRun(StrEnum):
    """What is done with a run, by the word for it."""

    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    REPAIR = "repair"
    REVERSE = "reverse"


LEG_BY_LEG = (OfRun.REPAIR, OfRun.REVERSE)
"""What may be done with one leg of a run."""


class AskedOfRun(Struct, frozen=True):
    """Something that is done with a run, or with its legs in the security `key` alone."""

    what: OfRun
    number: int
    key: str | None = None


class AskedToCancel(Struct, frozen=True):
    """Live orders to be cancelled: those named, a client's or a run's."""

    order_ids: tuple[int, ...] = ()
    client_id: int | None = None
    run_number: int | None = None


class AskedClient(Struct, frozen=True):
    """A client's page."""

    client_id: int


class OfClient(StrEnum):
    """What is done with a client, by the word for it."""

    ADD = "add"
    EDIT = "edit"
    PAUSE = "pause"
    UNPAUSE = "unpause"
    CLOSE = "close"


class AskedOfClient(Struct, frozen=True):
    """Something that is done with a client; a pause with its end, empty for none, and a reason at once."""

    what: OfClient
    client_id: int = 0
    until: str = ""
    reason: str = ""


class AskedNote(Struct, frozen=True):
    """A note on one of these; without a text the card that asks for it."""

    text: str
    client_id: int | None = None
    order_id: int | None = None
    run_number: int | None = None


class GroupDo(StrEnum):
    """What is done with a group, by its sign."""

    RULE = "="
    ADD = "+"
    REMOVE = "-"


class AskedGroup(Struct, frozen=True):
    """A group to be made by a rule, or whose clients change."""

    name: str
    do: GroupDo
    rule: str = ""
    client_ids: tuple[int, ...] = ()


class AskedSymbol(Struct, frozen=True):
    """A symbol's page."""

    key: str


class AskedWatch(Struct, frozen=True):
    """A symbol to be put on a watchlist or taken off; without a name the list in view."""

    key: str
    list_name: str = ""
    off: bool = False


class AskedFilter(Struct, frozen=True):
    """The words that rows here must contain; none shows them all."""

    text: str


class AskedMtf(Struct, frozen=True):
    """Shares on margin: of all clients or one; or that it `accepts` its pledges, of one symbol or all."""

    code: str = ""
    symbol: str = ""
    accepts: bool = False


class AskedSignIn(Struct, frozen=True):
    """Whoever is due, or the client with this code."""

    code: str


class AskedSignOut(Struct, frozen=True):
    """Whoever sits at the desk leaves it."""


class AskedToApprove(Struct, frozen=True):
    """Somebody else's plan, confirmed by its digest; without one how far it is confirmed."""

    number: int
    digest: str


class AskedSetting(Struct, frozen=True):
    """A setting of the screen, changed as typed; with nothing typed, theme and keys are chosen there."""

    key: str
    typed: str


class AlertDo(StrEnum):
    """What is done with alerts and their rules, by the word for it."""

    DONE = "done"
    LATER = "later"
    RULES = "rules"
    REMOVE = "remove"
    USUAL = "usual"
    OUTBOX = "outbox"
    TEST = "test"


class AskedAlert(Struct, frozen=True):
    """What is done with the day's alert of a kind or `number`, or with a rule of it; without anything all."""

    do: AlertDo | None = None
    kind: str = ""
    how_long: str = ""
    number: int = 0


class AskedAlertRule(Struct, frozen=True):
    """A rule to be kept, in the place of one with a `number`; without a rule the form for one."""

    rule: AlertRule | None = None
    number: int = 0


class MarketDo(StrEnum):
    """What is said of the whole market, by the word for it."""

    HALTED = "halted"
    OPEN = "open"


class AskedMarket(Struct, frozen=True):
    """That the market is halted, at a level of the breaker in percent, or open; without either its state."""

    do: MarketDo | None = None
    percent: int | None = None
    reason: str = ""


class AskedCalendar(Struct, frozen=True):
    """What a day is to the exchanges; with a file a year's list to be taken, of what does not settle too."""

    day: date | None = None
    path: Path | None = None
    settlement: bool = False


class AuditWish(Struct, frozen=True):
    """What rows of the audit are looked for; its times are by the clock that is shown, not the wall's."""

    wanted: AuditWanted = AuditWanted(told_only=True)
    line: str = ""
    """How it is typed."""


UNASKED = AuditWish()
"""What asks nothing finds every row that tells of something."""


class AskedAudit(Struct, frozen=True):
    """Rows of the audit that are looked for."""

    wish: AuditWish


class Moment(StrEnum):
    """A moment of a simulated market's day, by the word for it."""

    AUCTION = "auction"
    CLOSE = "close"
    TOMORROW = "tomorrow"


class AskedClock(Struct, frozen=True):
    """A simulated market's day, moved on to a time or `Moment` as typed; with nothing typed it is told."""

    to: str = ""


class AskedImport(Struct, frozen=True):
    """A list of clients to be looked at, and taken by an answer."""

    path: Path


class AskedExport(Struct, frozen=True):
    """A table to be written to a file: of this name, or without one that which has the focus."""

    what: ExportWhat | None
    kind: ExportKind


class AskedEvidence(Struct, frozen=True):
    """What proves an order, as a folder of the exports."""

    order_id: int


class AskedPlainly(Struct, frozen=True):
    """A command that takes no word, by its name."""

    name: str


AskedOfDesk = (
    AskedOrders
    | AskedBasket
    | AskedToSave
    | AskedToFlatten
    | AskedGuard
    | AskedLimit
    | AskedLimits
    | AskedLists
    | AskedToConvert
    | AskedToConvertAll
    | AskedChange
    | AskedPage
    | AskedOfRun
    | AskedToCancel
    | AskedClient
    | AskedOfClient
    | AskedNote
    | AskedGroup
    | AskedSymbol
    | AskedWatch
    | AskedFilter
    | AskedSignIn
    | AskedSignOut
    | AskedToApprove
    | AskedSetting
    | AskedAudit
    | AskedAlert
    | AskedMtf
    | AskedClock
    | AskedMarket
    | AskedCalendar
    | AskedAlertRule
    | AskedImport
    | AskedExport
    | AskedEvidence
    | AskedPlainly
)
Asked = AskedOfDesk | AskedOfModels | AskedOfRecord

"""What a line asks for, once all its words are understood."""

from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from data.audit_wanted import AuditWanted
from data.vocabulary import ExportKind, ExportWhat, FlattenWhat, HaltScope, Product
from engine.planning.intent import Intent


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
    REPAIR = "repair"
    REVERSE = "reverse"


class AskedOfRun(Struct, frozen=True):
    """Something that is done with a run."""

    what: OfRun
    number: int


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
    """What is done with an alert, by the word for it."""

    DONE = "done"
    LATER = "later"


class AskedAlert(Struct, frozen=True):
    """What is done with the day's alert of a kind, one put off for how long, as typed; else the alerts."""

    do: AlertDo | None = None
    kind: str = ""
    how_long: str = ""


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


class AskedImport(Struct, frozen=True):
    """A list of clients to be looked at, and taken by an answer."""

    path: Path


class AskedExport(Struct, frozen=True):
    """A table to be written to a file: of this name, or without one that which has the focus."""

    what: ExportWhat | None
    kind: ExportKind


class AskedPlainly(Struct, frozen=True):
    """A command that takes no word, by its name."""

    name: str


Asked = (
    AskedOrders
    | AskedBasket
    | AskedToSave
    | AskedToFlatten
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
    | AskedImport
    | AskedExport
    | AskedPlainly
)

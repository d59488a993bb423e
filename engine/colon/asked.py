"""What a line asks for, once all its words are understood."""

from dataclasses import dataclass
from enum import StrEnum

from data.vocabulary import FlattenWhat, HaltScope, Product
from engine.planning.intent import Intent


@dataclass(frozen=True, slots=True)
class AskedOrders:
    """An order in one symbol. With `client_id` it is one client's, of a count of shares: a ticket."""

    intent: Intent
    client_id: int | None = None


@dataclass(frozen=True, slots=True)
class AskedBasket:
    """Legs to be planned together; without an intent the form, and what stood there."""

    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class AskedToSave:
    """The legs of the basket's form, or of the plan that came of it, to be kept under a name."""

    name: str


@dataclass(frozen=True, slots=True)
class AskedToFlatten:
    """Positions to be taken flat."""

    scope: HaltScope
    value: str
    what: FlattenWhat


@dataclass(frozen=True, slots=True)
class AskedToConvert:
    """One client's shares of one symbol to go on in another product."""

    client_id: int
    key: str
    of: Product
    to: Product


@dataclass(frozen=True, slots=True)
class AskedChange:
    """What is to change of a live order; None leaves a value as it is."""

    order_id: int
    quantity: int | None = None
    limit_paise: int | None = None
    trigger_paise: int | None = None


class Numbered(StrEnum):
    """What has a number."""

    CERTIFICATE = "certificate"
    FLATTEN = "flatten"
    ORDER = "order"
    PLAN = "plan"
    RUN = "run"


@dataclass(frozen=True, slots=True)
class AskedPage:
    """The page of what has a number; of halts without one the latest."""

    kind: Numbered
    number: int | None


class OfRun(StrEnum):
    """What is done with a run, by the word for it."""

    PAUSE = "pause"
    REPAIR = "repair"
    REVERSE = "reverse"


@dataclass(frozen=True, slots=True)
class AskedOfRun:
    """Something that is done with a run."""

    what: OfRun
    number: int


@dataclass(frozen=True, slots=True)
class AskedToCancel:
    """Live orders to be cancelled: those named, a client's or a run's."""

    order_ids: tuple[int, ...] = ()
    client_id: int | None = None
    run_number: int | None = None


@dataclass(frozen=True, slots=True)
class AskedClient:
    """A client's page."""

    client_id: int


@dataclass(frozen=True, slots=True)
class AskedSymbol:
    """A symbol's page."""

    key: str


@dataclass(frozen=True, slots=True)
class AskedWatch:
    """A symbol to be put on a watchlist or taken off; without a name the list in view."""

    key: str
    list_name: str = ""
    off: bool = False


@dataclass(frozen=True, slots=True)
class AskedFilter:
    """The words that rows here must contain; none shows them all."""

    text: str


@dataclass(frozen=True, slots=True)
class AskedSignIn:
    """Whoever is due, or the client with this code."""

    code: str


@dataclass(frozen=True, slots=True)
class AskedSetting:
    """A setting of the screen, changed as typed; with nothing typed, theme and keys are chosen there."""

    key: str
    typed: str


@dataclass(frozen=True, slots=True)
class AskedPlainly:
    """A command that takes no word, by its name."""

    name: str


Asked = (
    AskedOrders
    | AskedBasket
    | AskedToSave
    | AskedToFlatten
    | AskedToConvert
    | AskedChange
    | AskedPage
    | AskedOfRun
    | AskedToCancel
    | AskedClient
    | AskedSymbol
    | AskedWatch
    | AskedFilter
    | AskedSignIn
    | AskedSetting
    | AskedPlainly
)

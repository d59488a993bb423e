"""Words of the desk: its day, its halts, who works on it and what changed."""

from enum import StrEnum


class PhaseKind(StrEnum):
    """What the exchange allows for an instrument at a moment of market time."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    PRE_OPEN_LIMIT_ONLY = "pre_open_limit_only"
    PRE_OPEN_MATCHING = "pre_open_matching"
    CONTINUOUS = "continuous"
    AUCTION_REFERENCE = "auction_reference"
    AUCTION_ENTRY = "auction_entry"
    AUCTION_LIMIT_ONLY = "auction_limit_only"
    AUCTION_MATCHING = "auction_matching"
    POST_CLOSE = "post_close"
    HALTED = "halted"
    """The market-wide breaker stands, or a trader has said that the market is halted."""
    REOPENING = "reopening"
    """The pre-open session behind such a halt."""
    UNKNOWN = "unknown"


class DayKind(StrEnum):
    """What a day is to the exchanges."""

    TRADING = "trading"
    SPECIAL = "special"
    """It trades though it is a weekend or a holiday, or has hours of its own."""
    HOLIDAY = "holiday"
    WEEKEND = "weekend"
    UNKNOWN = "unknown"
    """Its year's calendar is not loaded."""


class HaltScope(StrEnum):
    """What a halt stops."""

    EVERYTHING = "everything"
    BROKER = "broker"
    GROUP = "group"
    CLIENT = "client"
    SYMBOL = "symbol"
    DESK = "desk"
    """The clients that one of several desks on the same books has; it sends nothing for others either."""


class HaltStrength(StrEnum):
    """Which orders may leave under a halt."""

    ALL = "all"
    """None."""
    REDUCE = "reduce"
    """Those that make the client's net position in their security smaller."""


class DayState(StrEnum):
    """How far the books are with a trading day."""

    OPEN = "open"
    """What the days before brought has settled, and what is traded now is of this day."""
    ENDED = "ended"
    """A later one was opened."""


class ExportWhat(StrEnum):
    """A table of the desk that is written to a file."""

    CLIENTS = "clients"
    ORDERS = "orders"
    TRADES = "trades"
    FUNDS = "funds"
    AUDIT = "audit"


class ExportKind(StrEnum):
    """How a file of a table is written."""

    CSV = "csv"
    XLSX = "xlsx"


class DeskKind(StrEnum):
    """As what a desk is open, as its engine's row says it."""

    APP = "app"
    COMMAND = "cli"
    SCRIPT = "api"
    KEEP = "keep"
    """Stands by for the others of its home, without a screen, and sends nothing."""
    WORKER = "worker"
    """Does jobs beside desks that share their books: it has no client, and sends nothing."""


class Via(StrEnum):
    """By which way somebody who acts came to the desk."""

    APP = "app"
    CLI = "cli"
    SOCKET = "socket"
    API = "api"
    KEEP = "keep"
    WORKER = "worker"


class Topic(StrEnum):
    """What a commit changed, for other processes to read again."""

    CLIENTS = "clients"
    """These clients' money, holdings and breaks."""
    ORDERS = "orders"
    RUNS = "runs"
    HALTS = "halts"
    GUARDS = "guards"
    """Guards and their trips."""
    ROSTER = "roster"
    """Who the clients are: their groups, routes and sessions."""
    MARKET = "market"
    """Instruments with their names and margins, and watchlists."""
    PEOPLE = "people"
    """Who may act, who is signed in, and from which value on plans are confirmed by others."""
    LIMITS = "limits"
    """Limits before the order, and the lists of shares that they name."""
    LEASES = "leases"
    """Which of several desks has a client."""
    EVERYTHING = "everything"


class WatchColumn(StrEnum):
    """A column of the watchlist beside the symbol, by the word it is chosen by."""

    LTP = "ltp"
    CHANGE = "chg"
    DAY = "day"
    HIGH = "high"
    LOW = "low"
    VOLUME = "vol"
    BID = "bid"
    ASK = "ask"
    OPEN = "open"
    PREVIOUS = "prev"
    AGE = "age"

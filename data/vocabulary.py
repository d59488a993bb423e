"""The desk's words. The database and the JSON interface store them as written here."""

from enum import StrEnum


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "BUY"
    SELL = "SELL"


class Product(StrEnum):
    """How a trade is paid for and held: delivery, margin trading facility, or intraday."""

    CNC = "CNC"
    MTF = "MTF"
    MIS = "MIS"


class OrderType(StrEnum):
    """How an order is priced. `SL` and `SL_M` wait for a trigger."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SL_M = "SL-M"


class Validity(StrEnum):
    """How long an order lives."""

    DAY = "DAY"
    IOC = "IOC"


class ClientStatus(StrEnum):
    """Whether a client's account may be traded at all."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PENDING = "pending"


class SessionState(StrEnum):
    """Whether the broker accepts calls for a client now."""

    OK = "ok"
    EXPIRED = "expired"


class SessionProblem(StrEnum):
    """What is wrong with a client's session; all but `UNREACHABLE` end it."""

    NONE = ""
    EXPIRED = "expired"
    ENDED = "ended"
    OTHER_USER = "other_user"
    REFUSED = "refused"
    NO_TOKEN = "no_token"
    UNREACHABLE = "unreachable"


class ConnectionKind(StrEnum):
    """What is at the other end of a connection: the built-in exchange, a broker's stand-in, a broker."""

    PAPER = "paper"
    SIM = "sim"
    LIVE = "live"


class RouteKind(StrEnum):
    """How a client's orders legally leave: its own key and address, the dealer's terminal, or on paper."""

    OWN = "own"
    DEALER = "dealer"
    PAPER = "paper"


class Demat(StrEnum):
    """By what right shares leave a client's demat account when they are sold.

    DDPI and the older POA let the broker take them; with `NONE` the client authorises each day's sells at
    the depository (CDSL e-DIS).
    """

    DDPI = "ddpi"
    POA = "poa"
    NONE = "none"
    UNKNOWN = "unknown"


class RefusalCode(StrEnum):
    """Codes of brokers' refusals that the desk acts on; any other is only shown."""

    ROUTE = "route"


class GateItem(StrEnum):
    """What the morning gate looks at for each client."""

    SESSION = "session"
    ROUTE = "route"
    CONSENT = "consent"
    DEMAT = "demat"
    FUNDS = "funds"
    MTF = "mtf"


class GateColour(StrEnum):
    """Green may trade, amber asks for a look or a waiver, red keeps the client out."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


class OrderState(StrEnum):
    """What the broker has of an order (design, section 8)."""

    DENIED = "DENIED"
    RESERVED = "RESERVED"
    SENDING = "SENDING"
    UNKNOWN = "UNKNOWN"
    OPEN = "OPEN"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_RECEIVED = "NOT_RECEIVED"


TERMINAL_STATES = frozenset(
    {
        OrderState.DENIED,
        OrderState.FILLED,
        OrderState.CANCELLED,
        OrderState.REJECTED,
        OrderState.EXPIRED,
        OrderState.NOT_RECEIVED,
    }
)
"""States in which the broker holds nothing that could still trade."""

LIVE_STATES = frozenset({OrderState.RESERVED, OrderState.SENDING, OrderState.UNKNOWN, OrderState.OPEN})
"""States in which money or shares stay blocked."""


class RequestKind(StrEnum):
    """What a request row asks of a live order."""

    CANCEL = "cancel"
    MODIFY = "modify"


class RequestState(StrEnum):
    """How far a modify or cancel request has come."""

    REQUESTED = "REQUESTED"
    SENT = "SENT"
    CONFIRMED = "CONFIRMED"
    REFUSED = "REFUSED"
    UNKNOWN = "UNKNOWN"
    SUPERSEDED = "SUPERSEDED"


OPEN_REQUESTS = frozenset({RequestState.REQUESTED, RequestState.SENT, RequestState.UNKNOWN})
"""States of a request that still waits for the broker's word."""


class SizingKind(StrEnum):
    """How an intent's value becomes a quantity for each client."""

    PERCENT_OF_CAPITAL = "percent_of_capital"
    PERCENT_OF_AVAILABLE = "percent_of_available"
    FIXED_AMOUNT = "fixed_amount"
    FIXED_QUANTITY = "fixed_quantity"
    PERCENT_OF_POSITION = "percent_of_position"


class Policy(StrEnum):
    """How much money a reservation takes.

    `WORST` reserves the protected price, charges and slack; `EXACT` the last price alone.
    """

    WORST = "worst"
    EXACT = "exact"


class Verdict(StrEnum):
    """What a plan decided for one client."""

    OK = "ok"
    SKIPPED = "skipped"


class AlternativeKind(StrEnum):
    """What would work where a line does not: fewer shares, or the margin trading facility."""

    AFFORDABLE = "affordable"
    MTF = "mtf"


class Reason(StrEnum):
    """Why a client is skipped or an order denied. Stable: screens, exports and scripts read these words."""

    CLIENT_INACTIVE = "client_inactive"
    CLIENT_PENDING = "client_pending"
    SESSION_EXPIRED = "session_expired"
    ROUTE_NOT_READY = "route_not_ready"
    CONSENT_MISSING = "consent_missing"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    QUANTITY_ZERO = "quantity_zero"
    PRODUCT_NOT_OFFERED = "product_not_offered"
    NOT_MTF_ELIGIBLE = "not_mtf_eligible"
    MTF_LIMIT = "mtf_limit"
    INSUFFICIENT_HOLDING = "insufficient_holding"
    AUTHORISATION_MISSING = "authorisation_missing"
    PRICE_STALE = "price_stale"
    MARKET_CLOSED = "market_closed"
    OUTSIDE_PRICE_BAND = "outside_price_band"
    OVER_ORDER_LIMIT = "over_order_limit"
    DUPLICATE_INTENT = "duplicate_intent"
    HALTED = "halted"
    OPEN_BREAK = "open_break"
    NOT_RECONCILED = "not_reconciled"
    INSTRUMENT_IN_DOUBT = "instrument_in_doubt"
    NOT_LISTED = "not_listed"
    OTHER_LEG = "other_leg"


class RunStatus(StrEnum):
    """How far a run has come."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FINISHED = "finished"


class RunCount(StrEnum):
    """What a run counts: its orders by how they stand, those sent, all of them; and lines skipped."""

    FILLED = "filled"
    OPEN = "open"
    SENDING = "sending"
    UNSENT = "unsent"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DENIED = "denied"
    UNKNOWN = "unknown"
    NOT_RECEIVED = "not_received"
    EXPIRED = "expired"
    SENT = "sent"
    SKIPPED = "skipped"
    TOTAL = "total"

    @property
    def words(self) -> str:
        """As a sentence says it."""
        return self.value.replace("_", " ")


class PauseReason(StrEnum):
    """Why a run's unsent orders are kept back; all but `TRADER` are the desk's own doing."""

    TRADER = "trader"
    DRIFTED = "drifted"
    TOO_OLD = "too_old"
    ENGINE_DIED = "engine_died"
    BOOKS_DIFFER = "books_differ"
    OTHER_SECURITY = "other_security"
    VENUES_DIFFER = "venues_differ"


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
    UNKNOWN = "unknown"


class HoldKind(StrEnum):
    """Why money is kept from trading without an order."""

    PAYOUT = "payout"
    LIEN = "lien"


class Bucket(StrEnum):
    """Where shares of a holding stand on their way to the demat account."""

    TODAY = "today"
    T1 = "t1"
    FREE = "free"
    PLEDGED = "pledged"
    OUTSIDE = "outside"


class Account(StrEnum):
    """Ledger accounts of a client. Assets and expenses are positive, liabilities and income negative."""

    AVAILABLE = "available"
    BLOCKED = "blocked"
    UNSETTLED = "unsettled"
    STOCK_COST = "stock_cost"
    MTF_LOAN = "mtf_loan"
    INTRADAY_LOAN = "intraday_loan"
    CHARGES = "charges"
    CHARGES_DUE = "charges_due"
    REALISED = "realised"
    SHORTFALL = "shortfall"
    EXTERNAL = "external"


class BreakKind(StrEnum):
    """In what our books of a client differ from the broker's: a figure, or a fact that no booking took."""

    CASH = "cash"
    LOAN = "loan"
    SHARES = "shares"
    FACT = "fact"
    UNREAD = "unread"


class HaltScope(StrEnum):
    """What a halt stops."""

    EVERYTHING = "everything"
    BROKER = "broker"
    GROUP = "group"
    CLIENT = "client"
    SYMBOL = "symbol"


class TransferKind(StrEnum):
    """What a transfer of the ledger is."""

    OPENING = "opening"
    """What a client came with."""
    HOLD = "hold"
    RESERVE = "reserve"
    RELEASE = "release"
    FILL = "fill"
    REBOOK = "rebook"
    """A sale taken back, and booked again."""
    SETTLE = "settle"
    DAY_OPEN = "day_open"
    """The broker's figures adopted at a day's opening."""
    ADOPT = "adopt"
    """The same on the trader's word."""


class Drift(StrEnum):
    """How far a price may have moved from its plan's when an order leaves."""

    DESK = "desk"
    """As far as the desk's settings say."""
    NONE = "none"
    """As far as it will."""


class PerClient(StrEnum):
    """How a client's legs of one plan go together."""

    ALL = "all"
    """All of them or none."""
    IN_ORDER = "in_order"
    """Each as far as it can, money and shares given to them in their order."""


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


class DeskKind(StrEnum):
    """As what a desk is open, as its engine's row says it."""

    APP = "app"
    COMMAND = "cli"
    SCRIPT = "api"


class Via(StrEnum):
    """By which way somebody who acts came to the desk."""

    APP = "app"
    CLI = "cli"
    SOCKET = "socket"
    API = "api"


class Topic(StrEnum):
    """What a commit changed, for other processes to read again."""

    CLIENTS = "clients"
    """These clients' money, holdings and breaks."""
    ORDERS = "orders"
    RUNS = "runs"
    HALTS = "halts"
    ROSTER = "roster"
    """Who the clients are: their groups, routes and sessions."""
    MARKET = "market"
    """Instruments with their names and margins, and watchlists."""
    EVERYTHING = "everything"

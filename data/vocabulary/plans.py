"""Words of plans and of their runs."""

from enum import StrEnum


class SizingKind(StrEnum):
    """How an intent's value becomes a quantity for each client."""

    PERCENT_OF_CAPITAL = "percent_of_capital"
    PERCENT_OF_AVAILABLE = "percent_of_available"
    FIXED_AMOUNT = "fixed_amount"
    FIXED_QUANTITY = "fixed_quantity"
    PERCENT_OF_POSITION = "percent_of_position"
    PERCENT_OF_PORTFOLIO = "percent_of_portfolio"
    TARGET_WEIGHT = "target_weight"
    """As much as brings the position to a percentage of the portfolio, or down to it."""


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
    CLIENT_CLOSED = "client_closed"
    CLIENT_PAUSED = "client_paused"
    SESSION_EXPIRED = "session_expired"
    ROUTE_NOT_READY = "route_not_ready"
    CONSENT_MISSING = "consent_missing"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    QUANTITY_ZERO = "quantity_zero"
    PRODUCT_NOT_OFFERED = "product_not_offered"
    VALIDITY_NOT_OFFERED = "validity_not_offered"
    NOT_MTF_ELIGIBLE = "not_mtf_eligible"
    MTF_NO_CONSENT = "mtf_no_consent"
    MTF_LIMIT = "mtf_limit"
    INSUFFICIENT_HOLDING = "insufficient_holding"
    AUTHORISATION_MISSING = "authorisation_missing"
    PRICE_STALE = "price_stale"
    MARKET_CLOSED = "market_closed"
    OUTSIDE_PRICE_BAND = "outside_price_band"
    OVER_ORDER_LIMIT = "over_order_limit"
    OVER_LIMIT = "over_limit"
    OVER_SOFT_LIMIT = "over_soft_limit"
    """It goes for a typed reason."""
    DUPLICATE_INTENT = "duplicate_intent"
    HALTED = "halted"
    OPEN_BREAK = "open_break"
    BROKER_DOWN = "broker_down"
    NOT_RECONCILED = "not_reconciled"
    INSTRUMENT_IN_DOUBT = "instrument_in_doubt"
    NOT_LISTED = "not_listed"
    SERIES_DIFFERS = "series_differs"
    OTHER_LEG = "other_leg"
    INSTRUCTION_MISSING = "instruction_missing"
    DISCLOSED_QUANTITY = "disclosed_quantity"


class RunStatus(StrEnum):
    """How far a run has come."""

    RESERVING = "reserving"
    """It is of all desks, and its orders are reserved in shards; none leaves before all have ended."""
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
    PHASE_CHANGED = "phase_changed"
    """The market of an instrument is in another phase than when it was confirmed."""
    BAND_MOVED = "band_moved"
    """The exchange has moved the price band of an instrument."""
    MARKET_HALTED = "market_halted"


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


class StagedState(StrEnum):
    """How a line of a later stage of a run stands."""

    WAITS = "waits"
    """For the sales before it, and for what they bring."""
    ORDERED = "ordered"
    UNFUNDED = "unfunded"
    """The money did not come: it waits for cash."""
    STOPPED = "stopped"
    """The trader stopped its run."""
    BARRED = "barred"
    """Its client may not buy."""
    EXPIRED = "expired"
    """The session ended before its turn came."""


class RebalanceTo(StrEnum):
    """How far a sector or stock outside its band is brought back."""

    EDGE = "edge"
    TARGET = "target"


class ModelException(StrEnum):
    """What a model does not do for one client in one stock."""

    KEEP = "keep"
    """Neither bought nor sold; what is held counts."""
    NO_BUY = "no_buy"
    NO_SELL = "no_sell"


class RebalanceVerdict(StrEnum):
    """What a rebalance says of one client."""

    PROPOSED = "proposed"
    WITHIN_BAND = "within_band"
    UNABLE = "unable"
    """It is outside its band, and nothing of it can be traded."""
    UNABLE_TO_CHECK = "unable_to_check"


class RebalanceNote(StrEnum):
    """Why a stock is not traded as far as the model would have it, for how many shares."""

    PLEDGED = "pledged"
    ON_MARGIN = "on_margin"
    ON_SALE = "on_sale"
    NOT_SETTLED = "not_settled"
    NOT_AUTHORISED = "not_authorised"
    FEWER_AT_BROKER = "fewer_at_broker"
    NO_PRICE = "no_price"
    KEPT = "kept"
    NO_BUY = "no_buy"
    NO_SELL = "no_sell"
    SHORT_TERM = "short_term"
    BELOW_MINIMUM = "below_minimum"
    NO_CASH = "no_cash"
    WAITS_FOR_CASH = "waits_for_cash"
    WAITED = "waited"
    """It waited for cash since an earlier day, and is bought first."""

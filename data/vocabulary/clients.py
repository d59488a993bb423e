"""Words of clients: their sessions, routes, consents and gate."""

from enum import StrEnum


class ClientStatus(StrEnum):
    """Whether a client's account may be traded at all; one that is closed is on no list any more."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    PENDING = "pending"
    CLOSED = "closed"


class ImportDoes(StrEnum):
    """What becomes of a row of a list of clients that is taken in."""

    ADD = "add"
    CHANGE = "change"
    SAME = "same"
    REFUSED = "refused"


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


class ConsentKind(StrEnum):
    """What a client agrees to.

    Trading: that orders are placed on its behalf, by mandate, power of attorney or letter of authority. MTF:
    the broker's terms of lending. Contract notes: that they come by mail and not on paper. Algo: that orders
    leave by an api, on its key and address. Phone: that what it says on the phone is recorded.
    """

    TRADING = "trading"
    MTF = "mtf"
    CONTRACT_NOTES = "contract_notes"
    ALGO = "algo"
    PHONE = "phone"


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

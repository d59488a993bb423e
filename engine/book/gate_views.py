"""What the gate says of an item of a client: a colour, a finding and its figures, as views hold them.

`engine/words/gate.py` makes the sentences. Money is in paise. Texts among the figures are data: what a broker
said, or what a trader entered.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from data.vocabulary import ConnectionKind, ConsentKind, Demat, GateColour, RouteKind, SessionProblem
from engine.book.break_views import BreakView


class GateFinding(StrEnum):
    """What was found of one item. Those of route and consent stand in the records of plans."""

    CANNOT_SIGN_IN = "cannot_sign_in"
    SESSION_BROKEN = "session_broken"
    NOT_SIGNED_IN = "not_signed_in"
    SESSION_EXPIRED = "session_expired"
    NO_SIGN_IN_NEEDED = "no_sign_in_needed"
    SIGNED_IN = "signed_in"
    SESSION_NOT_REACHED = "session_not_reached"
    SESSION_ENDS_SOON = "session_ends_soon"
    BROKER_DOWN = "broker_down"

    NO_CONNECTION = "no_connection"
    NO_ROUTE_NEEDED = "no_route_needed"
    NO_ROUTE = "no_route"
    ROUTE_SAYS_PAPER = "route_says_paper"
    NO_API_KEY = "no_api_key"
    NO_PERMISSION = "no_permission"
    ROUTE_REFUSED = "route_refused"
    NO_ALGO_NAME = "no_algo_name"
    KILL_SWITCH_ON = "kill_switch_on"
    ADDRESS_SHARED = "address_shared"
    NO_ADDRESS_NAMED = "no_address_named"
    ADDRESS_NOT_CLAIMED = "address_not_claimed"
    ADDRESS_NOT_REGISTERED = "address_not_registered"
    ADDRESS_CHANGED = "address_changed"
    ADDRESS_NOT_TOLD = "address_not_told"
    ROUTE_READY = "route_ready"

    NOT_ASKED = "not_asked"
    NO_CONSENT = "no_consent"
    CONSENT_NOT_BEGUN = "consent_not_begun"
    CONSENT_ENDED = "consent_ended"
    CONSENT_ENDS_SOON = "consent_ends_soon"
    CONSENT_GIVEN = "consent_given"

    DEMAT_AUTHORISED = "demat_authorised"
    NO_DDPI = "no_ddpi"
    DEMAT_NOT_KNOWN = "demat_not_known"

    CLIENT_NOT_ACTIVE = "client_not_active"
    BOOKS_DIFFER = "books_differ"
    NOT_COMPARED = "not_compared"
    COMPARED_LONG_AGO = "compared_long_ago"
    COMPARED = "compared"

    MTF_OFF = "mtf_off"
    MTF_OFF_AT_BROKER = "mtf_off_at_broker"
    MTF_NOT_KNOWN = "mtf_not_known"
    LOAN_OVER_LIMIT = "loan_over_limit"
    MTF_USED = "mtf_used"


NEVER_WAIVED = frozenset(
    {
        GateFinding.SESSION_NOT_REACHED,
        GateFinding.SESSION_ENDS_SOON,
        GateFinding.CLIENT_NOT_ACTIVE,
        GateFinding.BOOKS_DIFFER,
    }
)
"""What is amber and only mended: a session is signed in, a client made active, books are brought to agree."""


class BrokenSession(Struct, frozen=True):
    """Why a session that was signed in does not do; the text is the broker's or the reader's."""

    problem: SessionProblem
    text: str


class SessionFigures(Struct, frozen=True):
    """A session that stands; its end in `minutes_left` where it is near.

    `polled` says that nobody is told of its orders unasked; `problem_text` what the last look failed at.
    """

    login_at: datetime
    expires_at: datetime | None
    checked_at: datetime
    polled: bool
    problem_text: str = ""
    minutes_left: int | None = None


class DownFigures(Struct, frozen=True):
    """The broker that answers nobody, by its word, and since when."""

    venue: str
    since: datetime


class NoRouteFigures(Struct, frozen=True):
    """The connection by which a client trades that needs no route of its own."""

    kind: ConnectionKind


class RouteFigures(Struct, frozen=True):
    """A route as it was entered, where its orders go (`venue`), and what is against it.

    `way_out` is what decides by which address calls leave, `egress` the address that the broker sees, and
    `egress_ip` the one that was claimed. `shared_with` are the codes of who shares it without right.
    `seen` is the address that `told_by` saw today, `seen_before` that of the day before, `unseen` why none
    was seen, `registered` what the broker has on its list by its own word.
    """

    kind: RouteKind
    egress: str
    family: str
    way_out: str
    egress_ip: str
    venue: str
    refused_at: datetime | None = None
    refused_text: str = ""
    shared_with: tuple[str, ...] = ()
    seen: str = ""
    told_by: str = ""
    seen_before: str = ""
    unseen: str = ""
    registered: tuple[str, ...] = ()


class ConsentFigures(Struct, frozen=True):
    """To what the client agrees, the reference of that, and its last day where it has one.

    Of a consent that has not begun `begins` is its first day.
    """

    reference: str
    until: date | None = None
    days_left: int | None = None
    kind: ConsentKind = ConsentKind.TRADING
    begins: date | None = None


class DematFigures(Struct, frozen=True):
    """By what settled shares leave the client's demat account."""

    demat: Demat


class FundsFigures(Struct, frozen=True):
    """When the books were last compared with the broker's, how long ago, and what differs."""

    compared_at: datetime | None
    available_paise: int
    age_s: float | None = None
    breaks: tuple[BreakView, ...] = ()


class MtfFigures(Struct, frozen=True):
    """The client's limit and what of it is lent or reserved; `enabled` is None where nobody has told it."""

    limit_paise: int
    loan_paise: int
    enabled: bool | None
    used_bps: int | None = None


GateFigures: TypeAlias = (
    BrokenSession
    | SessionFigures
    | DownFigures
    | NoRouteFigures
    | RouteFigures
    | ConsentFigures
    | DematFigures
    | FundsFigures
    | MtfFigures
)


class GateVerdict(Struct, frozen=True):
    """One item of the gate: its colour, what was found, and the figures of that, where it has any."""

    colour: GateColour
    finding: GateFinding
    figures: GateFigures | None = None


class LackingConsent(Struct, frozen=True):
    """A consent that is asked of a client and is missing or about to end; a `hard` one keeps orders back."""

    kind: ConsentKind
    hard: bool
    verdict: GateVerdict

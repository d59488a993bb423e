"""What is stored of how clients reach their brokers: routes, sessions, waivers; and what is made of it.

Whether a client may trade is judged in the room of access; the book asks whoever was given to it as judge.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from data.vocabulary import Demat, GateItem, RouteKind, SessionProblem, SessionState
from engine.book.gate_views import GateVerdict

if TYPE_CHECKING:
    from brokers.connection import Connection

THIS_MACHINE = "this machine"
"""The one address that calls leave by where neither proxy nor address of their own is named."""


@lru_cache(maxsize=4096)  # asked of every client whenever the gate is judged
def _is_seen_outside(address: str) -> bool:
    """Whether a broker, or a stand-in on this machine, sees this very address."""
    if not address:
        return False
    bound = ip_address(address)
    return bound.is_global or bound.is_loopback


class RouteView(Struct, frozen=True):
    """How one client's orders leave. `permission` and `consent` are references of papers kept elsewhere.

    `refused_at` is since when its broker takes no order on it, `refused_text` the broker's words.
    """

    client_id: int
    kind: RouteKind
    api_key: str = ""
    proxy: str = ""
    bind_address: str = ""
    egress_ip: str = ""
    family: str = ""
    permission: str = ""
    consent: str = ""
    consent_until: date | None = None
    demat: Demat = Demat.UNKNOWN
    mtf_enabled: bool | None = None
    refused_at: datetime | None = None
    refused_text: str = ""
    updated_at: datetime | None = None

    @property
    def egress(self) -> str:
        """The address that the broker sees, or what stands for it where none is named.

        A private address to bind to leaves by whatever address this machine has outside; one of the loopback
        leaves nowhere, and is what a stand-in on this machine sees.
        """
        if self.egress_ip or self.proxy:
            return self.egress_ip or self.proxy
        return self.bind_address if _is_seen_outside(self.bind_address) else THIS_MACHINE

    @property
    def way_out(self) -> str:
        """What decides by which address calls really leave, whatever `egress_ip` claims."""
        return self.proxy or self.bind_address or THIS_MACHINE


class SessionView(Struct, frozen=True):
    """One client's session at its broker, without its token. `expires_at` is None where none is known."""

    client_id: int
    user_name: str
    login_at: datetime | None
    expires_at: datetime | None
    problem: SessionProblem
    problem_text: str
    checked_at: datetime

    @property
    def ok(self) -> bool:
        """Whether the broker took calls when it was last heard."""
        return self.login_at is not None and self.problem in (
            SessionProblem.NONE,
            SessionProblem.UNREACHABLE,
        )


class Access(Struct, frozen=True):
    """Routes and sessions by client, and the reasons of today's waivers by client and item."""

    routes: Mapping[int, RouteView] = field(default_factory=dict[int, RouteView])
    sessions: Mapping[int, SessionView] = field(default_factory=dict[int, SessionView])
    waivers: Mapping[tuple[int, GateItem], str] = field(default_factory=dict[tuple[int, GateItem], str])


class Applicant(Struct, frozen=True):
    """A client as it comes before the judge, with what carries it, if anything does.

    `session` is its own word on its session, which counts where nobody signs in; `trading` says that it is
    active.
    """

    client_id: int
    code: str
    connection: "Connection | None"
    trading: bool
    session: SessionState


class Admission(Struct, frozen=True):
    """What routes, sessions and waivers make of one client; a verdict is None where nothing is against it."""

    session: SessionState
    route: str
    route_verdict: GateVerdict | None
    consent_verdict: GateVerdict | None
    authorised: bool


class Admissions(Struct, frozen=True):
    """What was made of every client, and with whom each shares its address without right, by their codes."""

    of: Mapping[int, Admission]
    shared: dict[int, tuple[str, ...]]


class Judge(Protocol):
    """Says of each client what is against it on that day."""

    def __call__(self, access: Access, applicants: Sequence[Applicant], day: date) -> Admissions:
        """Judge them all, since an address may be shared between them."""
        ...

"""What is stored of how clients reach their brokers: routes, sessions, consents, waivers; what is made of it.

Whether a client may trade is judged in the room of access; the book asks whoever was given to it as judge.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from data.vocabulary import ConsentKind, Demat, GateItem, RouteKind, SessionProblem, SessionState
from engine.book.gate_views import GateVerdict, LackingConsent

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
    """How one client's orders leave. `permission` is the reference of a paper kept elsewhere.

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


class ProbeView(Struct, frozen=True):
    """By which address a client's calls were `seen` to leave; empty where `problem` says why it is not known.

    `told_by` is whose word that is; `seen_before` how the same way out was seen on the latest day before.
    `registered` are the addresses on the broker's list by its own word, with blanks between.
    """

    client_id: int
    way_out: str
    told_by: str
    seen: str
    seen_before: str
    registered: str
    problem: str
    at: datetime


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

    def cut_short(self, now: datetime) -> bool:
        """Whether it ended before its time, which has not come by `now` of the market's clock."""
        began = self.login_at is not None and not self.ok
        return began and (self.expires_at is None or now < self.expires_at)


class ConsentView(Struct, frozen=True):
    """What a client has agreed to, by a paper, call or mail that is kept elsewhere as `reference`.

    It holds from a day and until one where those are said, and both count. One that was ended, since the
    client withdrew it or another took its place, covers nothing from then on.
    """

    id: int
    client_id: int
    kind: ConsentKind
    reference: str
    given_from: date | None
    until: date | None
    actor: str
    at: datetime
    ended_at: datetime | None = None
    ended_by: str | None = None
    ended_why: str | None = None

    @property
    def stands(self) -> bool:
        """Whether nobody has ended it."""
        return self.ended_at is None


class ConsentNeed(Struct, frozen=True):
    """That a consent of a kind is asked of clients: of all, or of those that are (not) `discretionary`.

    Without a `hard` one no order leaves, without another the trader is warned.
    """

    kind: ConsentKind
    hard: bool
    discretionary: bool | None = None


class ConsentNeeds(Struct, frozen=True):
    """Which consents are asked of whom; of clients of the paper exchange only where the trader says so."""

    needs: tuple[ConsentNeed, ...] = (ConsentNeed(ConsentKind.TRADING, hard=True),)
    on_paper: bool = False

    def of(self, connection: "Connection | None", discretionary: bool) -> tuple[ConsentNeed, ...]:
        """Those asked of a client, each kind once and hard where any says so."""
        if not needs_route(connection) and not self.on_paper:
            return ()
        found: dict[ConsentKind, ConsentNeed] = {}
        for need in self.needs:
            if need.discretionary in (None, discretionary) and (need.kind not in found or need.hard):
                found[need.kind] = need
        return tuple(found.values())


def needs_route(connection: "Connection | None") -> bool:
    """Whether a client's calls leave by a way of its own; asked of who is carried by none, too."""
    return connection is None or connection.capabilities.needs_route


DOWN = "down/"
"""How the facts of a home begin that keep which connection's broker answers nobody."""


class DownView(Struct, frozen=True):
    """A broker that answers nobody, since when, and by which engine's word."""

    engine: int
    since: datetime

    @property
    def fact(self) -> str:
        """As it is kept."""
        return f"{self.engine} {self.since.isoformat()}"


def down_of(facts: Mapping[str, str]) -> dict[str, DownView]:
    """What facts say, by the name of the connection. Raises `ValueError` for one that is no such fact."""
    found: dict[str, DownView] = {}
    for name, fact in facts.items():
        engine, _, since = fact.partition(" ")
        found[name] = DownView(int(engine), datetime.fromisoformat(since))
    return found


def by_client(consents: Iterable[ConsentView]) -> dict[int, tuple[ConsentView, ...]]:
    """Consents by whose they are, in their order."""
    found = defaultdict[int, list[ConsentView]](list)
    for one in consents:
        found[one.client_id].append(one)
    return {client_id: tuple(consents) for client_id, consents in found.items()}


class Access(Struct, frozen=True):
    """Routes, sessions and consents by client, and the reasons of today's waivers by client and item.

    Of what was seen of a route today `probes` has the newest, as long as its way out is the same. `down` are
    the brokers that answer nobody, by the name of their connection.
    """

    routes: Mapping[int, RouteView] = field(default_factory=dict[int, RouteView])
    sessions: Mapping[int, SessionView] = field(default_factory=dict[int, SessionView])
    waivers: Mapping[tuple[int, GateItem], str] = field(default_factory=dict[tuple[int, GateItem], str])
    consents: Mapping[int, tuple[ConsentView, ...]] = field(
        default_factory=dict[int, tuple[ConsentView, ...]]
    )
    probes: Mapping[int, ProbeView] = field(default_factory=dict[int, ProbeView])
    down: Mapping[str, DownView] = field(default_factory=dict[str, DownView])


class Applicant(Struct, frozen=True):
    """A client as it comes before the judge, with what carries it, if anything does.

    `session` is its own word on its session, which counts where nobody signs in; `trading` says that it is
    active, `needs` which consents are asked of it.
    """

    client_id: int
    code: str
    connection: "Connection | None"
    trading: bool
    session: SessionState
    needs: tuple[ConsentNeed, ...] = ()


class Admission(Struct, frozen=True):
    """What routes, sessions and waivers make of one client; a verdict is None where nothing is against it."""

    session: SessionState
    route: str
    route_verdict: GateVerdict | None
    consent_verdict: GateVerdict | None
    authorised: bool
    consents_lacking: tuple[LackingConsent, ...] = ()


class Admissions(Struct, frozen=True):
    """What was made of every client, and with whom each shares its address without right, by their codes."""

    of: Mapping[int, Admission]
    shared: dict[int, tuple[str, ...]]


class Judge(Protocol):
    """Says of each client what is against it on that day."""

    def __call__(self, access: Access, applicants: Sequence[Applicant], day: date) -> Admissions:
        """Judge them all, since an address may be shared between them."""
        ...

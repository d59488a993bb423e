"""How clients reach their brokers, as stored: routes, sessions, consents, and what was waived at the gate."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Generic, TypeVar

from msgspec import Struct
from sqlalchemy import delete, select, update

from data.repositories.base import Change, On, Query, Rows, among, given
from data.tables.access import BrokerSession, ClientRoute, ConsentEnd, ConsentRecord, GateWaiver
from data.tables.books import Client
from data.tables.columns import table
from data.vocabulary import ConsentKind, Demat, GateItem, SessionProblem

Route = TypeVar("Route")

_CLIENTS, _ROUTES, _SESSIONS = table(Client), table(ClientRoute), table(BrokerSession)


class RouteRows(Generic[Route]):
    """Clients' routes as rows of one class, a row a client."""

    def __init__(self, row: type[Route]) -> None:
        self._rows = Rows(ClientRoute, row)
        self._all = self._rows.query()

    def all(self, on: On) -> list[Route]:
        """Every route."""
        return self._all.all(on)

    def replace(self, on: On, clients: Sequence[int], routes: Sequence[Route]) -> None:
        """Put routes in place of what these clients have."""
        _NO_ROUTE.run(on, clients=clients)
        self._rows.insert(on, routes)


_NO_ROUTE = Change(delete(_ROUTES).where(among(_ROUTES.c.client_id, "clients")))


class RouteRefusal(Struct, frozen=True):
    """Since when a client's broker takes no order on its route, and the broker's words."""

    at: datetime
    words: str


_REFUSAL = Query(
    RouteRefusal,
    select(_ROUTES.c.refused_at, _ROUTES.c.refused_text).where(
        _ROUTES.c.client_id == given("client"), _ROUTES.c.refused_at.is_not(None)
    ),
)
_REFUSE = Change(
    update(_ROUTES)
    .where(_ROUTES.c.client_id == given("client"))
    .values(refused_at=given("at"), refused_text=given("words"))
)


def refusal_of_route(on: On, client_id: int) -> RouteRefusal | None:
    """The refusal that stands against a client's route."""
    return _REFUSAL.first(on, client=client_id)


def mark_route(on: On, client_id: int, at: datetime | None, words: str) -> None:
    """Keep that a client's route is refused since `at`, or that it is not where that is None."""
    _REFUSE.run(on, client=client_id, at=at, words=words)


class RouteInUse(Struct, frozen=True):
    """A route as what a broker tells of it is held against: whose it is, and what stands of it."""

    code: str
    api_key: str
    demat: Demat
    refused_at: datetime | None


_IN_USE = Query(
    RouteInUse,
    select(_CLIENTS.c.code, _ROUTES.c.api_key, _ROUTES.c.demat, _ROUTES.c.refused_at)
    .join_from(_CLIENTS, _ROUTES, _ROUTES.c.client_id == _CLIENTS.c.id)
    .where(_CLIENTS.c.id == given("client")),
)
_DEMAT = Change(
    update(_ROUTES)
    .where(_ROUTES.c.client_id == given("client"))
    .values(demat=given("demat"), updated_at=given("at"))
)


def route_in_use(on: On, client_id: int) -> RouteInUse | None:
    """A client's route; None where none was entered."""
    return _IN_USE.first(on, client=client_id)


def set_demat(on: On, client_id: int, demat: Demat, at: datetime) -> None:
    """Keep by what right a client's shares are sold."""
    _DEMAT.run(on, client=client_id, demat=demat.value, at=at)


# --- sessions -----------------------------------------------------------------------------------------------


class StoredSignIn(Struct, frozen=True):
    """A sign-in as its session keeps it; `expires_at` is None where the broker asks for none."""

    user_name: str
    login_at: datetime
    expires_at: datetime | None


class StoredSession(Struct, frozen=True):
    """What is known of a client's session at its broker, without its token."""

    client_id: int
    user_name: str
    login_at: datetime | None
    expires_at: datetime | None
    problem_code: SessionProblem
    problem_text: str
    checked_at: datetime


_STORED_SESSIONS = Rows(BrokerSession, StoredSession)
_OF_LOOK = ("problem_code", "problem_text", "checked_at")
_OF_SIGN_IN = ("user_name", "login_at", "expires_at")


def keep_session(
    on: On, client_id: int, problem: SessionProblem, words: str, at: datetime, sign_in: StoredSignIn | None
) -> None:
    """Keep what a look at a client's session showed, and the sign-in where it was one."""
    user_name, login_at, expires_at = (
        ("", None, None) if sign_in is None else (sign_in.user_name, sign_in.login_at, sign_in.expires_at)
    )
    session = StoredSession(client_id, user_name, login_at, expires_at, problem, words, at)
    fields = _OF_LOOK if sign_in is None else (*_OF_LOOK, *_OF_SIGN_IN)
    if not _STORED_SESSIONS.save(on, [session], *fields):
        _STORED_SESSIONS.insert(on, [session])


# --- consents -----------------------------------------------------------------------------------------------


class StoredConsent(Struct, frozen=True):
    """What a client has agreed to, from a day and until one where those are said."""

    id: int
    client_id: int
    kind: ConsentKind
    reference: str
    given_from: date | None
    until: date | None
    actor: str
    at: datetime


class StoredConsentEnd(Struct, frozen=True):
    """That a consent covers nothing from then on, and why."""

    consent_id: int
    why: str
    actor: str
    at: datetime


_CONSENTS, _ENDS = Rows(ConsentRecord, StoredConsent), Rows(ConsentEnd, StoredConsentEnd)
_STANDING = _CONSENTS.query(
    among(_CONSENTS.c.client_id, "clients"),
    _CONSENTS.c.id.not_in(select(_ENDS.c.consent_id)),
    order_by=(_CONSENTS.c.id,),
)
_ONE_CONSENT = _CONSENTS.query(_CONSENTS.c.id == given("number"))
_ITS_END = _ENDS.query(_ENDS.c.consent_id == given("number"))


def standing_consents(on: On, client_ids: Collection[int]) -> list[StoredConsent]:
    """The consents of these clients that nobody has ended, oldest first."""
    return _STANDING.all(on, clients=sorted(client_ids)) if client_ids else []


def consent_of(on: On, number: int) -> tuple[StoredConsent, StoredConsentEnd | None] | None:
    """A consent, and how it was ended; None where there is none of this number."""
    found = _ONE_CONSENT.first(on, number=number)
    return None if found is None else (found, _ITS_END.first(on, number=number))


def add_consents(on: On, consents: Sequence[StoredConsent]) -> None:
    """Keep consents."""
    _CONSENTS.insert(on, consents)


def end_consents(on: On, ends: Sequence[StoredConsentEnd]) -> None:
    """Keep that consents were ended."""
    _ENDS.insert(on, ends)


# --- waivers ------------------------------------------------------------------------------------------------


class Waiver(Struct, frozen=True):
    """One amber item of one client that a trader let pass for one trading day."""

    id: int
    client_id: int
    item: GateItem
    reason: str
    actor: str
    trading_date: date
    at: datetime


_WAIVERS = Rows(GateWaiver, Waiver)


def add_waiver(on: On, waiver: Waiver) -> None:
    """Keep a waiver."""
    _WAIVERS.insert(on, [waiver])

"""Routes: how each client's orders legally leave, entered one by one or from a file."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.csvfiles import CsvRow, FileProblem, Problem, control_character, read_rows
from data.errors import BadInput
from data.records import field_names, replace, values_of
from data.repositories.accounts import access
from data.store import Unit
from data.vocabulary import ConsentKind, Demat, RouteKind
from engine.access.consents import NewConsent, check_consent, day_from, put_trading
from engine.access.judgement import standing
from engine.book.access_views import ConsentView, RouteView
from engine.book.kept import Kept
from engine.events import TapeLine
from engine.instances import ThisEngine
from engine.news import DematNotKnown, RouteRefused

REQUIRED = ("code", "kind")
OPTIONAL = (
    "api_key",
    "proxy",
    "bind_address",
    "egress_ip",
    "family",
    "permission",
    "consent",
    "demat",
    "consent_until",
    "mtf",
)
_EXAMPLE = (
    "AM1042,own,abcd1234efgh5678,http://10.20.0.4:3128,,203.0.113.10,Mehta,,2026-041,ddpi,2027-03-31,yes"
)
_API_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,2047}")
"""Groww's are JSON web tokens, those of others a few letters and digits."""
_LONGEST = 120
_OF_CONSENT = ("consent", "consent_until")
"""Columns of a routes file that are of the register of consents."""

_WAY_OUT = ("kind", "api_key", "proxy", "bind_address", "egress_ip")
"""What a broker's refusal of a route is about; a change of anything else leaves it standing."""

W = TypeVar("W", bound=StrEnum)

_ROUTES = access.RouteRows(RouteView)


class NewRoute(Struct, frozen=True):
    """A route as a file or a form gives it.

    `proxy` is `http://host:port`, `bind_address` an address of this machine, `egress_ip` the static address
    that the broker has on its list. `permission` is the reference of a paper kept elsewhere, `consent` that
    of the client's consent to trading: it takes the place of what the register has of that kind, an empty
    one ends it, None leaves it. `mtf_enabled` is None where it is not known.
    """

    kind: RouteKind
    api_key: str = ""
    proxy: str = ""
    bind_address: str = ""
    egress_ip: str = ""
    family: str = ""
    permission: str = ""
    consent: str | None = None
    consent_until: date | None = None
    demat: Demat = Demat.UNKNOWN
    mtf_enabled: bool | None = None


_OF_ROUTE = tuple(name for name in field_names(NewRoute) if name not in _OF_CONSENT)


class RoutesReport(Struct, frozen=True):
    """What an import did, in routes."""

    added: int
    updated: int
    unchanged: int


def template() -> str:
    """A route file with its header and one example row."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow((*REQUIRED, *OPTIONAL))
    return f"{out.getvalue()}{_EXAMPLE}\n"


def check_route(route: NewRoute) -> NewRoute:
    """The route with its addresses in their usual form. Raises `BadInput` for the first bad value."""
    for name in ("family", "permission", "consent"):
        text = str(getattr(route, name) or "")
        if len(text) > _LONGEST or control_character(text):
            raise BadInput(name, text, f"give at most {_LONGEST} characters and no control characters")
    if route.api_key:
        check_api_key(route.api_key)
    if route.kind is RouteKind.OWN and not route.api_key:
        raise BadInput("api_key", "", "a route of kind own needs the client's api key")
    if route.kind is RouteKind.PAPER and (route.api_key or route.proxy or route.bind_address):
        raise BadInput("kind", route.kind.value, "a paper route has neither key, proxy nor address")
    if route.proxy and route.bind_address:
        raise BadInput("bind_address", route.bind_address, "give a proxy or an address to bind to, not both")
    bound, seen = _address(route.bind_address, "bind_address"), _address(route.egress_ip, "egress_ip")
    if bound and seen and ip_address(bound).version != ip_address(seen).version:
        kind = ip_address(seen).version
        raise BadInput("bind_address", bound, f"give an IPv{kind} address, as egress_ip {seen} is one")
    return replace(route, proxy=_proxy(route.proxy), bind_address=bound, egress_ip=seen)


def check_api_key(api_key: str) -> None:
    """Raise `BadInput` where this is no api key of any broker's."""
    if _API_KEY.fullmatch(api_key) is None:
        words = "give the api key (letters, digits, and . _ - between them), not its secret"
        raise BadInput("api_key", api_key, words)


def _address(text: str, field: str) -> str:
    try:
        return str(ip_address(text)) if text else ""
    except ValueError:
        raise BadInput(field, text, "give an IP address such as 203.0.113.10") from None


def _proxy(text: str) -> str:
    if not text:
        return ""
    expected = "give http://host:port"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadInput("proxy", text, expected) from None
    if parts.username is not None or parts.password is not None:
        raise BadInput(
            "proxy", f"{parts.scheme}://(hidden)@{host}", f"{expected}, without a name or password"
        )
    if parts.scheme != "http" or not host or port is None or parts.path not in ("", "/") or parts.query:
        raise BadInput("proxy", text, expected)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _word(kind: type[W]) -> Callable[[str], W]:
    def read(text: str) -> W:
        try:
            return kind(text.lower())
        except ValueError:
            raise BadInput("", text, f"give one of {', '.join(kind)}") from None

    return read


def _yes(text: str) -> bool | None:
    known = {"yes": True, "no": False, "": None}
    if text.lower() not in known:
        raise BadInput("", text, "give yes, no or nothing")
    return known[text.lower()]


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "kind": ("kind", _word(RouteKind)),
    "demat": ("demat", lambda text: _word(Demat)(text) if text else Demat.UNKNOWN),
    "consent_until": ("consent_until", partial(day_from, "consent_until")),
    "mtf": ("mtf_enabled", _yes),
}
"""Columns that are no plain text: the field they fill, and how."""


class Routes:
    """The routes of the desk's clients."""

    def __init__(self, kept: Kept, engine: ThisEngine) -> None:
        self._kept = kept
        self._engine = engine

    def all(self) -> list[RouteView]:
        """Every route that was entered, by client's code."""
        book = self._kept.book
        return [route for c in book.clients if (route := book.access.routes.get(c)) is not None]

    def of(self, client_id: int) -> RouteView | None:
        """A client's route, None where none was entered."""
        return self._kept.book.access.routes.get(client_id)

    async def set(self, client_id: int, route: NewRoute) -> RouteView:
        """Enter a client's route in place of what stood there. Raises `BadInput`."""
        if client_id not in self._kept.book.clients:
            raise BadInput("client", client_id, "no client has this id")
        checked = check_route(route)
        await self._kept.store.write(lambda unit: self._store(unit, {client_id: checked}))
        return self._kept.book.access.routes[client_id]

    async def import_csv(self, path: Path) -> RoutesReport:
        """Take the routes of a file, all or none. Raises `FileProblem` naming each bad row.

        A column that the file lacks is left as it stands, an empty cell empties it.
        """
        routes = self.read_file(path)
        return await self._engine.write_signed_on(lambda unit: self._store(unit, routes))

    async def retry(self, client_id: int) -> RouteView:
        """Let orders go out again on a refused route; the next one shows whether the broker takes it.

        A broker looks at the address of order calls alone, so nothing can be asked before. Raises `BadInput`
        where nothing was refused.
        """
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")

        def store(unit: Unit) -> None:
            refused = access.refusal_of_route(unit, client_id)
            if refused is None:
                raise BadInput(
                    "client", client.code, "its broker has not refused its route; nothing to retry"
                )
            _mark(unit, client_id, None, "")
            details = {"code": client.code, "refused_at": refused.at.isoformat(), "words": refused.words}
            unit.audit(
                AuditEntry(
                    AuditAction.CLIENT_ROUTE_RETRIED, self._engine.actor, client_id=client_id, details=details
                )
            )

        await self._kept.store.write(store)
        return self._kept.book.access.routes[client_id]

    def read_file(self, path: Path) -> dict[int, NewRoute]:
        """Routes of a CSV file by client. Raises `FileProblem` with every bad row."""
        problems: list[Problem] = []
        routes: dict[int, NewRoute] = {}
        seen: dict[int, int] = {}
        for row in read_rows(path, REQUIRED, OPTIONAL, faults=problems):
            code = row.values["code"]
            try:
                client_id = self._kept.book.named(code)
                if (first := seen.setdefault(client_id, row.number)) != row.number:
                    raise BadInput("code", code, f"row {first} has it already; each is given once")
                routes[client_id] = check_route(self._route_of(client_id, row, problems))
            except BadInput as bad:
                problems.append(Problem(row.number, bad.field, str(bad.value), bad.expected))
        if problems:
            raise FileProblem(path, list(dict.fromkeys(problems)))
        return routes

    def _route_of(self, client_id: int, row: CsvRow, problems: list[Problem]) -> NewRoute:
        """The route of a row over what stood there. Raises `BadInput` for its last bad value."""
        before = self.of(client_id)
        values = {name: getattr(before, name) for name in _OF_ROUTE if before is not None}
        if row.values.keys() & {*_OF_CONSENT}:
            given = self._kept.book.access.consents.get(client_id, ())
            values |= zip(_OF_CONSENT, trading_consent(given), strict=True)
        bad: BadInput | None = None
        for column, text in row.values.items():
            if column == "code":
                continue
            name, read = _READERS.get(column, (column, str))
            try:
                values[name] = read(text)
            except BadInput as problem:
                bad = BadInput(column, text, problem.expected)
                problems.append(Problem(row.number, column, text, problem.expected))
        if bad is not None:
            raise bad
        if (until := row.values.get("consent_until")) and not values.get("consent"):
            raise BadInput("consent_until", until, "name the consent whose last day it is")
        return NewRoute(**values)

    def _store(self, unit: Unit, routes: Mapping[int, NewRoute]) -> RoutesReport:
        known = {route.client_id: route for route in _ROUTES.all(unit)}
        named = [(c, _consent_of(route)) for c, route in routes.items() if route.consent is not None]
        consented = put_trading(unit, named, self._engine.actor)
        changed = {
            client_id: route
            for client_id, route in routes.items()
            if client_id not in known or client_id in consented or _differs(route, known[client_id])
        }
        _ROUTES.replace(
            unit, list(changed), [_stored(unit, c, route, known.get(c)) for c, route in changed.items()]
        )
        for client_id, route in changed.items():
            details = {name: _as_kept(value) for name, value in values_of(route).items()}
            unit.audit(
                AuditEntry(AuditAction.CLIENT_ROUTE, self._engine.actor, client_id=client_id, details=details)
            )
        unit.touched.roster = True
        updated = len(changed.keys() & known.keys())
        return RoutesReport(len(changed) - updated, updated, len(routes) - len(changed))


def _differs(route: NewRoute, stored: RouteView) -> bool:
    return any(getattr(route, name) != getattr(stored, name) for name in _OF_ROUTE)


def _consent_of(route: NewRoute) -> NewConsent | None:
    if not route.consent:
        return None
    return check_consent(NewConsent(ConsentKind.TRADING, route.consent, until=route.consent_until))


def _stored(unit: Unit, client_id: int, route: NewRoute, before: RouteView | None) -> RouteView:
    """The route as it is kept; that its way out was refused stays with it while that is the same."""
    same_way = before is not None and all(getattr(before, name) == getattr(route, name) for name in _WAY_OUT)
    return RouteView(
        client_id,
        **{name: getattr(route, name) for name in _OF_ROUTE},
        refused_at=before.refused_at if before is not None and same_way else None,
        refused_text=before.refused_text if before is not None and same_way else "",
        updated_at=unit.now,
    )


def note_refused(unit: Unit, client_id: int, order_id: int, words: str, actor: str) -> None:
    """Keep that a broker refused an order for the way it came, until the route is changed or retried.

    The first refusal is kept and told. A route without an api key is no way at all, and told as that.
    """
    route = access.route_in_use(unit, client_id)
    if route is None or route.refused_at is not None or not route.api_key:
        return
    code = route.code
    _mark(unit, client_id, unit.now, words[:300])
    details = {"code": code, "words": words[:300]}
    unit.audit(
        AuditEntry(
            AuditAction.CLIENT_ROUTE_REFUSED, actor, client_id=client_id, order_id=order_id, details=details
        )
    )
    unit.publish(TapeLine(unit.now, RouteRefused(code, words)))


def note_demat(unit: Unit, client_id: int, told: Demat, actor: str) -> None:
    """Take over by what right a client's shares are sold, as its broker tells it at a sign-in.

    A right that the broker knows of stands in place of none. Where it knows of none and a paper says
    otherwise, the paper stands, and the trader is told: the client's next sale shows who is right.
    """
    route = access.route_in_use(unit, client_id)
    if told is Demat.UNKNOWN or route is None or route.demat == told:
        return
    code = route.code
    if route.demat in (Demat.DDPI, Demat.POA):
        if told is Demat.NONE:
            unit.publish(TapeLine(unit.now, DematNotKnown(code, route.demat.value)))
        return
    access.set_demat(unit, client_id, told, unit.now)
    details = {"code": code, "demat": told.value, "before": str(route.demat)}
    unit.audit(AuditEntry(AuditAction.CLIENT_DEMAT_TOLD, actor, client_id=client_id, details=details))
    unit.touched.roster = True


def _mark(unit: Unit, client_id: int, at: datetime | None, words: str) -> None:
    access.mark_route(unit, client_id, at, words)
    unit.touched.roster = True


def _as_kept(value: object) -> object:
    if isinstance(value, StrEnum):
        return value.value
    return value.isoformat() if isinstance(value, date) else value


def columns(
    rows: Sequence[RouteView], codes: Mapping[int, str], given: Mapping[int, Sequence[ConsentView]]
) -> list[tuple[str, ...]]:
    """Routes as rows of a route file, in the order of its columns; `given` are clients' consents."""
    found: list[tuple[str, ...]] = []
    for route in rows:
        reference, until = trading_consent(given.get(route.client_id, ()))
        values = {
            **{name: str(getattr(route, name)) for name in OPTIONAL if name not in (*_OF_CONSENT, "mtf")},
            "consent": reference,
            "consent_until": until.isoformat() if until else "",
            "mtf": "" if route.mtf_enabled is None else "yes" if route.mtf_enabled else "no",
        }
        found.append((codes[route.client_id], route.kind.value, *(values[name] for name in OPTIONAL)))
    return found


def trading_consent(given: Sequence[ConsentView]) -> tuple[str, date | None]:
    """The reference and the last day of a client's newest consent to trading; empty where it has none."""
    found = standing(given, ConsentKind.TRADING)
    return (found[-1].reference, found[-1].until) if found else ("", None)

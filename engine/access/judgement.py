"""What of its route, session and waivers keeps a client from trading.

Judging is pure, so that the book, plans and the gate say the same of a client. On the paper exchange nothing
needs to be entered.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from brokers.connection import Connection
from data.records import replace
from data.vocabulary import (
    Demat,
    GateColour,
    GateItem,
    RouteKind,
    SessionState,
)
from engine.book.access_views import (
    THIS_MACHINE,
    Access,
    Admission,
    Admissions,
    Applicant,
    RouteView,
)
from engine.book.gate_views import (
    ConsentFigures,
    DematFigures,
    GateFinding,
    GateVerdict,
    NoRouteFigures,
    RouteFigures,
)

CONSENT_NOTICE_DAYS = 7
"""How many days before its end a consent turns amber."""


def shared_addresses(routes: Mapping[int, RouteView], codes: Mapping[int, str]) -> dict[int, tuple[str, ...]]:
    """For each client of `codes` that shares its address without right: the codes of the others there.

    An address is shared by who leaves the same way, and by who is to be seen with the same address.

    One static address serves one client or one family (SEBI's circular of 4 February 2025 on algorithmic
    trading, as Zerodha applies it since April 2026); a written permission of the broker lifts that.
    """
    at_address: dict[str, list[RouteView]] = defaultdict(list)
    for client_id in sorted(codes, key=lambda one: codes[one]):
        route = routes.get(client_id)
        if route is not None and route.kind is not RouteKind.PAPER:
            for address in {route.way_out, route.egress}:
                at_address[address].append(route)
    found: dict[int, set[str]] = defaultdict(set)
    for there in at_address.values():
        by_family: dict[str, list[RouteView]] = defaultdict(list)
        for one in there:
            by_family[one.family.casefold() or f"\0{one.client_id}"].append(one)
        if len(by_family) < 2:
            continue
        for family, members in by_family.items():
            others = {codes[o.client_id] for f, rest in by_family.items() if f != family for o in rest}
            for one in members:
                if not one.permission:
                    found[one.client_id] |= others
    return {client_id: tuple(sorted(others)) for client_id, others in sorted(found.items())}


def needs_route(connection: Connection | None) -> bool:
    """Whether a client's calls leave by a way of its own; asked of who is carried by none, too."""
    return connection is None or connection.capabilities.needs_route


def judge_route(connection: Connection | None, route: RouteView | None, others: Sequence[str]) -> GateVerdict:
    """Whether this client's orders may leave the way they would, by the connection that carries it.

    At a simulated broker who leaves by this machine is amber: not every system has loopback addresses
    enough to give each client its own.
    """
    if connection is None:
        return GateVerdict(GateColour.RED, GateFinding.NO_CONNECTION)
    if not connection.capabilities.needs_route:
        return GateVerdict(GateColour.GREEN, GateFinding.NO_ROUTE_NEEDED, NoRouteFigures(connection.kind))
    if route is None:
        return GateVerdict(GateColour.RED, GateFinding.NO_ROUTE)
    figures = RouteFigures(
        kind=route.kind,
        egress=route.egress,
        family=route.family,
        way_out=route.way_out,
        egress_ip=route.egress_ip,
        venue=connection.broker.name,
    )
    if route.kind is RouteKind.PAPER:
        return GateVerdict(GateColour.RED, GateFinding.ROUTE_SAYS_PAPER, figures)
    if not route.api_key:
        return GateVerdict(GateColour.RED, GateFinding.NO_API_KEY, figures)
    if route.kind is RouteKind.DEALER and not route.permission:
        return GateVerdict(GateColour.RED, GateFinding.NO_PERMISSION, figures)
    if route.refused_at is not None:
        refused = replace(figures, refused_at=route.refused_at, refused_text=route.refused_text)
        return GateVerdict(GateColour.RED, GateFinding.ROUTE_REFUSED, refused)
    if others:
        here = route.way_out == THIS_MACHINE
        colour = GateColour.AMBER if connection.simulated and here else GateColour.RED
        return GateVerdict(colour, GateFinding.ADDRESS_SHARED, replace(figures, shared_with=tuple(others)))
    if not route.egress_ip and route.egress == THIS_MACHINE:
        return GateVerdict(GateColour.AMBER, GateFinding.NO_ADDRESS_NAMED, figures)
    return GateVerdict(GateColour.GREEN, GateFinding.ROUTE_READY, figures)


def judge_consent(connection: Connection | None, route: RouteView | None, day: date) -> GateVerdict:
    """Whether the client has agreed to orders being placed for it on `day`."""
    if not needs_route(connection):
        return GateVerdict(GateColour.GREEN, GateFinding.NOT_ASKED)
    if route is None or not route.consent:
        return GateVerdict(GateColour.RED, GateFinding.NO_CONSENT)
    until = route.consent_until
    if until is None:
        return GateVerdict(GateColour.GREEN, GateFinding.CONSENT_GIVEN, ConsentFigures(route.consent))
    left = (until - day).days
    figures = ConsentFigures(route.consent, until, left)
    if left < 0:
        return GateVerdict(GateColour.RED, GateFinding.CONSENT_ENDED, figures)
    if left <= CONSENT_NOTICE_DAYS:
        return GateVerdict(GateColour.AMBER, GateFinding.CONSENT_ENDS_SOON, figures)
    return GateVerdict(GateColour.GREEN, GateFinding.CONSENT_GIVEN, figures)


def judge_demat(connection: Connection | None, route: RouteView | None) -> GateVerdict:
    """Whether settled shares can be sold without the client's word at the depository."""
    if not needs_route(connection):
        return GateVerdict(GateColour.GREEN, GateFinding.NOT_ASKED)
    demat = Demat.UNKNOWN if route is None else route.demat
    if demat in (Demat.DDPI, Demat.POA):
        return GateVerdict(GateColour.GREEN, GateFinding.DEMAT_AUTHORISED, DematFigures(demat))
    if demat is Demat.NONE:
        return GateVerdict(GateColour.AMBER, GateFinding.NO_DDPI)
    return GateVerdict(GateColour.AMBER, GateFinding.DEMAT_NOT_KNOWN)


def judge_clients(access: Access, applicants: Sequence[Applicant], day: date) -> Admissions:
    """What is against each client; an address is shared only with who trades."""
    trading = {one.client_id: one.code for one in applicants if one.trading}
    shared = shared_addresses(access.routes, trading)
    return Admissions(
        {one.client_id: admit(one, access, shared.get(one.client_id, ()), day) for one in applicants}, shared
    )


def admit(client: Applicant, access: Access, others: Sequence[str], day: date) -> Admission:
    """What is against this client; `others` share its address without right.

    Amber on route or consent keeps a client out until it is waived for the day; other ambers only warn.
    """
    client_id, connection = client.client_id, client.connection
    route, session = access.routes.get(client_id), access.sessions.get(client_id)
    if connection is None:  # where nothing reaches the broker, its route is what is against the client
        signed_in = True
    elif connection.capabilities.needs_sign_in:
        signed_in = session is not None and session.ok
    else:
        signed_in = client.session is SessionState.OK

    def against(item: GateItem, judged: GateVerdict) -> GateVerdict | None:
        waived = judged.colour is GateColour.AMBER and (client_id, item) in access.waivers
        return None if judged.colour is GateColour.GREEN or waived else judged

    with_route = needs_route(connection)
    demat = route.demat if with_route and route is not None else Demat.UNKNOWN
    way = (route.kind.value if route else "none") if with_route else RouteKind.PAPER.value
    return Admission(
        session=SessionState.OK if signed_in else SessionState.EXPIRED,
        route=way,
        route_verdict=against(GateItem.ROUTE, judge_route(connection, route, others)),
        consent_verdict=against(GateItem.CONSENT, judge_consent(connection, route, day)),
        authorised=demat is not Demat.NONE or (client_id, GateItem.DEMAT) in access.waivers,
    )

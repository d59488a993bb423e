"""What of its route, session and waivers keeps a client from trading.

Judging is pure, so that the book, plans and the gate say the same of a client. On the paper exchange nothing
needs to be entered.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from brokers.connection import Connection
from brokers.life import OrdersBarred
from data.records import replace
from data.vocabulary import (
    ConsentKind,
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
    ConsentNeed,
    ConsentView,
    ProbeView,
    RouteView,
    needs_route,
)
from engine.book.gate_views import (
    ConsentFigures,
    DematFigures,
    GateFinding,
    GateVerdict,
    LackingConsent,
    NoRouteFigures,
    RouteFigures,
)

NO_PROBES: Mapping[int, ProbeView] = {}
"""Nobody has looked by which addresses calls leave."""

CONSENT_NOTICE_DAYS = 7
"""How many days before its end a consent turns amber."""


def shared_addresses(
    routes: Mapping[int, RouteView], codes: Mapping[int, str], probes: Mapping[int, ProbeView] = NO_PROBES
) -> dict[int, tuple[str, ...]]:
    """For each client of `codes` that shares its address without right: the codes of the others there.

    An address is shared by who leaves the same way, and by who is to be seen, or was, with the same address.

    One static address serves one client or one family (SEBI's circular of 4 February 2025 on algorithmic
    trading, as Zerodha applies it since April 2026); a written permission of the broker lifts that.
    """
    at_address: dict[str, list[RouteView]] = defaultdict(list)
    for client_id in sorted(codes, key=lambda one: codes[one]):
        route = routes.get(client_id)
        if route is not None and route.kind is not RouteKind.PAPER:
            probe = probes.get(client_id)
            seen = {probe.seen} if probe is not None and probe.seen else set[str]()
            for address in {route.way_out, route.egress, *seen}:
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


def judge_route(
    connection: Connection | None,
    route: RouteView | None,
    others: Sequence[str],
    probe: ProbeView | None = None,
) -> GateVerdict:
    """Whether this client's orders may leave the way they would, by the connection that carries it.

    A `probe` of today that saw another address than the one on the broker's list, claimed for the route, or
    where none is claimed seen the day before, is red: its first order would be refused. One to which nobody
    told the address is amber: the way out is known, and not where it comes out.

    At a simulated broker who leaves by this machine is amber: not every system has loopback addresses
    enough to give each client its own. An address that nobody told counts for nothing there: calls over
    loopback come out nowhere.
    """
    if connection is None:
        return GateVerdict(GateColour.RED, GateFinding.NO_CONNECTION)
    if not connection.capabilities.needs_route:
        return GateVerdict(GateColour.GREEN, GateFinding.NO_ROUTE_NEEDED, NoRouteFigures(connection.kind))
    if route is None:
        return GateVerdict(GateColour.RED, GateFinding.NO_ROUTE)
    figures = _figures_of(connection, route, probe)
    if route.kind is RouteKind.PAPER:
        return GateVerdict(GateColour.RED, GateFinding.ROUTE_SAYS_PAPER, figures)
    if not route.api_key:
        return GateVerdict(GateColour.RED, GateFinding.NO_API_KEY, figures)
    if route.kind is RouteKind.DEALER and not route.permission:
        return GateVerdict(GateColour.RED, GateFinding.NO_PERMISSION, figures)
    if route.refused_at is not None:
        refused = replace(figures, refused_at=route.refused_at, refused_text=route.refused_text)
        return GateVerdict(GateColour.RED, GateFinding.ROUTE_REFUSED, refused)
    if (barred := connection.life.barred(route.client_id, route.api_key)) is not None:
        return GateVerdict(GateColour.RED, _BARRED[barred], figures)
    if others:
        here = route.way_out == THIS_MACHINE
        colour = GateColour.AMBER if connection.simulated and here else GateColour.RED
        return GateVerdict(colour, GateFinding.ADDRESS_SHARED, replace(figures, shared_with=tuple(others)))
    if (odd := _other_address(figures)) is not None:
        return GateVerdict(GateColour.RED, odd, figures)
    if (unknown := _unknown_address(connection, route, figures)) is not None:
        return GateVerdict(GateColour.AMBER, unknown, figures)
    return GateVerdict(GateColour.GREEN, GateFinding.ROUTE_READY, figures)


_BARRED = {
    OrdersBarred.NO_ALGO_NAME: GateFinding.NO_ALGO_NAME,
    OrdersBarred.KILL_SWITCH: GateFinding.KILL_SWITCH_ON,
}


def _figures_of(connection: Connection, route: RouteView, probe: ProbeView | None) -> RouteFigures:
    figures = RouteFigures(
        kind=route.kind,
        egress=route.egress,
        family=route.family,
        way_out=route.way_out,
        egress_ip=route.egress_ip,
        venue=connection.broker.name,
    )
    if probe is None:
        return figures
    return replace(
        figures,
        seen=probe.seen,
        told_by=probe.told_by,
        seen_before=probe.seen_before,
        unseen=probe.problem,
        registered=tuple(probe.registered.split()),
    )


def _other_address(route: RouteFigures) -> GateFinding | None:
    """What a look by which address calls leave says against a route."""
    if route.seen and route.egress_ip and route.seen != route.egress_ip:
        return GateFinding.ADDRESS_NOT_CLAIMED
    leaves_by = route.seen or route.egress_ip
    if route.registered and leaves_by and leaves_by not in route.registered:
        return GateFinding.ADDRESS_NOT_REGISTERED
    if route.seen and route.seen_before and not route.egress_ip and route.seen != route.seen_before:
        return GateFinding.ADDRESS_CHANGED
    return None


def _unknown_address(connection: Connection, route: RouteView, figures: RouteFigures) -> GateFinding | None:
    """What is not known of where a route comes out: nobody claims it, or nobody told it when it was asked."""
    if not route.egress_ip and route.egress == THIS_MACHINE:
        return GateFinding.NO_ADDRESS_NAMED
    return GateFinding.ADDRESS_NOT_TOLD if figures.unseen and not connection.simulated else None


def judge_consent(need: ConsentNeed, given: Sequence[ConsentView], day: date) -> GateVerdict:
    """Whether a client has agreed to what is asked of it, for `day`: by the consent that reaches furthest."""
    missing = GateColour.RED if need.hard else GateColour.AMBER
    begun = [one for one in standing(given, need.kind) if one.given_from is None or one.given_from <= day]
    if not begun:
        later = [one for one in standing(given, need.kind) if one.given_from is not None]
        if not later:
            return GateVerdict(missing, GateFinding.NO_CONSENT, ConsentFigures("", kind=need.kind))
        first = min(later, key=lambda one: (one.given_from or day, one.id))
        figures = ConsentFigures(first.reference, first.until, kind=need.kind, begins=first.given_from)
        return GateVerdict(missing, GateFinding.CONSENT_NOT_BEGUN, figures)
    best = max(begun, key=lambda one: (one.until or date.max, one.id))
    if best.until is None:
        return GateVerdict(
            GateColour.GREEN, GateFinding.CONSENT_GIVEN, ConsentFigures(best.reference, kind=need.kind)
        )
    left = (best.until - day).days
    figures = ConsentFigures(best.reference, best.until, left, need.kind)
    if left < 0:
        return GateVerdict(missing, GateFinding.CONSENT_ENDED, figures)
    if left <= CONSENT_NOTICE_DAYS:
        return GateVerdict(GateColour.AMBER, GateFinding.CONSENT_ENDS_SOON, figures)
    return GateVerdict(GateColour.GREEN, GateFinding.CONSENT_GIVEN, figures)


def standing(given: Sequence[ConsentView], kind: ConsentKind) -> list[ConsentView]:
    """Of a client's consents those of a kind that nobody has ended."""
    return [one for one in given if one.kind is kind and one.stands]


def covering(given: Sequence[ConsentView], day: date) -> list[ConsentView]:
    """Of a client's consents those that hold on a day."""
    return [one for one in given if one.stands and (one.given_from or day) <= day <= (one.until or day)]


def judge_consents(
    needs: Sequence[ConsentNeed], given: Sequence[ConsentView], day: date
) -> list[LackingConsent]:
    """All that is asked of a client, the worst first: what keeps orders back before what only warns."""
    found = [LackingConsent(one.kind, one.hard, judge_consent(one, given, day)) for one in needs]
    return sorted(found, key=lambda one: (_BY_COLOUR[one.verdict.colour], not one.hard))


def consent_verdict(needs: Sequence[ConsentNeed], given: Sequence[ConsentView], day: date) -> GateVerdict:
    """The worst of what is asked of a client; green where nothing is.

    Without the one to MTF only buys on margin are kept back: that is amber at the gate, and kept back even
    where it is waived.
    """
    judged = judge_consents(needs, given, day)
    worst = min(judged, key=lambda one: (_BY_COLOUR[_at_gate(one).colour], not bars_all(one)), default=None)
    return GateVerdict(GateColour.GREEN, GateFinding.NOT_ASKED) if worst is None else _at_gate(worst)


def _at_gate(lacking: LackingConsent) -> GateVerdict:
    if lacking.verdict.colour is GateColour.RED and not bars_all(lacking):
        return replace(lacking.verdict, colour=GateColour.AMBER)
    return lacking.verdict


_BY_COLOUR = {GateColour.RED: 0, GateColour.AMBER: 1, GateColour.GREEN: 2}


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
    shared = shared_addresses(access.routes, trading, access.probes)
    return Admissions(
        {one.client_id: admit(one, access, shared.get(one.client_id, ()), day) for one in applicants}, shared
    )


def admit(client: Applicant, access: Access, others: Sequence[str], day: date) -> Admission:
    """What is against this client; `others` share its address without right.

    Amber on route or a hard consent keeps a client out until it is waived for the day; other ambers only
    warn, and so does an address that nobody told. A consent to MTF keeps nothing back but buys on margin.
    """
    client_id, connection = client.client_id, client.connection
    route, session = access.routes.get(client_id), access.sessions.get(client_id)
    probe = access.probes.get(client_id)
    if connection is None:  # where nothing reaches the broker, its route is what is against the client
        signed_in = True
    elif connection.capabilities.needs_sign_in:
        signed_in = session is not None and session.ok
    else:
        signed_in = client.session is SessionState.OK

    def against(item: GateItem, judged: GateVerdict) -> GateVerdict | None:
        waived = judged.colour is GateColour.AMBER and (client_id, item) in access.waivers
        warns = judged.colour is GateColour.GREEN or judged.finding is GateFinding.ADDRESS_NOT_TOLD
        return None if warns or waived else judged

    lacking = lacking_consents(client, access.consents.get(client_id, ()), access, day)
    with_route = needs_route(connection)
    demat = route.demat if with_route and route is not None else Demat.UNKNOWN
    way = (route.kind.value if route else "none") if with_route else RouteKind.PAPER.value
    return Admission(
        session=SessionState.OK if signed_in else SessionState.EXPIRED,
        route=way,
        route_verdict=against(GateItem.ROUTE, judge_route(connection, route, others, probe)),
        consent_verdict=next((one.verdict for one in lacking if bars_all(one)), None),
        authorised=demat is not Demat.NONE or (client_id, GateItem.DEMAT) in access.waivers,
        consents_lacking=tuple(lacking),
    )


def lacking_consents(
    client: Applicant, given: Sequence[ConsentView], access: Access, day: date
) -> list[LackingConsent]:
    """What is asked of a client and missing or about to end, the worst first, but for what was waived."""
    waived = (client.client_id, GateItem.CONSENT) in access.waivers
    judged = judge_consents(client.needs, given, day) if client.needs else []
    passed = {GateColour.GREEN, GateColour.AMBER} if waived else {GateColour.GREEN}
    return [one for one in judged if one.verdict.colour not in passed]


def bars_all(lacking: LackingConsent) -> bool:
    """Whether it keeps every order of a client back: a soft one only warns, MTF is of buys on margin."""
    return lacking.hard and lacking.kind is not ConsentKind.MTF

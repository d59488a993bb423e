"""What of its route, session and waivers keeps a client from trading.

Judging is pure, so that the book, plans and the gate say the same of a client. On the paper exchange nothing
needs to be entered.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import ip_address

from brokers.connection import Connection
from data.clock import IST
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

_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f:.]*[0-9A-Fa-f]")

NO_CONNECTION = "no connection to its broker on this desk"
"""Said of a client whom no connection carries; all else that is missing of it does not matter then."""

CONSENT_NOTICE_DAYS = 7
"""How many days before its end a consent turns amber."""


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """One item of the gate: its colour and the words and figures behind it."""

    colour: GateColour
    words: str
    figures: Mapping[str, object] = field(default_factory=dict[str, object])


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
        return GateVerdict(GateColour.RED, NO_CONNECTION)
    if not connection.capabilities.needs_route:
        return GateVerdict(GateColour.GREEN, connection.kind.value)
    if route is None:
        return GateVerdict(GateColour.RED, "no route: `tradedesk routes import` takes it")
    figures = {"kind": route.kind, "egress": route.egress, "family": route.family}
    if route.kind is RouteKind.PAPER:
        there = connection.broker.name
        return GateVerdict(GateColour.RED, f"its route says paper, but orders go to {there} here", figures)
    if not route.api_key:
        return GateVerdict(GateColour.RED, "no api key", figures)
    if route.kind is RouteKind.DEALER and not route.permission:
        return GateVerdict(GateColour.RED, "dealer route without the broker's written permission", figures)
    if route.refused_at is not None:
        words = _refused_words(route, route.refused_at)
        return GateVerdict(GateColour.RED, words, {**figures, "refused_at": route.refused_at})
    if others:
        here = route.way_out == THIS_MACHINE
        colour = GateColour.AMBER if connection.simulated and here else GateColour.RED
        return GateVerdict(colour, _shared_words(route, others), {**figures, "shared_with": others})
    if not route.egress_ip and route.egress == THIS_MACHINE:
        words = "leaves by this machine; name the egress address that the broker has on its list"
        return GateVerdict(GateColour.AMBER, words, figures)
    return GateVerdict(GateColour.GREEN, f"{route.kind.value} by {route.egress}", figures)


def _shared_words(route: RouteView, others: Sequence[str]) -> str:
    """With whom a client shares its way out, and what would mend it where the way is none of its own."""
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    where = THIS_MACHINE if route.way_out == THIS_MACHINE else route.egress
    words = f"shares {where} with {others[0]}{more}, of another family and without a permission"
    if where != THIS_MACHINE or not route.egress_ip:
        return words
    return f"{words}: give it a proxy or an address to bind to, by which it leaves as {route.egress_ip}"


def _refused_words(route: RouteView, at: datetime) -> str:
    """What the broker said of this way out, and what would mend it."""
    where = "this machine's address" if route.egress == THIS_MACHINE else route.egress
    seen = _address_in(route.refused_text)
    if seen and route.egress not in (THIS_MACHINE, seen):
        mend = f"it left by {seen} and not by {where}: correct the route or this machine's way out"
    else:
        mend = f"put {where} on the client's list in the broker's developer console, or correct the route"
    return (
        f"refused {at.astimezone(IST):%d %b %H:%M}: {route.refused_text.rstrip('.')}; {mend}; "
        "then retry it: the next order shows whether the broker takes it"
    )


def _address_in(words: str) -> str:
    """The first IPv4 or IPv6 address that a broker's words name, empty where they name none."""
    for found in _ADDRESS.finditer(words):
        try:
            return str(ip_address(found.group()))
        except ValueError:
            continue
    return ""


def judge_consent(connection: Connection | None, route: RouteView | None, day: date) -> GateVerdict:
    """Whether the client has agreed to orders being placed for it on `day`."""
    if not needs_route(connection):
        return GateVerdict(GateColour.GREEN, "not asked on paper")
    if route is None or not route.consent:
        return GateVerdict(GateColour.RED, "no consent recorded")
    until = route.consent_until
    if until is None:
        return GateVerdict(GateColour.GREEN, route.consent)
    left = (until - day).days
    figures = {"consent_until": until, "days_left": left}
    if left < 0:
        return GateVerdict(GateColour.RED, f"consent ended on {until:%d %b %Y}", figures)
    if left <= CONSENT_NOTICE_DAYS:
        return GateVerdict(GateColour.AMBER, f"consent ends on {until:%d %b %Y}", figures)
    return GateVerdict(GateColour.GREEN, f"{route.consent}, until {until:%d %b %Y}", figures)


def judge_demat(connection: Connection | None, route: RouteView | None) -> GateVerdict:
    """Whether settled shares can be sold without the client's word at the depository."""
    if not needs_route(connection):
        return GateVerdict(GateColour.GREEN, "not asked on paper")
    demat = Demat.UNKNOWN if route is None else route.demat
    if demat in (Demat.DDPI, Demat.POA):
        return GateVerdict(GateColour.GREEN, demat.value.upper())
    if demat is Demat.NONE:
        words = "no DDPI: settled shares sell once the client has authorised it today; then waive this"
        return GateVerdict(GateColour.AMBER, words)
    return GateVerdict(GateColour.AMBER, "not known whether it gave a DDPI")


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

    def against(item: GateItem, judged: GateVerdict) -> str:
        waived = judged.colour is GateColour.AMBER and (client_id, item) in access.waivers
        return "" if judged.colour is GateColour.GREEN or waived else judged.words

    with_route = needs_route(connection)
    demat = route.demat if with_route and route is not None else Demat.UNKNOWN
    way = (route.kind.value if route else "none") if with_route else RouteKind.PAPER.value
    return Admission(
        session=SessionState.OK if signed_in else SessionState.EXPIRED,
        route=way,
        route_words=against(GateItem.ROUTE, judge_route(connection, route, others)),
        consent_words=against(GateItem.CONSENT, judge_consent(connection, route, day)),
        authorised=demat is not Demat.NONE or (client_id, GateItem.DEMAT) in access.waivers,
    )

"""What stands against a client's trading: the gate, and books that differ from the broker's."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from data.clock import IST
from data.money import half_up
from data.vocabulary import ConsentKind, GateColour
from engine.book.access_views import THIS_MACHINE
from engine.book.gate_views import (
    BrokenSession,
    ConsentFigures,
    DematFigures,
    DownFigures,
    FundsFigures,
    GateFinding,
    MtfFigures,
    NoRouteFigures,
    RouteFigures,
    SessionFigures,
)
from engine.words.breaks import break_words
from engine.words.formats import counted
from engine.words.trading.reasons import GATE_WORDS, REASON_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from engine.book.gate_views import GateFigures, GateVerdict
    from engine.book.views import BooksCounts, Readiness

_ADDRESS = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f:.]*[0-9A-Fa-f]")

READY, DIFFER, UNREAD = "ok", "diff", "wait"
"""Five letters at most: nothing is in the way, books differ, and nobody has compared them yet."""


def gate_brief(readiness: Readiness) -> str:
    """The gate in five letters; `diff` may only sell, `wait` is not compared with the broker yet."""
    if readiness.gate is not None:
        return GATE_WORDS.get(readiness.gate, str(readiness.gate))
    if readiness.differs:
        return DIFFER
    return READY if readiness.compared else UNREAD


def gate_sentence(readiness: Readiness) -> str:
    """The gate in words."""
    if readiness.gate is not None:
        return REASON_WORDS[readiness.gate]
    if readiness.differs:
        return "books differ, only sells"
    return READY if readiness.compared else "not compared yet"


def books_words(counts: BooksCounts) -> list[str]:
    """How many clients' books differ or were not compared yet, for a title; nothing where all agree."""
    words = [f"books differ {counts.differ}"] if counts.differ else []
    return [*words, f"not compared {counts.unread}"] if counts.unread else words


_PLAIN: dict[GateFinding, str] = {
    GateFinding.CANNOT_SIGN_IN: "it cannot sign in here",
    GateFinding.NOT_SIGNED_IN: "not signed in",
    GateFinding.SESSION_EXPIRED: "session expired",
    GateFinding.NO_SIGN_IN_NEEDED: "no sign-in needed",
    GateFinding.NO_CONNECTION: "no connection to its broker on this desk",
    GateFinding.NO_ROUTE: "no route: `tradedesk routes import` takes it",
    GateFinding.NO_API_KEY: "no api key",
    GateFinding.NO_ALGO_NAME: "its app is registered as an algo, and the algo's name is not set",
    GateFinding.KILL_SWITCH_ON: "its kill switch is on at the broker: no order is taken there",
    GateFinding.NO_PERMISSION: "dealer route without the broker's written permission",
    GateFinding.NO_ADDRESS_NAMED: (
        "leaves by this machine; name the egress address that the broker has on its list"
    ),
    GateFinding.NOT_ASKED: "not asked on paper",
    GateFinding.NO_CONSENT: "no consent recorded",
    GateFinding.NO_DDPI: (
        "no DDPI: settled shares sell once the client has authorised it today; then waive this"
    ),
    GateFinding.DEMAT_NOT_KNOWN: "not known whether it gave a DDPI",
    GateFinding.CLIENT_NOT_ACTIVE: "not compared: the client is not active",
    GateFinding.NOT_COMPARED: "not compared with the broker's since the desk was opened",
    GateFinding.MTF_OFF: "off",
    GateFinding.MTF_OFF_AT_BROKER: "a limit or loan stands, but the broker has MTF switched off",
    GateFinding.MTF_NOT_KNOWN: "not known whether the broker has MTF switched on",
    GateFinding.LOAN_OVER_LIMIT: "the loan is over the limit",
}


def verdict_words(verdict: GateVerdict, shown_at: Callable[[datetime], datetime]) -> str:
    """What the gate says of an item; `shown_at` makes a stamp one that the trader reads.

    Raises `TypeError` for a finding without words.
    """
    if isinstance(verdict.figures, DownFigures):
        return down_words(verdict.figures.venue, shown_at(verdict.figures.since))
    if isinstance(verdict.figures, SessionFigures):
        return _session_words(verdict.finding, verdict.figures, shown_at(verdict.figures.login_at))
    return finding_words(verdict.finding, verdict.figures)


def down_words(broker: str, since: datetime) -> str:
    """A broker that answers nobody: `Upstox does not answer since 10:42`, by the market's clock."""
    return f"{broker.capitalize()} does not answer since {since.astimezone(IST):%H:%M}"


def probed_words(routes: Sequence[GateVerdict]) -> str:
    """How many routes were looked at and are red: `46 routes looked at, 2 red, of 4 the address not told`."""
    red = sum(one.colour is GateColour.RED for one in routes)
    untold = sum(one.finding is GateFinding.ADDRESS_NOT_TOLD for one in routes)
    words = f"{counted(len(routes), 'route')} looked at, {red} red"
    return f"{words}, of {untold} the address not told" if untold else words


def finding_words(finding: GateFinding, figures: GateFigures | None) -> str:
    """What was found of an item but for a session that stands. Raises `TypeError` for one without words."""
    if isinstance(figures, ConsentFigures):
        return _consent_words(finding, figures)
    if (plain := _PLAIN.get(finding)) is not None:
        return plain
    match figures:
        case BrokenSession(text=text):
            return text if "sign in" in text.casefold() else f"{text.rstrip('.')}; sign in again"
        case NoRouteFigures(kind=kind):
            return kind.value
        case RouteFigures():
            return _route_words(finding, figures)
        case DematFigures(demat=demat):
            return demat.value.upper()
        case FundsFigures():
            return _funds_words(finding, figures)
        case MtfFigures(used_bps=int(used)):
            return f"{half_up(used, 100)} % of the limit used"
        case _:
            raise TypeError(f"no words for {finding!r}, {figures!r}")


def _session_words(finding: GateFinding, figures: SessionFigures, login_at: datetime) -> str:
    words = f"signed in {login_at.astimezone(IST):%H:%M}"
    if figures.polled:
        words = f"{words}, its api key has no stream"
    if finding is GateFinding.SESSION_NOT_REACHED:
        return f"{words}, but the last look failed: {figures.problem_text}"
    return words if figures.minutes_left is None else f"{words}, ends in {figures.minutes_left} min"


def _route_words(finding: GateFinding, route: RouteFigures) -> str:
    if finding is GateFinding.ROUTE_SAYS_PAPER:
        return f"its route says paper, but orders go to {route.venue} here"
    if route.refused_at is not None:
        return _refused_words(route, route.refused_at)
    if route.shared_with:
        return _shared_words(route)
    return _seen_words(finding, route) if route.seen or route.unseen or route.registered else _by_words(route)


def _by_words(route: RouteFigures) -> str:
    return f"{route.kind.value} by {route.egress}"


def _seen_words(finding: GateFinding, route: RouteFigures) -> str:
    """What was seen of the way out today, and whose word that is."""
    whose = f"as {route.told_by} sees it"
    if finding is GateFinding.ADDRESS_NOT_CLAIMED:
        return f"it leaves by {route.seen}, {whose}; its route says {route.egress_ip}"
    if finding is GateFinding.ADDRESS_NOT_REGISTERED:
        there = f"{route.venue.capitalize()} has {', '.join(route.registered)} on its list"
        if route.seen:
            return f"it leaves by {route.seen}, {whose}; {there}"
        return f"{there}, its route says {route.egress_ip}"
    if finding is GateFinding.ADDRESS_CHANGED:
        return f"it leaves by {route.seen}, {whose}; the day before by {route.seen_before}"
    if route.seen:
        return f"{_by_words(route)}, seen as {route.seen} by {route.told_by}"
    on_list = ", which its broker has on its list" if route.registered else ""
    return f"address not told: {_by_words(route)}{on_list}; {route.unseen}"


def _shared_words(route: RouteFigures) -> str:
    """With whom a client shares its way out, and what would mend it where the way is none of its own."""
    first, *others = route.shared_with
    more = f" and {len(others)} more" if others else ""
    where = THIS_MACHINE if route.way_out == THIS_MACHINE else route.egress
    words = f"shares {where} with {first}{more}, of another family and without a permission"
    if where != THIS_MACHINE or not route.egress_ip:
        return words
    return f"{words}: give it a proxy or an address to bind to, by which it leaves as {route.egress_ip}"


def _refused_words(route: RouteFigures, at: datetime) -> str:
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


CONSENT_TO: dict[ConsentKind, str] = {
    ConsentKind.TRADING: "",
    ConsentKind.MTF: " to MTF",
    ConsentKind.CONTRACT_NOTES: " to contract notes by mail",
    ConsentKind.ALGO: " to orders by api",
    ConsentKind.PHONE: " to recorded calls",
}
"""What each kind of consent is to, behind the word; trading is what one thinks of where nothing is said."""


def _consent_words(finding: GateFinding, consent: ConsentFigures) -> str:
    subject = f"consent{CONSENT_TO[consent.kind]}"
    if finding is GateFinding.NO_CONSENT:
        return f"no {subject} recorded"
    if consent.begins is not None:
        return f"{subject} begins on {consent.begins:%d %b %Y}"
    if consent.until is None:
        return consent.reference
    match finding:
        case GateFinding.CONSENT_ENDED:
            return f"{subject} ended on {consent.until:%d %b %Y}"
        case GateFinding.CONSENT_ENDS_SOON:
            return f"{subject} ends on {consent.until:%d %b %Y}"
        case _:
            return f"{consent.reference}, until {consent.until:%d %b %Y}"


def _funds_words(finding: GateFinding, funds: FundsFigures) -> str:
    if funds.breaks:
        first, *others = funds.breaks
        return f"only sells: {break_words(first)}{f' and {len(others)} more' if others else ''}"
    age = int(funds.age_s or 0)
    return (
        f"compared {age // 60} min ago"
        if finding is GateFinding.COMPARED_LONG_AGO
        else f"compared {age} s ago"
    )

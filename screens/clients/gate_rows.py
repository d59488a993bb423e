"""The morning gate's columns and the words behind each item of a client."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, NamedTuple

from data.vocabulary import ClientStatus, GateColour, GateItem, RouteKind
from engine.book.gate_views import (
    NEVER_WAIVED,
    ConsentFigures,
    DematFigures,
    FundsFigures,
    GateFinding,
    MtfFigures,
    RouteFigures,
    SessionFigures,
)
from engine.book.not_trading import NOT_TRADING
from engine.book.views import ClientView
from engine.words import formats
from engine.words.formats import MASK
from engine.words.gate import READY, verdict_words
from engine.words.trading.client_terms import pause_words
from engine.words.trading.reasons import GATE_WORDS
from screens.frame.times import market_time
from screens.frame.whose import at_several, broker_column, who_words
from widgets.livegrid import Column

if TYPE_CHECKING:
    from engine.access.gate import GateCheck, GateRow
    from engine.desk import Desk

ITEM_TITLES = {
    GateItem.SESSION: "session",
    GateItem.ROUTE: "route",
    GateItem.CONSENT: "consent",
    GateItem.DEMAT: "DDPI",
    GateItem.FUNDS: "funds",
    GateItem.MTF: "MTF",
}
"""The items as they are named on the screen, in their order."""

STATUSES = frozenset(status.value for status in ClientStatus)
"""The words of a client's status, which a filter takes as they are: `active` is not `inactive`."""

STYLES = {GateColour.GREEN: "up", GateColour.AMBER: "warn", GateColour.RED: "armed"}
"""How each colour is drawn; a word or letter says the same."""

_MARKS = {GateColour.GREEN: READY, GateColour.AMBER: "amber", GateColour.RED: "RED"}
"""The word of each colour."""

_RED, _AMBER, _GREEN, _OUT = range(4)


def is_out(row: GateRow) -> bool:
    """Whether the client is not active, and so neither ready nor red."""
    return row.reason in NOT_TRADING


def needs_attention(row: GateRow) -> bool:
    """Whether a trader should look: red or amber, of an active client."""
    return not is_out(row) and row.colour is not GateColour.GREEN


def rank(row: GateRow) -> int:
    """Red first, then amber, then ready, then those that are not active."""
    if is_out(row):
        return _OUT
    return {GateColour.RED: _RED, GateColour.AMBER: _AMBER, GateColour.GREEN: _GREEN}[row.colour]


def gate_word(row: GateRow) -> str:
    """The client at the gate in one word, none where it is ready."""
    if is_out(row) and row.reason is not None:
        return GATE_WORDS[row.reason]
    return {GateColour.RED: "RED", GateColour.AMBER: "amber", GateColour.GREEN: ""}[row.colour]


def waivable(row: GateRow) -> list[GateCheck]:
    """The amber items that may pass and that nobody has waived; those that keep the client out stand first.

    Of a client with a red item only those: to take a mere warning away would let nothing pass.
    """
    blocking = (GateItem.ROUTE, GateItem.CONSENT)
    red = any(check.colour is GateColour.RED for check in row.checks)
    found = [check for check in row.checks if may_be_waived(check)]
    return sorted(
        (check for check in found if check.item in blocking or not red),
        key=lambda check: check.item not in blocking,
    )


def may_be_waived(check: GateCheck) -> bool:
    """Whether a typed word lets it pass for the day."""
    return check.colour is GateColour.AMBER and check.judged.finding not in NEVER_WAIVED


def can_retry(row: GateRow) -> bool:
    """Whether its broker refused its route, and nothing but that is asked for first: its session stands."""
    refused = row.check(GateItem.ROUTE).judged.finding is GateFinding.ROUTE_REFUSED
    return refused and row.check(GateItem.SESSION).colour is not GateColour.RED


def _fact(desk: Desk, row: GateRow, check: GateCheck) -> str:
    """The figure behind an item in four signs, empty where there is none."""
    match check.judged.figures:
        case SessionFigures(login_at=at):
            return market_time(desk, at)[:5]
        case FundsFigures(breaks=breaks, age_s=age):
            return "diff" if breaks else formats.age(age) if age is not None else ""
        case MtfFigures(used_bps=int(used)):
            return formats.whole_percent(used)
        case MtfFigures():
            return "" if check_open(check) else "off"
        case ConsentFigures(days_left=int(days)) if days < 1_000:
            return f"{days}d"
        case _ if desk.clients.get(row.client_id).route == RouteKind.PAPER:
            return ""
        case RouteFigures(kind=kind):
            return kind.value
        case DematFigures(demat=demat):
            return demat.value.upper()
        case _:
            return ""


def check_open(check: GateCheck) -> bool:
    """Whether a client has a limit for MTF or a loan."""
    figures = check.judged.figures
    return isinstance(figures, MtfFigures) and bool(figures.limit_paise or figures.loan_paise)


def item_cell(desk: Desk, row: GateRow, item: GateItem) -> str:
    """One item in six signs: its figure or nothing where green, else the colour's word or letter."""
    check = row.check(item)
    if check.waived and check.judged.colour is GateColour.AMBER:
        return "waived"
    fact = _fact(desk, row, check)
    if check.colour is GateColour.GREEN:
        return fact
    letter, word = ("R", "RED") if check.colour is GateColour.RED else ("A", "amber")
    return f"{letter} {fact}" if fact and len(fact) <= 4 else word


def gate_columns(desk: Desk, rows: Mapping[int, GateRow], masked: Callable[[], bool]) -> list[Column]:
    """The gate's columns; rows are client ids, looked up in `rows`."""

    def item(which: GateItem) -> Column:
        def style(client: int) -> str:
            check = rows[client].check(which)
            return "dim" if is_out(rows[client]) else STYLES[check.colour]

        def order(client: int) -> tuple[int, str]:
            colours = (GateColour.RED, GateColour.AMBER, GateColour.GREEN)
            return colours.index(rows[client].check(which).colour), item_cell(desk, rows[client], which)

        return Column(
            which.value,
            ITEM_TITLES[which],
            7 if which in (GateItem.SESSION, GateItem.CONSENT) else 6,
            lambda client: item_cell(desk, rows[client], which),
            style=style,
            sort=order,
        )

    def name(client: int) -> str:
        return MASK if masked() else desk.clients.get(client).name

    def capital(client: int) -> int | None:
        return desk.clients.get(client).capital_paise or None

    def gate_style(client: int) -> str:
        return "dim" if is_out(rows[client]) else STYLES[rows[client].colour]

    return [
        Column(
            "code", "code", 6, lambda c: desk.clients.get(c).code, sort=lambda c: desk.clients.get(c).code
        ),
        Column("name", "client", 14, name, sort=lambda c: desk.clients.get(c).name.casefold(), flex=True),
        Column(
            "gate", "gate", 5, lambda c: gate_word(rows[c]), style=gate_style, sort=lambda c: rank(rows[c])
        ),
        *(item(which) for which in GateItem),
        Column(
            "capital",
            "capital",
            7,
            lambda c: MASK if masked() else formats.lakh(capital(c)),
            "right",
            sort=capital,
            priority=1,
        ),
        *([broker_column(desk.clients.get, 1)] if at_several(desk.clients.all()) else []),
        Column("status", "status", 8, lambda c: desk.clients.get(c).status.value, priority=2),
    ]


class ItemWords(NamedTuple):
    """What stands behind one item: its title, its colour as a word, whether that is a warning, the words."""

    title: str
    mark: str
    colour: GateColour
    words: str


def broker_words(desk: Desk, client: ClientView) -> str:
    """Whose client it is, and where the desk has several connections, by which of them it trades."""
    if len(tuple(desk.connections)) == 1:
        return client.broker
    return f"{client.broker} by {client.connection or 'no connection'}"


def client_head(desk: Desk, row: GateRow, masked: bool) -> str:
    """Who it is, at which broker, and the state with its reason."""
    client = desk.clients.get(row.client_id)
    parts = [
        f"{client.code} {MASK if masked else client.name}",
        f"{client.broker_user_id} at {broker_words(desk, client)}",
    ]
    if client.status is not ClientStatus.ACTIVE:
        since = f" since {client.status_since:%d %b}" if client.status_since else ""
        why = f" ({client.status_reason})" if client.status_reason else ""
        parts.append(f"{client.status.value}{since}{why}")
    if client.paused:
        parts.append(pause_words(client))
    return " · ".join(parts)


def item_words(desk: Desk, row: GateRow, masked: bool) -> list[ItemWords]:
    """Every item of a client with its words and figures, in the order of the columns."""
    found: list[ItemWords] = []
    for check in row.checks:
        waived = bool(check.waived) and check.judged.colour is GateColour.AMBER
        mark = "waived" if waived else _MARKS[check.colour]
        hidden = masked and check.judged.finding is GateFinding.BOOKS_DIFFER
        told = "books differ, only sells" if hidden else verdict_words(check.judged, desk.shown_at)
        parts = [told, *_figures(desk, check, masked)]
        if waived:
            parts.append(f"waived today: {check.waived}")
        found.append(ItemWords(ITEM_TITLES[check.item], mark, check.colour, " · ".join(parts)))
    return found


def _figures(desk: Desk, check: GateCheck, masked: bool) -> list[str]:
    """The figures of an item that its words do not say."""

    def money(paise: int) -> str:
        return MASK if masked else formats.rupees(paise)

    match check.judged.figures:
        case SessionFigures(expires_at=until, checked_at=seen):  # market time, wall time
            ends = [] if until is None else [f"until {formats.time_of_day(until)[:5]}"]
            return [*ends, f"looked at {market_time(desk, seen)[:5]}"]
        case RouteFigures(family=family, shared_with=others):
            more = [f"there: {' '.join(others)}"] if len(others) > 1 else []
            return [*([f"family {family}"] if family else []), *more]
        case ConsentFigures(days_left=int(days)) if days >= 0:
            return [f"{days} days left"]
        case FundsFigures(available_paise=available):
            return [f"available {money(available)}"]
        case MtfFigures(limit_paise=limit, loan_paise=loan) if check_open(check):
            return [f"{money(loan)} of {money(limit)}"]
        case _:
            return []


def behind_words(desk: Desk, check: GateCheck) -> str:
    """What is behind an item, in words."""
    return verdict_words(check.judged, desk.shown_at)


def red_words(desk: Desk, row: GateRow) -> str:
    """Why a client's red items cannot be waived, and what mends them."""
    red = [check for check in row.checks if check.colour is GateColour.RED]
    told = "; ".join(f"{ITEM_TITLES[check.item]}: {behind_words(desk, check)}" for check in red)
    way = " (r signs in)" if any(check.item is GateItem.SESSION for check in red) else ""
    way = " (r retries the route)" if can_retry(row) else way
    return f"{row.code}: red cannot be waived: {told}{way}"


def is_meant(desk: Desk, client: ClientView, row: GateRow, words: Collection[str]) -> bool:
    """Whether a filter's words find a client: its status whole, others as a part of what is said of it."""
    if not words:
        return True
    text, status = _searched(desk, client, row), client.status.value
    return all(word == status if word in STATUSES else word in text for word in words)


def _searched(desk: Desk, client: ClientView, row: GateRow) -> str:
    """What a filter looks into: who it is, and the items that are not green."""
    items = " ".join(
        f"{ITEM_TITLES[check.item]} {check.colour.value} {behind_words(desk, check)}"
        for check in row.checks
        if check.colour is not GateColour.GREEN or check.waived
    )
    return f"{who_words(client)} {client.status} {items}".casefold()


def counted_words(desk: Desk, rows: Collection[GateRow]) -> list[str]:
    """How many are ready, red, amber and out of it."""
    counts = desk.counts()
    active = [row for row in rows if not is_out(row)]
    amber = sum(row.colour is GateColour.AMBER for row in active)
    red = sum(row.colour is GateColour.RED for row in active)
    parts = [f"gate {counts.ready}/{counts.clients}", f"red {red}", f"amber {amber}"]
    if len(active) < counts.clients:
        parts.append(f"not active {counts.clients - len(active)}")
    return parts

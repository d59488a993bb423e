"""The morning gate: what each client still lacks before orders may leave for it, item by item.

Red keeps a client out and cannot be waived. Amber on route or a hard consent keeps it out until a trader
waives it for the day; amber elsewhere only warns, and waiving takes the warning away (and lets settled
shares be sold).
What a session lacks, and books that differ, are mended and never waived.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from brokers.connection import Connection
from brokers.connections import Connections
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.money import BPS, half_up
from data.records import replace
from data.repositories.accounts.access import Waiver, add_waiver
from data.store import Unit
from data.vocabulary import (
    ClientStatus,
    GateColour,
    GateItem,
    Reason,
    SessionProblem,
    SessionState,
)
from engine.access.judgement import consent_verdict, judge_demat, judge_route
from engine.access.sessions import SOON
from engine.book.access_views import needs_route
from engine.book.gate_views import (
    NEVER_WAIVED,
    BrokenSession,
    DownFigures,
    FundsFigures,
    GateFinding,
    GateVerdict,
    MtfFigures,
    SessionFigures,
)
from engine.book.kept import Kept
from engine.book.not_trading import NOT_TRADING
from engine.book.views import ClientView
from engine.instances import ThisEngine
from engine.timing import Timing

FUNDS_AGE = timedelta(minutes=10)
"""Figures compared with the broker's longer ago than this are amber; the desk compares every five minutes."""

MTF_USED_BPS = 9_000
"""Share of the MTF limit from which on its use is amber."""

SHORTEST_REASON = 5
"""Fewest characters of a waiver's reason."""

_GREEN, _AMBER, _RED = GateColour.GREEN, GateColour.AMBER, GateColour.RED


class GateCheck(Struct, frozen=True):
    """One item of one client. `waived` holds the reason of today's waiver, empty without one."""

    item: GateItem
    judged: GateVerdict
    waived: str = ""

    @property
    def colour(self) -> GateColour:
        """The colour that counts: a waived amber is green."""
        colour = self.judged.colour
        return _GREEN if colour is _AMBER and self.waived else colour


class GateRow(Struct, frozen=True):
    """One client at the gate. `reason` is what keeps its orders back, None when they may leave.

    While its broker is down only buys are: what makes a position smaller is tried, and so are cancels. Its
    `colour` is the worst of its items; red where the client may not trade for another reason.
    """

    client_id: int
    code: str
    reason: Reason | None
    checks: tuple[GateCheck, ...]
    colour: GateColour

    def check(self, item: GateItem) -> GateCheck:
        """One of its items."""
        return next(one for one in self.checks if one.item is item)


def _worst(reason: Reason | None, checks: Sequence[GateCheck]) -> GateColour:
    colours = {check.colour for check in checks}
    if reason is not None or _RED in colours:
        return _RED
    return _AMBER if _AMBER in colours else _GREEN


class GateCounts(Struct, frozen=True):
    """Clients at the gate; those that are inactive or pending count as `out` alone."""

    ready: int
    amber: int
    red: int
    out: int


def counts_of(rows: Sequence[GateRow]) -> GateCounts:
    """How many of these rows may trade (amber ones among them), warn, are kept out, or are not active."""
    active = [one for one in rows if one.reason not in NOT_TRADING]
    return GateCounts(
        sum(one.reason is None for one in rows),
        sum(one.colour is _AMBER for one in active),
        sum(one.colour is _RED for one in active),
        len(rows) - len(active),
    )


class Gate:
    """Judges every client and keeps waivers; `told` words a verdict for a waiver's audit and refusal."""

    def __init__(
        self,
        kept: Kept,
        timing: Timing,
        engine: ThisEngine,
        connections: Connections,
        compared_at: Callable[[int], datetime | None],
        told: Callable[[GateVerdict], str],
    ) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine
        self._connections = connections
        self._compared_at = compared_at
        self._told = told

    def rows(self) -> list[GateRow]:
        """Every client that is not closed, by code."""
        return [self._row(client) for client in self._kept.book.open_clients()]

    def of(self, client_id: int) -> GateRow:
        """One client. Raises `BadInput` for an unknown id."""
        return self._row(self._client(client_id))

    def counts(self) -> GateCounts:
        """How many may trade (amber ones among them), warn, are kept out, or are not active at all."""
        return counts_of(self.rows())

    async def waive(self, client_id: int, item: GateItem | str, reason: str) -> GateRow:
        """Let an amber item pass for this trading day, with a typed reason that the audit keeps.

        Raises `BadInput` without a reason, for an unknown item, and where it is green, red or mended only.
        """
        client = self._client(client_id)
        try:
            wanted = GateItem(item.strip().lower())
        except ValueError:
            raise BadInput("item", item, f"give one of {', '.join(GateItem)}") from None
        typed = " ".join(reason.split())
        if len(typed) < SHORTEST_REASON:
            raise BadInput("reason", reason, f"say in {SHORTEST_REASON} characters or more why it may pass")
        judged = self._row(client).check(wanted).judged
        told = self._told(judged)
        if judged.colour is _RED:
            raise BadInput("item", wanted.value, f"red cannot be waived: {told}")
        if judged.finding in NEVER_WAIVED:
            raise BadInput("item", wanted.value, f"this is mended, never waived: {told}")
        if judged.colour is _GREEN:
            raise BadInput("item", wanted.value, f"it is green, there is nothing to waive: {told}")

        def store(unit: Unit) -> None:
            day = self._timing.market.trading_day
            number = unit.take_ids("gate_waiver", 1)[0]
            add_waiver(
                unit, Waiver(number, client_id, wanted, typed[:300], self._engine.actor, day, unit.now)
            )
            details = {
                "code": client.code,
                "item": wanted.value,
                "words": told,
                "reason": typed[:300],
            }
            unit.audit(
                AuditEntry(
                    AuditAction.CLIENT_GATE_WAIVED, self._engine.actor, client_id=client_id, details=details
                )
            )
            unit.touched.roster = True

        await self._kept.store.write(store)
        return self.of(client_id)

    def _client(self, client_id: int) -> ClientView:
        client = self._kept.book.clients.get(client_id)
        if client is None:
            raise BadInput("client", client_id, "no client has this id")
        return client

    def _row(self, client: ClientView) -> GateRow:
        book = self._kept.book
        connection, route = book.carrier_of(client.id), book.access.routes.get(client.id)
        day = self._timing.market.trading_day
        asked = book.consents_asked(client.connection, client.discretionary)
        judged = {
            GateItem.SESSION: self._session(client, connection),
            GateItem.ROUTE: judge_route(
                connection, route, book.shared.get(client.id, ()), book.access.probes.get(client.id)
            ),
            GateItem.CONSENT: consent_verdict(asked, book.access.consents.get(client.id, ()), day),
            GateItem.DEMAT: judge_demat(connection, route),
            GateItem.FUNDS: self._funds(client),
            GateItem.MTF: self._mtf(client, connection),
        }
        waivers = book.access.waivers
        checks = tuple(
            [GateCheck(item, one, waivers.get((client.id, item), "")) for item, one in judged.items()]
        )
        down = book.down_since(client.id) is not None
        reason = client.gate or (Reason.BROKER_DOWN if down else None)
        return GateRow(client.id, client.code, reason, checks, _worst(reason, checks))

    def _session(self, client: ClientView, connection: Connection | None) -> GateVerdict:
        session, now = self._kept.book.access.sessions.get(client.id), self._timing.market.now()
        if connection is None:
            return GateVerdict(_RED, GateFinding.CANNOT_SIGN_IN)
        signs_in = connection.capabilities.needs_sign_in
        if client.session is not SessionState.OK:
            if session is not None and session.problem_text:
                broken = BrokenSession(session.problem, session.problem_text)
                return GateVerdict(_RED, GateFinding.SESSION_BROKEN, broken)
            return GateVerdict(_RED, GateFinding.NOT_SIGNED_IN if signs_in else GateFinding.SESSION_EXPIRED)
        if (down := self._kept.book.down_since(client.id)) is not None:
            return GateVerdict(_RED, GateFinding.BROKER_DOWN, DownFigures(connection.broker.name, down))
        if not signs_in or session is None or session.login_at is None:
            return GateVerdict(_GREEN, GateFinding.NO_SIGN_IN_NEEDED)
        figures = SessionFigures(
            login_at=session.login_at,
            expires_at=session.expires_at,
            checked_at=session.checked_at,
            polled=self._connections.is_polled(client.id),
        )
        if session.problem is SessionProblem.UNREACHABLE:
            failed = replace(figures, problem_text=session.problem_text)
            return GateVerdict(_AMBER, GateFinding.SESSION_NOT_REACHED, failed)
        if session.expires_at is not None and session.expires_at - now <= SOON:
            minutes = max(0, int((session.expires_at - now).total_seconds() // 60))
            return GateVerdict(_AMBER, GateFinding.SESSION_ENDS_SOON, replace(figures, minutes_left=minutes))
        return GateVerdict(_GREEN, GateFinding.SIGNED_IN, figures)

    def _funds(self, client: ClientView) -> GateVerdict:
        book, at = self._kept.book, self._compared_at(client.id)
        available = book.funds[client.id].available_paise if client.id in book.funds else 0
        figures = FundsFigures(at, available)
        if client.status is not ClientStatus.ACTIVE:
            return GateVerdict(_AMBER, GateFinding.CLIENT_NOT_ACTIVE, figures)
        if breaks := book.breaks.get(client.id, ()):
            return GateVerdict(_AMBER, GateFinding.BOOKS_DIFFER, replace(figures, breaks=tuple(breaks)))
        if at is None:
            return GateVerdict(_AMBER, GateFinding.NOT_COMPARED, figures)
        age = self._timing.wall.now() - at
        compared = replace(figures, age_s=age.total_seconds())
        if age > FUNDS_AGE:
            return GateVerdict(_AMBER, GateFinding.COMPARED_LONG_AGO, compared)
        return GateVerdict(_GREEN, GateFinding.COMPARED, compared)

    def _mtf(self, client: ClientView, connection: Connection | None) -> GateVerdict:
        book = self._kept.book
        funds, route = book.funds.get(client.id), book.access.routes.get(client.id)
        limit = client.mtf_limit_paise
        loan = funds.mtf_loan_paise + funds.mtf_reserved_paise if funds else 0
        enabled = route.mtf_enabled if route else None
        if not needs_route(connection):
            enabled = True
        figures = MtfFigures(limit, loan, enabled)
        if not limit and not loan:
            return GateVerdict(_GREEN, GateFinding.MTF_OFF, figures)
        if enabled is False:
            return GateVerdict(_AMBER, GateFinding.MTF_OFF_AT_BROKER, figures)
        if enabled is None:
            return GateVerdict(_AMBER, GateFinding.MTF_NOT_KNOWN, figures)
        if loan > limit:
            return GateVerdict(_AMBER, GateFinding.LOAN_OVER_LIMIT, figures)
        used = half_up(loan * BPS, limit)
        colour = _AMBER if used >= MTF_USED_BPS else _GREEN
        return GateVerdict(colour, GateFinding.MTF_USED, replace(figures, used_bps=used))

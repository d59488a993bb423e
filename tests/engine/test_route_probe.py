"""Routes looked at in the morning: which address was seen, held against claim, list and the day before."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from brokers.contract import BrokerAccount, BrokerError
from brokers.egress import EchoService
from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.repositories.accounts.probes import StoredProbe, add_probes
from data.store import Unit
from data.vocabulary import ConnectionKind, DeskKind, GateColour, GateItem, Reason, RouteKind, SizingKind
from engine.access import probing
from engine.access.routes import NewRoute
from engine.book.access_views import RouteView
from engine.book.gate_views import GateFinding
from engine.desk import Desk
from tests.desks import buy, gate_words, there, until
from tests.engine.test_gate import own
from tests.signing import signing_desk
from tradedesk.testing import seam

CLAIMED, OTHER = "203.0.113.1", "203.0.113.9"


class Seen:
    """An echo as the test has it: what it sees of each way out."""

    name = "echo.example"

    def __init__(self, *seen: str) -> None:
        self.answers = {f"10.0.0.{n}": one for n, one in enumerate(seen, start=1)}

    async def seen(self, route: RouteView) -> str:
        found = self.answers.get(route.way_out, "")
        if not found:
            raise BrokerError(f"{self.name} cannot be reached by {route.way_out}")
        return found


def route_of(desk: Desk, client_id: int) -> tuple[GateColour, GateFinding]:
    """Colour and finding of a client's route at the gate."""
    judged = desk.gate.of(client_id).check(GateItem.ROUTE).judged
    return judged.colour, judged.finding


@asynccontextmanager
async def routed(home: Path, *codes: str, venue: ConnectionKind = ConnectionKind.LIVE) -> AsyncIterator[Desk]:
    """A desk whose clients are signed in, each with a route and an address of its own."""
    async with signing_desk(home, *(codes or ("C1", "C2")), venue=venue) as (desk, _broker):
        for number in range(1, len(codes or ("C1", "C2")) + 1):
            await desk.sessions.sign_in(number, f"for-U{number}")
            await desk.routes.set(number, own(f"203.0.113.{number}"))
        yield desk


async def test_an_address_that_is_not_the_one_the_route_claims_is_red_before_the_first_order(
    tmp_path: Path,
) -> None:
    async with routed(tmp_path) as desk:
        desk.probes.echo = Seen(OTHER, "203.0.113.2")
        assert [one.seen for one in await desk.probes.look()] == [OTHER, "203.0.113.2"]
        assert route_of(desk, 1) == (GateColour.RED, GateFinding.ADDRESS_NOT_CLAIMED)
        assert gate_words(desk, 1, GateItem.ROUTE) == (
            f"it leaves by {OTHER}, as echo.example sees it; its route says {CLAIMED}"
        )
        assert gate_words(desk, 2, GateItem.ROUTE) == (
            "own by 203.0.113.2, seen as 203.0.113.2 by echo.example"
        )
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        assert {line.client_id: line.reason for line in plan.lines if line.reason} == {
            1: Reason.ROUTE_NOT_READY
        }
        assert await desk.plans.get(plan.number or 0) == plan
        (row,) = await desk.audit.rows(action=AuditAction.ROUTES_PROBED)
        assert row.details == {"routes": 2, "seen": 2, "told_by": "echo.example"}
        await desk.routes.set(1, own(OTHER, bind_address="10.0.0.1"))
        assert route_of(desk, 1) == (GateColour.GREEN, GateFinding.ROUTE_READY)
        assert [check.detail for check in await desk.doctor.run() if not check.ok] == []


async def test_a_route_that_does_not_reach_its_broker_is_said_before_the_first_order(tmp_path: Path) -> None:
    async with signing_desk(tmp_path, "C1") as (desk, broker):
        await desk.sessions.sign_in(1, "for-U1")
        await desk.routes.set(1, own())
        broker.trouble = "the proxy does not answer"
        await desk.probes.look()
        found = desk.gate.of(1).check(GateItem.SESSION).judged
        assert (found.colour, found.finding) == (GateColour.AMBER, GateFinding.SESSION_NOT_REACHED)
        assert "the last look failed: the proxy does not answer" in gate_words(desk, 1, GateItem.SESSION)
        broker.trouble = ""
        await desk.probes.look()
        assert desk.gate.of(1).check(GateItem.SESSION).judged.finding is GateFinding.SIGNED_IN


async def test_without_a_service_it_is_said_that_nobody_knows_and_why(tmp_path: Path) -> None:
    async with routed(tmp_path) as desk:
        (one, _) = await desk.probes.look()
        assert (one.seen, one.told_by) == ("", "")
        assert route_of(desk, 1) == (GateColour.AMBER, GateFinding.ADDRESS_NOT_TOLD)
        assert desk.gate.of(1).reason is None, "it warns, and keeps nothing back"
        assert gate_words(desk, 1, GateItem.ROUTE) == (
            f"address not told: own by {CLAIMED}; no service that tells it is set (echo_url)"
        )


async def test_an_address_that_nobody_told_counts_for_nothing_at_a_stand_in(tmp_path: Path) -> None:
    async with routed(tmp_path, venue=ConnectionKind.SIM) as desk:
        await desk.probes.look()
        assert route_of(desk, 1) == (GateColour.GREEN, GateFinding.ROUTE_READY)
        desk.probes.echo = Seen(OTHER)
        await desk.probes.look([1])
        assert route_of(desk, 1) == (GateColour.RED, GateFinding.ADDRESS_NOT_CLAIMED)


async def test_where_no_address_is_claimed_that_of_the_day_before_is_what_counts(tmp_path: Path) -> None:
    async with routed(tmp_path, "C1") as desk:
        await desk.routes.set(1, NewRoute(RouteKind.OWN, "abcd1234", bind_address="10.0.0.1", consent="p"))
        yesterday = desk.market_clock.trading_day - timedelta(days=1)

        def seen_then(unit: Unit) -> None:
            (number,) = unit.take_ids("route_probe", 1)
            probe = StoredProbe(
                number, 1, yesterday, "10.0.0.1", "echo.example", CLAIMED, "", "", "", unit.now
            )
            add_probes(unit, [probe])
            unit.audit(AuditEntry(AuditAction.ROUTES_PROBED, "tester"))

        await seam(desk).store.write(seen_then)
        desk.probes.echo = Seen(CLAIMED)
        await desk.probes.look()
        assert route_of(desk, 1)[0] is not GateColour.RED
        desk.probes.echo = Seen(OTHER)
        await desk.probes.look()
        assert route_of(desk, 1) == (GateColour.RED, GateFinding.ADDRESS_CHANGED)
        assert gate_words(desk, 1, GateItem.ROUTE) == (
            f"it leaves by {OTHER}, as echo.example sees it; the day before by {CLAIMED}"
        )


@pytest.mark.parametrize(
    ("registered", "echoes", "finding"),
    [
        ([CLAIMED, "203.0.113.200"], True, GateFinding.ROUTE_READY),
        (["203.0.113.200"], True, GateFinding.ADDRESS_NOT_REGISTERED),
        (["203.0.113.200"], False, GateFinding.ADDRESS_NOT_REGISTERED),
        ([CLAIMED], False, GateFinding.ADDRESS_NOT_TOLD),
    ],
)
async def test_a_broker_that_tells_its_list_is_held_to_it(
    tmp_path: Path, registered: list[str], echoes: bool, finding: GateFinding
) -> None:
    async with routed(tmp_path, "C1") as desk:

        async def told(_account: BrokerAccount) -> Sequence[str]:
            return registered

        vars(desk.connections.feed.broker)["registered_addresses"] = told
        if echoes:
            desk.probes.echo = Seen(CLAIMED)
        await desk.probes.look([1])
        assert route_of(desk, 1)[1] is finding


async def test_by_itself_a_route_is_looked_at_again_only_where_more_can_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    again_s = 30.0
    monkeypatch.setattr(probing, "AGAIN_S", again_s)
    async with signing_desk(tmp_path, "C1", kind=DeskKind.APP) as (desk, broker):

        async def told(_account: BrokerAccount) -> Sequence[str]:
            return [CLAIMED]

        async def looks(after_s: float) -> int:
            later = desk.market.now() + timedelta(seconds=after_s)
            await until(desk, lambda: desk.market.now() > later, step_s=2)
            return len(await desk.audit.rows(action=AuditAction.ROUTES_PROBED))

        vars(broker)["registered_addresses"] = told
        await desk.routes.set(1, own())
        assert await looks(again_s + 1) == 1
        assert await looks(2 * again_s) == 1, "who is not signed in is told no list, whenever it is asked"
        await desk.sessions.sign_in(1, "for-U1")
        assert await looks(again_s) == 2
        await until(
            desk, lambda: there(desk.probes.of(1)).registered == CLAIMED
        )  # its row is there before that
        assert await looks(2 * again_s) == 2


async def test_two_that_are_seen_as_one_address_are_red_by_name(tmp_path: Path) -> None:
    async with routed(tmp_path) as desk:
        for number in (1, 2):
            route = NewRoute(RouteKind.OWN, "abcd1234", bind_address=f"10.0.0.{number}", consent="p")
            await desk.routes.set(number, route)
        desk.probes.echo = Seen(OTHER, OTHER)
        await desk.probes.look()
        assert [route_of(desk, number)[1] for number in (1, 2)] == [GateFinding.ADDRESS_SHARED] * 2


async def test_who_has_no_route_of_its_own_cannot_be_looked_at(tmp_path: Path) -> None:
    async with signing_desk(tmp_path, "C1") as (desk, _broker):
        assert await desk.probes.look() == []
        with pytest.raises(BadInput, match="no route of its own"):
            await desk.probes.look([1])


@asynccontextmanager
async def echoing(answer: str, status: int = 200) -> AsyncIterator[str]:
    """A service on this machine; `ADDRESS` in its answer is whom it sees."""

    async def handle(request: web.Request) -> web.Response:
        return web.Response(text=answer.replace("ADDRESS", request.remote or ""), status=status)

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("answer", ["ADDRESS\n", '{"ip": "ADDRESS"}'])
async def test_an_echo_is_asked_by_the_routes_own_address(answer: str) -> None:
    async with echoing(answer) as url:
        route = RouteView(1, RouteKind.OWN, "key", bind_address="127.0.0.2")
        assert await EchoService(url).seen(route) == "127.0.0.2"


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [("<html>", 200, "127.0.0.1 told no address"), ("ADDRESS", 503, "127.0.0.1 answered 503 by 127.0.0.2")],
)
async def test_an_echo_that_tells_no_address_says_so(answer: str, status: int, words: str) -> None:
    async with echoing(answer, status) as url:
        with pytest.raises(BrokerError, match=words):
            await EchoService(url).seen(RouteView(1, RouteKind.OWN, "key", bind_address="127.0.0.2"))


async def test_a_way_out_that_leads_nowhere_says_which(tmp_path: Path) -> None:
    async with echoing("ADDRESS") as url:
        route = RouteView(1, RouteKind.OWN, "key", proxy="http://127.0.0.1:1")
        with pytest.raises(BrokerError, match="cannot be reached by"):
            await EchoService(url).seen(route)

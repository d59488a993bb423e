"""The gate: who may trade, why not, one address for one family, and what a trader may let pass for a day."""

from contextlib import asynccontextmanager
from datetime import date

import pytest

from brokers.contract import BrokerHolding, BrokerRows, NotSent, Outcome, Refused
from data.clock import ManualClock
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ConnectionKind,
    Demat,
    DeskKind,
    GateColour,
    GateItem,
    OrderState,
    Product,
    Reason,
    RouteKind,
    SizingKind,
    Verdict,
)
from engine.access.judgement import shared_addresses
from engine.access.routes import NewRoute, template
from engine.book.access_views import THIS_MACHINE, RouteView
from engine.book.gate_views import FundsFigures, GateFinding, GateVerdict, RouteFigures
from engine.book.views import HoldingView
from engine.events import ClientsChanged
from engine.planning.checks import ClientInput, HeldShares, authorisation_refusal
from engine.words.gate import verdict_words
from engine.words.trading.why import detail_words
from tests.desks import buy, gate_words, on_tape, paper_desk, sell, there, until
from tests.signing import START, signing_desk
from tradedesk.testing import seam

GREEN, AMBER, RED = GateColour.GREEN, GateColour.AMBER, GateColour.RED


def own(egress_ip: str = "203.0.113.1", consent: str = "paper 1", **more: object) -> NewRoute:
    """A route that leaves by an address of this machine, which stands for that one outside."""
    if egress_ip:
        more = {"bind_address": f"10.0.0.{egress_ip.rpartition('.')[2]}", **more}
    more.setdefault("demat", Demat.DDPI)
    return NewRoute(RouteKind.OWN, "abcd1234", egress_ip=egress_ip, consent=consent, **more)  # type: ignore[arg-type]


def colours(desk, client_id):
    return {check.item.value: check.colour.value for check in desk.gate.of(client_id).checks}


async def reasons(desk, intent):
    return {line.code: line.reason for line in (await desk.plans.preview(intent)).lines}


async def test_on_paper_everybody_passes_without_anything_entered(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await desk.reconcile.ensure([client.id for client in desk.clients.all()])
        counts = desk.gate.counts()
        assert (counts.ready, counts.red, counts.out) == (47, 1, 2)
        (red,) = [row for row in desk.gate.rows() if row.reason is Reason.SESSION_EXPIRED]
        assert red.code == "DR0044"
        assert red.check(GateItem.SESSION).judged == GateVerdict(RED, GateFinding.SESSION_EXPIRED)
        ready = next(row for row in desk.gate.rows() if row.reason is None)
        assert {ready.check(item).colour for item in GateItem if item is not GateItem.MTF} == {GREEN}
        funds = ready.check(GateItem.FUNDS).judged.figures
        assert isinstance(funds, FundsFigures)
        assert funds.available_paise == desk.funds.of(ready.client_id).available_paise


async def test_plans_skip_by_the_first_thing_that_is_missing_and_name_it(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", "C3", "C4", kind=DeskKind.SCRIPT) as (desk, _broker):
        for number in (2, 3, 4):
            await desk.sessions.sign_in(number, f"for-U{number}")
        await desk.routes.set(3, own(consent=""))
        await desk.routes.set(4, own("203.0.113.4"))
        intent = buy("TCS", SizingKind.FIXED_QUANTITY, 1)
        plan = await desk.plans.preview(intent)
        lines = {line.code: line for line in plan.lines}
        assert {code: line.reason for code, line in lines.items()} == {
            "C1": Reason.SESSION_EXPIRED,
            "C2": Reason.ROUTE_NOT_READY,
            "C3": Reason.CONSENT_MISSING,
            "C4": None,
        }
        assert detail_words(lines["C2"]).startswith("no route")
        assert detail_words(lines["C3"]) == "no consent recorded"
        assert desk.counts().ready == 1
        assert [row.colour for row in desk.gate.rows()] == [RED, RED, RED, GREEN]
        await desk.routes.set(3, own(consent="paper 3"))
        assert (await reasons(desk, intent))["C3"] is None


async def test_one_address_serves_one_family_and_both_others_are_red_by_name(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", "C3") as (desk, _broker):
        for number in (1, 2, 3):
            await desk.sessions.sign_in(number, f"for-U{number}")
            await desk.routes.set(number, own(f"203.0.113.{number}"))
        assert [client.gate for client in desk.clients.all()] == [None, None, None]
        await desk.routes.set(2, own("203.0.113.1"))
        one, two = (desk.gate.of(number).check(GateItem.ROUTE) for number in (1, 2))
        assert (one.colour, two.colour) == (RED, RED)
        assert "shares 203.0.113.1 with C2" in verdict_words(one.judged, desk.shown_at)
        assert "shares 203.0.113.1 with C1" in verdict_words(two.judged, desk.shown_at)
        assert colours(desk, 3)["route"] == "green"
        lines = await reasons(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        assert lines == {"C1": Reason.ROUTE_NOT_READY, "C2": Reason.ROUTE_NOT_READY, "C3": None}
        with pytest.raises(BadInput, match="red cannot be waived: shares"):
            await desk.gate.waive(1, "route", "I know what I do")
        await desk.routes.set(2, own("203.0.113.1", permission="letter 7"))
        assert (colours(desk, 1)["route"], colours(desk, 2)["route"]) == ("red", "green")
        for number in (1, 2):
            await desk.routes.set(number, own("203.0.113.1", family="Mehta"))
        assert desk.clients.ready_count() == 3
        await desk.clients.set_status(3, desk.clients.get(3).status.INACTIVE, "vacation")
        await desk.routes.set(3, own("203.0.113.1"))
        assert desk.clients.ready_count() == 2


def test_calls_without_an_address_of_their_own_share_this_machines():
    def route(number: int, **more: str) -> RouteView:
        return RouteView(number, RouteKind.OWN, "key", **more)  # type: ignore[arg-type]

    routes = {
        1: route(1),
        2: route(2, bind_address="192.168.0.9"),
        3: route(3, bind_address="8.8.8.8"),
        4: route(4, egress_ip="8.8.8.8", family="Rao"),
        5: route(5, proxy="http://10.0.0.1:3128"),
        6: route(6, proxy="http://10.0.0.1:3128", egress_ip="203.0.113.6"),
        7: RouteView(7, RouteKind.PAPER),
    }
    assert routes[2].egress == THIS_MACHINE
    shared = shared_addresses(routes, {number: f"C{number}" for number in routes})
    assert shared == {
        1: ("C2", "C4"),
        2: ("C1", "C4"),
        3: ("C4",),
        4: ("C1", "C2", "C3"),
        5: ("C6",),
        6: ("C5",),
    }


async def test_an_address_that_is_only_claimed_is_none(tmp_path):
    for name in ("sim", "live"):
        (tmp_path / name).mkdir()

    def claimed(number: int, **more: str) -> NewRoute:
        return own(f"203.0.113.{number}", **{"bind_address": "", **more})

    async with signing_desk(tmp_path / "sim", "C1", "C2") as (desk, _broker):
        for number in (1, 2):
            await desk.routes.set(number, claimed(number))
        assert [colours(desk, number)["route"] for number in (1, 2)] == ["amber"] * 2, "it is a rehearsal"
    async with signing_desk(tmp_path / "live", "C1", "C2", "C3", venue=ConnectionKind.LIVE) as (
        desk,
        _broker,
    ):
        for number in (1, 2, 3):
            await desk.sessions.sign_in(number, f"for-U{number}")
            await desk.routes.set(number, claimed(number))
        assert [colours(desk, number)["route"] for number in (1, 2, 3)] == ["red"] * 3
        words = gate_words(desk, 1, GateItem.ROUTE)
        assert words == (
            "shares this machine with C2 and 1 more, of another family and without a permission: "
            "give it a proxy or an address to bind to, by which it leaves as 203.0.113.1"
        )
        await desk.routes.set(2, claimed(2, permission="letter 7"))
        await desk.routes.set(3, claimed(3, bind_address="10.0.0.3"))
        assert [colours(desk, number)["route"] for number in (1, 2, 3)] == ["red", "green", "green"]
        for number in (1, 2):
            await desk.routes.set(number, claimed(number, family="Mehta"))
        assert desk.clients.ready_count() == 3
        with pytest.raises(BadInput, match="give an IPv4 address, as egress_ip"):
            await desk.routes.set(3, claimed(3, bind_address="2001:db8::3"))


async def test_amber_keeps_a_client_out_until_it_is_waived_for_the_day(tmp_path):
    clock = ManualClock(START)
    async with signing_desk(tmp_path, "C1", clock=clock) as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
        await desk.routes.set(1, own("", consent_until=date(2026, 11, 20)))
        assert (colours(desk, 1)["route"], colours(desk, 1)["consent"]) == ("amber", "amber")
        assert desk.clients.get(1).gate is Reason.ROUTE_NOT_READY
        for item, reason, says in (
            ("route", "ok", "5 characters"),
            ("session", "I know what I do", "is green"),
            ("weather", "I know what I do", "give one of session, route"),
        ):
            with pytest.raises(BadInput, match=says):
                await desk.gate.waive(1, item, reason)
        row = await desk.gate.waive(1, "route", "address confirmed by phone")
        assert row.check(GateItem.ROUTE).waived == "address confirmed by phone"
        assert desk.clients.get(1).gate is Reason.CONSENT_MISSING
        assert (await desk.gate.waive(1, GateItem.CONSENT, "renewal is signed")).reason is None
        told = [r for r in await desk.audit.rows() if r.action == "CLIENT_GATE_WAIVED"]
        assert [(r.actor, r.details["item"]) for r in told] == [("tester", "route"), ("tester", "consent")]
    clock.shift(24 * 3600)
    async with signing_desk(tmp_path, clock=clock) as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
        assert (colours(desk, 1)["route"], colours(desk, 1)["consent"]) == ("amber", "amber")
        assert desk.clients.get(1).gate is Reason.ROUTE_NOT_READY
        with pytest.raises(Exception, match="append-only"):
            await seam(desk).store.write(
                lambda unit: unit.connection.exec_driver_sql("UPDATE gate_waiver SET reason = 'other'")
            )


async def test_a_consent_that_ended_is_red(tmp_path):
    async with signing_desk(tmp_path, "C1") as (desk, _broker):
        await desk.routes.set(1, own(consent_until=date(2026, 11, 17)))
        assert "ended on 17 Nov 2026" in gate_words(desk, 1, GateItem.CONSENT)
        with pytest.raises(BadInput, match="red cannot be waived"):
            await desk.gate.waive(1, "consent", "renewal is signed")


async def test_settled_shares_without_ddpi_sell_once_the_client_has_authorised_it(tmp_path):
    async with signing_desk(tmp_path, "C1", kind=DeskKind.SCRIPT) as (desk, _broker):
        await desk.sessions.sign_in(1, "for-U1")
        await desk.routes.set(1, own(demat=Demat.NONE))
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 4, 1))
        assert [line.verdict for line in plan.lines] == [Verdict.OK]
        held = seam(desk).book.holdings
        security = there(desk.market.index.get("NSE:TCS")).security
        today = HoldingView(1, security, "NSE:TCS", "TCS", Product.CNC, 4, 0, 0, 0, 0, 4_00_000)
        half = sell("TCS", SizingKind.PERCENT_OF_POSITION, 50_00, 1)
        held[1] = (today,)
        assert await reasons(desk, half) == {"C1": None}
        held[1] = (replace(today, today=1, free=3),)
        assert await reasons(desk, half) == {"C1": Reason.AUTHORISATION_MISSING}
        await desk.gate.waive(1, "demat", "authorised at CDSL 09:20")
        held[1] = (replace(today, today=1, free=3),)
        assert await reasons(desk, half) == {"C1": None}


async def test_shares_that_the_client_has_released_today_sell_and_no_more(tmp_path):
    async with signing_desk(tmp_path, "C1", kind=DeskKind.SCRIPT) as (desk, broker):
        isin = there(desk.market.index.get("NSE:TCS")).isin
        shares = BrokerHolding("NSE", "TCS", isin, Product.CNC, 10, 0, 0, 0, 0, 10_000_00, authorised=4)

        async def holdings(account):
            return BrokerRows((shares,))

        broker.holdings = holdings
        await desk.sessions.sign_in(1, "for-U1")
        await desk.routes.set(1, own(demat=Demat.NONE))
        assert await desk.reconcile.check(1)
        four, five = (sell("TCS", SizingKind.FIXED_QUANTITY, number, 1) for number in (4, 5))
        assert await reasons(desk, four) == {"C1": None}
        (line,) = (await desk.plans.preview(five)).lines
        assert line.reason is Reason.AUTHORISATION_MISSING
        assert "of which 4 shares are released today" in detail_words(line)


def test_open_sales_use_what_the_client_has_released():
    def refused(sellable: int, wanted: int) -> bool:
        held = HeldShares(Product.CNC, sellable, 10)
        client = ClientInput(
            1, "C1", "", "zerodha", 0, 0, authorised=False, authorised_shares=4, holdings=(held,)
        )
        return authorisation_refusal(client, Product.CNC, wanted) is not None

    assert [refused(10, 4), refused(10, 5), refused(7, 1), refused(6, 1)] == [False, True, False, True]


async def test_a_sign_in_tells_by_what_right_shares_are_sold(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", "C3") as (desk, broker):
        exchange_token, told = broker.exchange_token, {"U1": Demat.DDPI, "U2": Demat.NONE, "U3": Demat.NONE}

        async def exchanged(account, request_token):
            profile = await exchange_token(account, request_token)
            return replace(profile, demat=told[account.user_id])

        broker.exchange_token = exchanged
        for number, papers in enumerate((Demat.NONE, Demat.UNKNOWN, Demat.DDPI), 1):
            await desk.routes.set(number, own(f"203.0.113.{number}", demat=papers))
            await desk.sessions.sign_in(number, f"for-U{number}")
        assert [colours(desk, number)["demat"] for number in (1, 2, 3)] == ["green", "amber", "green"]
        assert [route.demat for route in desk.routes.all()] == [Demat.DDPI, Demat.NONE, Demat.DDPI]
        rows = await desk.audit.rows(action="CLIENT_DEMAT_TOLD")
        assert {(row.details["code"], row.details["demat"]) for row in rows} == {
            ("C1", "ddpi"),
            ("C2", "none"),
        }
        (line,) = on_tape(desk, "knows of no DDPI")
        assert line == "C3: its broker knows of no DDPI, its route says DDPI: ask the client"


async def test_a_route_that_says_paper_sends_no_real_order_and_a_dealer_needs_a_letter(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2") as (desk, _broker):
        await desk.routes.set(1, NewRoute(RouteKind.PAPER, consent="x"))
        await desk.routes.set(2, NewRoute(RouteKind.DEALER, "abcd1234", consent="x"))
        assert "says paper, but orders go to zerodha" in gate_words(desk, 1, GateItem.ROUTE)
        assert "written permission" in gate_words(desk, 2, GateItem.ROUTE)
        with pytest.raises(BadInput, match="needs the client's api key"):
            await desk.routes.set(1, NewRoute(RouteKind.OWN))


WRONG_ADDRESS = "Orders are not allowed from the IP address 198.51.100.7."


async def sent(desk, intent):
    """Send an intent; returns each client's order once every call has ended."""
    plan = await desk.plans.freeze(intent)
    run = await desk.runs.start(plan, plan.digest)
    unsent = (OrderState.RESERVED, OrderState.SENDING)
    orders = lambda: desk.orders.all(run=run.number)  # noqa: E731
    await until(desk, lambda: all(order.state not in unsent for order in orders()), step_s=0)
    return {order.client_id: order for order in orders()}


@asynccontextmanager
async def refusing_desk(home):
    """Two clients who may trade, at a broker that takes nothing from the first one's address for now."""
    async with signing_desk(home, "C1", "C2", kind=DeskKind.SCRIPT) as (desk, broker):
        for number in (1, 2):
            await desk.sessions.sign_in(number, f"for-U{number}")
            await desk.routes.set(number, own(f"203.0.113.{number}"))
        answers: dict[str, Outcome] = {"U1": Refused("route", WRONG_ADDRESS)}
        place, cancel = broker.place, broker.cancel

        async def placed(account, request):
            return answers.get(account.user_id) or await place(account, request)

        async def cancelled(account, broker_order_id):
            return answers.get(account.user_id) or await cancel(account, broker_order_id)

        broker.place, broker.cancel = placed, cancelled
        yield desk, answers


async def test_an_order_from_a_wrong_address_turns_the_route_of_that_client_red(tmp_path):
    intent = buy("TCS", SizingKind.FIXED_QUANTITY, 1, again=True)
    async with refusing_desk(tmp_path) as (desk, _answers):
        heard = []
        desk.events.subscribe(lambda event: heard.append(type(event)))
        before = desk.gate.of(2).checks[:4]
        order = (await sent(desk, intent))[1]
        assert (order.state, order.reason_code, order.blocked_paise) == (OrderState.REJECTED, "route", 0)
        route = desk.gate.of(1).check(GateItem.ROUTE)
        assert route.colour is RED
        assert verdict_words(route.judged, desk.shown_at).startswith(
            f"refused 18 Nov 09:15: {WRONG_ADDRESS[:-1]}; it left by 198.51.100.7 and not by 203.0.113.1:"
        )
        assert isinstance(route.judged.figures, RouteFigures)
        assert route.judged.figures.refused_at == START
        assert colours(desk, 1)["session"] == "green"
        assert desk.gate.of(2).checks[:4] == before
        assert ClientsChanged in heard
        assert on_tape(desk, "refused") == [f"C1: its route is refused: {WRONG_ADDRESS}"]
        plan = await desk.plans.preview(intent)
        lines = {line.code: (line.reason, detail_words(line)) for line in plan.lines}
        assert lines == {
            "C1": (Reason.ROUTE_NOT_READY, verdict_words(route.judged, desk.shown_at)),
            "C2": (None, ""),
        }
        with pytest.raises(BadInput, match="red cannot be waived: refused"):
            await desk.gate.waive(1, "route", "I know what I do")
        (row,) = await desk.audit.rows(action="CLIENT_ROUTE_REFUSED")
        assert (row.client_id, row.order_id, row.details["words"]) == (1, order.id, WRONG_ADDRESS)
    async with signing_desk(tmp_path) as (desk, _broker):
        assert colours(desk, 1)["route"] == "red", "it is kept, whoever looks, till it is mended"


async def test_a_broker_that_saw_another_kind_of_address_is_understood(tmp_path):
    async with refusing_desk(tmp_path) as (desk, answers):
        answers["U1"] = Refused("route", "IP (2001:DB8::7) is not allowed to place orders for this app.")
        await sent(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        words = gate_words(desk, 1, GateItem.ROUTE)
        assert "it left by 2001:db8::7 and not by 203.0.113.1: correct the route" in words


async def test_a_refused_route_is_retried_and_the_next_order_shows_what_came_of_it(tmp_path):
    intent = buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, again=True)
    async with refusing_desk(tmp_path) as (desk, answers):
        with pytest.raises(BadInput, match="nothing to retry"):
            await desk.routes.retry(1)
        await sent(desk, intent)
        assert (await desk.routes.retry(1)).refused_at is None
        assert (colours(desk, 1)["route"], desk.clients.get(1).gate) == ("green", None)
        assert (await sent(desk, intent))[1].state is OrderState.REJECTED
        assert colours(desk, 1)["route"] == "red", "the broker still says no"
        await desk.routes.retry(1)
        answers.clear()
        assert (await sent(desk, intent))[1].state is not OrderState.REJECTED
        assert colours(desk, 1)["route"] == "green"
        told = [row.action for row in await desk.audit.rows(client_id=1) if "ROUTE_" in row.action]
        assert told == ["CLIENT_ROUTE_REFUSED", "CLIENT_ROUTE_RETRIED"] * 2


async def test_only_another_way_out_ends_a_refusal_by_itself(tmp_path):
    async with refusing_desk(tmp_path) as (desk, _answers):
        await sent(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1))
        await desk.routes.set(1, own("203.0.113.1", consent="paper 2"))
        assert (colours(desk, 1)["route"], [one.reference for one in desk.consents.of(1) if one.stands]) == (
            "red",
            ["paper 2"],
        )
        await desk.routes.set(2, own("203.0.113.9"))
        assert colours(desk, 1)["route"] == "red"
        await desk.routes.set(1, own("203.0.113.7"))
        assert (colours(desk, 1)["route"], there(desk.routes.of(1)).refused_text) == ("green", "")


async def test_a_cancel_from_a_wrong_address_tells_it_too_and_what_never_left_tells_nothing(tmp_path):
    async with refusing_desk(tmp_path) as (desk, answers):
        answers["U1"] = NotSent("no connection to the proxy of this route")
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, 1, limit_paise=2300_00))
        run = await desk.runs.start(plan, plan.digest)
        (order,) = desk.orders.all(run=run.number)
        await until(desk, lambda: desk.orders.get(order.id).sub_status.startswith("not sent"))
        assert colours(desk, 1)["route"] == "green"
        answers.clear()
        await until(desk, lambda: desk.orders.get(order.id).state is OrderState.OPEN)
        answers["U1"] = Refused("route", WRONG_ADDRESS)
        await desk.orders.cancel([order.id])
        await until(desk, lambda: colours(desk, 1)["route"] == "red")
        assert desk.orders.get(order.id).state is OrderState.OPEN


async def test_a_route_file_is_taken_whole_or_not_at_all(tmp_path):
    file = tmp_path / "routes.csv"
    async with signing_desk(tmp_path, "AM1042", "C2") as (desk, _broker):
        file.write_text(template())
        report = await desk.routes.import_csv(file)
        assert (report.added, report.updated, report.unchanged) == (1, 0, 0)
        assert (await desk.routes.import_csv(file)).unchanged == 1
        route = there(desk.routes.of(1))
        assert (route.kind, route.demat, route.mtf_enabled) == (RouteKind.OWN, Demat.DDPI, True)
        assert [one.until for one in desk.consents.of(1)] == [date(2027, 3, 31)]
        file.write_text("code,kind,family\nAM1042,own,Rao\n")
        assert (await desk.routes.import_csv(file)).updated == 1
        again = there(desk.routes.of(1))
        assert (again.family, again.api_key) == ("Rao", route.api_key)

        bad = [
            ("C9,own,ab12,,,,", "code"),
            ("C2,own,,,,,", "api_key"),
            ("C2,lease,ab12,,,,", "kind"),
            ("C2,own,ab12,socks5://x:1,,,", "proxy"),
            ("C2,own,ab12,http://me:pw@10.0.0.1:1,,,", "proxy"),
            ("C2,own,ab12,,300.1.1.1,,", "bind_address"),
            ("C2,own,ab12,http://10.0.0.1:1,10.0.0.2,,", "bind_address"),
            ("C2,own,ab12,,,somewhere,", "egress_ip"),
            ("C2,own,ab12,,,,maybe", "demat"),
            ("am1042,own,ab12,,,,", "code"),
        ]
        before = desk.routes.all()
        for row, field in bad:
            file.write_text(
                "code,kind,api_key,proxy,bind_address,egress_ip,demat\n"
                f"AM1042,own,zz99,,,203.0.113.9,poa\n{row}\n"
            )
            with pytest.raises(FileProblem) as refused:
                await desk.routes.import_csv(file)
            assert [(one.row, one.field) for one in refused.value.problems] == [(3, field)], row
            assert "me:pw" not in str(refused.value)
        assert desk.routes.all() == before


async def test_what_is_only_mended_is_never_waived(tmp_path):
    async with paper_desk(tmp_path) as desk:
        client = desk.clients.find("CB0002")
        with pytest.raises(BadInput, match="mended, never waived: not compared: the client is not active"):
            await desk.gate.waive(client.id, "funds", "asked by phone")
        assert await desk.audit.rows(client_id=client.id, action="CLIENT_GATE_WAIVED") == []

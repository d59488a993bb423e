"""The register of what clients have agreed to: what it asks, what it keeps back, where it is looked at."""

from datetime import date, timedelta

import pytest

from data.audit import AuditAction
from data.csvfiles import FileProblem
from data.errors import BadInput
from data.vocabulary import ConsentKind, Demat, GateItem, Product, Reason, RouteKind, SizingKind
from engine.access.consent_needs import needs_from
from engine.access.consents import NewConsent, template
from engine.access.routes import OPTIONAL, REQUIRED, NewRoute, columns
from engine.planning.why import AtGate
from engine.rules import Rules
from engine.words.trading.why import all_words
from tests.desks import buy, gate_words, paper_desk, there
from tests.signing import signing_desk

DAY = date(2026, 11, 18)
TRADING, MTF, PHONE = ConsentKind.TRADING, ConsentKind.MTF, ConsentKind.PHONE
ASKED = Rules(consents=needs_from("trading hard, mtf hard, contract-notes soft, phone hard instructed"))
ONE_TCS = buy("TCS", SizingKind.FIXED_QUANTITY, 1)


async def ready(desk, *numbers):
    for number in numbers:
        await desk.sessions.sign_in(number, f"for-U{number}")
        route = NewRoute(
            RouteKind.OWN,
            "abcd1234",
            bind_address=f"10.0.0.{number}",
            egress_ip=f"203.0.113.{number}",
            demat=Demat.DDPI,
            mtf_enabled=True,
        )
        await desk.routes.set(number, route)


async def _lines(desk, intent):
    return {line.code: line for line in (await desk.plans.preview(intent)).lines}


def test_what_is_asked_is_read_from_the_settings_and_the_stricter_of_two_counts():
    needs = needs_from("trading hard, phone soft, phone hard instructed")
    assert [(one.kind, one.hard) for one in needs.of(None, discretionary=True)] == [
        (TRADING, True),
        (PHONE, False),
    ]
    assert [(one.kind, one.hard) for one in needs.of(None, discretionary=False)] == [
        (TRADING, True),
        (PHONE, True),
    ]
    assert needs_from("").of(None, discretionary=True) == ()
    for wrong in ("trading", "trading maybe", "gold hard", "trading hard somebody"):
        with pytest.raises(BadInput, match="give"):
            needs_from(wrong)


async def test_a_hard_one_keeps_back_and_a_soft_one_is_said_on_the_line(tmp_path):
    async with signing_desk(tmp_path, "C1", "C2", rules=ASKED) as (desk, _broker):
        await ready(desk, 1, 2)
        await desk.consents.give(1, NewConsent(TRADING, "POA 7", DAY, DAY + timedelta(days=90)))
        lines = await _lines(desk, ONE_TCS)
        assert lines["C1"].ok
        assert all_words(lines["C1"].why) == "no consent to contract notes by mail recorded"
        assert lines["C2"].reason is Reason.CONSENT_MISSING
        assert all_words(lines["C2"].why) == "no consent recorded"
        assert gate_words(desk, 1, GateItem.CONSENT) == "no consent to MTF recorded"
        assert desk.clients.get(1).gate is None, "MTF is asked of buys on margin alone"
        assert desk.gate.of(1).check(GateItem.CONSENT).colour.value == "amber"
        assert desk.gate.of(2).check(GateItem.CONSENT).colour.value == "red"
        await desk.gate.waive(1, GateItem.CONSENT, "sent by post")
        on_margin = buy("TCS", SizingKind.FIXED_QUANTITY, 1, product=Product.MTF)
        assert (await _lines(desk, on_margin))["C1"].reason is Reason.MTF_NO_CONSENT, "waived or not"


async def test_a_buy_on_margin_asks_for_the_consent_to_it(tmp_path):
    async with signing_desk(tmp_path, "C1", rules=ASKED) as (desk, _broker):
        await ready(desk, 1)
        await desk.consents.give(1, NewConsent(TRADING, "POA 7"))
        on_margin = buy("TCS", SizingKind.FIXED_QUANTITY, 1, product=Product.MTF)
        line = (await _lines(desk, on_margin))["C1"]
        assert line.reason is Reason.MTF_NO_CONSENT
        (why,) = line.why
        assert isinstance(why, AtGate)
        assert all_words((why,)) == "no consent to MTF recorded"
        plan = await desk.plans.freeze(on_margin)
        assert there(await desk.plans.get(there(plan.number))).lines[0].why == (why,), "as it was shown"
        await desk.consents.give(1, NewConsent(MTF, "terms of 2 Jan"))
        assert (await _lines(desk, on_margin))["C1"].reason is not Reason.MTF_NO_CONSENT


async def test_one_that_has_not_begun_or_has_ended_covers_nothing(tmp_path):
    async with signing_desk(tmp_path, "C1", rules=ASKED) as (desk, _broker):
        await ready(desk, 1)
        later = DAY + timedelta(days=5)
        await desk.consents.give(1, NewConsent(TRADING, "from next week", later))
        assert desk.clients.get(1).gate is Reason.CONSENT_MISSING
        assert "consent begins on 23 Nov 2026" in all_words((await _lines(desk, ONE_TCS))["C1"].why)
        given = await desk.consents.give(1, NewConsent(TRADING, "call 09:12"))
        assert desk.clients.get(1).gate is None
        ended = await desk.consents.end(1, given.id, "withdrawn by mail")
        assert (ended.stands, ended.ended_why) == (False, "withdrawn by mail")
        assert desk.clients.get(1).gate is Reason.CONSENT_MISSING
        with pytest.raises(BadInput, match="it was ended on"):
            await desk.consents.end(1, given.id, "again")
        rows = [row for row in await desk.audit.rows(client_id=1) if "CONSENT" in row.action]
        assert [row.action for row in rows] == [
            AuditAction.CLIENT_CONSENT,
            AuditAction.CLIENT_CONSENT,
            AuditAction.CLIENT_CONSENT_ENDED,
        ]
        with pytest.raises(BadInput, match="no consent of this client"):
            await desk.consents.end(1, 99, "not hers")


async def test_a_consent_that_was_withdrawn_since_the_plan_is_missed_where_orders_leave(tmp_path):
    rules = Rules(consents=needs_from("trading hard", on_paper=True))
    async with paper_desk(tmp_path, rules=rules) as desk:
        one, two, *_ = sorted(client.id for client in desk.clients.all() if client.status.value == "active")
        first, _ = [await desk.consents.give(each, NewConsent(TRADING, f"POA {each}")) for each in (one, two)]
        plan = await desk.plans.freeze(buy("TCS", SizingKind.FIXED_QUANTITY, 1, one, two))
        assert plan.orders == 2
        await desk.consents.end(one, first.id, "withdrawn on the phone")
        run = await desk.runs.start(plan, plan.digest)
        orders = {order.client_id: order for order in desk.orders.all(run=run.number)}
        assert (orders[one].state.value, orders[one].reason_code) == ("DENIED", Reason.CONSENT_MISSING)
        assert orders[two].state.value != "DENIED"
        reserved = [row for row in await desk.audit.rows(client_id=two) if row.action == "ORDER_RESERVED"]
        assert [row.details["consents"] for row in reserved] == [[2]]


async def test_a_file_is_taken_whole_or_not_at_all_and_ends_nothing(tmp_path):
    file = tmp_path / "consents.csv"
    async with signing_desk(tmp_path, "AM1042", "C2", rules=ASKED) as (desk, _broker):
        file.write_text(template())
        assert (await desk.consents.import_csv(file)).added == 1
        assert (await desk.consents.import_csv(file)).unchanged == 1
        file.write_text(
            "code,kind,reference,from,until\n"
            "C2,trading,POA 1,2026-04-01,2026-03-31\n"
            "C2,gold,POA 2,,\n"
            "X9,trading,POA 3,,\n"
            "C2,phone,,,\n"
            "C2,phone,tape 4,soon,\n"
        )
        with pytest.raises(FileProblem) as refused:
            await desk.consents.import_csv(file)
        assert [(one.row, one.field) for one in refused.value.problems] == [
            (2, "until"),
            (3, "kind"),
            (4, "code"),
            (5, "reference"),
            (6, "from"),
        ]
        assert desk.consents.of(2) == []


async def test_a_route_file_speaks_of_the_same_consent(tmp_path):
    async with signing_desk(tmp_path, "C1", rules=ASKED) as (desk, _broker):
        await ready(desk, 1)
        await desk.consents.give(1, NewConsent(TRADING, "POA 7"))
        route = NewRoute(RouteKind.OWN, "abcd1234", bind_address="10.0.0.1", egress_ip="203.0.113.1")
        await desk.routes.set(1, route)
        assert [one.stands for one in desk.consents.of(1)] == [True], "a route without the word leaves it"
        named = NewRoute(RouteKind.OWN, "abcd1234", bind_address="10.0.0.1", consent="POA 8")
        await desk.routes.set(1, named)
        assert [(one.reference, one.stands) for one in desk.consents.of(1)] == [
            ("POA 7", False),
            ("POA 8", True),
        ]


async def test_a_route_file_as_it_is_told_changes_nothing(tmp_path):
    async with signing_desk(tmp_path, "C1", rules=ASKED) as (desk, _broker):
        await ready(desk, 1)
        await desk.consents.give(1, NewConsent(TRADING, "POA 7", until=DAY))
        await desk.consents.give(1, NewConsent(TRADING, "POA 8", DAY + timedelta(1), DAY + timedelta(300)))
        given = desk.consents.of(1)
        file = tmp_path / "routes.csv"
        told = columns(desk.routes.all(), {1: "C1"}, {1: given})
        file.write_text("\n".join(",".join(row) for row in ((*REQUIRED, *OPTIONAL), *told)) + "\n")
        report = await desk.routes.import_csv(file)
        assert (report.updated, report.unchanged) == (0, 1)
        assert desk.consents.of(1) == given, "neither ended, nor begun before its day"


async def test_a_route_file_leaves_of_a_consent_what_it_has_no_column_for(tmp_path):
    async with signing_desk(tmp_path, "C1", rules=ASKED) as (desk, _broker):
        await ready(desk, 1)
        await desk.consents.give(1, NewConsent(TRADING, "POA 7", until=DAY))
        file = tmp_path / "routes.csv"
        file.write_text("code,kind,consent\nC1,own,POA 7\n")
        await desk.routes.import_csv(file)
        assert [(one.reference, one.until, one.stands) for one in desk.consents.of(1)] == [
            ("POA 7", DAY, True)
        ]
        file.write_text("code,kind,consent_until\nC1,own,2027-11-18\n")
        await desk.routes.import_csv(file)
        assert [(one.reference, one.until) for one in desk.consents.of(1) if one.stands] == [
            ("POA 7", date(2027, 11, 18))
        ]
        file.write_text("code,kind,consent,consent_until\nC1,own,,2027-11-18\n")
        with pytest.raises(FileProblem, match="consent_until"):
            await desk.routes.import_csv(file)

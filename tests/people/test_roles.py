"""Who may do what: each cell of the table of roles, asked of the engine."""

import inspect
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from data.acting import Actor
from data.clock import IST
from data.errors import BadInput, TradedeskError
from data.vocabulary import (
    ClientStatus,
    DeskKind,
    FlattenWhat,
    GateItem,
    HaltScope,
    LimitTo,
    Product,
    Right,
    Role,
    SizingKind,
    Via,
)
from engine.accounts.client_edit import ClientEdit
from engine.desk import Desk
from engine.events import Event, FundsChanged, OrderChanged, OrderFilled, PeopleChanged, RunChanged
from engine.execution.changes.new_limits import NewLimit
from engine.guards.asked import GuardWish
from engine.news import Page, Subject
from engine.people.facade import FACADE
from engine.people.guard import Guarded
from engine.people.own import OWN
from engine.people.rights import RIGHTS, may
from engine.refusals import NoLongerStands, NotOfRole, OutOfScope, Refusal
from engine.rules import SQUARE_OFF_TOLD_AT
from tests.desks import buy, carry_out, paper_desk, until
from tests.further import case
from tests.people.home_of_many import (
    MINE,
    OF_ROLE,
    PEOPLE,
    THEIRS,
    add_people,
    desk_of_many,
    refusals,
    seated,
    sit,
)
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
FIRST = 42
"""The client of `aarav`, whom everybody may see."""

TABLE = """
                  admin supervisor trader assistant auditor client
look              x     x          x      x         x       x
read_clients      x     x          x      x         x       x
read_firm         x     x          -      -         x       -
read_audit        x     x          x      x         x       -
keep_lists        x     x          x      x         -       -
plan              x     x          x      x         -       -
sign_clients_in   x     -          x      x         -       -
send              x     -          x      -         -       -
cancel            x     x          x      -         -       -
flatten           x     -          x      -         -       -
guard             x     -          x      -         -       -
halt              x     x          x      x         -       -
halt_firm         x     x          -      -         -       -
resume            x     x          x      -         -       -
approve           x     x          x      -         -       -
settle            x     -          x      -         -       -
close             x     -          x      -         -       -
clients           x     -          x      -         -       -
hand_over         x     x          -      -         -       -
set_up            x     -          -      -         -       -
people            x     -          -      -         -       -
"""


def cells() -> list[tuple[Right, Role, bool]]:
    head, *rows = TABLE.strip().splitlines()
    roles = [Role(word) for word in head.split()]
    return [
        (Right(word), role, cell == "x")
        for word, *line in (row.split() for row in rows)
        for role, cell in zip(roles, line, strict=True)
    ]


def test_the_table_of_roles_is_the_one_that_was_meant():
    assert {(right, role): may(role, right) for right, role, _ in cells()} == {
        (right, role): expected for right, role, expected in cells()
    }
    assert {right for right, _, _ in cells()} == set(Right)
    assert set(RIGHTS) == set(Role)


async def _send(desk: Desk) -> Any:
    plan = await desk.plans.get(1)
    return await desk.runs.start(plan, plan.digest)


async def _resume(desk: Desk) -> Any:
    return await desk.halt.resume(1, "resume", desk.actor)


ACTS: Mapping[Right, Callable[[Desk], Any]] = {
    Right.LOOK: lambda desk: desk.market.detail("NSE:TCS"),
    Right.READ_CLIENTS: lambda desk: desk.funds.of(FIRST),
    Right.READ_FIRM: lambda desk: desk.leases.rows(),
    Right.READ_AUDIT: lambda desk: desk.audit.rows(5),
    Right.KEEP_LISTS: lambda desk: desk.watchlists.make("tried"),
    Right.PLAN: lambda desk: desk.plans.freeze(buy("TCS", QTY, 1, FIRST)),
    Right.SIGN_CLIENTS_IN: lambda desk: desk.reconcile.check(FIRST),
    Right.SEND: _send,
    Right.CANCEL: lambda desk: desk.orders.cancel([1]),
    Right.FLATTEN: lambda desk: desk.flatten.start(HaltScope.CLIENT, str(FIRST), FlattenWhat.MIS),
    Right.GUARD: lambda desk: desk.guards.set(GuardWish(HaltScope.CLIENT, str(FIRST), loss_paise=50_000_00)),
    Right.HALT: lambda desk: desk.halt.fire(desk.actor, HaltScope.CLIENT, str(FIRST)),
    Right.HALT_FIRM: lambda desk: desk.who.demand("halt.firm", Right.HALT_FIRM, whole=True),
    Right.RESUME: _resume,
    Right.APPROVE: lambda desk: desk.approvals.approve(1, "f" * 64),
    Right.CLOSE: lambda desk: desk.close.look(),
    Right.SETTLE: lambda desk: desk.reconcile.adopt(FIRST, "tried"),
    Right.CLIENTS: lambda desk: desk.clients.set_status(FIRST, ClientStatus.INACTIVE, "tried"),
    Right.HAND_OVER: lambda desk: desk.leases.take("free"),
    Right.SET_UP: lambda desk: desk.audit.accept("tried"),
    Right.PEOPLE: lambda desk: desk.people.set_limit(1, 1),
}
"""Something that each right is needed for."""


async def done_with(result: Any) -> Any:
    """What something came to, waited for where it has to be."""
    return await result if inspect.isawaitable(result) else result


async def _is_refused_for_its_role(act: Callable[[Desk], Any], desk: Desk) -> bool:
    try:
        await done_with(act(desk))
    except NotOfRole:
        return True
    except (TradedeskError, LookupError, ValueError):
        pass  # nothing of the kind is there to be done; the right was there
    return False


@pytest.mark.parametrize("role", Role)
async def test_the_engine_refuses_what_the_table_says_and_nothing_else(tmp_path, role):
    async with desk_of_many(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 1, FIRST, limit_paise=2400_00))
        await desk.plans.freeze(buy("INFY", QTY, 1, FIRST))
        await sit(desk, OF_ROLE[role])
        refused = {right for right in Right if await _is_refused_for_its_role(ACTS[right], desk)}
        await desk.settle()
        await sit(desk, "asha")
        kept = await refusals(desk)
    assert refused == {right for right, of, expected in cells() if of is role and not expected}
    assert {one["right"] for one in kept if one["why"] == "NotOfRole"} == {right.value for right in refused}
    assert all(one["actor"] == OF_ROLE[role] for one in kept)


async def test_whatever_a_service_offers_is_in_the_table_or_the_desks_own(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        offered = {
            service: {
                name
                for name, _ in inspect.getmembers(type(vars(getattr(desk, service))["_service"]))
                if name[0] != "_"
            }
            for service, value in vars(desk).items()
            if isinstance(value, Guarded)
        }
    assert set(offered) == set(FACADE)
    for service, names in offered.items():
        own = set(OWN.get(service, ()))
        assert names - own - set(FACADE[service]) == set(), service
        assert own & set(FACADE[service]) == set(), service


def test_no_screen_and_no_command_asks_for_what_is_the_desks_own():
    found = [
        f"{path}: desk.{service}.{name}"
        for layer in ("screens", "tradedesk")
        for path in (Path(__file__).parents[2] / layer).rglob("*.py")
        for service, names in OWN.items()
        for name in names
        if re.search(rf"\bdesk\.{service}\.{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert found == []


async def test_every_service_of_a_desk_is_behind_the_table(tmp_path):
    theirs = {"rules", "connections", "events", "who", "workings"}
    async with desk_of_many(tmp_path) as desk:
        bare = {name for name, value in vars(desk).items() if not isinstance(value, Guarded)}
    assert bare == theirs


async def test_what_is_the_desks_own_is_there_for_nobody(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        for service, names in OWN.items():
            for name in names:
                with pytest.raises(AttributeError, match="the desk's own"):
                    await done_with(getattr(getattr(desk, service), name)())


# --- scope -------------------------------------------------------------------------------------------------


async def test_a_scope_leaves_of_every_list_what_is_of_its_clients(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        mine = {desk.clients.find(code).id for code in MINE}
        theirs = desk.clients.find(THEIRS).id
        _, own = await carry_out(desk, buy("TCS", QTY, 1, *mine))
        await carry_out(desk, buy("TCS", QTY, 1, theirs))
        _, both = await carry_out(desk, buy("INFY", QTY, 1, theirs, *mine))
        whole = desk.counts()
        await sit(desk, "ravi")
        lists = {
            "clients": [one.id for one in desk.clients.all()],
            "found": [one.id for one in desk.clients.search("a")],
            "funds": [one.client_id for one in desk.funds.all()],
            "holdings": [one.client_id for one in desk.holdings.all()],
            "orders": [one.client_id for one in desk.orders.all()],
            "gate": [one.client_id for one in desk.gate.rows()],
            "breaks": [one.client_id for one in desk.reconcile.breaks()],
            "transactions": [one.client_id for one in await desk.holdings.transactions()],
            "holders": list(desk.holdings.holders("NSE:TCS")),
            "audit": [row.client_id for row in await desk.audit.rows(500)],
        }
        assert {name: set(ids) - mine for name, ids in lists.items()} == {name: set() for name in lists}
        assert set(lists["orders"]) == set(lists["holdings"]) == set(lists["audit"]) == mine
        assert both.number not in [run.number for run in desk.runs.all()], "it is of others too"
        assert desk.counts().clients == len(mine) < whole.clients
        assert desk.clients.ready_count() == 2
        assert desk.valuation.desk_total() == desk.valuation.total(sorted(mine))
        told = [line.news.subject for line in desk.tape()]
        assert Subject(Page.PLAN, own.plan_number) in told
        assert Subject(Page.RUN, own.number) in told
        assert not {Subject(Page.RUN, both.number), Subject(Page.PLAN, both.plan_number)} & set(told)


WISH = NewLimit(LimitTo.TICKS, 1)
TO_DELIVERY = (Product.MIS, Product.CNC)

OF_ANOTHER: Mapping[str, Callable[[Desk, int, int, int], Any]] = {
    "client": lambda desk, client, order, run: desk.clients.find(THEIRS),
    "client by number": lambda desk, client, order, run: desk.clients.get(client),
    "funds": lambda desk, client, order, run: desk.funds.of(client),
    "holds": lambda desk, client, order, run: desk.funds.holds(client),
    "holdings": lambda desk, client, order, run: desk.holdings.of(client),
    "value": lambda desk, client, order, run: desk.valuation.client(client),
    "values together": lambda desk, client, order, run: desk.valuation.total([client]),
    "equity": lambda desk, client, order, run: desk.equity.course(client),
    "order": lambda desk, client, order, run: desk.orders.get(order),
    "order's life": lambda desk, client, order, run: desk.orders.life(order),
    "modify": lambda desk, client, order, run: desk.orders.modify(order, quantity=2),
    "cancel": lambda desk, client, order, run: desk.orders.cancel([order]),
    "modify many": lambda desk, client, order, run: desk.modifies.look([order], WISH),
    "run": lambda desk, client, order, run: desk.runs.get(run),
    "run's stop": lambda desk, client, order, run: desk.runs.stop(run, True),
    "run's reversal": lambda desk, client, order, run: desk.runs.reverse_intent(run),
    "plan": lambda desk, client, order, run: desk.plans.get(1),
    "planning": lambda desk, client, order, run: desk.plans.freeze(buy("TCS", QTY, 1, client)),
    "gate": lambda desk, client, order, run: desk.gate.of(client),
    "waiver": lambda desk, client, order, run: desk.gate.waive(client, GateItem.CONSENT, "tried"),
    "status": lambda desk, client, order, run: desk.clients.set_status(
        client, ClientStatus.INACTIVE, "tried"
    ),
    "terms": lambda desk, client, order, run: desk.clients.edit(client, ClientEdit(multiplier_bps=20_000)),
    "pause": lambda desk, client, order, run: desk.clients.pause(client, "tried"),
    "note": lambda desk, client, order, run: desk.notes.on_client(client, "tried"),
    "notes": lambda desk, client, order, run: desk.notes.of(order_id=order),
    "group": lambda desk, client, order, run: desk.groups.add("Mine", [client]),
    "sign-in": lambda desk, client, order, run: desk.sessions.sign_in(client, "token"),
    "route": lambda desk, client, order, run: desk.routes.of(client),
    "comparison": lambda desk, client, order, run: desk.reconcile.check(client),
    "adoption": lambda desk, client, order, run: desk.reconcile.adopt(client, "tried"),
    "conversion": lambda desk, client, order, run: desk.conversions.prospect(client, "NSE:TCS", TO_DELIVERY),
    "flatten": lambda desk, client, order, run: desk.flatten.start(
        HaltScope.CLIENT, str(client), FlattenWhat.ALL
    ),
    "flatten of all": lambda desk, client, order, run: desk.flatten.start(
        HaltScope.EVERYTHING, "", FlattenWhat.ALL
    ),
    "import": lambda desk, client, order, run: desk.clients.add([]),
    "doctor": lambda desk, client, order, run: desk.doctor.run(),
}


async def test_a_client_of_somebody_else_is_refused_and_told(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        theirs = desk.clients.find(THEIRS).id
        _, run = await carry_out(desk, buy("TCS", QTY, 1, theirs, limit_paise=2400_00))
        for tried, (what, done) in enumerate(OF_ANOTHER.items(), 1):
            with case(what):
                await sit(desk, "ravi")
                commits = desk.commits
                with pytest.raises(OutOfScope):
                    await done_with(done(desk, theirs, run.order_ids[0], run.number))
                await desk.settle()
                await sit(desk, "asha")
                assert [one["actor"] for one in await refusals(desk)] == ["ravi"] * tried
                assert desk.commits - commits <= 4, "the refusal, and who has signed in since"
                assert desk.orders.get(run.order_ids[0]).quantity == 1


async def test_a_wish_for_all_is_one_for_all_of_the_scope(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        mine = {desk.clients.find(code).id for code in MINE}
        await sit(desk, "ravi")
        plan = await desk.plans.freeze(buy("TCS", QTY, 1))
        assert {line.client_id for line in plan.lines} == mine
        await desk.runs.start(plan, plan.digest)
        await desk.settle()
        assert {order.client_id for order in desk.orders.all()} == mine


async def test_an_alert_names_positions_of_the_scope_alone(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await add_people(desk)
        mine, theirs = (desk.clients.find(code).id for code in (MINE[0], THEIRS))
        await carry_out(desk, buy("TCS", QTY, 1, mine, theirs, product=Product.MIS))
        day = desk.market.now().astimezone(IST).date()
        exchange_of(desk).jump(datetime.combine(day, SQUARE_OFF_TOLD_AT, IST))
        await until(desk, lambda: desk.alerts.standing, step_s=5)
        assert {one.client_id for one in desk.alerts.standing[0].positions} == {mine, theirs}
        for name in ("ravi", "aarav"):
            await sit(desk, name)
            (alert,) = desk.alerts.standing
            assert {one.client_id for one in alert.positions} == {mine}
            assert desk.alerts.named(alert.kind.value) == alert
        await sit(desk, "asha")
        await desk.people.set_scope("ravi", [MINE[1]])
        await sit(desk, "ravi")
        assert desk.alerts.standing == []


async def test_a_client_of_the_scope_is_taken_flat(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 1, FIRST, product=Product.MIS))
        await sit(desk, "ravi")
        assert (await desk.flatten.prospect(HaltScope.CLIENT, str(FIRST), FlattenWhat.MIS)).positions
        assert await desk.flatten.start(HaltScope.CLIENT, str(FIRST), FlattenWhat.MIS)


async def test_a_halt_that_is_over_others_too_is_not_ended_within_a_scope(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        theirs = str(desk.clients.find(THEIRS).id)
        for of in ((HaltScope.CLIENT, str(FIRST)), (HaltScope.CLIENT, theirs), (HaltScope.EVERYTHING, "")):
            await desk.halt.fire("asha", *of)
        own, *others = sorted(halt.number for halt in desk.halt.active())
        await sit(desk, "ravi")
        for number in others:
            with pytest.raises(OutOfScope):
                await desk.halt.resume(number, "resume", desk.actor)
        assert await desk.halt.resume(own, "resume", desk.actor) == own
        assert [halt.scope for halt in desk.halt.active()] == [HaltScope.EVERYTHING]
        await sit(desk, "asha")
        assert sorted(halt.number for halt in desk.halt.active()) == others


async def test_a_stop_of_everything_asks_for_no_scope(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        theirs = desk.clients.find(THEIRS).id
        await carry_out(desk, buy("TCS", QTY, 1, theirs, limit_paise=2400_00))
        await sit(desk, "ravi")
        made = await desk.halt.fire(desk.actor)
        assert made.cancelled == 1
        assert made.lines == (), "whose orders they were is not theirs to see"
        assert desk.halt.active()[0].by == "ravi"
        await sit(desk, "asha")
        latest = desk.halt.latest()
        assert latest is not None
        assert [line.code for line in latest.lines] == [THEIRS]


async def test_whose_sign_in_was_ended_may_stop_everything_as_nobody(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 1, FIRST, limit_paise=2400_00))
        await sit(desk, "tara")
        gone = desk.who.seat
        await sit(desk, "asha")
        await desk.people.disable("tara")
        with seated(desk, gone):
            made = await desk.halt.fire(desk.actor)
            with pytest.raises(NoLongerStands):
                await desk.halt.resume(made.number, "resume", desk.actor)
        assert made.cancelled == 1
        rows = {row.action: row.actor for row in await desk.audit.rows(20)}
        assert rows["HALT_FIRED"] == "nobody signed in"


async def test_events_are_of_the_scope_and_end_with_the_sign_in(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        theirs = desk.clients.find(THEIRS).id
        await sit(desk, "ravi")
        heard = list[Event]()
        desk.events.subscribe(heard.append)
        seat = desk.who.seat
        await sit(desk, "asha")
        plan = await desk.plans.freeze(buy("TCS", QTY, 1, theirs))
        mine = await desk.plans.freeze(buy("INFY", QTY, 1, FIRST))
        desk.who.seat = seat
        await desk.runs.start(mine, mine.digest)
        await desk.settle()
        own = {one for event in heard if isinstance(event, OrderChanged) for one in event.client_ids}
        assert own == {FIRST}
        heard.clear()
        asha = Actor("asha", Via.API, *_sign_in_of(desk, "asha"))
        with desk.acting(asha):
            run = await desk.runs.start(plan, plan.digest)
            await desk.settle()
        assert [one for one in heard if isinstance(one, (OrderChanged, FundsChanged, OrderFilled))] == []
        assert RunChanged(run.number) not in heard
        assert run.order_ids
        heard.clear()
        with desk.acting(asha):
            await desk.people.disable("ravi")
            await desk.plans.freeze(buy("TCS", QTY, 1, FIRST, again=True))
        assert {type(event) for event in heard} == {PeopleChanged}


def _sign_in_of(desk: Desk, name: str) -> tuple[str, int]:
    people = seam(desk).book.people
    return next(one for one, (whose, _) in people.sign_ins.items() if whose == name), people.by_name[
        name
    ].version


async def test_nobody_signed_in_may_stop_everything_and_do_nothing_else(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await carry_out(desk, buy("TCS", QTY, 1, FIRST, limit_paise=2400_00))
        desk.who.seat = None
        made = await desk.halt.fire(desk.actor)
        assert made.cancelled == 1
        for name, act in ACTS.items():
            if name is not Right.HALT:
                with pytest.raises(Refusal):
                    await done_with(act(desk))


async def test_the_clients_of_a_group_are_those_that_are_in_it_now(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await desk.people.set_scope("ravi", (), ["West"])
        west = {one.id for one in desk.clients.all() if "West" in one.groups}
        await sit(desk, "ravi")
        assert {one.id for one in desk.clients.all()} == west
        assert desk.people.find("ravi").scope == ("group:West",)


async def test_a_group_that_is_somebodys_scope_keeps_its_name_and_stays(tmp_path):
    async with desk_of_many(tmp_path) as desk:
        await desk.people.set_scope("ravi", (), ["West"])
        for change in (desk.groups.rename("West", "Far west"), desk.groups.delete("West")):
            with pytest.raises(BadInput, match="the scope of ravi names it"):
                await change
        await desk.people.set_scope("ravi", [MINE[1]])
        await desk.groups.rename("West", "Far west")
        await desk.groups.delete("Far west")


def test_everybody_of_these_tests_has_a_role_of_their_own():
    assert {role for role, _ in PEOPLE.values()} == set(Role)

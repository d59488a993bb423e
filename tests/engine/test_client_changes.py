"""Changes of clients: each audited with before and after, pauses that end, closing, groups and notes."""

from datetime import timedelta

import pytest

from brokers.contract import NotSent
from data.audit import AuditAction
from data.clock import IST, ManualClock
from data.errors import BadInput
from data.records import replace
from data.vocabulary import (
    ClientStatus,
    FlattenWhat,
    HaltScope,
    OrderState,
    OrderType,
    Product,
    Reason,
    SizingKind,
)
from engine.accounts.client_edit import ClientEdit, until_from
from engine.planning.intent import Selection
from tests.desks import (
    START,
    Wire,
    books_are_sound,
    buy,
    carry_out,
    filed_desk,
    in_time,
    manual_clock,
    on_tape,
    paper_desk,
    until,
)
from tests.engine.test_days import next_day
from tests.further import case

QTY = SizingKind.FIXED_QUANTITY
PRIYA, ROHAN, RV = 3, 8, 12


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one
        await books_are_sound(one)


async def sent(desk, intent):
    """The orders of a run whose orders rest at the broker."""
    plan = await desk.plans.freeze(intent)
    run = await desk.runs.start(plan, plan.digest)
    await desk.settle()
    return desk.runs.get(run.number).order_ids


async def told(desk, action):
    return [row.details for row in await desk.audit.rows(action=action)]


# --- words, limits, capital ---------------------------------------------------------------------------------


async def test_an_edit_keeps_what_was_before_and_after_in_the_audit(desk):
    one = desk.clients.get(ROHAN)
    edit = ClientEdit(
        name="Rohan  G", mtf_limit_paise=7_00, groups=("West", "west", "Fresh"), multiplier_bps=15_000
    )
    assert await desk.clients.edit(ROHAN, edit)
    now = desk.clients.get(ROHAN)
    assert (now.name, now.mtf_limit_paise, now.multiplier_bps) == ("Rohan G", 7_00, 15_000)
    assert now.groups == ("Fresh", "West")
    (row,) = await told(desk, AuditAction.CLIENT_CHANGED)
    assert row["before"] == {
        "name": one.name,
        "multiplier_bps": 10_000,
        "groups": list(one.groups),
        "mtf_limit_paise": one.mtf_limit_paise,
    }
    assert row["after"]["groups"] == ["Fresh", "West"]
    assert not await desk.clients.edit(ROHAN, edit), "nothing differs, so that nothing is told"
    assert len(await told(desk, AuditAction.CLIENT_CHANGED)) == 1
    commands = [one.command for one in await desk.audit.commands()]
    code = now.code
    assert commands[-1] == (
        f"tradedesk clients edit {code} '--groups=Fresh;West' --mtf-limit=7 --multiplier=1.5 '--name=Rohan G'"
    )


async def test_a_capital_counts_from_the_next_trading_day(desk):
    before = desk.clients.get(ROHAN)
    await desk.clients.edit(ROHAN, ClientEdit(capital_paise=9_99_000_00))
    now = desk.clients.get(ROHAN)
    assert (now.capital_paise, now.next_capital_paise) == (before.capital_paise, 9_99_000_00)
    plan = await desk.plans.preview(buy("TCS", SizingKind.PERCENT_OF_CAPITAL, 1000, ROHAN))
    assert plan.lines[0].base_paise == before.capital_paise
    await next_day(desk)
    await until(desk, lambda: desk.clients.get(ROHAN).capital_paise == 9_99_000_00)


NOT_TAKEN = [
    (ClientEdit(name=""), "name"),
    (ClientEdit(name="x" * 201), "name"),
    (ClientEdit(name="a\u202eb"), "name"),
    (ClientEdit(phone="1\n2\x07"), "phone"),
    (ClientEdit(capital_paise=-1), "capital"),
    (ClientEdit(mtf_limit_paise=-1), "mtf_limit"),
    (ClientEdit(groups=("a;b",)), "group"),
    (ClientEdit(groups=("",)), "group"),
    (ClientEdit(status=ClientStatus.INACTIVE), "reason"),
    (ClientEdit(status=ClientStatus.INACTIVE, status_reason="  "), "reason"),
]


async def test_what_cannot_be_taken_changes_nothing(desk):
    for edit, field in NOT_TAKEN:
        with case(edit, field):
            before = desk.clients.get(ROHAN)
            with pytest.raises(BadInput) as refused:
                await desk.clients.edit(ROHAN, edit)
            assert refused.value.field == field
            assert desk.clients.get(ROHAN) == before
            assert not await told(desk, AuditAction.CLIENT_CHANGED)


# --- pausing ------------------------------------------------------------------------------------------------


async def test_a_pause_skips_its_client_by_name_and_ends_by_itself_at_its_time(desk):
    ends = until_from("09:20", desk.market.now())
    await desk.clients.pause(ROHAN, "on a plane", ends)
    plan = await desk.plans.preview(buy("TCS", QTY, 1, ROHAN, RV))
    assert plan.skipped_by_reason == {Reason.CLIENT_PAUSED: 1}
    assert desk.clients.get(ROHAN).gate is Reason.CLIENT_PAUSED
    assert ROHAN not in [client.id for client in desk.clients.all() if client.gate is None]
    await manual_clock(desk).advance((ends - desk.market.now()).total_seconds() - 60)
    assert desk.clients.get(ROHAN).paused
    await manual_clock(desk).advance(120)
    await until(desk, lambda: not desk.clients.get(ROHAN).paused)
    (ended,) = await told(desk, AuditAction.CLIENT_PAUSE_ENDED)
    assert ended["at_its_time"]
    assert ended["before"] == {"reason": "on a plane", "until": ends.isoformat()}
    assert on_tape(desk, "its pause has ended")
    assert (await desk.plans.preview(buy("TCS", QTY, 1, ROHAN))).orders == 1


async def test_a_pause_that_ran_out_while_nobody_was_there_has_ended_at_the_opening(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock) as desk:
        await desk.clients.pause(ROHAN, "on a plane", until_from("10:00", desk.market.now()))
    async with filed_desk(tmp_path, clock) as desk:
        assert desk.clients.get(ROHAN).paused
        await desk.clients.pause(ROHAN, "for a moment", desk.market.now() + timedelta(seconds=1))
    await clock.advance(1)
    async with filed_desk(tmp_path, clock) as desk:
        await until(desk, lambda: not desk.clients.get(ROHAN).paused)
        await books_are_sound(desk)


async def test_a_plan_sends_nothing_for_a_client_that_was_paused_since(desk):
    plan = await desk.plans.freeze(buy("TCS", QTY, 1, ROHAN, RV))
    await desk.clients.pause(ROHAN, "asked us to")
    run = await desk.runs.settled((await desk.runs.start(plan, plan.digest)).number, 30)
    await desk.settle()
    found = {order.client_id: order for order in desk.orders.all(run=run.number)}
    assert (found[ROHAN].state, found[ROHAN].reason_code) == (OrderState.DENIED, Reason.CLIENT_PAUSED)
    assert found[RV].state is OrderState.FILLED
    assert desk.funds.of(ROHAN).blocked_paise == 0


async def test_what_is_reserved_when_its_client_is_paused_is_denied_at_its_claim(desk):
    wire, shut, reached = Wire(desk), True, list[int]()

    async def place(account, request):
        if shut:
            return NotSent("429")
        reached.append(account.client_id)
        return None

    wire.on_place = place
    plan = await desk.plans.freeze(buy("TCS", QTY, 1, ROHAN, RV))
    number = (await desk.runs.start(plan, plan.digest)).number
    await until(desk, lambda: len(wire.placed) >= 2, step_s=0.1)
    await desk.clients.pause(ROHAN, "asked us to")
    shut = False
    await until(desk, lambda: not any(order.live for order in desk.orders.all(run=number)))
    found = {order.client_id: order for order in desk.orders.all(run=number)}
    assert (found[ROHAN].state, found[ROHAN].reason_code) == (OrderState.DENIED, Reason.CLIENT_PAUSED)
    assert found[RV].state is OrderState.FILLED
    assert desk.funds.of(ROHAN).blocked_paise == 0
    assert reached == [RV]
    await books_are_sound(desk)


async def test_a_paused_client_is_taken_flat_all_the_same(desk):
    await carry_out(desk, buy("TCS", QTY, 3, ROHAN))
    await desk.clients.pause(ROHAN, "asked us to")
    found = await desk.flatten.prospect(HaltScope.CLIENT, str(ROHAN), FlattenWhat.ALL)
    assert len(found.positions) == 1
    number = await desk.flatten.start(HaltScope.CLIENT, str(ROHAN), FlattenWhat.ALL)
    done = await in_time(desk, desk.flatten.follow(number))
    assert [line.filled for line in done.lines] == [3]


async def test_a_pause_wants_a_reason_a_time_ahead_and_an_active_client(desk):
    now = desk.market.now()
    for text in ("09:00", "25:00", "tomorrow", "2026-13-01", "2099-01-01", "2020-01-01"):
        with pytest.raises(BadInput, match="give a time ahead"):
            until_from(text, now)
    assert until_from("2026-12-01T14:30", now).astimezone(IST).hour == 14
    with pytest.raises(BadInput):
        await desk.clients.pause(ROHAN, " ")
    with pytest.raises(BadInput, match="not paused"):
        await desk.clients.unpause(ROHAN)
    await desk.clients.set_status(ROHAN, ClientStatus.INACTIVE, "vacation")
    with pytest.raises(BadInput, match="it is inactive"):
        await desk.clients.pause(ROHAN, "asked us to")


# --- closing ------------------------------------------------------------------------------------------------


async def test_a_closed_client_is_on_no_list_and_in_no_order(desk):
    everyone = len(desk.clients.all())
    code = desk.clients.get(ROHAN).code
    await desk.clients.set_status(ROHAN, ClientStatus.CLOSED, "left us")
    assert len(desk.clients.all()) == everyone - 1 == desk.counts().clients == len(desk.gate.rows())
    assert [client.id for client in desk.clients.closed()] == [ROHAN]
    assert desk.clients.find(code).id == ROHAN, "its history can be looked at"
    assert ROHAN not in [client.id for client in desk.plans.select(Selection())]
    assert not desk.clients.search(code)
    with pytest.raises(BadInput, match="closed"):
        await desk.plans.preview(buy("TCS", QTY, 1, ROHAN))
    with pytest.raises(BadInput, match="it is closed"):
        await desk.clients.edit(ROHAN, ClientEdit(name="Other"))
    await desk.clients.set_status(ROHAN, ClientStatus.ACTIVE, "")
    assert len(desk.clients.all()) == everyone


async def test_closing_is_refused_while_shares_a_loan_or_orders_stand_and_says_which(desk):
    await carry_out(desk, buy("TCS", QTY, 3, ROHAN))
    await carry_out(desk, replace(buy("INFY", QTY, 2, ROHAN), product=Product.MTF))
    resting = replace(buy("TCS", QTY, 1, ROHAN), order_type=OrderType.LIMIT, limit_paise=2300_00)
    order = (await sent(desk, resting))[0]
    with pytest.raises(BadInput) as refused:
        await desk.clients.set_status(ROHAN, ClientStatus.CLOSED, "left us")
    words = refused.value.expected
    assert "3 TCS CNC" in words
    assert "2 INFY MTF" in words
    assert "a loan of ₹" in words
    assert f"order {order}" in words
    assert desk.clients.get(ROHAN).status is ClientStatus.ACTIVE


# --- groups -------------------------------------------------------------------------------------------------


async def test_a_group_by_rule_follows_its_clients_with_every_commit(desk):
    cash = desk.funds.of(ROHAN).available_paise
    rule = f"cash >= {cash // 100} and code = {desk.clients.get(ROHAN).code}"
    made = await desk.groups.set_rule("cash rich", rule)
    assert made.client_ids == (ROHAN,)
    assert "cash rich" in desk.clients.groups()
    selection = Selection(groups=("cash rich",), title="group cash rich (1)")
    assert [client.id for client in desk.plans.select(selection)] == [ROHAN]
    await carry_out(desk, replace(buy("TCS", QTY, 1), selection=selection))
    assert desk.groups.find("Cash Rich").client_ids == ()
    assert desk.plans.select(selection) == []
    assert desk.halt.check_scope(HaltScope.GROUP, "cash rich") == "cash rich"
    await desk.groups.set_rule("cash rich", "holds = TCS")
    assert desk.groups.find("cash rich").client_ids == (ROHAN,)
    rules = await told(desk, AuditAction.GROUP_CHANGED)
    assert [(one["before"], one["after"]) for one in rules] == [
        (None, {"rule": rule}),
        ({"rule": rule}, {"rule": "holds = TCS"}),
    ]


async def test_a_halted_group_by_rule_is_who_was_in_it_at_the_halt(desk):
    await desk.groups.set_rule("held", "holds = TCS")
    await carry_out(desk, buy("TCS", QTY, 1, ROHAN))
    await desk.halt.fire("tester", HaltScope.GROUP, "held")
    (halt,) = desk.halt.active()
    assert halt.members == {ROHAN}


async def test_clients_are_put_into_groups_and_taken_out_by_hand(desk):
    await desk.groups.add("New ones", [ROHAN, RV])
    assert desk.groups.find("new ONES").client_ids == (ROHAN, RV)
    await desk.groups.remove("New ones", [RV])
    await desk.groups.rename("New ones", "Newer")
    assert desk.groups.find("Newer").client_ids == (ROHAN,)
    assert (await desk.groups.delete("Newer")).client_ids == (ROHAN,)
    assert "Newer" not in desk.clients.groups()
    code, other = desk.clients.get(ROHAN).code, desk.clients.get(RV).code
    assert [one.command for one in await desk.audit.commands()][-4:] == [
        f"tradedesk groups add 'New ones' {' '.join(sorted([code, other]))}",
        f"tradedesk groups remove 'New ones' {other}",
        "tradedesk groups rename 'New ones' Newer",
        "tradedesk groups delete Newer",
    ]


async def test_an_edit_of_a_group_is_one_commit_and_one_row(desk):
    code, other = desk.clients.get(ROHAN).code, desk.clients.get(RV).code
    await desk.groups.add("New ones", [ROHAN])
    before = len(await desk.audit.rows(100, action="GROUP_CHANGED"))
    made = await desk.groups.edit("New ones", "Newer", added=[RV], removed=[ROHAN])
    assert (made.name, made.client_ids) == ("Newer", (RV,))
    rows = await desk.audit.rows(100, action="GROUP_CHANGED")
    assert len(rows) == before + 1
    (told, *_) = sorted(rows, key=lambda row: -row.seq)
    assert told.details["before"] == {"name": "New ones", "clients": [code]}
    assert told.details["after"] == {"name": "Newer", "clients": [other]}
    command = (await desk.audit.commands())[-1].command
    assert command == f"tradedesk groups edit 'New ones' --name=Newer --add={other} --remove={code}"
    await desk.groups.set_rule("large", "capital > 5L")
    made = await desk.groups.edit("large", "Larger", "capital > 6L")
    assert (made.name, made.rule) == ("Larger", "capital > 6L")
    assert len(await desk.audit.rows(100, action="GROUP_CHANGED")) == before + 3
    await desk.groups.edit("Larger", "Larger")
    assert len(await desk.audit.rows(100, action="GROUP_CHANGED")) == before + 3, "nothing was changed"


async def test_an_edit_of_a_group_that_is_wrong_in_one_part_writes_none_of_it(desk):
    await desk.groups.add("hand", [ROHAN])
    await desk.groups.set_rule("rich", "capital > 5L")
    rows = len(await desk.audit.rows(100))
    for name, new, rule, added in (
        ("hand", "Other", "capital > 5L", ()),
        ("hand", "Rich", "", (RV,)),
        ("hand", "Other", "", (999,)),
        ("rich", "Other", "", (RV,)),
        ("rich", "Other", "capital >", ()),
    ):
        with pytest.raises(BadInput):
            await desk.groups.edit(name, new, rule, added)
    assert (desk.groups.find("hand").client_ids, desk.groups.find("rich").rule) == ((ROHAN,), "capital > 5L")
    assert "Other" not in desk.clients.groups()
    assert len(await desk.audit.rows(100)) == rows


async def test_a_name_is_by_hand_or_by_rule_and_never_both(desk):
    await desk.groups.set_rule("rich", "capital > 5L")
    with pytest.raises(BadInput, match="by rule"):
        await desk.groups.add("RICH", [ROHAN])
    with pytest.raises(BadInput, match="by rule"):
        await desk.clients.edit(ROHAN, ClientEdit(groups=("Rich",)))
    await desk.groups.add("hand", [ROHAN])
    with pytest.raises(BadInput, match="by hand"):
        await desk.groups.set_rule("Hand", "mtf")
    with pytest.raises(BadInput, match="another group"):
        await desk.groups.rename("hand", "Rich")
    with pytest.raises(BadInput, match="no such group"):
        await desk.groups.delete("nobody")


# --- notes --------------------------------------------------------------------------------------------------


async def test_notes_stand_in_the_audit_and_with_what_they_are_on(desk):
    _, run = await carry_out(desk, buy("TCS", QTY, 1, ROHAN))
    await desk.notes.on_client(ROHAN, "wants no  tobacco")
    await desk.notes.on_order(run.order_ids[0], "asked by phone")
    await desk.notes.on_run(run.number, "after the news")
    assert [note.text for note in await desk.notes.of(client_id=ROHAN)] == [
        "wants no tobacco",
        "asked by phone",
    ]
    assert [note.text for note in await desk.notes.of(order_id=run.order_ids[0])] == ["asked by phone"]
    assert "after the news" in [note.text for note in await desk.notes.of(run_number=run.number)]
    life = await desk.orders.life(run.order_ids[0])
    assert "asked by phone" in [row.details.get("text") for row in life.audit]
    for on, number in ((desk.notes.on_client, 999), (desk.notes.on_order, 999), (desk.notes.on_run, 999)):
        with pytest.raises(BadInput):
            await on(number, "x")
    for text in ("", " ", "x" * 501, "a\x1b[2J"):
        with pytest.raises(BadInput):
            await desk.notes.on_client(ROHAN, text)


# --- two engines --------------------------------------------------------------------------------------------


async def test_what_another_terminal_changes_shows_without_a_restart(tmp_path):
    clock = ManualClock(START)
    async with filed_desk(tmp_path, clock, seed=1) as desk, filed_desk(tmp_path, clock, seed=2) as other:
        await other.clients.edit(ROHAN, ClientEdit(name="Another Name"))
        await other.groups.set_rule("rich", "capital > 1")
        await other.clients.pause(RV, "asked us to")
        await until(desk, lambda: desk.clients.get(RV).paused)
        assert desk.clients.get(ROHAN).name == "Another Name"
        assert "rich" in desk.clients.get(ROHAN).groups


async def test_a_changed_capital_sizes_nothing_before_the_next_trading_day(tmp_path):
    async with paper_desk(tmp_path) as desk:
        before = desk.clients.get(ROHAN).capital_paise
        quarter = buy("INFY", SizingKind.PERCENT_OF_CAPITAL, 2500, ROHAN)
        (line,) = (await desk.plans.freeze(quarter)).lines
        assert desk.next_trading_day is not None
        await desk.clients.edit(ROHAN, ClientEdit(capital_paise=before * 2))
        now = desk.clients.get(ROHAN)
        assert (now.capital_paise, now.next_capital_paise) == (before, before * 2)
        (same,) = (await desk.plans.freeze(quarter)).lines
        assert (same.base_paise, same.quantity) == (before, line.quantity)
        day = desk.next_trading_day
        await next_day(desk)
        assert desk.market_clock.trading_day == day
        (twice,) = (await desk.plans.freeze(quarter)).lines
        assert twice.base_paise == before * 2
        assert abs(twice.quantity - 2 * line.quantity) <= 1
        assert desk.clients.get(ROHAN).next_capital_paise == desk.clients.get(ROHAN).capital_paise

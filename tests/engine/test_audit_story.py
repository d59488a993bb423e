"""The story of a row that is of no order, run or plan: halts, flattens, conversions, alerts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from data.vocabulary import ConversionState, FlattenWhat, HaltScope, Product, SizingKind
from engine.book.audit_views import AuditRecord, Chapter, Of, StoryOf
from engine.colon.searches import search_from
from engine.desk import Desk
from tests.desks import buy, carry_out, in_time, paper_desk
from tradedesk.testing import seam

QTY = SizingKind.FIXED_QUANTITY
AARAV, PRIYA = 42, 15


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with paper_desk(tmp_path) as desk:
        yield desk


async def newest(desk: Desk, action: str) -> AuditRecord:
    search = await desk.audit.search(search_from([f"action:{action}"], desk.known()))
    return (await search.page()).rows[0]


async def chapters(desk: Desk, row: AuditRecord) -> dict[Of, Chapter]:
    story = await desk.audit.story(row.seq)
    return {one.of: await desk.audit.chapter(one, row.seq) for one in story.subjects}


def told(chapter: Chapter) -> list[tuple[str, int | None]]:
    return [(row.action, row.order_id) for row in chapter.rows]


async def test_a_halt_s_story_has_the_orders_it_met_their_ends_and_who_resumed_it(desk: Desk) -> None:
    await carry_out(desk, buy("TCS", QTY, 1, AARAV))
    _, run = await carry_out(desk, buy("RELIANCE", QTY, 1, AARAV, PRIYA, limit_paise=2_300_00))
    other = await in_time(desk, desk.halt.fire("asha", HaltScope.CLIENT, str(PRIYA)))
    await desk.halt.resume(other.number, "resume", "asha")
    made = await in_time(desk, desk.halt.fire("ravi"))
    await desk.halt.resume(made.number, "resume", "asha")
    await carry_out(desk, buy("TCS", QTY, 1, AARAV, again=True))
    of_aarav, of_priya = sorted(run.order_ids, key=lambda one: desk.orders.get(one).client_id == PRIYA)

    fired = (await chapters(desk, await newest(desk, "halt_fired")))[Of.HALT]
    assert fired.subject == StoryOf(Of.HALT, made.number)
    begun: list[tuple[str, int | None]] = [("CANCEL_REQUESTED", of_aarav), ("HALT_FIRED", None)]
    by = ["ravi", "ravi", "asha"]
    if seam(desk).store.on_server:  # its first word and what it meets are two commits
        begun, by = [begun[1], begun[0], ("HALT_SWEPT", None)], ["ravi", *by]
    assert told(fired) == [
        *begun,
        ("ORDER_CANCELLED", of_aarav),
        ("HALT_CERTIFIED", None),
        ("HALT_RESUMED", None),
    ]
    assert [row.actor for row in fired.rows if row.order_id is None] == by
    assert (fired.more_before, fired.more_after) == (False, False)

    cancel = (await chapters(desk, fired.rows[0]))[Of.HALT]
    assert [row.seq for row in cancel.rows] == [row.seq for row in fired.rows]
    earlier = await desk.audit.chapter(StoryOf(Of.HALT, other.number), fired.rows[0].seq)
    assert of_priya in {row.order_id for row in earlier.rows}
    near = await desk.audit.chapter(fired.subject, fired.rows[2].seq, most=1)
    assert near.rows == fired.rows[1:4]
    assert (near.more_before, near.more_after) == (True, True)


async def test_a_flatten_s_story_has_its_orders_from_their_reservation_on(desk: Desk) -> None:
    await carry_out(desk, buy("TCS", QTY, 3, PRIYA, product=Product.MIS))
    number = await in_time(desk, desk.flatten.start(HaltScope.EVERYTHING, "", FlattenWhat.MIS))
    made = await in_time(desk, desk.flatten.follow(number))
    (order_id,) = [one for line in made.lines for one in line.orders]

    rows = told((await chapters(desk, await newest(desk, "flatten_started")))[Of.FLATTEN])
    assert rows[0] == ("FLATTEN_STARTED", None)
    assert rows[-1] == ("FLATTEN_CERTIFIED", None)
    assert {one for _, one in rows[1:-1]} == {order_id}
    assert rows[1][0] == "ORDER_RESERVED"

    of_order = await desk.audit.chapter(StoryOf(Of.ORDER, order_id), 1)
    fill = next(row for row in of_order.rows if row.action == "FILL_APPLIED")
    assert told((await chapters(desk, fill))[Of.FLATTEN]) == rows


async def test_a_conversion_s_story_has_its_end(desk: Desk) -> None:
    await carry_out(desk, buy("TCS", QTY, 3, PRIYA, product=Product.MIS))
    made = await desk.conversions.convert(PRIYA, "NSE:TCS", (Product.MIS, Product.CNC))
    assert made.state is ConversionState.DONE
    found = await chapters(desk, await newest(desk, "conversion_ended"))
    assert [of for of in found if of is not Of.CHAIN] == [Of.CONVERSION, Of.CLIENT]
    assert told(found[Of.CONVERSION]) == [("CONVERSION_REQUESTED", None), ("CONVERSION_ENDED", None)]

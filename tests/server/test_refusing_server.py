"""Whatever a server says of a moment reaches nobody as an error, and costs no order, fill or halt."""

from pathlib import Path

import pytest

from data.records import replace
from data.vocabulary import RunCount, SizingKind
from engine.desk import Desk
from tests.books import POSTGRES
from tests.desks import books_are_sound, buy, carry_out, in_time, manual_clock, paper_desk, sell
from tests.server.refusals import Refusals, refusing

on_server = pytest.mark.parametrize("books_engine", [POSTGRES], indirect=True)


async def round_of_work(desk: Desk) -> None:
    """Place, claim, book, halt, cancel, resume and compare, as it comes out on a quiet server."""
    _, made = await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, 7, 9, again=True))
    assert made.counts[RunCount.FILLED] == 2
    _, made = await carry_out(
        desk, buy("INFY", SizingKind.FIXED_QUANTITY, 1, 7, limit_paise=140_000, again=True)
    )
    assert made.counts[RunCount.OPEN] == 1
    certificate = await in_time(desk, desk.halt.fire("tester"))
    assert [one.result for one in certificate.orders] == ["cancelled"]
    await desk.halt.resume(certificate.number, "resume", "tester")
    while not await in_time(desk, desk.reconcile.check(7)):  # not while its orders move
        await manual_clock(desk).advance(1.0)
    selling = replace(sell("TCS", SizingKind.PERCENT_OF_POSITION, 10_000, 7, 9), again=True)
    _, made = await carry_out(desk, selling)
    assert made.counts[RunCount.FILLED] == 2


async def until_all_met(desk: Desk, refusals: Refusals, rounds: int, often: int) -> None:
    """Work until each statement that is said often has met what it is to meet."""
    for number in range(5 * rounds):
        await round_of_work(desk)
        if number >= rounds and not refusals.left(often):
            break
    assert refusals.left(often) == []
    await books_are_sound(desk)


@on_server
async def test_a_statement_may_be_refused_whichever_it_is(tmp_path: Path, books_engine: str) -> None:
    async with paper_desk(tmp_path) as desk:
        with refusing() as refusals:
            await until_all_met(desk, refusals, rounds=4, often=4)
        assert len(refusals.met) > 100


@on_server
@pytest.mark.proof
async def test_each_statement_meets_each_refusal(tmp_path: Path, books_engine: str) -> None:
    async with paper_desk(tmp_path) as desk:
        with refusing(turns=False) as refusals:
            await until_all_met(desk, refusals, rounds=20, often=20)

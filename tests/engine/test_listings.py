"""How brokers list instruments: what a file leaves listed, and what a rename does to others' listings."""

import json
from pathlib import Path

import pytest

from brokers.paper.broker import CAPABILITIES
from data.audit import DISTRUSTED
from data.home import books_file
from data.records import replace
from data.reference.instruments import BrokerInstrument, Instrument, as_listed, at_broker
from data.repositories.listings import listings_of, replace_listings
from data.vocabulary import Reason
from engine.desk import Desk
from tests.books import rows_of
from tests.desks import listed_by_feed, paper_desk, until
from tests.engine.test_run_conditions import MARKET, held
from tests.tampering import tamper
from tradedesk.testing import seam

FRESH = BrokerInstrument("NSE", "FRESH", "Fresh", 5, prev_close_paise=100_00, token="901")


def listed(desk: Desk, broker: str = "paper") -> dict[str, tuple[str | None, str]]:
    found = seam(desk).store.glance(lambda connection: listings_of(connection, broker))
    return {one.key: (one.token, one.symbol) for one in found}


async def stored(desk: Desk, *told: Instrument, complete: bool = False) -> None:
    await desk.market.store_instruments(told, "test", complete=complete)


async def test_each_instrument_of_a_file_is_listed_at_its_broker_alone(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        every = {one.key: (one.token, one.tradingsymbol) for one in listed_by_feed(desk)}
        assert listed(desk) == every
        await stored(desk, FRESH)
        assert listed(desk) == every | {"NSE:FRESH": ("901", "FRESH")}
        assert desk.market.index.listing("paper", "NSE:FRESH")
        assert not desk.market.index.listing("upstox", "NSE:FRESH")
        assert listed(desk, "upstox") == {}


async def test_what_tells_no_token_keeps_the_one_that_is_known(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        before = listed(desk)
        known = desk.market.index.get("NSE:INFY")
        assert known is not None
        await stored(desk, replace(known, sector="Tested"))
        assert listed(desk) == before


async def test_a_token_that_stands_twice_names_nothing(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        await stored(desk, FRESH, replace(FRESH, tradingsymbol="FRESHER"))
        found = listed(desk)
        assert [found[key] for key in ("NSE:FRESH", "NSE:FRESHER")] == [(None, "FRESH"), (None, "FRESHER")]
        infy = found["NSE:INFY"][0]
        assert infy is not None
        await stored(desk, replace(FRESH, exchange="BSE", segment="BSE", token=infy))
        assert listed(desk)["BSE:FRESH"] == (infy, "FRESH")
        assert listed(desk)["NSE:INFY"] == (None, "INFY")


async def test_others_listings_follow_names_and_end_with_what_is_gone(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        rows = {one.tradingsymbol: one for one in listed_by_feed(desk)}
        theirs = [
            as_listed("upstox", f"NSE:{name}", at_broker(replace(rows[name], isin=""), f"EQ|{name}"))
            for name in ("INFY", "TCS", "ITC")
        ]
        await seam(desk).store.write(lambda unit: replace_listings(unit, "upstox", [], theirs))
        names = {"INFY": "TCS", "TCS": "INFY"}
        told = [
            replace(one, tradingsymbol=names.get(one.tradingsymbol, one.tradingsymbol), isin="")
            for one in rows.values()
            if one.tradingsymbol != "ITC"
        ]
        itc = desk.market.index.get("NSE:ITC")
        assert itc is not None
        await desk.market.store_instruments(told, "test", [itc])
        assert listed(desk, "upstox") == {
            "NSE:TCS": ("EQ|INFY", "INFY"),
            "NSE:INFY": ("EQ|TCS", "TCS"),
        }, "a symbol of theirs stays theirs"
        assert (rows["INFY"].token, "TCS") == listed(desk)["NSE:TCS"]
        assert "NSE:ITC" not in listed(desk)


async def test_neither_a_plan_nor_going_on_takes_whom_the_broker_does_not_list_for(tmp_path: Path) -> None:
    async with held(tmp_path) as it:
        desk = it.desk
        await it.start(MARKET)
        await desk.runs.pause(it.number)
        await until(desk, lambda: it.run.paused)
        vars(it.wire)["capabilities"] = replace(CAPABILITIES, lists_all=False)
        assert (await desk.runs.prospect(it.number)).barred == {}
        await seam(desk).store.write(lambda unit: replace_listings(unit, "paper", [MARKET.key], []))
        await desk.market.load()
        barred = (await desk.runs.prospect(it.number)).barred
        assert {one.reason for one in barred.values()} == {Reason.NOT_LISTED}
        assert len(barred) == 3
        plan = await desk.plans.preview(replace(MARKET, again=True))
        assert [line.reason for line in plan.lines] == [Reason.NOT_LISTED] * 3


def proven(home: Path) -> list[set[str]]:
    """Of each file that was taken in, the listings that its row of the audit proves."""
    asked = "SELECT proof FROM audit WHERE action = 'INSTRUMENTS_IMPORTED' ORDER BY seq"
    return [set(json.loads(proof or "{}").get("listing", {})) for (proof,) in rows_of(home, asked)]


async def faults(desk: Desk) -> list[str]:
    """What the doctor finds wrong."""
    return [f"{check.name}: {check.detail}" for check in await desk.doctor.run() if not check.ok]


async def test_only_listings_that_a_file_changes_are_written_and_proven(tmp_path: Path) -> None:
    async with paper_desk(tmp_path) as desk:
        every = {f"paper|{one.key}" for one in listed_by_feed(desk)}
        assert proven(tmp_path)[-1] == every
        told = listed_by_feed(desk)
        await stored(desk, *told, complete=True)
        assert proven(tmp_path)[-1] == set()
        await stored(desk, replace(told[0], token="902"), *told[1:], FRESH, complete=True)
        assert proven(tmp_path)[-1] == {f"paper|{told[0].key}", "paper|NSE:FRESH"}
        assert listed(desk)[told[0].key] == ("902", told[0].tradingsymbol)
        assert await faults(desk) == []


CHANGED = "UPDATE listing SET token = '903' WHERE key = 'NSE:INFY'"
GONE = "DELETE FROM listing WHERE key = 'NSE:INFY'"
ADDED = "INSERT INTO listing VALUES ('upstox', 'NSE:INFY', '9', 'INFY', '', '')"


@pytest.mark.parametrize(
    ("by_hand", "words"),
    [
        (CHANGED, "listing paper|NSE:INFY is not as row"),
        (GONE, "listing paper|NSE:INFY is not there, row"),
        (ADDED, "1 rows of listing have no proof"),
    ],
)
async def test_a_listing_changed_by_hand_is_found_by_the_doctor(
    tmp_path: Path, by_hand: str, words: str
) -> None:
    async with paper_desk(tmp_path) as desk:
        tamper(books_file(tmp_path), by_hand)
        (fault,) = [one for one in await faults(desk) if one.startswith("proofs")]
        assert words in fault


@pytest.mark.parametrize("by_hand", [CHANGED, GONE])
async def test_a_file_that_writes_over_what_was_changed_by_hand_says_so(tmp_path: Path, by_hand: str) -> None:
    async with paper_desk(tmp_path) as desk:
        told = listed_by_feed(desk)
        tamper(books_file(tmp_path), by_hand)
        await stored(desk, *told, complete=True)
        (row,) = await desk.audit.rows(action=DISTRUSTED)
        assert "listing paper|NSE:INFY is not as the audit left it" in row.details["found"][0]
        assert listed(desk) == {one.key: (one.token, one.tradingsymbol) for one in told}

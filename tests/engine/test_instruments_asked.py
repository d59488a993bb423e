"""Instruments are read when they are asked for, and the names that are searched with the first search."""

import sqlite3
from contextlib import closing

import pytest

from data.records import replace
from data.reference.instrument_index import UnknownSymbol, index_of
from data.reference.seed import universe
from data.vocabulary import SizingKind
from tests.desks import buy, carry_out, paper_desk

ROHAN = 8


@pytest.fixture
async def desk(tmp_path):
    async with paper_desk(tmp_path) as one:
        yield one


def told(index, text):
    """What is said of a text that is no symbol."""
    with pytest.raises(UnknownSymbol) as problem:
        index.resolve(text)
    return str(problem.value)


async def test_no_order_and_no_look_at_known_keys_reads_the_names(desk):
    await carry_out(desk, buy("TCS", SizingKind.FIXED_QUANTITY, 1, ROHAN))
    assert desk.market.detail("NSE:TCS").held_quantity >= 1
    assert desk.market.index.resolve("infy").key == "NSE:INFY"
    assert not desk.market.index.is_searched


async def test_the_names_are_read_once_beside_the_loop_and_again_with_what_is_stored_then(desk):
    await desk.market.read_names()
    assert desk.market.index.is_searched
    infy = desk.market.index.resolve("INFY")
    fresh = replace(infy, tradingsymbol="FRESH", isin="", security_id="")
    await desk.market.store_instruments([fresh], "test", complete=False)
    assert desk.market.index.is_searched, "the next search waits for nothing either"
    assert [one.key for one in desk.market.search("fres")] == ["NSE:FRESH"]


async def test_a_stored_index_answers_as_one_in_memory(desk):
    infy = desk.market.index.resolve("INFY")
    odd = replace(infy, tradingsymbol="Nifty Odd", isin="INE000000001", security_id="")
    await desk.market.store_instruments([odd], "test", complete=False)
    stored, listed = desk.market.index, index_of(desk.market.index)
    assert list(stored) == list(listed)
    assert len(stored) == len(listed) == len(universe()) + 1
    for key in ("NSE:INFY", "nse:infy", "NSE:NIFTY ODD", "nse:nifty odd", "BSE:INFY", "NSE:", "INFY", ""):
        assert stored.get(key) == listed.get(key), key
        assert stored.key_now(key) == listed.key_now(key)
    for isin in (infy.isin, "INE000000001", "", "nothing"):
        assert stored.of_isin(isin, "NSE") == listed.of_isin(isin, "NSE")
    for text in ("rel", "ODD", "bank", "x", ""):
        assert stored.search(text, 7, ["NSE:ITC"]) == listed.search(text, 7, ["NSE:ITC"])
    for text in ("RELAINCE", "bse:rel", "?"):
        assert told(stored, text) == told(listed, text)


@pytest.mark.in_file
async def test_what_cannot_be_read_is_not_known(desk):
    with closing(sqlite3.connect(desk.home / "desk.db")) as books:
        books.execute("ALTER TABLE instrument RENAME TO lost")
    await desk.market.load()
    assert desk.market.index.get("NSE:TCS") is None
    assert desk.market.search("TCS") == []


@pytest.mark.in_file
@pytest.mark.parametrize(
    "change", ["lot_size = 'many'", "name = x'ff'", "prev_close_paise = 1.5", "tradingsymbol = x'41'"]
)
async def test_an_instrument_with_an_odd_value_is_not_known_and_the_doctor_names_it(desk, change):
    with closing(sqlite3.connect(desk.home / "desk.db")) as books, books:
        books.execute(f"UPDATE instrument SET {change} WHERE tradingsymbol = 'RIIL'")
    await desk.market.load()
    assert desk.market.index.get("NSE:RIIL") is None
    assert desk.market.index.get("NSE:TCS") is not None
    assert [one.key for one in desk.market.search("TCS")] == ["NSE:TCS"]
    assert any("instrument NSE." in check.detail for check in await desk.doctor.run() if not check.ok)

"""A stop of trading by changed books stands until it is accepted or mended, whatever else is deleted."""

import sqlite3
from contextlib import closing

import pytest

from data.vocabulary import SizingKind
from data.writing.audit_writer import stop_words
from engine.refusals import TradingStopped
from tests.desks import buy, carry_out, paper_desk
from tests.tampering import tamper


async def test_a_stop_stands_by_the_audit_alone(tmp_path):
    order = buy("TCS", SizingKind.FIXED_QUANTITY, 1, limit_paise=2400_00)
    async with paper_desk(tmp_path) as desk:
        await carry_out(desk, order)
    tamper(tmp_path / "desk.db", "UPDATE orders SET quantity = quantity + 1 WHERE id = 2")
    async with paper_desk(tmp_path, demo=False) as desk:
        await desk.doctor.run()
        assert "orders" in str(desk.trading_disabled)
    tamper(tmp_path / "desk.db", "DELETE FROM audit_head WHERE name NOT IN ('written', 'verified')")
    async with paper_desk(tmp_path, demo=False) as desk:
        assert "orders" in str(desk.trading_disabled)
        with pytest.raises(TradingStopped):
            await carry_out(desk, order)
        assert (await desk.audit.accept("seen")).ok
    async with paper_desk(tmp_path, demo=False) as desk:
        assert desk.trading_disabled is None


def test_the_words_of_a_stop_tell_the_first_few_faults_and_how_many_more_there_are():
    faults = [f"orders {number} is not as the audit left it" for number in range(40)]
    words = stop_words([f"rows: {'; '.join(faults)}", "funds: 8"])
    assert "orders 2 is not" in words
    assert "orders 3 is not" not in words
    assert ", and 38 more; `tradedesk doctor` says more" in words
    assert "orders 0 is not as the audit left it; `tradedesk doctor`" in stop_words(faults[:1])


@pytest.mark.in_file
async def test_the_doctor_finds_a_table_whose_text_was_changed_and_accepting_ends_the_stop(tmp_path):
    async with paper_desk(tmp_path) as desk:
        assert [one.name for one in await desk.doctor.run() if not one.ok] == []
    with closing(sqlite3.connect(tmp_path / "desk.db")) as file, file:
        file.execute("PRAGMA writable_schema=ON")
        file.execute(
            "UPDATE sqlite_master SET sql = replace(sql, 'PRIMARY KEY (number)', "
            "'CHECK (number < 0), PRIMARY KEY (number)') WHERE type = 'table' AND name = 'halt'"
        )
    async with paper_desk(tmp_path, demo=False) as desk:
        bad = {one.name: one.detail for one in await desk.doctor.run() if not one.ok}
        assert bad["append-only triggers"] == "table halt is not as tradedesk made it"
        assert "table halt is not as tradedesk made it" in str(desk.trading_disabled)
        report = await desk.audit.verify()
        assert (report.ok, report.message) == (False, "table halt is not as tradedesk made it")
        await desk.audit.accept("seen")
        assert (await desk.audit.verify()).ok
        assert [one.name for one in await desk.doctor.run() if not one.ok] == []

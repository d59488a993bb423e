"""An audit that was emptied, cut or rewritten is found at the next opening, and may be accepted knowingly."""

import json
import sqlite3
from contextlib import closing

import pytest

from data.errors import BadInput
from data.vocabulary import ClientStatus, DeskKind
from engine.refusals import TradingStopped
from tests.desks import buy, paper_desk, there, until
from tests.further import further_rows
from tests.tampering import FIT, UNMARK, copy_of, tamper
from tests.tradedesk.cli_desk import Terminal
from tests.whole_home import PRIYA, QTY, whole_home


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_home(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def cut(whole, tmp_path):
    """A home whose last three rows of the audit are gone."""
    tamper(copy_of(whole, tmp_path), "DELETE FROM audit WHERE seq > (SELECT max(seq) FROM audit) - 3")
    return tmp_path


async def bad_checks(desk):
    return {check.name: check.detail for check in await desk.doctor.run() if not check.ok}


@pytest.mark.parametrize(
    ("statements", "words"),
    further_rows(
        [
            (["DELETE FROM audit WHERE seq > (SELECT max(seq) FROM audit) - 3"], "are missing"),
            (["DELETE FROM audit"], "rows 1 to "),
            (["DELETE FROM audit", "DELETE FROM audit_head"], "the head kept beside it was gone"),
        ]
    ),
)
async def test_a_cut_or_emptied_audit_stops_trading_and_no_command_denies_it(
    whole, tmp_path, statements, words
):
    tamper(copy_of(whole, tmp_path), *statements, UNMARK)
    for _ in range(2):  # rows written behind the cut hide nothing
        async with paper_desk(tmp_path, demo=False) as desk:
            assert words in desk.trading_disabled
            assert "tradedesk audit accept" in there(desk.trading_disabled)
            report = await desk.audit.verify()
            assert not report.ok
            assert any(words in found for found in report.found)
            assert "audit chain" in await bad_checks(desk)
            await desk.clients.set_status(PRIYA, ClientStatus.INACTIVE, "asked us to")


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("order_id = 1", "order 1 stands in no row of the audit"),
        ("run_number = 1", "run 1 stands in no row of the audit"),
        ("action = 'FILL_APPLIED' AND order_id = 1", "fill of order 1 (trade "),
        ("action = 'HALT_FIRED'", "halt 1 stands in no row of the audit"),
    ],
)
async def test_a_row_that_no_audit_row_tells_of_is_found_though_the_head_was_fitted(
    whole, tmp_path, gone, words
):
    tamper(copy_of(whole, tmp_path), f"DELETE FROM audit WHERE {gone}", FIT, UNMARK)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert any(found.startswith(words) for found in (await desk.audit.verify()).found)
        assert words in (await bad_checks(desk))["audit rows"]


@pytest.mark.parametrize(
    ("gone", "words"),
    [
        ("fill WHERE order_id = 1", "fill of order 1 (trade "),
        ("halt", "halt 1 is told of in the audit and is not there"),
    ],
)
async def test_a_row_that_is_gone_though_the_audit_tells_of_it_is_found(whole, tmp_path, gone, words):
    tamper(copy_of(whole, tmp_path), f"DELETE FROM {gone}")
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert words in (await bad_checks(desk))["audit rows"]


async def test_the_last_rows_cut_with_a_fitted_head_are_found_by_the_rows_they_told_of(whole, tmp_path):
    tamper(copy_of(whole, tmp_path), "DELETE FROM audit WHERE action = 'HALT_RESUMED'", FIT, UNMARK)
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert "halt 1 is not as row" in (await bad_checks(desk))["proofs"]


async def test_what_was_found_is_accepted_with_a_reason_and_shown_for_ever(cut):
    async with paper_desk(cut, demo=False) as desk:
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, PRIYA))
        with pytest.raises(TradingStopped):
            await desk.runs.start(plan, plan.digest)
        with pytest.raises(BadInput, match="say why"):
            await desk.audit.accept(" ")
        found = (await desk.audit.verify()).found
        report = await desk.audit.accept("the disk was copied while it ran")
        assert report.ok
        (shown,) = report.breaks
        assert (shown.actor, shown.reason, shown.found) == (
            "tester",
            "the disk was copied while it ran",
            tuple(sorted(found)),
        )
        await until(desk, lambda: desk.trading_disabled is None, step_s=5)
        with pytest.raises(BadInput, match="nothing to accept"):
            await desk.audit.accept("again")
    async with paper_desk(cut, demo=False) as desk:
        assert desk.trading_disabled is None
        report = await desk.audit.verify()
        assert report.ok
        assert report.breaks == (shown,)
        assert f"accepted in row {shown.seq}" in report.message
        assert await bad_checks(desk) == {}
    tamper(cut / "desk.db", "UPDATE audit SET actor = 'another' WHERE seq = 9")
    async with paper_desk(cut, demo=False, kind=DeskKind.COMMAND) as desk:
        assert not (await desk.audit.verify()).ok


def test_a_chain_rewritten_with_its_head_is_found_by_heads_kept_outside(whole, tmp_path, monkeypatch):
    outside = tmp_path / "elsewhere" / "heads"
    outside.parent.mkdir()
    home = tmp_path / "home"
    copy_of(whole, home)
    monkeypatch.setenv("TRADEDESK_AUDIT_HEADS", str(outside))
    terminal = Terminal(home)
    assert terminal.run("audit", "verify").code == 0
    written = outside.read_text().split()
    assert len(written) == 3
    tamper(home / "desk.db", "DELETE FROM audit WHERE seq > 100", FIT, UNMARK)
    printed = terminal.run("audit", "verify", "--json")
    assert printed.code == 8
    assert f"the audit ends at row 100, a head of row {written[1]} is kept outside" in json.dumps(
        printed.document
    )


def test_the_command_accepts_by_a_typed_word_only(cut):
    terminal = Terminal(cut)
    assert terminal.run("audit", "verify").code == 8
    assert terminal.run("audit", "accept", "--reason", "known").code == 3
    assert terminal.run("audit", "verify").code == 8
    done = terminal.run("audit", "accept", "--reason", "known", "--word", "accept")
    assert (done.code, done.out.startswith("accepted")) == (0, True), done.err
    shown = terminal.run("audit", "verify")
    assert shown.code == 0
    assert "by tester: known" in shown.out
    assert "are missing" in shown.out
    assert terminal.run("doctor").code == 0


@pytest.mark.in_file
async def test_rows_whose_proofs_were_cut_and_accepted_raise_no_alarm_when_they_change(whole, tmp_path):
    tamper(copy_of(whole, tmp_path), f"DELETE FROM audit WHERE client_id IN ({PRIYA}, 1)", FIT, UNMARK)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as connection:
        connection.execute("DROP TRIGGER audit_no_delete")
    async with paper_desk(tmp_path, demo=False, kind=DeskKind.COMMAND) as desk:
        assert any("of client have no proof" in found for found in (await desk.audit.verify()).found)
        report = await desk.audit.accept("rows were cut")
        assert "trigger audit_no_delete is missing" in report.breaks[0].found
        assert await bad_checks(desk) == {}
        await desk.clients.set_status(PRIYA, ClientStatus.INACTIVE, "asked us to")
        assert await bad_checks(desk) == {}


TENFOLD = (
    "CREATE TRIGGER tenfold AFTER INSERT ON orders"
    " BEGIN UPDATE orders SET quantity = NEW.quantity * 10 WHERE id = NEW.id; END"
)


@pytest.mark.in_file
@pytest.mark.parametrize(
    ("change", "words"),
    further_rows(
        [
            ((TENFOLD,), "trigger tenfold of orders is not tradedesk's"),
            (("DROP TRIGGER fill_no_update",), "trigger fill_no_update is missing"),
            (
                (
                    "DROP TRIGGER fill_no_update",
                    "CREATE TRIGGER fill_no_update BEFORE UPDATE ON orders BEGIN SELECT 1; END",
                ),
                "trigger fill_no_update of orders is not as tradedesk made it",
            ),
            (
                ('CREATE VIEW "a ""view" AS SELECT * FROM orders',),
                'view a "view of a "view is not tradedesk\'s',
            ),
            (
                ("CREATE UNIQUE INDEX one ON orders (client_id, id)",),
                "index one of orders is not tradedesk's",
            ),
            (("DROP INDEX orders_by_state",), "index orders_by_state is missing"),
            (
                ("DROP INDEX orders_by_state", "CREATE INDEX orders_by_state ON orders (state) WHERE id < 0"),
                "index orders_by_state of orders is not as tradedesk made it",
            ),
        ],
        3,
    ),
)
async def test_a_schema_that_is_not_ours_stops_trading_until_it_is_mended(whole, tmp_path, change, words):
    with closing(sqlite3.connect(copy_of(whole, tmp_path), isolation_level=None)) as connection:
        for statement in change:
            connection.execute(statement)
    async with paper_desk(tmp_path, demo=False) as desk:
        assert words in desk.trading_disabled
        assert words in (await bad_checks(desk))["append-only triggers"]
        plan = await desk.plans.freeze(buy("INFY", QTY, 1, PRIYA))
        with pytest.raises(TradingStopped):
            await desk.runs.start(plan, plan.digest)
        (shown,) = (await desk.audit.accept("a tool of ours made it")).breaks
        assert any(words in found for found in shown.found)
        await until(desk, lambda: desk.trading_disabled is None, step_s=5)
        assert await bad_checks(desk) == {}


@pytest.mark.in_file
async def test_a_trigger_made_behind_a_running_desk_stops_its_trading_once_the_doctor_looks(whole, tmp_path):
    database = copy_of(whole, tmp_path)
    async with paper_desk(tmp_path, demo=False) as desk:
        before = desk.trading_disabled
        assert before is None
        tamper(database, TENFOLD)
        assert "tenfold" in (await bad_checks(desk))["append-only triggers"]
        assert "tenfold" in there(desk.trading_disabled)

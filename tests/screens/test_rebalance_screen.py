"""Workspace 6: models and drift, rules and exceptions by key, and a plan up to its answer and its run."""

from contextvars import copy_context
from pathlib import Path

from data.records import replace
from data.vocabulary import (
    LimitKind,
    LimitScope,
    LimitStrength,
    ModelException,
    RebalanceVerdict,
    RunStatus,
)
from engine.planning.limits.typed import LimitWish
from engine.rebalancing.proposal import Proposal
from engine.words.formats import DASH
from engine.words.privacy import Privacy, wear
from screens.bulk.screen import BulkScreen
from screens.frame.cards.alerts_card import AlertsCard
from screens.rebalance.pane import OWNER, RebalancePane
from screens.rebalance.rows import DriftRow, client_columns, rebalance_record
from screens.rebalance.screen import RebalanceScreen
from tests.desks import there
from tests.rebalancing import model_file
from tests.screens.papers import PaperBench, opened_on_paper
from widgets.livegrid import LiveGrid


async def carried_out(bench: PaperBench, line: str) -> None:
    bench.app.run_command(line)
    await bench.settle()


def pane(bench: PaperBench) -> RebalancePane:
    return bench.screen.query_one(RebalancePane)


async def until_looked(bench: PaperBench) -> None:
    await bench.until(lambda: "to trade" in bench.text)


async def test_a_model_is_imported_looked_at_planned_by_typed_words_and_carried_out(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, shares=True) as bench:
        await bench.keys("6")
        assert isinstance(bench.screen, RebalanceScreen)
        assert "no model yet: :models import FILE" in bench.text
        await carried_out(bench, f"models import {model_file(tmp_path)} Balanced")
        await until_looked(bench)
        assert "Balanced v1" in bench.text
        assert "NSE:WIPRO" not in bench.desk.market.followed_by(OWNER)
        await carried_out(bench, f"models import {model_file(tmp_path, 'IT,50,WIPRO,100')} Balanced")
        await bench.until(lambda: "NSE:WIPRO" in bench.desk.market.followed_by(OWNER))
        await carried_out(bench, f"models import {model_file(tmp_path)} Balanced")
        await until_looked(bench)
        assert "46 to trade" in bench.text
        await bench.keys("enter")
        assert "REBALANCE to Balanced" in bench.text
        assert "‹all (50)›" in bench.text
        await bench.keys("enter")
        await bench.until(lambda: "and Enter to send" in bench.text)
        plan = there(pane(bench).plan)
        assert plan.answer.startswith("sell ")
        assert f"type  {plan.answer}  and Enter" in bench.text
        await bench.type("sell 1")
        await bench.keys("enter")
        assert bench.desk.runs.all() == []
        await bench.type(plan.answer)
        await bench.keys("enter")
        await bench.until(lambda: isinstance(bench.screen, BulkScreen))
        await bench.until(lambda: bench.desk.runs.get(1).status is RunStatus.FINISHED)
        assert "0 skipped" in bench.text
        assert "rounding leaves" not in bench.text, "listed orders have no allocation"
        await bench.keys("escape")
        assert isinstance(bench.screen, RebalanceScreen)
        await bench.until(lambda: " 0 to trade" in bench.text)
        await bench.keys("full_stop")
        await bench.until(lambda: "Balanced v3: nothing to trade" in bench.toasts)
        assert len(bench.desk.runs.all()) == 1, "the same again is what clients need by now"


def test_what_is_not_known_of_a_client_is_no_zero_in_its_row_nor_in_a_file() -> None:
    known = Proposal(
        1, "PS1015", "Priya Shah", RebalanceVerdict.WITHIN_BAND, portfolio_paise=1_00, tax_paise=0
    )
    rows = [DriftRow(one) for one in (known, replace(known, verdict=RebalanceVerdict.UNABLE_TO_CHECK))]
    cells = {column.key: [column.cell(row) for row in rows] for column in client_columns(lambda: False)}
    assert [cells[key] for key in ("drift", "cash", "tax")] == [["", DASH]] * 3
    records = list(map(rebalance_record, rows))
    assert [one["cash then"] for one in records] == ["0.00", ""]
    assert [one["drift %"] for one in records] == ["0.00", ""]

    def hidden() -> set[str]:
        wear(Privacy(on=True))
        return set(rebalance_record(rows[0]).values())

    assert not {"1.00", "Priya Shah"} & copy_context().run(hidden)


async def test_rules_exceptions_and_clients_left_out_by_key(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        await bench.desk.models.import_file(model_file(tmp_path), "Balanced")
        await bench.desk.models.import_file(model_file(tmp_path, "IT,50,TCS,100\n"), "Tech")
        await bench.keys("6")
        await until_looked(bench)
        await bench.keys("e", "ctrl+u", "4", "enter")
        await bench.until(lambda: "Balanced v2" in bench.text)
        assert (await bench.desk.models.get("balanced")).rules.band_bps == 400
        await bench.keys("tab", "down")
        whose = bench.screen.here()
        assert whose.key == "NSE:INFY"
        await bench.keys("e", "right", "enter")
        await bench.until(lambda: "Balanced v3" in bench.text)
        (excepted,) = (await bench.desk.models.get("balanced")).exceptions
        assert (excepted.client_id, excepted.does) == (whose.client_id, ModelException.KEEP)
        await bench.keys("tab")
        assert bench.screen.focused is bench.screen.query_one("#drifts", LiveGrid)
        await bench.keys("d")
        assert "left out by hand" in bench.text
        await bench.keys("right_curly_bracket")
        await bench.until(lambda: there(pane(bench).looked).model.title == "Tech v1")
        await carried_out(bench, "rebalance balanced g:HNI raise:5000")
        await bench.until(lambda: "and Enter to send" in bench.text)
        plan = there(pane(bench).plan)
        hni = {client.id for client in bench.desk.clients.all() if "HNI" in client.groups}
        assert {line.client_id for line in plan.ok_lines} <= hni
        assert bench.screen.query_one("#models", LiveGrid).cursor_key == "Balanced"
        await bench.keys("escape")
        assert "and Enter to send" not in bench.text
        await carried_out(bench, "rebalance balanced PS1015 raise:5000")
        await bench.until(lambda: "and Enter to send" in bench.text)
        await bench.keys("shift+tab", "d")
        await bench.until(lambda: any("nothing to trade" in one for one in bench.toasts))
        assert "and Enter to send" not in bench.text
        await bench.keys("u")
        assert isinstance(bench.card, AlertsCard), "without a plan no letter is that of an answer"
        await bench.keys("escape")
        await carried_out(bench, "models retire tech")
        await bench.until(lambda: "Tech v1 is retired" in bench.toasts[-1])


async def test_clients_are_filtered_and_soft_limits_passed_by_key(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, shares=True) as bench:
        await bench.desk.models.import_file(model_file(tmp_path), "Balanced")
        bound = LimitWish(LimitScope.DESK, "", LimitKind.ORDER_VALUE, LimitStrength.SOFT, 10_000_00)
        await bench.desk.limits.set(bound)
        await bench.keys("6")
        await until_looked(bench)
        assert "of 5 legs" in bench.text, "the look says what limits would keep back"
        bench.screen.set_focus(pane(bench).grid)
        await bench.keys("f", *"priya")
        assert list(pane(bench).grid.shown_keys) == [15]
        await bench.keys("enter")
        assert "filter priya: 1 of 50" in bench.text
        await carried_out(bench, "rebalance balanced")
        await bench.until(lambda: "and Enter to send" in bench.text)
        limited = there(pane(bench).plan)
        assert limited.skipped_lines
        await bench.keys("escape")
        assert len(pane(bench).grid.shown_keys) == 50, "Esc clears the filter first"
        assert pane(bench).plan is limited
        await bench.keys("A")
        await bench.type("agreed by phone")
        await bench.keys("enter")
        await bench.until(lambda: there(pane(bench).plan).number != limited.number)
        passed = there(pane(bench).plan)
        assert passed.intent.override == "agreed by phone"
        assert passed.orders > limited.orders
        assert bench.desk.runs.all() == []

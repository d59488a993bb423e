"""Rules, the panel, the bell and the page of health as the trader meets them."""

from pathlib import Path

import pytest

from engine.quiet import QuietHours, quiet_hours_from
from screens.frame.cards.alert_form import AlertForm
from screens.frame.cards.alerts_card import AlertsCard
from screens.frame.cards.commandline import CommandLineCard
from screens.health.screen import HealthScreen
from tests.screens.papers import opened_on_paper
from tradedesk.app.telling import notice


async def raised(bench) -> None:
    """Have the desk look until an alert stands."""
    for _ in range(200):
        if bench.desk.alerts.standing:
            await bench.settle()  # the strip shows it with the next frame
            return
        await bench.pass_time(0.3)
    raise AssertionError("no alert came")


async def test_a_typed_rule_comes_into_strip_and_panel_and_rings_between_frames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        written: list[str] = []
        monkeypatch.setattr(bench.app, "write_beside", written.append)
        bench.app.tells_by = True, "osc9", QuietHours()
        await bench.keys("colon", *"alert RELIANCE price above 10 note come and look", "enter")
        await raised(bench)
        assert "!1" in bench.text
        assert written == ["\a\x1b]9;come and look: RELIANCE price 2,450.50, at or above 10.00\a"]
        assert bench.card is None, "nothing opens by itself"
        await bench.keys("u")
        assert isinstance(bench.card, AlertsCard)
        assert "come and look: RELIANCE price 2,450.50" in bench.text
        await bench.keys("d")
        assert bench.desk.alerts.standing == []
        await bench.keys("tab")
        assert "spent" in bench.text
        await bench.keys("delete")
        assert bench.desk.alert_rules.numbers() == []
        await bench.keys("colon")
        assert isinstance(bench.card, CommandLineCard), "no letter of a line acts on what the panel shows"


async def test_the_form_says_what_a_rule_means_and_keeps_it_by_enter_in_its_last_field(
    tmp_path: Path,
) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("colon", *"alert", "enter")
        assert isinstance(bench.card, AlertForm)
        await bench.keys(*"9000", "enter", "enter", "enter")
        assert "tell me of RELIANCE price at or above 9,000.00" in bench.text
        await bench.keys(*"dear", "enter")
        assert bench.card is None
        (rule,) = bench.desk.alert_rules.all()
        assert rule.line.endswith("note dear")
        await bench.keys("exclamation_mark", "tab", "e")
        assert isinstance(bench.card, AlertForm)
        assert f"RULE {rule.number}" in bench.text


async def test_a_rule_of_three_conditions_is_changed_as_a_line_and_loses_none(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        three = "RELIANCE price above 9000 and TCS price above 9000 and INFY price above 9000"
        await bench.keys("colon", *f"alert {three}", "enter")
        await bench.until(lambda: bool(bench.desk.alert_rules.all()))
        await bench.keys("exclamation_mark", "tab", "e")
        assert isinstance(bench.card, CommandLineCard)
        assert "alert edit 1 RELIANCE price above 9000" in bench.text
        await bench.keys("enter")
        await bench.settle()
        (rule,) = bench.desk.alert_rules.all()
        assert rule.line.count("price above 9000") == 3


async def test_the_page_of_health_opens_by_its_key_and_by_its_line(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path) as bench:
        await bench.keys("colon", *"health", "enter")
        assert isinstance(bench.screen, HealthScreen)
        assert "paper PAPER" in bench.text
        assert "queues" in bench.text
        await bench.keys("escape", "f12")
        assert isinstance(bench.screen, HealthScreen)


@pytest.mark.parametrize("words", ["a\x1b]0;pwned\x07b", "line\nbreak", "x;y"])
def test_no_words_end_the_sequence_or_begin_another(words: str) -> None:
    for beside, head in {"osc9": "\x1b]9;", "osc777": "\x1b]777;notify;tradedesk;"}.items():
        body = notice(beside, words).removeprefix(head).removesuffix("\a")
        assert body.isprintable()
        assert ";" not in body


def test_tmux_is_asked_to_hand_it_on_and_off_writes_nothing() -> None:
    assert notice("osc9", "hi", in_tmux=True) == "\x1bPtmux;\x1b\x1b]9;hi\a\x1b\\"
    assert notice("off", "hi") == ""


def test_quiet_hours_go_over_midnight() -> None:
    from datetime import datetime

    from data.clock import IST

    quiet = quiet_hours_from("20:00-08:30")
    late, early, day = (datetime(2026, 11, 18, hour, 0, tzinfo=IST) for hour in (22, 7, 12))
    assert quiet.until(late) == datetime(2026, 11, 19, 8, 30, tzinfo=IST)
    assert quiet.until(early) == datetime(2026, 11, 18, 8, 30, tzinfo=IST)
    assert quiet.until(day) is None
    assert quiet_hours_from("").until(late) is None

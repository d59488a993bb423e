"""The paper market's day is moved on by command."""

import pytest
from cli_desk import Terminal


def test_the_paper_day_moves_on_to_what_a_word_names(demo: Terminal) -> None:
    for to, time, day in (
        ("auction", "09:45:00", "2026-11-18"),
        ("15:20", "09:50:00", "2026-11-18"),
        ("close", "10:29:00", "2026-11-18"),
        ("tomorrow", "03:45:00", "2026-11-19"),
    ):
        told = demo.done("simulate", "clock", "--to", to)
        assert (told["market_time"][11:16], told["trading_day"]) == (time[:5], day)
        assert demo.done("status")["trading_date"] == day
    assert demo.done("doctor")["ok"]


@pytest.mark.parametrize("to", ["09:00", "25:00", "noon", ""])
def test_a_time_that_is_none_or_past_is_refused(demo: Terminal, to: str) -> None:
    refused = demo.run("simulate", "clock", "--to", to, "--json")
    assert (refused.code, refused.error["field"]) == (2, "to")
    assert "such as 15:20, or auction, close, tomorrow" in refused.error["message"]

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


def test_a_price_is_held_where_it_is_told_and_an_index_halts_the_market(demo: Terminal) -> None:
    told = demo.run("simulate", "price", "NIFTY 50", "-10.2%", "--json")
    assert (told.code, told.document["symbol"]) == (0, "NSE:NIFTY 50")
    refused = demo.run("simulate", "price", "NIFTY 50", "lower", "--json")
    assert (refused.code, refused.error["field"]) == (2, "price")
    ordered = demo.run("order", "AM1042", "buy", "TCS", "1", "--yes", "--wait", "2", "--json")
    (order,) = demo.run("orders", "--json").document
    assert (ordered.code != 0, order["state"]) == (True, "REJECTED")
    assert "market is halted" in order["reason_text"]


def test_a_price_that_was_held_walks_again(demo: Terminal) -> None:
    before = demo.done("simulate", "price", "TCS", "-3%")["ltp_paise"]
    after = demo.done("simulate", "price", "TCS", "walks")["ltp_paise"]
    assert after > before

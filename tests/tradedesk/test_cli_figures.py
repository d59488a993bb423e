"""Figures on the command line and in files: a comma that groups nothing is refused, never dropped."""

import pytest
from cli_desk import Terminal

from brokers.paper.broker import PaperBroker

HEADER = "code,name,broker,broker_user_id,status,capital,available"

REFUSED = {
    "percent with a decimal comma": ("plan", "buy", "RELIANCE", "--percent", "2,5"),
    "percent of available": ("plan", "buy", "RELIANCE", "--of-available", "2,5"),
    "amount with a decimal comma": ("plan", "buy", "RELIANCE", "--amount", "1000,50"),
    "amount grouped as nobody does": ("plan", "buy", "RELIANCE", "--amount", "1,00,00"),
    "two commas": ("plan", "buy", "RELIANCE", "--quantity", "1,,0"),
    "nothing before the comma": ("order", "AM1042", "buy", "RELIANCE", ",5"),
    "one digit behind it": ("order", "AM1042", "buy", "RELIANCE", "1,0"),
    "limit": ("order", "AM1042", "buy", "RELIANCE", "1", "--limit", "2450,5"),
    "trigger": ("order", "AM1042", "buy", "RELIANCE", "1", "--trigger", "25,00"),
    "modify": ("modify", "1", "--quantity", "1,0"),
    "waiting time": ("order", "AM1042", "buy", "RELIANCE", "1", "--wait", "2,5"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_a_comma_that_groups_nothing_ends_with_bad_input(demo: Terminal, words: tuple[str, ...]) -> None:
    printed = demo.run(*words, "--json")
    assert printed.code == 2, printed
    assert "comma" in printed.error["expected"]


@pytest.mark.parametrize("amount", ["1,00,000", "100,000", "100000"])
def test_both_ways_to_group_are_taken(demo: Terminal, amount: str) -> None:
    made = demo.done("plan", "buy", "RELIANCE", "--amount", amount, "--clients", "AM1042")["plan"]
    assert made["title"] == "BUY RELIANCE ₹1,00,000.00 each"


def test_a_group_is_named_with_its_letter_or_without_it(demo: Terminal) -> None:
    group = demo.done("groups")[0]["name"]
    assert demo.done("risk", f"g:{group}") == demo.done("risk", group)


def test_a_client_file_with_a_decimal_comma_is_refused(empty: Terminal, tmp_path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text(f'{HEADER}\nA1,Asha,zerodha,Z1,active,"5,00,000","4500,50"\n')
    printed = empty.run("clients", "import", str(path), "--json")
    assert printed.code == 2
    (problem,) = printed.error["problems"]
    assert (problem["row"], problem["field"]) == (2, "available")
    assert "comma" in problem["expected"]
    path.write_text(f'{HEADER}\nA1,Asha,zerodha,Z1,active,"5,00,000","450,000.50"\n')
    assert empty.done("clients", "import", str(path))["added"] == 1
    assert empty.done("clients")[0]["available_paise"] == 45000050


def test_without_a_price_a_profit_is_not_known_and_never_nought(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo.order("AM1042", "buy", "RELIANCE", "1")

    async def no_quotes(*_: object) -> dict[str, object]:
        return {}

    monkeypatch.setattr(PaperBroker, "quotes", no_quotes)
    monkeypatch.setattr(PaperBroker, "subscribe", no_quotes)
    (held,) = demo.done("positions", "--client", "AM1042")
    assert {held[name] for name in ("ltp_paise", "unrealised_paise", "day_pnl_paise", "pnl_bps")} == {None}
    assert demo.run("positions", "--client", "AM1042").out.splitlines()[-1].split()[-5:] == ["—"] * 5
    printed = demo.run("plan", "buy", "RELIANCE", "--quantity", "1", "--clients", "AM1042")
    assert "MARKET within 2 % " in printed.out
    assert "LTP — —" in printed.out

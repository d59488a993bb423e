"""The page about order states is the one that the state table makes, and shows all of it."""

import re

from brokers.contract import BrokerStatus
from brokers.kite.statuses import KITE_STATUSES, status_of
from data.vocabulary import TERMINAL_STATES, OrderState
from engine.booking.state_pages import PAGE, cells, current, picture, statuses
from engine.booking.states import COMMANDS, OrderEvent


def rows(markdown):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]


def test_the_page_in_the_docs_is_the_one_the_table_makes():
    assert PAGE.read_text(encoding="utf-8") == current(), "run `python -m engine.booking.state_pages`"


def test_the_table_shows_every_cell_and_refuses_commands_only():
    head, _, *body = rows(cells())
    assert head[1:] == [f"`{event.value}`" for event in OrderEvent]
    assert [row[0] for row in body] == [f"`{state.value}`" for state in OrderState]
    assert all(cell for row in body for cell in row)
    refused = {name.strip("`") for row in body for name, cell in zip(head, row, strict=True) if cell == "✗"}
    assert refused == {command.value for command in COMMANDS}


def test_the_picture_leads_to_every_state_and_on_from_all_that_live():
    ways = re.findall(r"^    (\S+) --> (\S+)", picture(), re.MULTILINE)
    assert {after for _, after in ways} == {state.value for state in OrderState} | {"[*]"}
    assert {before for before, _ in ways} == {state.value for state in OrderState} | {"[*]"}
    assert {before for before, after in ways if after == "[*]"} == {state.value for state in TERMINAL_STATES}


def test_each_status_of_kite_stands_on_the_page_under_what_it_means():
    _, _, *body = rows(statuses({"Kite": KITE_STATUSES}))
    shown = {word: row[0].strip("`") for row in body for word in re.findall(r"`([^`]+)`", row[2])}
    assert shown == {word: status.value for word, status in KITE_STATUSES.items()}


def test_only_three_words_of_kite_end_an_order_and_a_strange_one_is_said_to_be():
    ends = {word for word, status in KITE_STATUSES.items() if status is not BrokerStatus.OPEN}
    assert ends == {"COMPLETE", "CANCELLED", "REJECTED"}
    assert all(status_of(word) is KITE_STATUSES[word] for word in KITE_STATUSES)
    for strange in ("", "CANCELLED AMO", "cancelled", "LAPSED"):
        assert status_of(strange) is BrokerStatus.UNRECOGNISED

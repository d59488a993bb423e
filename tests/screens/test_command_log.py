"""The log of commands: what was done by keys as lines that do the same, and plan the same plan."""

from textual.widgets import Input

from engine.colon.asked import AskedOrders
from engine.colon.grammar import parse
from engine.planning.plan_record import freeze
from screens.frame.cards.command_log import CommandLog
from screens.frame.cards.commandline import CommandLineCard
from tests.screens.bench import Bench, opened
from widgets.livegrid import LiveGrid


def logged(bench: Bench) -> list[str]:
    """The commands as the card lists them, the newest first."""
    return [one.command for one in bench.card.listed]


async def test_what_was_done_by_keys_stands_in_it_as_lines_that_plan_the_same() -> None:
    async with opened(size=(80, 24)) as bench:
        await bench.keys("space", "down", "space")
        await bench.keys("B", "enter")
        await bench.until(lambda: "type  buy" in bench.text)
        await bench.keys("f4", "f", *"ps1", "enter", "enter")
        await bench.keys("escape", "colon", *"log", "enter")
        assert isinstance(bench.card, CommandLog)
        await bench.until(lambda: any(line.startswith("buy ") for line in logged(bench)))
        lines = logged(bench)
        assert "filter ps1" in lines
        assert "client PS1015" in lines
        line = next(one for one in lines if one.startswith("buy "))
        assert line == "buy RELIANCE 25% marked:AM1010,AM1042"
        asked = parse(line, bench.app.known())
        assert isinstance(asked, AskedOrders)
        (plan,) = [await bench.desk.plans.get(1)]
        assert plan.intent == asked.intent
        one, other = [await bench.desk.plans.preview(intent) for intent in (plan.intent, asked.intent)]
        now = bench.desk.clock.now()
        assert freeze(one, 1, now).digest == freeze(other, 1, now).digest
        grid = bench.card.query_one(LiveGrid)
        grid.move_cursor(grid.shown_keys[lines.index(line)])
        await bench.keys("c")
        assert bench.app.clipboard == line
        await bench.keys("enter")
        assert isinstance(bench.card, CommandLineCard)
        assert bench.card.query_one(Input).value == line
        assert bench.desk.runs.all() == []

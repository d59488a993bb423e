"""A desk that only looks, on screen: the strip says so, F9 says what it cannot do, and no plan is sent."""

from pathlib import Path

from data.home import halt_file
from engine.rules import Rules
from tests.screens.papers import opened_on_paper


async def test_the_strip_says_look_and_nothing_that_is_typed_sends(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        assert bench.text.lstrip().startswith("LOOK")
        await bench.keys("B", "enter")
        await bench.pass_time(0.5)
        await bench.type("buy 45")
        await bench.keys("enter")
        await bench.pass_time(1.0)
        assert "LOOK: this desk only looks" in " ".join(bench.toasts)
        assert bench.desk.orders.all() == []
        assert bench.desk.runs.all() == []


async def test_f9_twice_halts_nothing_and_says_why(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, rules=Rules(looks_only=True)) as bench:
        await bench.keys("f9", "f9", apart=0.3)
        await bench.pass_time(1.0)
        assert "LOOK: F9 cancels nothing here, no order known to live elsewhere" in bench.toasts[-1]
        assert bench.desk.halt.latest() is None
        assert not halt_file(bench.desk.home).exists()

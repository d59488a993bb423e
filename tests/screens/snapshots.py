"""Every screen as it is painted, at each size: text files that a test compares, and a reader can look at.

Below a picture stands where the colours are that tell something, and which words are cut.

One walk goes through all screens of the demonstration's desk, with a pinned clock and pinned prices; a second
one signs clients in. `python -m tests.screens.snapshots` writes `tests/goldens/screens/` anew.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from textual.app import App
from textual.color import Color
from textual.widget import Widget
from textual.widgets import Static

from brokers.paper.broker import PULSE_SECONDS
from data.vocabulary import Product, SizingKind
from tests.desks import MISSION_PINS, buy, carry_out
from tests.rebalancing import model_file
from tests.resting import RestingLoop, quiet
from tests.screens.bench import Bench
from tests.screens.papers import PaperBench, opened_on_paper
from tests.screens.sheets import parsed_once
from tests.screens.test_clients_screen import SIX, opened_to_sign_in, with_routes
from tradedesk.testing import shown_strips
from widgets.candles import CandleChart
from widgets.livegrid import LiveGrid
from widgets.sparks import DotLine
from widgets.text import ELLIPSIS

Part = Callable[[PaperBench], AsyncIterator[str]]
"""A part of the walk."""

GOLDENS = Path(__file__).parents[1] / "goldens" / "screens"

ROUNDS = {
    "80x24": ((80, 24), False),
    "120x40": ((120, 40), False),
    "200x50": ((200, 50), False),
    "120x40-no-color": ((120, 40), True),
}
"""Folders of pictures, with the terminal's size and whether NO_COLOR is set."""

_HASH = re.compile(r"\b[0-9a-f]{64}\b")
"""Of a row of the audit, which tells of tags that are drawn by lot."""

_TAKEN = re.compile(r"\b\d\.\d\ds")
"""What a halt took, by the machine's own clock."""

CUT = "cut in"
"""How a line below a picture begins that tells of words which are not whole in it."""

TELLING = ("accent", "side-buy", "side-sell", "stale", "armed", "live-mode")
"""The theme's colours whose places a picture tells below its lines: the focus, the sides, what is loud."""


PINS = {
    symbol: (last, last * 100 // 101)
    for symbol, last in {
        "ICICIBANK": 142000,
        "SBIN": 104500,
        "BHARTIARTL": 194800,
        "ITC": 28350,
        "LT": 394600,
        "KOTAKBANK": 40200,
        "HINDUNILVR": 207400,
        "MARUTI": 1435100,
        "SUNPHARMA": 198100,
        "TITAN": 500300,
        "RIIL": 125100,
    }.items()
}
"""Last price and previous close, in paise, of what the watchlist shows beside the scenarios' symbols."""


async def pictures(name: str) -> dict[str, str]:
    """All pictures of a round of `ROUNDS`, by the name of their screen."""
    size, no_color = ROUNDS[name]
    found: dict[str, str] = {}
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"NO_COLOR": "1"} if no_color else {}):
        async with opened_on_paper(Path(folder) / "paper", size, pins=MISSION_PINS | PINS) as bench:
            async for screen in walk(bench, FEW if no_color else ALL):
                assert screen not in found, f"{screen} is taken twice"
                found[screen] = picture(bench.app)
        if no_color:
            os.environ["NO_COLOR"] = "1"  # an app takes it away
        async with opened_to_sign_in(Path(folder) / "signing", *SIX, size=size) as signing:
            await with_routes(signing)
            await drawn(signing)
            found["gate"] = picture(signing.app)
            await signing.keys("r")
            await drawn(signing)
            found["sign_in"] = picture(signing.app)
            await signing.keys("escape")
            async for screen in _nothing_yet(signing):
                await drawn(signing)
                found[screen] = picture(signing.app)
    return found


async def still(bench: PaperBench) -> None:
    """Let every thread of the desk come to rest, with no time passing."""
    await quiet()
    await bench.settle()


async def drawn(bench: Bench) -> None:
    """Draw what stands, as at a terminal, and what that set off."""
    for _ in range(2):
        await quiet()
        await bench.settle()
        bench.draw()


async def passed(bench: PaperBench, seconds: float) -> None:
    """Let time pass a pulse at a time, each when all is still, so that it passes alike each time."""
    for _ in range(round(seconds / PULSE_SECONDS)):
        await still(bench)
        await bench.clock.advance(0)  # what fell due while keys were typed, before it can fall due twice
        await still(bench)
        await bench.clock.advance(PULSE_SECONDS)
    await still(bench)


def picture(app: App[None]) -> str:
    """What an app shows, line by line, and below it where the colours of `TELLING` stand."""
    colours: dict[tuple[int, ...], str] = {Color.parse(app.theme_variables[one]).rgb: one for one in TELLING}
    lines: list[str] = []
    told: list[str] = []
    for number, strip in enumerate(shown_strips(app)):
        lines.append(_HASH.sub("0" * 64, _TAKEN.sub("0.00s", strip.text)).rstrip())
        spans: dict[str, list[str]] = {}
        for text, style, _ in strip:
            for ground, colour in (("", style.color), ("on ", style.bgcolor)) if style else ():
                known = colours.get((*colour.triplet,)) if colour and colour.triplet else None
                if known and text.strip():
                    spans.setdefault(ground + known, []).append(" ".join(text.split()))
        told += [f"{number:3} {known}: {_short(' '.join(words))}" for known, words in spans.items()]
    return "\n".join([*lines, "=" * 8, *told, *cut_words(app)]) + "\n"


def cut_words(app: App[None]) -> Iterator[str]:
    """What a text, or a widget with nothing to draw, was given to say and does not show whole."""
    lines = [strip.text for strip in shown_strips(app)]
    for widget in app.screen.query("*").results(Widget):
        said = _said(widget)
        area = widget.content_region
        if not widget.is_on_screen or not widget.size:
            continue
        has_head = isinstance(widget, LiveGrid) and any(column.title for column in widget.columns)
        if has_head and ELLIPSIS in (head := lines[area.y][area.x : area.right]):
            yield f"{CUT} the head of #{widget.id}: {' '.join(head.split())}"
        shown = " ".join(line[area.x : area.right] for line in lines[area.y : area.bottom])
        if " ".join(said.split()) not in " ".join(shown.split()):
            yield f"{CUT} #{widget.id}: {' '.join(said.split())}"


def _said(widget: Widget) -> str:
    if isinstance(widget, LiveGrid):
        return "" if widget.shown_keys else widget.hint
    if isinstance(widget, DotLine | CandleChart):
        return widget.hint if widget.is_bare else ""
    return str(widget.content) if isinstance(widget, Static) else ""


def _short(words: str) -> str:
    """The words without the frames of panes, which are as long as the pane is wide."""
    bare = " ".join(words.translate({ord(line): " " for line in "─│╭╮╰╯━┃├┤┌┐└┘"}).split())
    return bare or "a frame"


async def walk(bench: PaperBench, parts: Sequence[Part]) -> AsyncIterator[str]:
    """Go from screen to screen; yields the name of each while it stands."""
    for part in parts:
        async for name in part(bench):
            await drawn(bench)
            yield name


async def _nothing_yet(bench: Bench) -> AsyncIterator[str]:
    """What the workspaces say before anything was traded."""
    for digit, name in {"3": "orders", "4": "positions", "5": "matrix", "6": "rebalance"}.items():
        await bench.keys(digit)
        await bench.settle()
        yield f"empty_{name}"


async def _program(bench: PaperBench) -> AsyncIterator[str]:
    """The desk as it opens, and what belongs to the program itself."""
    at_hand = [bench.client(code) for code in ("AM1042", "RG1008", "RV1012")]
    await carry_out(bench.desk, buy("RELIANCE", SizingKind.FIXED_QUANTITY, 7, *at_hand))
    await bench.pin("RELIANCE", 246080)
    bench.screen.query_one("#clients", LiveGrid).move_cursor(at_hand[0])
    await bench.settle()
    yield "desk"
    for name, keys in {"help": "?", "palette": "ctrl+p", "quit": "q", "alerts": "!"}.items():
        await bench.keys(keys)
        yield name
        await bench.keys("escape")
    await bench.keys("/", *"tat")
    yield "find"
    await bench.keys("escape", "escape", "colon")
    await bench.type("buy infy 2% @1490")
    await passed(bench, PULSE_SECONDS)
    yield "command_line"
    await bench.keys("escape")
    if bench.card is not None:
        await bench.keys("escape")
    await bench.keys("shift+tab", "enter")
    await passed(bench, PULSE_SECONDS)
    yield "symbol"
    await bench.keys("escape", "tab")


async def _orders_of_one(bench: PaperBench) -> AsyncIterator[str]:
    """The ticket, its review, and the client's page."""
    bench.screen.query_one("#clients", LiveGrid).move_cursor(bench.client("PS1015"))
    await bench.keys("b", "enter")
    yield "ticket"
    await bench.type("30")
    await passed(bench, 0.5)
    yield "ticket_short"
    await bench.keys("ctrl+u")
    await bench.type("5")
    await passed(bench, 0.5)
    await bench.keys("enter")
    yield "review"
    await bench.keys("y")
    await passed(bench, 0.5)
    yield "desk_after_order"
    await bench.keys("enter")
    yield "client"
    await bench.keys("s")
    yield "ticket_sell"
    await bench.keys("escape", "escape")


async def _bulk(bench: PaperBench) -> AsyncIterator[str]:
    """From the form over the plan to a run that goes on, and one that has ended."""
    await bench.keys("B")
    yield "bulk_form"
    await bench.keys("at")
    yield "bulk_limit"
    await bench.keys("enter")
    await passed(bench, 0.5)
    yield "plan"
    await bench.keys("escape", "escape")
    limit = buy("TCS", SizingKind.PERCENT_OF_CAPITAL, 1000, limit_paise=249500)
    plan = await bench.desk.plans.freeze(limit)
    run = await bench.desk.runs.start(plan, plan.digest)
    await passed(bench, 0.5)
    bench.app.open_run(run.number)
    await bench.settle()
    yield "run"
    await bench.keys("x")
    yield "run_stop"
    await bench.keys("escape")
    await bench.pin("TCS", 249000)
    await passed(bench, 0.5)
    yield "run_finished"


async def _blotter(bench: PaperBench) -> AsyncIterator[str]:
    """Orders and positions, and what is asked about orders."""
    ids = [bench.client(code) for code in ("AM1042", "RG1008", "RV1012")]
    plan = await bench.desk.plans.freeze(buy("INFY", SizingKind.FIXED_QUANTITY, 3, *ids, limit_paise=149000))
    await bench.desk.runs.start(plan, plan.digest)
    await passed(bench, 0.5)
    await bench.keys("3")
    yield "orders"
    await bench.keys("e")
    yield "modify"
    await bench.keys("escape", "x")
    yield "cancel"
    await bench.keys("escape", "enter")
    yield "order_life"
    await bench.keys("escape", "space", "down", "space", "X")
    yield "cancel_marked"
    await bench.keys("escape", "E")
    yield "modify_marked"
    await bench.keys("escape", "escape", "4")
    yield "positions"
    await bench.keys("tab")
    yield "positions_by_client"
    await bench.keys("1", "tab")
    yield "desk_tape"
    await bench.keys("shift+tab")


async def _matrix(bench: PaperBench) -> AsyncIterator[str]:
    """Baskets, what is held, and a flatten."""
    await bench.keys("5")
    yield "matrix"
    await bench.keys("e")
    yield "basket"
    await bench.keys("escape", "colon")
    await bench.type("basket buy RELIANCE:3% TCS:4% INFY:5%")
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "matrix_plan"
    await bench.keys("escape", "escape", "7")
    yield "clients"
    await carry_out(
        bench.desk, buy("HDFCBANK", SizingKind.FIXED_QUANTITY, 2, bench.client("RG1008"), product=Product.MIS)
    )
    await bench.keys("1", "colon")
    await bench.type("flatten desk")
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "flatten"
    await bench.keys("escape")


async def _halting(bench: PaperBench) -> AsyncIterator[str]:
    """F9 once, and twice, in the middle of a second: the market's is told in whole ones."""
    await passed(bench, 0.5)
    bench.screen.query_one("#clients", LiveGrid).to_top()
    for name in ("armed", "certificate"):
        await bench.keys("f9", apart=0.3)
        await passed(bench, PULSE_SECONDS)
        if name == "armed":
            yield name
    await passed(bench, 1.0)
    yield "certificate"
    await bench.keys("escape")
    yield "halted"


async def _audit(bench: PaperBench) -> AsyncIterator[str]:
    """The audit, a search in it, and the story of a row."""
    await bench.keys("9")
    await passed(bench, PULSE_SECONDS)
    yield "audit"
    await bench.keys("f")
    await bench.type("action:order_filled run:2")
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "audit_search"
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "audit_story"
    await bench.keys("escape", "escape", "1")


async def _on_record(bench: PaperBench) -> AsyncIterator[str]:
    """Workspace 8, what days have brought, what could be lost, what runs cost, what came, and consents."""
    await bench.keys("8")
    await passed(bench, PULSE_SECONDS)
    yield "day"
    lines = {"history": "history desk", "risk": "risk g:West", "dispersion": "dispersion", "flows": "flows"}
    for name, line in lines.items():
        await bench.keys("colon")
        await bench.type(line)
        await bench.keys("enter")
        await passed(bench, PULSE_SECONDS)
        yield name
        await bench.keys("escape")
    await bench.keys("1")
    bench.screen.query_one("#clients", LiveGrid).to_top()
    await bench.keys("colon")
    await bench.type("consent PS1015 trading POA 2026-041 from:2026-04-01 until:2027-03-31")
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    await bench.keys("colon")
    await bench.type("consents PS1015")
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "consents"
    await bench.keys("escape")


async def _rebalance(bench: PaperBench) -> AsyncIterator[str]:
    """A model, how far clients are from it, its rules, and a plan."""
    halts = bench.desk.halt.active()
    await bench.desk.halt.resume(halts[0].number, "resume", "trader")
    await bench.desk.models.import_file(model_file(bench.desk.home), "Balanced")
    await bench.keys("6")
    await passed(bench, PULSE_SECONDS)
    yield "rebalance"
    await bench.keys("e")
    yield "rebalance_rules"
    await bench.keys("escape", "enter")
    await passed(bench, PULSE_SECONDS)
    await bench.keys("enter")
    await passed(bench, PULSE_SECONDS)
    yield "rebalance_plan"
    await bench.keys("escape", "1")


FEW: tuple[Part, ...] = (_program, _orders_of_one)
ALL: tuple[Part, ...] = (
    *FEW,
    _bulk,
    _blotter,
    _matrix,
    _audit,
    _on_record,
    _halting,
    _rebalance,
)
"""Parts of the walk: without colour the first ones, at each size all of them, in this order."""


def write(folder: Path, found: dict[str, str]) -> None:
    """Write a round's pictures, and remove those of screens that there are not."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.txt"):
        if old.stem not in found:
            old.unlink()
    for name, text in found.items():
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def kept(folder: Path) -> Iterator[tuple[str, str]]:
    """A round's pictures as they were written."""
    for file in sorted(folder.glob("*.txt")):
        yield file.stem, file.read_text(encoding="utf-8")


def main() -> None:
    """Write the rounds anew that are named, or all."""
    with parsed_once(), asyncio.Runner(loop_factory=RestingLoop) as runner:
        for name in sys.argv[1:] or ROUNDS:
            write(GOLDENS / name, runner.run(pictures(name)))


if __name__ == "__main__":
    main()

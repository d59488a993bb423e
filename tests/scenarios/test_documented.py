"""Every snippet of the page of the scenarios, run as it stands there: keys, commands and Python."""

import ast
import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tradedesk
from data.vocabulary import RunCount
from engine.people.guard import Guarded
from screens.audit.screen import AuditScreen
from screens.day.screen import DayScreen
from screens.halt.screen import CertificateScreen
from screens.matrix.screen import MatrixScreen
from screens.rebalance.screen import RebalanceScreen
from screens.ticket.card import TicketCard
from tests.books import copied_home
from tests.desks import books_are_sound, paper_desk
from tests.screens.papers import PaperBench, opened_on_paper
from tests.tradedesk.cli_desk import Terminal
from widgets.livegrid import LiveGrid

PAGE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
SECTIONS = dict(part.split("\n", 1) for part in PAGE.split("\n## ")[1:])
SCENARIOS = [title for title in SECTIONS if re.match(r"\d+\. |The audit", title)]


def snippet(title: str, kind: str) -> str:
    found = re.findall(rf"^```{kind}\n(.*?)^```", SECTIONS[title], re.DOTALL | re.MULTILINE)
    assert len(found) == 1, (title, kind, len(found))
    return found[0]


def test_all_ten_scenarios_are_there_each_three_ways() -> None:
    assert [title.partition(".")[0] for title in SCENARIOS[:-1]] == [str(number) for number in range(1, 11)]
    for title in SCENARIOS:
        assert all(snippet(title, kind) for kind in ("keys", "sh", "python"))


# --- Python -------------------------------------------------------------------------------------------------


async def run_python(text: str, **names: Any) -> None:
    code = compile(text, "docs/scenarios.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    public = {name: getattr(tradedesk, name) for name in tradedesk.__all__}
    await eval(code, {**public, **names}) if code.co_flags & 0x80 else exec(code, {**public, **names})


@pytest.mark.parametrize("title", SCENARIOS)
async def test_the_python_of(tmp_path: Path, title: str) -> None:
    async with paper_desk(tmp_path) as desk:
        await run_python(snippet(title, "python"), desk=desk)
        await books_are_sound(desk)


async def test_a_desk_is_opened_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEDESK_HOME", str(tmp_path / "home"))
    (opening,) = re.findall(r"^```python\n(.*?)^```", PAGE.split("\n## ")[0], re.DOTALL | re.MULTILINE)
    await run_python(opening)
    assert (tmp_path / "home" / "desk.db").exists()


CALLS = [
    call.strip()
    for row in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE)
    for span in re.findall(r"`([^`]*)`", row.split(" | ")[1] if row.count(" | ") == 3 else "")
    for call in span.split(";")
    if "(" in call
]
"""Calls in the column of Python beside the scenarios; one that begins with a point goes on with the last."""


async def test_every_call_named_beside_the_scenarios_takes_what_it_is_given(tmp_path: Path) -> None:
    assert len(CALLS) == 17
    async with paper_desk(tmp_path) as desk:
        found: dict[str, Any] = {"desk": desk, "queue": desk.sessions.queue()}
        holder: Any = None
        for call in CALLS:
            named = re.search(r"(?:(\w+)(?:\.(\w+))?)?\.(\w+)\((.*)\)$", call)
            assert named is not None, call
            root, service, method, given = named.groups()
            if root is not None:
                holder = found[root] if service is None else getattr(found[root], service)
                holder = holder.parts()[-1] if isinstance(holder, Guarded) else holder
            inspect.signature(getattr(holder, method)).bind(*filter(None, given.split(", ")))


# --- the command line ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared demonstration with its shares, to be copied."""
    home = tmp_path_factory.mktemp("demo") / "home"
    assert Terminal(home).run("init", "--demo").code == 0
    return home


@pytest.mark.parametrize("title", SCENARIOS)
def test_the_commands_of(demo_home: Path, tmp_path: Path, title: str) -> None:
    with copied_home(demo_home, tmp_path / "home") as home:
        told(Terminal(home), title)


def told(terminal: Terminal, title: str) -> None:
    """Run the commands of a scenario as they stand in the page."""
    for line in snippet(title, "sh").splitlines():
        said = re.search(r"# ends with (\d)", line)
        name, *words = shlex.split(line, comments=True)
        assert name == "tradedesk"
        printed = terminal.run(*words)
        assert printed.code == (int(said.group(1)) if said else 0), (line, printed.err)
        assert printed.out


# --- keys ---------------------------------------------------------------------------------------------------

NAMED = {"Enter": "enter", "Esc": "escape", "Tab": "tab", "F9": "f9", "/": "slash", ",": "comma"}


async def press(bench: PaperBench, line: str) -> None:
    """Press what a line says: keys by name, words in quotes, and behind a colon a line of its own."""
    for place, token in enumerate(shlex.split(line)):
        quoted = f'"{token}"' in line
        if token.startswith(":"):
            await bench.keys("colon")
            await bench.type(token[1:])
            await bench.keys("enter")
        elif quoted:
            await bench.type(token)
        else:
            await bench.keys(NAMED.get(token, token), apart=0.3 if place else 0.2)
        await bench.pass_time(0.5)


LEADS: dict[str, Callable[[PaperBench], Any]] = {
    "1": lambda bench: [run.counts[RunCount.FILLED] for run in bench.desk.runs.all()] == [45],
    "2": lambda bench: (
        isinstance(bench.card, TicketCard) and "CANNOT SEND" in bench.text and "19" in bench.text
    ),
    "3": lambda bench: isinstance(bench.card, TicketCard) and "MTF lends 3,96,576" in bench.text,
    "4": lambda bench: [order.tradingsymbol for order in bench.desk.orders.all()] == ["HDFCBANK"],
    "5": lambda bench: len(bench.screen.query_one("#clients", LiveGrid).shown_keys) == 1,
    "6": lambda bench: bench.card is None,
    "7": lambda bench: isinstance(bench.screen, DayScreen) and "can be closed from 16:00 on" in bench.text,
    "8": lambda bench: isinstance(bench.screen, MatrixScreen) and "and Enter to send" in bench.text,
    "9": lambda bench: isinstance(bench.screen, CertificateScreen),
    "10": lambda bench: isinstance(bench.screen, RebalanceScreen) and "and Enter to send" in bench.text,
    "The audit": lambda bench: isinstance(bench.screen, AuditScreen),
}
"""Where the keys of each scenario lead."""


@pytest.mark.parametrize("title", SCENARIOS)
async def test_the_keys_of(tmp_path: Path, title: str) -> None:
    async with opened_on_paper(tmp_path) as bench:
        for line in snippet(title, "keys").splitlines():
            await press(bench, line)
        for _ in range(3):
            await bench.pass_time(0.5)
        assert LEADS[title.partition(".")[0]](bench), bench.text

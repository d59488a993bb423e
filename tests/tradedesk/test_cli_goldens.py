"""Every command's JSON stands as it was written down, and the docs name each of its keys."""

import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main
from cli_desk import Printed, Terminal
from golden_session import GOLDENS, STEPS, session
from open_app import Beside, open_app

from data.records import field_names, is_record
from tests.books import SQLITE, engine_now
from tests.further import further
from tradedesk.cli.main import app
from tradedesk.cli.views import flattens, halts, market, orders, plans
from tradedesk.cli.views.people import clients
from tradedesk.socket.protocol import effect_of

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"
KEYED_BY_VALUES = ("by_segment", "skipped", "skipped_by_reason", "details", "failed", "before")
"""Keys whose objects are keyed by values: segments, reasons, codes, and whatever an audit row tells."""


@pytest.fixture(scope="module")
def golden() -> dict[str, dict[str, Any]]:
    """What was written down of it."""
    return json.loads(GOLDENS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("steps", further([40, None]))
def test_every_command_prints_the_document_that_was_written_down(
    golden: dict[str, dict[str, Any]], tmp_path: Path, steps: int | None
) -> None:
    printed = session(tmp_path / "home", steps=steps)
    assert list(printed) == list(golden)[:steps]
    for name in printed:
        if engine_now() == SQLITE:
            as_written = printed[name] == golden[name]
        else:
            as_written = name in OF_A_FILE or unnumbered(printed[name]) == unnumbered(golden[name])
        assert as_written, f"{name}: `python -m tests.tradedesk.golden_session` writes it anew"


OF_A_FILE = ("config", "db upgrade", "db copy", "db grant", "doctor", "audit story")
"""Steps that say where the books stand, or that begin at a row of the audit by its number."""


def unnumbered(document: Any) -> Any:
    """A document without the numbers of the audit's rows: that of books on a server has one more."""
    if isinstance(document, dict):
        whole: dict[str, Any] = document
        return {key: None if key == "seq" else unnumbered(value) for key, value in whole.items()}
    return [unnumbered(one) for one in document] if isinstance(document, list) else document


OPENED_FOR = {
    ("modify", "2", "--ticks"),
    ("modify", "--client", "AM1042"),
    ("bulk", "buy", "HDFCBANK"),
}
"""Steps whose app is opened for them alone: it knows no price yet, or has rules of its own."""


@pytest.mark.proof
def test_an_open_app_answers_with_the_documents_that_were_written_down(
    golden: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRADEDESK_PAPER_LATENCY_MS", "[0, 0]")
    monkeypatch.setenv("TRADEDESK_TRADER", "tester")
    left, is_open = list[str](), list[bool]()
    with ExitStack() as app:

        def beside_an_app(at: Terminal, words: Sequence[str]) -> Printed:
            anew = tuple(words[:3]) in OPENED_FOR
            if effect_of(words) is None or anew:
                app.close()
            if effect_of(words) is None:
                return at.run(*words)
            if not is_open:
                app.enter_context(open_app(at.home))
                app.callback(is_open.clear)
                is_open.append(True)
            beside = Beside(at.home)
            printed = beside.run(*words)
            left.extend(beside.own_way)
            if anew:
                app.close()
            return printed

        printed = _without_places(session(tmp_path / "home", beside_an_app))
    assert {name: step for name, step in printed.items() if step != _without_places(golden)[name]} == {}
    assert left == []


def _without_places(steps: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Without by which way a trader came, and numbers that come of how often a desk was opened."""
    text = re.sub(r'"via": "(cli|socket)"', '"via": "command"', json.dumps(steps))
    text = re.sub(r'"(seq|instance_id|rotation_seed)": \d+', r'"\1": 0', text)
    return json.loads(re.sub(r"\d+ rows are as", "rows are as", text))


OF_PEOPLE = {
    *(
        "approve",
        "people",
        "people add",
        "people disable",
        "people enable",
        "people limit",
        "people password",
    ),
    *(
        "people password",
        "people recover",
        "people role",
        "people roles",
        "people scope",
        "password",
        "sign-in",
        "sign-out",
    ),
    *("auth", "auth rotate", "sessions", "sessions revoke"),
    "whoami",
}
"""Commands that take passwords or print what is drawn at random: `tests/people` runs them."""

AT_A_TERMINAL = {"keys doctor"}
"""Commands that wait for keys; tests of their own play the terminal."""

OF_DESKS = {f"firm bulk {one}" for one in ("prepare", "buy", "sell", "confirm", "follow")}
"""Commands beside several desks on one server: `tests/server` and `tests/firm` run what they do."""

OF_THE_HOUR = {
    "demo",
    "firm rehearse",
    "firm servers",
    "health",
    "market",
    "market halted",
    "market open",
    "replay",
}
"""Commands whose figures are of this machine or of prices that go on; they have tests of their own."""


def test_every_command_with_json_is_in_the_session() -> None:
    wanted = {path for path, command in _commands(typer.main.get_command(app)) if _has_json(command)}
    wanted -= AT_A_TERMINAL | OF_PEOPLE | OF_THE_HOUR | OF_DESKS
    run = {" ".join(args) for args in STEPS.values()}
    assert sorted(path for path in wanted if not any(_is_of(path, words) for words in run)) == []


def _is_of(path: str, words: str) -> bool:
    return words == path or words.startswith(f"{path} ")


def _commands(command: Any, path: str = "") -> list[tuple[str, Any]]:
    found = [(path, command)] if path else []
    for name, sub in getattr(command, "commands", {}).items():
        found += _commands(sub, f"{path} {name}".strip())
    return found


def _has_json(command: Any) -> bool:
    return any("--json" in param.opts for param in command.params)


def test_the_docs_name_every_key_that_a_command_prints(golden: dict[str, dict[str, Any]]) -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", _shapes_of(DOCS)))
    missing = {
        name: unnamed for name, step in golden.items() if (unnamed := sorted(_keys(step["document"]) - named))
    }
    assert missing == {}


@pytest.mark.parametrize("room", [clients, flattens, halts, market, orders, plans])
def test_the_docs_name_every_key_that_a_shape_declares(room: ModuleType) -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", _shapes_of(DOCS)))
    shapes = [one for name, one in vars(room).items() if name.endswith("Shape") and is_record(one)]
    assert shapes
    assert {name for shape in shapes for name in field_names(shape)} - named == set()


def _shapes_of(docs: Path) -> str:
    text = docs.read_text(encoding="utf-8")
    errors = text[text.index("An error is one line") : text.index("## Set up")]
    return text[text.index("## JSON shapes") :] + re.sub(r'"(\w+)":', r"`\1`", errors)


def _keys(document: Any) -> set[str]:
    if isinstance(document, list):
        return set[str]().union(*map(_keys, document))
    if not isinstance(document, dict):
        return set()
    below = (_keys(value) for key, value in document.items() if not _keyed_by_values(key, value))
    return set(document).union(*below)


def _keyed_by_values(key: str, value: Any) -> bool:
    return key in KEYED_BY_VALUES and isinstance(value, dict)

"""The engine, the brokers and the data run without a screen; the layers hold."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests import rooms

ROOT = Path(__file__).parents[1]


def test_the_desk_runs_without_a_screen_and_at_paper_without_http():
    code = (
        "import pkgutil, importlib, sys\n"
        "import engine.desk, brokers.paper.broker, tradedesk.compose.wiring, data\n"
        "for found in pkgutil.iter_modules(data.__path__, 'data.'):\n"
        "    importlib.import_module(found.name)\n"
        "heavy = ('textual', 'typer', 'rich', 'aiohttp')  # the last for a desk at brokers\n"
        "bad = sorted(name for name in sys.modules if name.split('.')[0] in heavy)\n"
        "assert not bad, bad\n"
        "print('clean')"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (child.stdout, child.stderr) == ("clean\n", "")


def test_the_words_need_neither_screen_nor_database():
    code = (
        "import pkgutil, importlib, sys\n"
        "import engine.words\n"
        "for found in pkgutil.iter_modules(engine.words.__path__, 'engine.words.'):\n"
        "    importlib.import_module(found.name)\n"
        "heavy = ('textual', 'rich', 'typer', 'sqlalchemy', 'sqlmodel', 'aiosqlite', 'pydantic')\n"
        "bad = sorted(name for name in sys.modules if name.split('.')[0] in heavy)\n"
        "assert not bad, bad\n"
        "print('clean')"
    )
    child = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (child.stdout, child.stderr) == ("clean\n", "")


def test_the_root_reads_from_top_to_bottom_as_the_layers():
    child = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == 0, child.stdout


def test_the_page_of_the_rooms_is_that_of_the_imports():
    assert rooms.PAGE.read_text(encoding="utf-8") == rooms.page(), "`python -m tests.rooms` writes it anew"


def test_the_docs_name_no_file_that_is_not_there():
    files = [path.as_posix() for layer in (*rooms.LAYERS, "tests") for path in (ROOT / layer).rglob("*.py")]
    for page in sorted((ROOT / "docs").glob("*.md")):
        named = set(re.findall(r"`([\w/]+\.py)`", page.read_text(encoding="utf-8")))
        missing = [name for name in named if not any(file.endswith(f"/{name}") for file in files)]
        assert not missing, f"{page.name}: {missing}"


def test_no_room_of_the_engine_asks_a_connection_itself():
    asked = re.compile(r"\bunit\.connection\b|\.exec_driver_sql\(|\.execute\(|\.mappings\(")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "engine").rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if asked.search(line)
    ]
    assert found == [], "a repository does"


def test_what_is_one_databases_own_stands_with_the_engines():
    words = re.compile(
        r"\bsqlite3\b|dialects\.sqlite|\bON CONFLICT\b|\bINSERT OR\b|\bon_conflict"
        r"|\bjson_(each|extract|valid)\b|\bPRAGMA\b|\bsqlite_master\b|\bpragma_|\browid\b"
        r"|\bcreate_function\b|\bTEMP TRIGGER\b"
    )
    own = {ROOT / "data" / "engines", ROOT / "data" / "migrations", ROOT / "brokers" / "simulators"}
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in _product_files()
        if own.isdisjoint(path.parents)
        for line in path.read_text(encoding="utf-8").splitlines()
        if words.search(line)
    ]
    assert found == [], "`data/engines` does"


def test_a_noun_is_one_class():
    defined: dict[str, list[str]] = {}
    for path in _product_files():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                defined.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: where for name, where in defined.items() if len(where) > 1} == {}


def _product_files() -> list[Path]:
    return [path for layer in rooms.LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


MOST_LINES = 400
"""What a reader takes in at once. A released migration stays as it is."""


def test_no_file_is_longer_than_a_reader_takes_in():
    released = ROOT / "data" / "migrations" / "versions"
    long = {
        path.relative_to(ROOT).as_posix()
        for path in _product_files()
        if released not in path.parents and len(path.read_text(encoding="utf-8").splitlines()) > MOST_LINES
    }
    assert long == set()


def test_no_two_files_of_tests_have_one_name():
    """The tests have no packages: a module is known by its file's name alone."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []


def test_a_service_is_made_of_six_things_or_fewer():
    found = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in _product_files()
        if path.relative_to(ROOT).parts[0] == "engine"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for made in node.body
        if isinstance(made, ast.FunctionDef) and made.name == "__init__"
        if len([*made.args.posonlyargs, *made.args.args, *made.args.kwonlyargs]) > 7  # with `self`
    ]
    assert found == []


def test_no_handler_of_a_message_calls_that_of_its_base():
    """Textual calls the handler of every class itself: one that also asks its base has it run twice."""
    twice = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.func.attr}"
        for folder in ("screens", "widgets", "tradedesk")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "super"
        and node.func.attr.startswith(("on_", "_on_"))
        and node.func.attr != "on_event"  # which hands messages to the handlers
    ]
    assert twice == []

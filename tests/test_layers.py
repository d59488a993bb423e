"""The engine, the brokers and the data run without a screen; the layers hold."""

import subprocess
import sys
from pathlib import Path

from tests import rooms

ROOT = Path(__file__).parents[1]


def test_the_desk_runs_without_a_screen():
    code = (
        "import pkgutil, importlib, sys\n"
        "import engine.desk, brokers.paper.broker, tradedesk.compose.wiring, data\n"
        "for found in pkgutil.iter_modules(data.__path__, 'data.'):\n"
        "    importlib.import_module(found.name)\n"
        "bad = sorted(name for name in sys.modules if name.split('.')[0] in ('textual', 'typer', 'rich'))\n"
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

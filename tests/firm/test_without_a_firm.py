"""A desk of its own books loads nothing of a firm: neither PostgreSQL's driver, nor Redis, nor Celery."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

OPENED = """
import asyncio, sys
from pathlib import Path
from tradedesk.compose.wiring import compose_desk

async def main():
    async with compose_desk(Path(sys.argv[1])):
        pass

asyncio.run(main())
print(sorted({"psycopg", "redis", "celery", "kombu"} & sys.modules.keys()))
"""


def test_a_desk_alone_imports_nothing_of_a_firm(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPENED, str(tmp_path / "home")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done.stderr

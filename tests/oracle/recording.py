"""Recordings of what seeds came to: written to a folder, compared with another's, and kept as digests."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.oracle.player import Player, Rows

GOLDEN = Path(__file__).parent / "golden.json"
SEEDS = range(1, 13)


def record(folder: Path, seeds: range) -> None:
    """Write one file a seed, a row a line, so that two of them can be read side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        with (folder / f"{seed:04}.jsonl").open("w", encoding="utf-8") as file:
            for name, rows in Player(seed).play().items():
                file.writelines(json.dumps({"table": name, **row}) + "\n" for row in rows)


def read(file: Path) -> Rows:
    """A seed's rows as `record` wrote them."""
    found: Rows = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found.setdefault(row.pop("table"), []).append(row)
    return found


def parts(old: Path, new: Path) -> Iterator[str]:
    """Where two recordings part: a line for each table that differs, with its first row that does.

    Columns that only the new one has are left out: a larger row may say all that the old one said.
    """
    for file in sorted(old.glob("*.jsonl")):
        if not (new / file.name).exists():
            yield f"seed {file.stem}: not recorded in {new}"
            continue
        was, now = read(file), read(new / file.name)
        for name, rows in was.items():
            kept = [{key: row.get(key, "(gone)") for key in rows[0]} for row in now.get(name, [])]
            if kept != rows:
                yield f"seed {file.stem}, {name}: {_first(rows, kept)}"


def _first(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> str:
    for number, (before, after) in enumerate(zip(was, now, strict=False), 1):
        if before != after:
            moved = [
                f"{key} {before[key]!r} is {after[key]!r}" for key in before if before[key] != after[key]
            ]
            return f"row {number}: {', '.join(moved)}"
    return f"{len(was)} rows are {len(now)}"


def digests(rows: Rows, columns: Mapping[str, list[str]]) -> dict[str, str]:
    """A digest of each table over these columns of it."""
    return {
        name: hashlib.sha256(
            json.dumps([[row.get(column) for column in wanted] for row in rows.get(name, [])]).encode()
        ).hexdigest()[:16]
        for name, wanted in columns.items()
    }


def golden() -> dict[str, Any]:
    """What the seeds come to now, in the form that is kept: the columns compared, and digests by seed."""
    played = {seed: Player(seed).play() for seed in SEEDS}
    columns: dict[str, list[str]] = {}
    for rows in played.values():
        columns |= {name: list(found[0]) for name, found in rows.items() if found}
    return {"columns": columns, "seeds": {str(seed): digests(rows, columns) for seed, rows in played.items()}}

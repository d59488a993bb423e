"""Tampering with the books that a chaos run has left: each change, cut and emptying must be found."""

import random
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import SQLModel

from data.engines.sqlite import read_file
from data.proving.proofs import UNPROVEN
from engine.review.doctor import examine
from tests.tampering import FIT, changed, copy_of, tamper

CHANGES = 2
"""Values changed in each home, one by one."""


@dataclass(slots=True)
class Tamperings:
    """How often a home was tampered with, and what of it the doctor did not find."""

    done: int = 0
    missed: list[str] = field(default_factory=list[str])


def tamper_with(home: Path, seed: int) -> Tamperings:
    """Tamper with copies of a closed home's books, and have the doctor look at each."""
    dice, made = random.Random(f"tampering:{seed}"), Tamperings()
    database, heads = home / "desk.db", home / "heads"
    _keep_head(database, heads)
    if bad := _bad(database, heads):
        made.missed.append(f"{home.name}: not sound before it was tampered with: {bad}")
        return made
    cut = f"DELETE FROM audit WHERE seq > (SELECT max(seq) FROM audit) - {dice.randint(1, 40)}"
    wanted = [("change", _change(database, dice)) for _ in range(CHANGES)]
    wanted += [("cut", (cut, ())), ("empty", ("DELETE FROM audit", ()))]
    for kind, statement in wanted:
        fitted = [FIT] if kind != "change" and dice.random() < 0.5 else []
        copy = copy_of(database, home / "tampered")
        tamper(copy, statement, *fitted)
        made.done += 1
        if not _bad(copy, heads):
            made.missed.append(f"{home.name} seed {seed}: {kind} was not found: {statement}")
    return made


def _keep_head(database: Path, heads: Path) -> None:
    """The head that a trader keeps outside."""
    with closing(sqlite3.connect(database)) as connection:
        row = connection.execute("SELECT at, seq, hash FROM audit ORDER BY seq DESC LIMIT 1").fetchone()
    heads.write_text(f"{str(row[0]).replace(' ', 'T')} {row[1]} {row[2]}\n")


def _bad(database: Path, heads: Path) -> str:
    checks = read_file(database, lambda connection: examine(connection, heads))
    return "; ".join(f"{check.name}: {check.detail}" for check in checks if not check.ok)


def _change(database: Path, dice: random.Random) -> tuple[str, tuple[object, ...]]:
    """Another value for one column of one row, each drawn by lot."""
    tables = [one for one in SQLModel.metadata.sorted_tables if one.name not in UNPROVEN]
    with closing(sqlite3.connect(database)) as connection:
        while True:
            table = dice.choice(tables)
            column = dice.choice(list(table.columns))
            (last,) = connection.execute(f"SELECT coalesce(max(rowid), 0) FROM {table}").fetchone()
            row = connection.execute(
                f"SELECT rowid, {column.name} FROM {table} WHERE rowid >= ?", (dice.randint(0, last),)
            ).fetchone()
            if row is not None:
                put = f"UPDATE {table} SET {column.name} = ? WHERE rowid = ?"
                return put, (changed(column, row[1]), row[0])

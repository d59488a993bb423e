"""What seeds come to in the books, row by row, is what it was when `golden.json` was kept.

A change that means to alter it says so by `python -m tests.oracle keep` in its own commit; `record` in both
trees and `compare` show which rows, columns and values.
"""

import json
from functools import cache

import pytest

from tests.further import further
from tests.oracle.player import Player, Rows
from tests.oracle.recording import GOLDEN, SEEDS, digests

KEPT = json.loads(GOLDEN.read_text(encoding="utf-8"))


@cache
def played(seed: int) -> Rows:
    return Player(seed).play()


@pytest.mark.parametrize("seed", further(SEEDS, 6))
def test_a_seed_comes_to_the_same_rows(seed: int) -> None:
    assert digests(played(seed), KEPT["columns"]) == KEPT["seeds"][str(seed)]


def test_the_seeds_reach_what_books_are_made_of() -> None:
    rows = [played(seed) for seed in SEEDS]
    states = {order["state"] for one in rows for order in one["orders"]}
    assert {"FILLED", "CANCELLED", "REJECTED", "DENIED", "UNKNOWN", "NOT_RECEIVED", "EXPIRED"} - states <= {
        "UNKNOWN"
    }
    flags = {flag for one in rows for order in one["orders"] for flag in order["flags"].split()}
    assert {"LATE_FILL", "OVERFILL", "RESURRECTED", "CHANGED_OUTSIDE"} <= flags
    assert all(sum(len(one[name]) for one in rows) for name in KEPT["columns"])

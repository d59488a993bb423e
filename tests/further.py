"""Many cases alike: of some a plain run has the first, others share what is made for them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest


def further(cases: Iterable[Any], plain: int = 1) -> list[Any]:
    """The values of one parameter; those after the first `plain` of them run with the long proofs."""
    return further_rows(((case,) for case in cases), plain)


def further_rows(rows: Iterable[Sequence[Any]], plain: int = 1) -> list[Any]:
    """As `further`, for several parameters at once."""
    return [
        pytest.param(*row, marks=() if place < plain else pytest.mark.proof) for place, row in enumerate(rows)
    ]


@contextmanager
def case(*of: object) -> Iterator[None]:
    """One of many cases that share a desk, each of which leaves it as it was; what fails says which it is."""
    try:
        yield
    except BaseException as problem:
        problem.add_note(f"in the case {of!r}")
        raise

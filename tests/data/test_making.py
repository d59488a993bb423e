"""Rows that are made a column at a time are as their class makes them."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from data.repositories.making import Maker


@dataclass(frozen=True, slots=True)
class View:
    """A frozen row, of which a column may be left out."""

    number: int
    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Roomy:
    """A frozen row without slots."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A frozen row that looks at what it is given."""

    number: int
    name: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.upper())


@dataclass(slots=True)
class Open:
    """A row that may be changed."""

    number: int
    name: str


@pytest.mark.parametrize("make", [View, Roomy, Checked, Open, lambda number, name: (number, name)])
def test_rows_are_as_their_class_makes_them(make: Callable[..., Any]) -> None:
    made = Maker(make).rows([[1, 2], iter(["a", "b"])])
    expected = [make(1, "a"), make(2, "b")]
    assert made == expected
    assert [type(one) for one in made] == [type(one) for one in expected]
    assert [repr(one) for one in made] == [repr(one) for one in expected]


def test_rows_of_a_frozen_class_are_frozen_and_can_be_kept_in_sets() -> None:
    (made,) = Maker(View).rows([[1], ["a"], [("x",)]])
    with pytest.raises(FrozenInstanceError):
        made.name = "b"  # type: ignore[misc]
    assert made in {View(1, "a", ("x",))}


def test_a_row_of_too_few_cells_is_refused() -> None:
    with pytest.raises(TypeError):
        Maker(View).rows([[1]])

"""Rows made of their cells a column at a time.

A frozen dataclass sets each of its fields through `object.__setattr__`, which for an order's view costs
thirteen times a plain assignment. So such rows are made by a class of the same slots that is not frozen, and
then are of the frozen one.
"""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Maker(Generic[T]):
    """Makes rows as `make` does, which takes a row's cells by position."""

    def __init__(self, make: Callable[..., T]) -> None:
        self._make = make

    @cached_property
    def _thawed(self) -> Callable[..., Any] | None:
        """What stands in for `make`; made with the first rows, since most queries never run in a process."""
        return _thawed(self._make)

    def rows(self, columns: Sequence[Iterable[Any]]) -> list[T]:
        """The rows whose cells these columns hold."""
        if self._thawed is None:
            return list(map(self._make, *columns))
        made = list(map(self._thawed, *columns))
        for one in made:
            one.__class__ = self._make
        return made


def _thawed(make: Any) -> Callable[..., Any] | None:
    """A class of the same fields that is not frozen; None where none can stand in for `make`."""
    if not dataclasses.is_dataclass(make) or not cast(Any, make).__dataclass_params__.frozen:
        return None
    fields = dataclasses.fields(make)
    if hasattr(make, "__post_init__") or not all(one.init and not one.kw_only for one in fields):
        return None
    same = [
        (one.name, Any, dataclasses.field(default=one.default, default_factory=one.default_factory))
        for one in fields
    ]
    thawed = dataclasses.make_dataclass("Thawed", same, slots=True, repr=False, eq=False)
    try:
        object.__new__(thawed).__class__ = make
    except TypeError:  # it has no slots, or more than its fields
        return None
    return thawed

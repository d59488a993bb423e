"""A condition under which a task may write: it is asked in each transaction that the task itself begins.

What tasks do that it began is not held to it: the desk finishes what was rightly asked for.
"""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from data.writing.unit import Unit

T = TypeVar("T")


class Condition(Struct, frozen=True):
    """What raises where a unit of work may not be written, and for the units of which task it is asked."""

    ask: "Callable[[Unit], None]"
    task: "asyncio.Task[Any] | None"

    def before(self, unit_of_work: "Callable[[Unit], T]") -> "Callable[[Unit], T]":
        """The unit with the condition asked first, in its own transaction."""

        def asked_first(unit: "Unit") -> T:
            self.ask(unit)
            return unit_of_work(unit)

        return asked_first


_condition: ContextVar[Condition | None] = ContextVar("condition", default=None)


def condition_here() -> Condition | None:
    """The condition of this very task; None in tasks that it began."""
    condition = _condition.get()
    return condition if condition is not None and condition.task is asyncio.current_task() else None


def as_conditioned(unit_of_work: "Callable[[Unit], T]") -> "Callable[[Unit], T]":
    """A unit as this task may write it: with its condition asked first, where it has one."""
    condition = condition_here()
    return unit_of_work if condition is None else condition.before(unit_of_work)


@contextmanager
def only_if(ask: "Callable[[Unit], None]") -> Generator[None]:
    """Hold what this task writes within the context to a condition."""
    token = _condition.set(Condition(ask, asyncio.current_task()))
    try:
        yield
    finally:
        _condition.reset(token)

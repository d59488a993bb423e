"""Units of work run twice, the first time rolled back: it leaves nothing but what it writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TypeVar

import pytest

from data.engines.driver import run
from data.proving.proofs import Proofs
from data.vocabulary import Topic
from data.writing.batch import QueuedUnit, perform
from data.writing.changes import Touched
from data.writing.unit import Unit

T = TypeVar("T")


@contextmanager
def units_twice() -> Iterator[None]:
    """While it is open, each unit of each store is rehearsed before it is done, and both come to the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("data.writing.writer.perform", _twice)
        yield


def _twice(job: QueuedUnit[T], unit: Unit) -> T:
    first = copy(unit)
    first.entries, first.events, first.accepted = [], [], []
    first.touched, first.proven = Touched(), Proofs()
    rehearsed, problem = None, None
    run(unit.connection, "SAVEPOINT rehearsal")
    try:
        rehearsed = perform(job, first)
    except Exception as met:
        problem = met
    run(unit.connection, "ROLLBACK TO rehearsal")
    run(unit.connection, "RELEASE rehearsal")
    first.at_hand.forget()
    try:
        result = perform(job, unit)
    except Exception as met:
        if type(met) is type(problem):
            raise
        raise AssertionError(f"run again, a unit raised {met!r}, before {problem!r}") from met
    assert problem is None, f"a unit raised {problem!r}, and nothing when it was run again"
    told, again = _story(first), _story(unit)
    if unit.connection.dialect.name != "sqlite":  # numbers of a block are not given out again
        told, again = _counted(told), _counted(again)
    assert told == again, "run again, a unit told otherwise"
    assert type(rehearsed) is type(result)
    return result


Story = tuple[list[str], list[type[object]], dict[Topic, list[int]]]


def _counted(story: Story) -> Story:
    """The same, of what others read again only how much it is."""
    entries, events, topics = story
    return entries, events, {topic: [len(numbers)] for topic, numbers in topics.items()}


def _story(unit: Unit) -> Story:
    """What it tells: rows of the audit, events, and what others read again."""
    return (
        [str(entry.action) for entry in unit.entries],
        [type(event) for event in unit.events],
        dict(unit.touched.topics()),
    )

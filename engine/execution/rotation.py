"""In which order a run's clients are sent to: from another one each time, by a start that is kept."""

from random import Random
from typing import TypeAlias

from msgspec import Struct

from engine.planning.plan import Plan, PlanLine

PartLine: TypeAlias = tuple[Plan, PlanLine]
"""A line with the plan of its leg."""

SEED_BITS = 32


class Rotation(Struct, frozen=True):
    """The lines of a run in the order that they are sent in.

    By client's code, leg and product they are numbered from 0; `seed` drew the number that the first has, and
    `start` is that number. Of a run with one line nothing is drawn.
    """

    lines: tuple[PartLine, ...]
    seed: int | None = None
    start: int = 0


def rotated(plan: Plan, rng: Random) -> Rotation:
    """The lines to send, starting at another client each time, so that nobody is always first.

    A client's legs follow each other in their order.
    """
    lines = [(part, line) for part in plan.parts for line in part.ok_lines]
    lines.sort(key=lambda one: (one[1].code, one[0].leg, one[1].product))
    if len(lines) < 2:
        return Rotation(tuple(lines))
    seed = rng.getrandbits(SEED_BITS)
    start = drawn(seed, len(lines))
    while plan.further and start > 0 and lines[start][1].client_id == lines[start - 1][1].client_id:
        start -= 1
    return Rotation((*lines[start:], *lines[:start]), seed, start)


def drawn(seed: int, lines: int) -> int:
    """The line that a seed draws among so many, each as likely: what Python's `Random(seed)` gives first."""
    return Random(seed).randrange(lines)

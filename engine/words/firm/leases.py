"""Words of leases: who has the clients that are not this desk's, and whether desks hear each other."""

from collections.abc import Mapping

from engine.between.line import LineState
from engine.words.formats import age, counted


def elsewhere_words(others: Mapping[str, int]) -> str:
    """How many clients other desks have: `8 clients at ravi@desk2, 1 at no desk`; by a desk's name."""
    first, *rest = sorted(others.items(), key=lambda one: (not one[0], one[0]))
    told = [f"{counted(first[1], 'client')} at {first[0] or 'no desk'}"]
    return ", ".join([*told, *(f"{count} at {name or 'no desk'}" for name, count in rest)])


def alone_words(what: str, others: Mapping[str, int]) -> str:
    """That a sum is over the clients of this desk alone: ` · guards count this desk's clients alone`."""
    return f" · {what} this desk's clients alone" if others else ""


def line_words(state: LineState) -> str:
    """Whether Redis answers, and what goes on without it; empty for a desk that was given none."""
    if not state.named:
        return ""
    if state.reached:
        return f"Redis answers ({age(state.age_s)} ago)"
    return f"{state.why}; desks go by the books alone, and know of each other's commits a little later"

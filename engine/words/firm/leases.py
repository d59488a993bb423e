"""Words of leases: who has the clients that are not this desk's."""

from collections.abc import Mapping

from engine.words.formats import counted


def elsewhere_words(others: Mapping[str, int]) -> str:
    """How many clients other desks have: `8 clients at ravi@desk2, 1 at no desk`; by a desk's name."""
    first, *rest = sorted(others.items(), key=lambda one: (not one[0], one[0]))
    told = [f"{counted(first[1], 'client')} at {first[0] or 'no desk'}"]
    return ", ".join([*told, *(f"{count} at {name or 'no desk'}" for name, count in rest)])

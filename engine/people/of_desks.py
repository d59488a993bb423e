"""Which halts are over other desks too, where several share the books: they take a right of their own."""

from typing import Any

from data.vocabulary import HaltScope, HaltStrength, Right
from engine.halt.halts import Halts

_OF_ALL_DESKS = (HaltScope.EVERYTHING, HaltScope.BROKER, HaltScope.SYMBOL)


def fired_over_firm(
    halts: Halts,
    by: str,
    scope: HaltScope = HaltScope.EVERYTHING,
    value: str = "",
    strength: HaltStrength = HaltStrength.ALL,
) -> Right | None:
    """What a halt takes that stops other desks too; None where it does not."""
    return Right.HALT_FIRM if halts.shared and scope in _OF_ALL_DESKS else None


def fired_now_over_firm(halts: Halts, by: str, firm: bool = False) -> Right | None:
    """The same of the halt that F9 fires."""
    return Right.HALT_FIRM if halts.shared and firm else None


def resumed_over_firm(halts: Halts, number: int, *given: Any, **named: Any) -> Right | None:
    """What it takes to end a halt that stops other desks, or that another desk has fired for its own."""
    halt = next((one for one in halts.active() if one.number == number), None)
    if halt is None or not halts.shared:
        return None
    of_other = halt.scope is HaltScope.DESK and not halt.here
    return Right.HALT_FIRM if of_other or halt.scope in _OF_ALL_DESKS else None

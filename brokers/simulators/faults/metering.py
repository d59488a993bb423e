"""What a call took and became as its caller meets it, faults and all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from brokers.contract import Ambiguous, NotSent, Refused, SessionExpired
from brokers.meter import CallEnd, CallKind, CallMeter
from brokers.simulators.faults.answers import TOO_MANY

P = ParamSpec("P")
T = TypeVar("T")


class Meters(Protocol):
    """Whoever keeps a meter of its calls."""

    @property
    def meter(self) -> CallMeter:
        """What its calls took and became."""
        ...


B = TypeVar("B", bound=Meters)


if TYPE_CHECKING:
    Method = Callable[Concatenate[B, P], CoroutineType[Any, Any, T]]


def metered(kind: CallKind) -> Callable[[Method[B, P, T]], Method[B, P, T]]:
    """Have the calls of a method kept under `kind`, one that its caller gave up on as failed."""

    def of(method: Method[B, P, T]) -> Method[B, P, T]:
        @wraps(method)
        async def call(self: B, /, *args: P.args, **named: P.kwargs) -> T:
            began, end = self.meter.monotonic(), CallEnd.FAILED
            try:
                answer = await method(self, *args, **named)
                end = _end_of(answer)
            except SessionExpired:
                end = CallEnd.REFUSED
                raise
            finally:
                if end is not None:
                    self.meter.note(kind, self.meter.monotonic() - began, end)
            return answer

        return call

    return of


def _end_of(answer: object) -> CallEnd | None:
    """How a call ended; None of what was kept back before it left."""
    if answer is TOO_MANY or isinstance(answer, Ambiguous):
        return CallEnd.FAILED
    if isinstance(answer, NotSent):
        return None
    return CallEnd.REFUSED if isinstance(answer, Refused) else CallEnd.ANSWERED

"""What the tape tells of guards."""

from typing import ClassVar

from data.vocabulary import FlattenWhat, GuardState, GuardWait, TripKind
from engine.news import News, NewsTopic


class GuardNews(News, frozen=True):
    """News of a guard; `of` is the client's code, the group's name, or `desk`."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    number: int
    of: str
    what: FlattenWhat


class GuardSet(GuardNews, frozen=True):
    """A guard was set or changed, or taken away where it is `off`."""

    by: str
    off: bool = False


class GuardTripped(GuardNews, frozen=True):
    """A guard has tripped, at what in paise; both are None where nothing could be seen."""

    topic: ClassVar[NewsTopic] = NewsTopic.HALT
    kind: TripKind
    net_paise: int | None
    limit_paise: int | None
    flattens: bool


class GuardTold(GuardNews, frozen=True):
    """A guard stands otherwise, in a way that the trader must know; `wait` says why it cannot judge."""

    state: GuardState
    wait: GuardWait = GuardWait.NONE


class GuardSees(GuardNews, frozen=True):
    """A guard that blocked for want of sight sees again, below its limit."""


class GuardArmed(GuardNews, frozen=True):
    """A guard that had tripped is armed again."""

    by: str

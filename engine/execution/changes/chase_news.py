"""What the tape tells of chases; `engine/words/tape.py` makes the sentences."""

from datetime import datetime
from typing import ClassVar

from data.vocabulary import ChaseEnd, ChaseWait, PhaseKind
from engine.news import News, NewsTopic, Page, Subject


class ChaseWaits(News, frozen=True):
    """A chase of an order waits, or goes on where nothing is why; by whom, where somebody said so.

    One that `asks` goes on by the trader's word alone.
    """

    topic: ClassVar[NewsTopic] = NewsTopic.RUN
    order_id: int
    why: ChaseWait | None
    phase: PhaseKind | None = None
    until: datetime | None = None
    detail: str = ""
    by: str = ""
    asks: bool = False

    @property
    def subject(self) -> Subject:
        """The order."""
        return Subject(Page.ORDER, self.order_id)


class ChaseNews(News, frozen=True):
    """A chase of an order ended: why, where its limit stands then, and how often it was moved."""

    topic: ClassVar[NewsTopic] = NewsTopic.RUN
    order_id: int
    why: ChaseEnd
    limit_paise: int
    moved: int
    detail: str = ""

    @property
    def subject(self) -> Subject:
        """The order."""
        return Subject(Page.ORDER, self.order_id)


class ChasesLost(News, frozen=True):
    """Live orders follow their market no more, since the program that had them follow it ended."""

    topic: ClassVar[NewsTopic] = NewsTopic.WARNING
    order_ids: tuple[int, ...]

    @property
    def subject(self) -> Subject | None:
        """The order, of a single one."""
        return Subject(Page.ORDER, self.order_ids[0]) if len(self.order_ids) == 1 else None

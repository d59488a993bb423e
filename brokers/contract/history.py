"""What an instrument traded at before now, in bars."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from data.vocabulary import CorporateAction, DividendTo


class BarSpan(StrEnum):
    """How much time one bar stands for."""

    MINUTE = "1m"
    FIVE = "5m"
    FIFTEEN = "15m"
    DAY = "day"

    @property
    def minutes(self) -> int:
        """The span of a bar within the day; 0 for a bar of a whole day."""
        return _MINUTES[self]


_MINUTES = {BarSpan.MINUTE: 1, BarSpan.FIVE: 5, BarSpan.FIFTEEN: 15, BarSpan.DAY: 0}


class Bar(NamedTuple):
    """What traded from `at` on for one span, in paise and shares; `at` is the market's time, aware.

    A bar of a day begins at midnight in India.
    """

    at: datetime
    open_paise: int
    high_paise: int
    low_paise: int
    close_paise: int
    volume: int


@runtime_checkable
class TellsHistory(Protocol):
    """What an adapter has besides `Broker` where `Capabilities.history` says that it has bars."""

    async def bars(self, key: str, span: BarSpan, since: datetime, until: datetime) -> Sequence[Bar]:
        """The bars of an instrument that begin in this stretch, oldest first; none where nothing traded.

        Raises `BrokerError`, with `not_offered` where the broker does not sell history to this desk.
        """
        ...


@runtime_checkable
class HasCloses(Protocol):
    """What an adapter has besides `Broker` where it has the closes of many instruments at hand."""

    async def closes(self, keys: Collection[str]) -> Mapping[str, Mapping[date, int]]:
        """What instruments closed at on days before, in paise by key and day; none of one it has not."""
        ...


class CompanyActs(NamedTuple):
    """What a company does with its shares from a day on, in the exchange's words."""

    key: str
    ex_date: date
    kind: CorporateAction
    purpose: str
    paid_to: DividendTo


@runtime_checkable
class HearsActions(Protocol):
    """What a simulated venue has besides `Broker`: companies act there as they do at the exchange."""

    async def hear_actions(self, actions: Sequence[CompanyActs]) -> None:
        """Know these actions; each is carried out as its ex-date begins there, once however often told."""
        ...

"""What a plan says of a line because of its client's own broker, or since brokers differ."""

from datetime import datetime

from data.vocabulary import Validity
from engine.planning.why import Why


class ListsAnother(Why, frozen=True):
    """That broker has another security under the instrument's symbol, with this ISIN."""

    broker: str
    symbol: str
    isin: str


class OtherSeries(Why, frozen=True):
    """That broker has the instrument in another series than the desk."""

    broker: str
    theirs: str
    ours: str


class ListedAs(Why, frozen=True):
    """That broker calls the instrument by another symbol."""

    broker: str
    symbol: str


class IntradayOver(Why, frozen=True):
    """The client's broker has ended intraday buying for today; `at` is when."""

    broker: str
    at: datetime


class BrokerIsDown(Why, frozen=True):
    """Its broker has answered nobody from then on, by the market's clock."""

    broker: str
    at: datetime


class NoSuchValidity(Why, frozen=True):
    """The client's broker takes no order that stands so long."""

    broker: str
    validity: Validity


class OfTwoBrokers(Why, frozen=True):
    """Two brokers' last prices are too far apart, in basis points of the first's: one of them is wrong."""

    broker: str
    last_paise: int
    other: str
    other_paise: int
    apart_bps: int


BROKER_KINDS: dict[str, type[Why]] = {
    "lists_another": ListsAnother,
    "other_series": OtherSeries,
    "listed_as": ListedAs,
    "intraday_over": IntradayOver,
    "broker_down": BrokerIsDown,
    "no_such_validity": NoSuchValidity,
    "of_two_brokers": OfTwoBrokers,
}
"""The word under which each of them stands in a plan's record."""

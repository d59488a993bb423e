"""The figures that alerts keep: who raises one writes them, its words read them."""

from datetime import datetime

from msgspec import Struct


class SilenceFigures(Struct, frozen=True):
    """Of a broker that does not answer: since when by the market's clock, and how many clients it has."""

    broker: str
    since: datetime
    clients: int


class AnswersFigures(Struct, frozen=True):
    """Of a broker that answers again, after `down_s` seconds."""

    broker: str
    down_s: int


class WaitingFigures(Struct, frozen=True):
    """Of a run whose buys wait: for how many sales, of which `unknown` are in doubt, or for cash."""

    run: int
    buys: int
    clients: int
    sales: int
    unknown: int


class JobFigures(Struct, frozen=True):
    """Of a job that failed: its number and kind, who asked for it, and why it failed."""

    job: int
    kind: str
    asked_by: str
    problem: str

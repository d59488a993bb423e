"""Which connections' brokers answer nobody, since when, and for whom of their clients that was seen."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from brokers.contract import BrokerError, NoAnswer


@dataclass(slots=True)
class Silence:
    """From the first read without an answer after a broker's last to the latest; `of` are their clients."""

    since: datetime
    last: datetime
    of: set[int] = field(default_factory=set[int])


NEAR = timedelta(minutes=3)
"""Reads without an answer that are further apart are no one silence: the machine may have slept."""


class Silences:
    """What became of reads, by connection: any answer to anybody ends its silence."""

    def __init__(self) -> None:
        self._silent: dict[str, Silence] = {}

    def ended(self, connection: str, client_id: int, problem: Exception | None, at: datetime) -> None:
        """Note how a read ended; `problem` is None where it brought what was asked for.

        A refusal is an answer, whatever it says; a call that lacked a token may never have left.
        """
        if isinstance(problem, (NoAnswer, TimeoutError)):
            silence = self._silent.get(connection)
            if silence is None or at - silence.last > NEAR:
                silence = self._silent[connection] = Silence(at, at)
            silence.last = max(silence.last, at)
            silence.of.add(client_id)
        elif problem is None or type(problem) is BrokerError:
            self._silent.pop(connection, None)

    def of(self, connection: str) -> Silence | None:
        """In which reads a connection's broker has answered nobody; None where its last was answered."""
        return self._silent.get(connection)

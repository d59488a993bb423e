"""How a read from a broker failed."""

from data.errors import TradedeskError


class BrokerError(TradedeskError):
    """A read failed; nothing is known beyond that. `code` is the broker's word where it gave one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NotAsked(BrokerError):  # noqa: N818 - what became of the call
    """The broker was not asked, since something that the call takes is missing here."""


class NoAnswer(BrokerError):  # noqa: N818 - what became of the call
    """The broker said nothing of its own: no connection, silence, or a gateway that failed."""


class TurnedAway(BrokerError):  # noqa: N818 - what became of the call
    """The broker turned the call away as one too many, and looked at nothing in it."""


class SessionExpired(BrokerError):  # noqa: N818 - the trader's word
    """The broker no longer accepts this client's session."""

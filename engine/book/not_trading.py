"""Why a client is not traded for: by its status, or since the trader has it stand aside."""

from data.vocabulary import ClientStatus, Reason

_BY_STATUS = {
    ClientStatus.PENDING: Reason.CLIENT_PENDING,
    ClientStatus.INACTIVE: Reason.CLIENT_INACTIVE,
    ClientStatus.CLOSED: Reason.CLIENT_CLOSED,
}


NOT_TRADING = frozenset({*_BY_STATUS.values(), Reason.CLIENT_PAUSED})
"""Reasons of clients that the trader has stand aside."""


def not_trading(status: ClientStatus, paused: bool) -> Reason | None:
    """Why a client of this status is not traded for, None where it is."""
    return _BY_STATUS.get(status, Reason.CLIENT_PAUSED if paused else None)

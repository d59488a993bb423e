"""Words of what came in and went out of accounts by no trade."""

from enum import StrEnum


class FlowKind(StrEnum):
    """What a difference of a client's account was, as a person says."""

    PAY_IN = "pay_in"
    PAY_OUT = "pay_out"
    DIVIDEND = "dividend"
    CHARGE = "charge"
    INTEREST = "interest"
    OTHER = "other"


CAPITAL = frozenset({FlowKind.PAY_IN, FlowKind.PAY_OUT})
"""What the client brought or took; anything else is what its account earned or cost."""

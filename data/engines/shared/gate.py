"""How a transaction that writes stands to those of others while it runs."""

from enum import Enum


class GateMode(Enum):
    """The firm's gate, which whoever writes to a server passes first; a file has one writer anyway."""

    SHARED = "shared"
    """Beside others: what their rows and its have in common is found as it is written."""
    ALONE = "alone"
    """When all others have ended, and before any begins: what a halt collects, a change of roles."""
    PAST = "past"
    """Not by the gate, whoever holds it: a halt's first word, which stops whatever begins behind it."""

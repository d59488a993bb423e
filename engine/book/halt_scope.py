"""Which orders a halt stops."""

from collections.abc import Collection

from data.vocabulary import HaltScope
from engine.book.views import ClientView, HaltView


def covers(halt: HaltView, client: ClientView, key: str) -> bool:
    """Whether a halt stops orders of this client in this instrument."""
    match halt.scope:
        case HaltScope.EVERYTHING:
            return True
        case HaltScope.BROKER:
            return client.broker == halt.value
        case HaltScope.GROUP:
            return client.id in halt.members
        case HaltScope.CLIENT:
            return str(client.id) == halt.value
        case HaltScope.SYMBOL:
            return key == halt.value


def covered(halts: Collection[HaltView], client: ClientView, key: str) -> bool:
    """Whether any halt stops orders of this client in this instrument."""
    return any(covers(halt, client, key) for halt in halts)

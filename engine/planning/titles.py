"""How the clients of an intent are called: the title that stands wherever its plan is shown."""

from collections.abc import Iterable, Sequence

from engine.book.views import ClientView

MARKED = "MARKED"
"""The word by which a selection of marked clients is known."""

ALL = "all"
"""The title of a selection of everybody."""


def marked_title(count: int, total: int) -> str:
    """Of marked clients: `12 MARKED of 50`."""
    return f"{count} {MARKED} of {total}"


def shown_title(count: int, total: int) -> str:
    """Of what a group or a filter left in view: `the 8 shown of 50`."""
    return f"the {count} shown of {total}"


def group_title(name: str, clients: Iterable[ClientView]) -> str:
    """Of a group: `group growth (12)`."""
    return f"group {name} ({sum(name in client.groups for client in clients)})"


def broker_title(name: str, clients: Iterable[ClientView]) -> str:
    """Of those at a broker: `at zerodha (30)`."""
    return f"at {name} ({sum(client.broker == name for client in clients)})"


def holders_title(count: int) -> str:
    """Of whoever has anything of the symbol: `holders (23)`."""
    return f"holders ({count})"


def named_title(count: int) -> str:
    """Of clients named in a list: `3 named`. One that is named by itself has its code for a title."""
    return f"{count} named"


def without_title(whom: str, left_out: Sequence[str]) -> str:
    """Of clients less some of them: `group growth without MTF`."""
    return f"{whom} without {', '.join(left_out)}"

"""The apps of a rehearsal. Their keys and secrets open nothing but the local Kite."""

import socket

PLATFORM = ("localkite", "localkite-secret")
"""Api key and secret of an app that any client may sign in to, as a platform has one."""


def own_address(number: int) -> str:
    """A loopback address from which the calls of the client of this number, up to 16,000, are to come.

    Empty where this system has one loopback address alone.
    """
    block, host = divmod(number - 1, 250)
    address = f"127.0.{block + 1}.{host + 1}"
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return ""
    return address


def own_app(user_id: str) -> tuple[str, str]:
    """Api key and secret of a client's own app, as Zerodha gives them to one client each."""
    key = f"lk{user_id.lower()}"
    return key, f"{key}-secret"

"""The apps of a rehearsal. Their keys and secrets open nothing but the local Kite."""

PLATFORM = ("localkite", "localkite-secret")
"""Api key and secret of an app that any client may sign in to, as a platform has one."""


def own_app(user_id: str) -> tuple[str, str]:
    """Api key and secret of a client's own app, as Zerodha gives them to one client each."""
    key = f"lk{user_id.lower()}"
    return key, f"{key}-secret"

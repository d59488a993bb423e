"""The apps of a rehearsal. Their keys and secrets open nothing but the local Upstox."""

PLATFORM = ("localupstox", "localupstox-secret")
"""Api key and secret of an app that any client may sign in to."""


def own_app(user_id: str) -> tuple[str, str]:
    """Api key and secret of a client's own app, as Upstox has one active app for each user."""
    key = f"lu{user_id.lower()}"
    return key, f"{key}-secret"

"""Who makes a call, once it has been let in."""

from msgspec import Struct

from brokers.simulators.serving.mishaps import Mishap


class Caller(Struct, frozen=True):
    """A user behind an app, the route called, and what goes wrong with the call."""

    user_id: str
    api_key: str
    route: str
    mishap: Mishap | None

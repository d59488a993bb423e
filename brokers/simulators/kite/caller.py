"""Who makes a call, once it has been let in."""

from dataclasses import dataclass

from brokers.simulators.kite.mishaps import Mishap


@dataclass(frozen=True, slots=True)
class Caller:
    """A user behind an app, the route called, and what goes wrong with the call."""

    user_id: str
    api_key: str
    route: str
    mishap: Mishap | None

"""JSON shapes of the signing service: sign-ins that stand, and a key that was rotated."""

from datetime import datetime

from msgspec import Struct


class StandingSignInShape(Struct, frozen=True):
    """A sign-in that stands, named by the first signs of its id; `until` is its end at the latest."""

    id: str
    person: str
    place: str
    at: datetime
    until: datetime


class KeyRotatedShape(Struct, frozen=True):
    """The key that signs from here on; `at_once` says that what others have signed is void."""

    kid: str
    at_once: bool

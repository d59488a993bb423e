"""How long an order takes on each step of its way through a simulated broker."""

from msgspec import Struct


class Delays(Struct, frozen=True):
    """How long, in clock seconds, an order stays at each status on its way."""

    received_s: float = 0.02
    validation_s: float = 0.03
    opening_s: float = 0.05
    change_s: float = 0.05
    cancel_s: float = 0.05
    wrong_variety_s: float = 2.0
    """How long Kite takes to fail a change that names the wrong variety."""


NO_DELAYS = Delays(0, 0, 0, 0, 0, 0)
"""Every call returns with its consequences done."""

"""What of Kite's behaviour is not known for certain or differs between clients, and can be switched."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from data.money import BadInput


@dataclass(slots=True)
class Switches:
    """One local Kite's switches, changed while it runs."""

    rate_limits: bool = True
    cool_down: bool = False
    """Whether orders are turned away for ten seconds after a 429."""
    html_429: bool = False
    """Whether a 429 is a page instead of JSON."""
    margin_refusal_at_post: bool = False
    """Whether an order without money is refused at once, or accepted and rejected in the book."""
    autoslice_flat: bool = False
    """Whether an autoslice answer is a flat list, as it was before March 2026."""
    static_ips: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Addresses that a user's orders may come from; a user who is not listed is not checked."""
    demat_consent: dict[str, str] = field(default_factory=dict[str, str])
    """`consent`, `physical` or an empty text by user; `consent` for a user who is not listed."""
    freeze_quantities: dict[str, int] = field(default_factory=dict[str, int])
    """Most shares of one order by `EXCHANGE:SYMBOL`, below what the exchange takes of any."""

    def consent(self, user_id: str) -> str:
        """How a user's sales are authorised."""
        return self.demat_consent.get(user_id, "consent")

    def change(self, given: Mapping[str, Any]) -> None:
        """Set the switches that `given` names; tables are laid over what stands. Raises `BadInput`."""
        known = {switch.name for switch in fields(self)}
        for name, value in given.items():
            if name not in known:
                raise BadInput("switch", name, f"known: {', '.join(sorted(known))}")
            standing = getattr(self, name)
            if type(value) is not type(standing):
                raise BadInput(f"switch {name}", value, f"give a {type(standing).__name__}")
            if isinstance(standing, dict):
                self._check_table(name, value)
        for name, value in given.items():
            standing = getattr(self, name)
            setattr(self, name, {**standing, **value} if isinstance(standing, dict) else value)

    def _check_table(self, name: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            fits = {
                "static_ips": isinstance(value, list),
                "demat_consent": value in ("", "consent", "physical"),
                "freeze_quantities": type(value) is int and value > 0,
            }
            if not fits[name]:
                raise BadInput(f"switch {name} of {key}", value, "see the switch's own words")

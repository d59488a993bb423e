"""What of Kite's behaviour is not known for certain or differs between clients, and can be switched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from brokers.simulators.serving.switchboard import Switchboard
from data.errors import BadInput

WRONG_IP_ANSWERS = tuple(
    f"{status} {kind}"
    for status in (400, 403)
    for kind in ("PermissionException", "InputException", "GeneralException")
)
"""How Kite has been seen to tell a wrong address."""


@dataclass(slots=True)
class Switches(Switchboard):
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
    """Addresses that a user's orders may come from: none with an empty list, and a user who is not listed is
    not checked."""
    no_stream: dict[str, int] = field(default_factory=dict[str, int])
    """Status that the sockets of an api key are refused with, as a free key's; quotes are refused it too."""
    no_history: list[str] = field(default_factory=list[str])
    """Api keys that are refused candles alone, beside those of `no_stream`."""
    wrong_ip_as: str = "403 PermissionException"
    """Status and error type that a wrong address is told with."""
    demat_consent: dict[str, str] = field(default_factory=dict[str, str])
    """`consent`, `physical` or an empty text by user; `consent` for a user who is not listed."""
    freeze_quantities: dict[str, int] = field(default_factory=dict[str, int])
    """Most shares of one order by `EXCHANGE:SYMBOL`, below what the exchange takes of any."""

    def consent(self, user_id: str) -> str:
        """How a user's sales are authorised."""
        return self.demat_consent.get(user_id, "consent")

    def carries(self, api_key: str, *, history: bool) -> bool:
        """Whether an api key carries prices, or candles of before."""
        return api_key not in self.no_stream and not (history and api_key in self.no_history)

    def address_refusal(self) -> tuple[int, str]:
        """The status and the error type of `wrong_ip_as`."""
        status, _, kind = self.wrong_ip_as.partition(" ")
        return int(status), kind

    def check(self, name: str, value: Any) -> None:
        """Look at the entries of tables and at the words of `wrong_ip_as`."""
        if isinstance(getattr(self, name), dict):
            self._check_table(name, value)
        if name == "wrong_ip_as" and value not in WRONG_IP_ANSWERS:
            raise BadInput(f"switch {name}", value, f"give one of {', '.join(WRONG_IP_ANSWERS)}")

    def _check_table(self, name: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            if value is None:
                continue
            fits = {
                "static_ips": isinstance(value, list),
                "demat_consent": value in ("", "consent", "physical"),
                "no_stream": value in (400, 401, 403),
                "freeze_quantities": type(value) is int and value > 0,
            }
            if not fits[name]:
                raise BadInput(f"switch {name} of {key}", value, "see the switch's own words")

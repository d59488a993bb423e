"""Who is signed in on Kite's stream."""

from dataclasses import dataclass

from brokers.contract import BrokerAccount
from brokers.wire.access import AccountRoute


@dataclass(slots=True, eq=False)
class StreamLogin:
    """One client's session on the stream; `refused` once Kite opened no socket for it."""

    account: BrokerAccount
    route: AccountRoute
    token: str
    prices: bool
    refused: bool = False

    def is_like(self, other: "StreamLogin") -> bool:
        """Whether both are the same session on the same way, whatever it carries."""
        return (self.account, self.route, self.token) == (other.account, other.route, other.token)

    def __repr__(self) -> str:
        return f"StreamLogin({self.account!r})"

"""A client's account, as every call of the contract names it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BrokerAccount:
    """One client's account as an adapter addresses it."""

    client_id: int
    user_id: str

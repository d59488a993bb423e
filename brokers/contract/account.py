"""A client's account, as every call of the contract names it."""

from msgspec import Struct


class BrokerAccount(Struct, frozen=True):
    """One client's account as an adapter addresses it."""

    client_id: int
    user_id: str

"""The whole contract between the engine and a broker: sign-in, trading, market data, and a table of limits.

Adapters translate wire formats into these shapes and classify how a call ended; they hold no rule of
the desk. Prices and money are integer paise, times aware UTC, quantities whole shares.
"""

from typing import Protocol

from brokers.contract.account import BrokerAccount
from brokers.contract.capabilities import (
    Capabilities,
)
from brokers.contract.charges import TellsCharges, TradedLine
from brokers.contract.errors import BrokerError, NoAnswer, NotAsked, SessionExpired, TurnedAway
from brokers.contract.history import Bar, BarSpan, CompanyActs, HasCloses, HearsActions, TellsHistory
from brokers.contract.kill_switch import HasKillSwitches, KillSwitch
from brokers.contract.market_data import (
    Arrival,
    DepthLevel,
    Heartbeat,
    InstrumentRow,
    MarketDataSource,
    RawPacket,
    StreamEvent,
    TellsMargins,
    Tick,
    Ticks,
    UnreadTick,
)
from brokers.contract.routes import TellsAddresses
from brokers.contract.rows import BrokerRows, PassedOver, UnreadRow
from brokers.contract.sign_in import (
    HIDDEN,
    BrokerProfile,
    SignIn,
    SignInField,
    SignInForm,
)
from brokers.contract.trading import (
    Accepted,
    Ambiguous,
    BrokerFunds,
    BrokerHolding,
    BrokerOrder,
    BrokerStatus,
    BrokerTrade,
    Conditional,
    ConditionalKind,
    Conversion,
    Converts,
    KeepsConditionals,
    NotSent,
    OrderChange,
    OrderRequest,
    OrderUpdate,
    Outcome,
    Refused,
    Trading,
    nothing_keeps_it_back,
)
from brokers.meter import CallMeter

__all__ = [
    "HIDDEN",
    "Accepted",
    "Ambiguous",
    "Arrival",
    "Bar",
    "BarSpan",
    "Broker",
    "BrokerAccount",
    "BrokerError",
    "BrokerFunds",
    "BrokerHolding",
    "BrokerOrder",
    "BrokerProfile",
    "BrokerRows",
    "BrokerStatus",
    "BrokerTrade",
    "Capabilities",
    "CompanyActs",
    "Conditional",
    "ConditionalKind",
    "Conversion",
    "Converts",
    "DepthLevel",
    "HasCloses",
    "HasKillSwitches",
    "HearsActions",
    "Heartbeat",
    "InstrumentRow",
    "KeepsConditionals",
    "KillSwitch",
    "MarketDataSource",
    "NoAnswer",
    "NotAsked",
    "NotSent",
    "OrderChange",
    "OrderRequest",
    "OrderUpdate",
    "Outcome",
    "PassedOver",
    "RawPacket",
    "Refused",
    "SessionExpired",
    "SignIn",
    "SignInField",
    "SignInForm",
    "StreamEvent",
    "TellsAddresses",
    "TellsCharges",
    "TellsHistory",
    "TellsMargins",
    "Tick",
    "Ticks",
    "TradedLine",
    "Trading",
    "TurnedAway",
    "UnreadRow",
    "UnreadTick",
    "nothing_keeps_it_back",
]


class Broker(SignIn, Trading, MarketDataSource, Protocol):
    """One adapter: every account of one broker."""

    @property
    def name(self) -> str:
        """The broker's word in client files, such as `zerodha`."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What this adapter can do."""
        ...

    @property
    def meter(self) -> CallMeter:
        """What its calls took and became."""
        ...

    async def open(self) -> None:
        """Take up resources. Called once before anything else."""
        ...

    async def close(self) -> None:
        """Give resources back. Streams end."""
        ...

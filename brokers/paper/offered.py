"""What the paper exchange can do, as a broker's capabilities."""

from brokers.contract import Capabilities
from brokers.simulators.exchange import conversions
from brokers.simulators.exchange.rms import MAX_QUANTITY, MAX_VALUE_PAISE, TAG_LENGTH

NAME = "paper"

PULSE_SECONDS = 0.1
"""How often the stream drives the exchange."""

HEARTBEAT_SECONDS = 1.0
"""How often the stream says that it is alive while nothing trades."""

BATCH = 250
"""Calls that share one exchange transaction at most, so that another process gets its turn."""

CAPABILITIES = Capabilities(
    tag_length=TAG_LENGTH,
    orders_per_second=10,
    orders_per_minute=400,
    orders_per_day=5_000,
    max_order_quantity=MAX_QUANTITY,
    max_order_value_paise=MAX_VALUE_PAISE,
    conversions=conversions.OFFERED,
    history=True,
    disclosed_quantity=True,
    simulated=True,
    lists_all=True,
)

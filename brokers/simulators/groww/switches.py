"""What of Groww's behaviour is doubtful, contradicted or known from third parties alone: each a switch.

`DOUBTS` is the one table of them, with every position of each; the rest of the switches steer a rehearsal.
"""

from dataclasses import dataclass, field
from typing import Any

from brokers.simulators.groww.answers import ALWAYS_200, ALWAYS_400, PAIRED
from brokers.simulators.serving.switchboard import DoubtfulFact, Switchboard, check_doubt
from data.errors import BadInput

AS_DOCUMENTED, SPACED, ZONED, EPOCH = "2026-11-18T09:15:00", "2026-11-18 09:15:00", "with Z", "epoch"
"""How times of orders and trades are written: Indian without a zone, UTC with one, or milliseconds."""

WRONG_IP_ANSWERS = ("403 GA005", "401 GA005", "400 GA001")
"""How an order from a wrong address may be refused."""

ITEMS, BYTES, JOINED = "items", "bytes", "joined"
"""How items of the feed's protocol lie in messages of the socket: one each, a byte each, several in one."""

DOUBTS = (
    DoubtfulFact("totp_needs_approval", (False, True), "a key with codes is approved every day too", "U"),
    DoubtfulFact("token_in_payload", (False, True), "a minted token stands under `payload`", "U"),
    DoubtfulFact("older_token_ends", (False, True), "signing in again ends the older token", "U"),
    DoubtfulFact(
        "mint_limits", (True, False), "sign-ins are counted: 5 a second, 30 a minute, 150 a day", "T"
    ),
    DoubtfulFact(
        "error_statuses",
        (PAIRED, ALWAYS_400, ALWAYS_200),
        "HTTP status of a refusal: of its code, or one for all",
        "U",
    ),
    DoubtfulFact("wrong_ip_as", WRONG_IP_ANSWERS, "how an order from a wrong address is told", "U"),
    DoubtfulFact("version_needed", (True, False), "a call without `X-API-VERSION` is refused", "U"),
    DoubtfulFact("market_orders", (True, False), "market orders are taken, protected, or refused", "T"),
    DoubtfulFact("protected_as_limit", (True, False), "the book shows a market order as a limit order", "T"),
    DoubtfulFact("ioc_orders", (False, True), "orders of validity IOC are taken", "U"),
    DoubtfulFact("mtf_orders", (False, True), "orders in MTF are taken", "U"),
    DoubtfulFact("amo_by_session", (True, False), "an order outside the session waits, or is refused", "U"),
    DoubtfulFact(
        "references_for_ever", (True, False), "an order's reference is used up for ever, or a day", "U"
    ),
    DoubtfulFact(
        "open_status", ("APPROVED", "OPEN"), "the word for an order that rests at the exchange", "U"
    ),
    DoubtfulFact(
        "filled_status",
        ("EXECUTED", "DELIVERY_AWAITED", "COMPLETED"),
        "the word for an order that traded whole",
        "U",
    ),
    DoubtfulFact("executed_in_parts", (False, True), "an order that traded in part is `EXECUTED` too", "U"),
    DoubtfulFact("order_times", (AS_DOCUMENTED, SPACED, ZONED, EPOCH), "how times are written", "U"),
    DoubtfulFact("newest_first", (True, False), "the order list begins with the newest", "U"),
    DoubtfulFact("most_in_page", (100, 25), "orders that one page of the list holds at most", "T"),
    DoubtfulFact("t1_in_quantity", (False, True), "a holding's quantity counts what is on its way", "U"),
    DoubtfulFact("sold_in_quantity", (True, False), "a holding's quantity counts what was sold today", "U"),
    DoubtfulFact("positions_in_paise", (False, True), "prices of positions are in paise", "T"),
    DoubtfulFact(
        "tick_in_paise", (True, False), "the instruments file tells ticks in paise or in rupees", "U"
    ),
    DoubtfulFact(
        "more_columns", (False, True), "the instruments file has more columns, in another order", "T"
    ),
    DoubtfulFact("ohlc_as_text", (True, False), "a quote's `ohlc` is a text in braces, or an object", "U"),
    DoubtfulFact("oco_for_cash", (True, False), "OCO orders are taken for shares", "U"),
    DoubtfulFact("margin_refusal_at_post", (False, True), "an order without money is refused at once", "U"),
    DoubtfulFact("ticks_in_paise", (False, True), "prices on the feed are in paise", "T"),
    DoubtfulFact(
        "updates_in_paise", (True, False), "prices of order updates are in paise, or whole rupees", "U"
    ),
    DoubtfulFact(
        "whole_ticks", (False, True), "a price on the feed carries the day's other figures too", "U"
    ),
    DoubtfulFact("newest_at_once", (False, True), "a subscription begins with the newest price", "U"),
    DoubtfulFact("feed_messages", (ITEMS, BYTES, JOINED), "how the feed's protocol lies in messages", "U"),
)
"""Every doubtful fact."""


@dataclass(slots=True)
class GrowwSwitches(Switchboard):
    """One local Groww's switches, changed while it runs."""

    totp_needs_approval: bool = False
    token_in_payload: bool = False
    older_token_ends: bool = False
    mint_limits: bool = True
    error_statuses: str = PAIRED
    wrong_ip_as: str = WRONG_IP_ANSWERS[0]
    version_needed: bool = True
    market_orders: bool = True
    protected_as_limit: bool = True
    ioc_orders: bool = False
    mtf_orders: bool = False
    amo_by_session: bool = True
    references_for_ever: bool = True
    open_status: str = "APPROVED"
    filled_status: str = "EXECUTED"
    executed_in_parts: bool = False
    order_times: str = AS_DOCUMENTED
    newest_first: bool = True
    most_in_page: int = 100
    t1_in_quantity: bool = False
    sold_in_quantity: bool = True
    positions_in_paise: bool = False
    tick_in_paise: bool = True
    more_columns: bool = False
    ohlc_as_text: bool = True
    oco_for_cash: bool = True
    margin_refusal_at_post: bool = False
    ticks_in_paise: bool = False
    updates_in_paise: bool = True
    whole_ticks: bool = False
    newest_at_once: bool = False
    feed_messages: str = ITEMS

    rate_limits: bool = True
    """Whether calls are counted."""
    split_frames: bool = False
    """Whether every message of the feed leaves in frames of one byte."""
    static_ips: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Addresses that a user's orders may come from: none with an empty list, and a user who is not listed is
    not checked."""
    without_ddpi: list[str] = field(default_factory=list[str])
    """Users without a DDPI, whose own shares are not sold by this API."""
    without_data: list[str] = field(default_factory=list[str])
    """Users without the subscription that market data need, who are told 403."""

    def check(self, name: str, value: Any) -> None:
        """Hold doubts to their positions, and look at the entries of tables."""
        check_doubt(DOUBTS, name, value)
        if name == "static_ips":
            for key, addresses in value.items():
                if addresses is not None and not isinstance(addresses, list):
                    raise BadInput(f"switch {name} of {key}", addresses, "give a list of addresses, or null")

    def wrong_address(self) -> tuple[int, str]:
        """The status and the code of `wrong_ip_as`."""
        status, _, code = self.wrong_ip_as.partition(" ")
        return int(status), code

"""A morning at the local Groww by the official SDK, which is not changed: run by `tests.brokers.groww_sdk`.

It runs in the SDK's own environment and imports nothing of this project. Only hosts are others than the real
ones: those of REST and of the instruments file in every request that leaves, and the feed's, a literal.
It is given the server's address, the switches to go through as JSON, and prints a line for each thing seen.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import queue
import struct
import sys
import time
import urllib.parse
import urllib.request
from importlib import import_module
from typing import Any

sdk: Any = import_module("growwapi")
client: Any = import_module("growwapi.groww.client")
feed_module: Any = import_module("growwapi.groww.feed")
requests: Any = import_module("requests")

USER = "DX1968"
TOTP_KEY, APPROVED_KEY = f"lg{USER.lower()}", f"lga{USER.lower()}"
SECRET = base64.b32encode(hashlib.sha1(f"local groww {USER.lower()}".encode()).digest()).decode()
SHARE = "NHPC"
"""A share of the demonstration's market, whose tick is a paisa."""

REAL = ("https://api.groww.in", "https://growwapi-assets.groww.in")
WAIT_S = 20.0
FILLED = ("EXECUTED", "DELIVERY_AWAITED", "COMPLETED")
OPEN = ("APPROVED", "OPEN")


def totp() -> str:
    """The code of now, as a telephone makes it."""
    key = base64.b32decode(SECRET)
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")  # noqa: TID251
    (number,) = struct.unpack(">I", digest[digest[-1] & 15 :][:4])
    return f"{(number & 0x7FFFFFFF) % 10**6:06d}"


class Morning:
    """What one client does through the SDK at one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen = 0
        self.made = 0
        self.api: Any = None

    def see(self, what: str, held: object, shown: object) -> None:
        """Print what was seen. Raises `AssertionError` where it is not what was to be seen."""
        if not held:
            raise AssertionError(f"{what}: {shown}")
        self.seen += 1
        print(f"  {what}: {shown}")

    def control(self, path: str, body: object) -> None:
        """Have the stand-in do something."""
        request = urllib.request.Request(f"{self.url}/control/{path}", json.dumps(body).encode())
        urllib.request.urlopen(request, timeout=10).read()

    def approve(self, key: str) -> None:
        """Press the button of a key on the page of keys."""
        form = urllib.parse.urlencode({"user_id": USER, "api_key": key}).encode()
        urllib.request.urlopen(f"{self.url}/trade-api/api-keys", form, timeout=10).read()

    def sign_in(self) -> None:
        """By a key with codes, whose token everything after it uses."""
        self.approve(TOTP_KEY)
        self.api = sdk.GrowwAPI(sdk.GrowwAPI.get_access_token(TOTP_KEY, totp=totp()))

    def both_keys(self) -> None:
        """By codes, by the checksum of a key that is approved, and by neither."""
        try:
            sdk.GrowwAPI.get_access_token(APPROVED_KEY, secret=f"{APPROVED_KEY}-secret")
            raise AssertionError("a key signed in that was not approved")
        except client.GrowwAPIException as problem:
            self.see("key not approved", "approve" in str(problem), problem)
        self.approve(APPROVED_KEY)
        token = sdk.GrowwAPI.get_access_token(APPROVED_KEY, secret=f"{APPROVED_KEY}-secret")
        self.see("token by checksum", token, "minted")
        self.sign_in()
        self.see("token by code", self.api.token, "minted")

    def account(self) -> None:
        """Profile, money, instruments."""
        self.see("profile", self.api.get_user_profile()["ucc"] == USER, USER)
        self.see("funds", self.money() > 0, f"{self.money()} for delivery")
        row = self.api.get_instrument_by_exchange_and_trading_symbol("NSE", SHARE)
        self.see("instrument", row["isin"] == "INE848E01016", row["groww_symbol"])
        same = self.api.get_instrument_by_exchange_token(row["exchange_token"])
        self.see("instrument by token", same["trading_symbol"] == SHARE, row["exchange_token"])

    def money(self) -> float:
        """What the client may buy shares with."""
        return float(
            self.api.get_available_margin_details()["equity_margin_details"]["cnc_balance_available"]
        )

    def last(self) -> float:
        """The share's last price."""
        (price,) = self.api.get_ltp((f"NSE_{SHARE}",), "CASH").values()
        return float(price)

    def place(self, price: float, reference: str | None = None, **more: Any) -> str:
        """A buy of one share; returns its id."""
        self.made += 1
        facts = {
            "validity": "DAY",
            "exchange": "NSE",
            "order_type": "LIMIT",
            "product": "CNC",
            "quantity": 1,
            "segment": "CASH",
            "trading_symbol": SHARE,
            "transaction_type": "BUY",
            "price": round(price, 2),
            "order_reference_id": reference or f"sdk{time.time_ns() % 10**12}x{self.made}"[:20],
        }
        return self.api.place_order(**facts | more)["groww_order_id"]

    def row(self, order_id: str) -> Any:
        """One order as it stands."""
        return self.api.get_order_detail("CASH", order_id)

    def until(self, order_id: str, *statuses: str) -> Any:
        """Ask again until an order is at one of these; the stand-in's own steps take a tenth of a second."""
        for _ in range(600):
            row = self.row(order_id)
            if row["order_status"] in statuses:
                return row
        raise AssertionError(f"{order_id} is not {statuses}")

    def orders(self) -> None:
        """Place, modify, cancel, the list, one order, its status both ways, its trades, the money."""
        reference = f"ref-{time.time_ns() % 10**14}"
        resting = self.place(self.last() * 0.95, reference)
        self.until(resting, *OPEN)
        self.see("placed", True, f"{resting} rests")
        found = self.api.get_order_status_by_reference("CASH", reference)
        self.see("found by reference", found["groww_order_id"] == resting, reference)
        try:
            self.place(self.last() * 0.95, reference)
            raise AssertionError("a reference was taken twice")
        except client.GrowwAPIException as problem:
            self.see("reference used up", problem.code == "GA007", problem)
        price = round(self.last() * 0.96, 2)
        changed = self.api.modify_order("LIMIT", "CASH", resting, 2, price=price)
        self.see("modified", changed["groww_order_id"] == resting, changed["order_status"])
        row = self.until(resting, *OPEN)
        self.see("one order", (row["quantity"], row["price"]) == (2, price), f"2 at {row['price']}")
        ended = self.api.cancel_order(resting, "CASH")
        self.see("cancelled", ended["groww_order_id"] == resting, ended["order_status"])
        self.until(resting, "CANCELLED")
        self.see("order list", resting in self.listed(), "found")
        before = self.money()
        bought = self.place(self.last() * 1.01)
        self.until(bought, *FILLED)
        (trade,) = self.api.get_trade_list_for_order(bought, "CASH")["trade_list"]
        self.see("trade", trade["quantity"] == 1, f"1 at {trade['price']}")
        self.see("short form", self.api.get_order_status("CASH", bought)["filled_quantity"] == 1, bought)
        self.see("money taken", before > self.money(), f"{before - self.money():.2f}")

    def listed(self) -> set[str]:
        """The ids of every page of the list."""
        ids, page = set[str](), 0
        while rows := self.api.get_order_list(page=page, segment="CASH")["order_list"]:
            ids |= {row["groww_order_id"] for row in rows}
            page += 1
        return ids

    def refusals(self) -> None:
        """What the SDK makes of errors."""
        for more, code in (({"trading_symbol": "NOBODY"}, "GA001"), ({"validity": "GTC"}, "GA001")):
            try:
                self.place(self.last(), **more)
                raise AssertionError(f"{more} was taken")
            except client.GrowwAPIException as problem:
                self.see("refused", problem.code == code, problem)
        try:
            self.api.cancel_order("GMK1", "CASH")
            raise AssertionError("nobody's order was cancelled")
        except client.GrowwAPIException as problem:
            self.see("not found", problem.code == "GA004", problem)

    def books(self) -> None:
        """Shares, positions, quotes, margins, candles."""
        self.see("holdings", "holdings" in self.api.get_holdings_for_user(), "read")
        net = {
            row["trading_symbol"]: row["quantity"] for row in self.api.get_positions_for_user()["positions"]
        }
        self.see("positions", net.get(SHARE, 0) > 0, net)
        one = self.api.get_position_for_trading_symbol(SHARE, "CASH")["positions"][0]
        self.see("one position", one["credit_quantity"] > 0, one["credit_price"])
        quote = self.api.get_quote(SHARE, "NSE", "CASH")
        self.see(
            "quote", quote["depth"]["buy"][0]["price"] < quote["depth"]["sell"][0]["price"], quote["ohlc"]
        )
        both = self.api.get_ltp(("NSE_NHPC", "NSE_NIFTY"), "CASH")
        self.see("last prices", set(both) == {"NSE_NHPC", "NSE_NIFTY"}, both)
        day = self.api.get_ohlc("NSE_NHPC,NSE_NIFTY", "CASH")
        self.see("ohlc", set(day) == {"NSE_NHPC", "NSE_NIFTY"}, day["NSE_NHPC"])
        order = {"trading_symbol": SHARE, "transaction_type": "BUY", "quantity": 10, "price": 80.0}
        order |= {"order_type": "LIMIT", "product": "CNC", "exchange": "NSE"}
        margin = self.api.get_order_margin_details("CASH", [order])
        self.see("margin", margin["cash_cnc_margin_required"] == 800, margin["total_requirement"])
        candles = self.api.get_historical_candles(
            "NSE", "CASH", "NSE-NHPC", "2026-11-17 09:15:00", "2026-11-17 15:30:00", "15minute"
        )["candles"]
        self.see("candles", len(candles) > 20, f"{len(candles)} of the day before")

    def smart(self) -> None:
        """A GTT order made, changed, listed and cancelled, and an OCO order."""
        facts = {
            "segment": "CASH",
            "trading_symbol": SHARE,
            "quantity": 1,
            "exchange": "NSE",
            "duration": "DAY",
        }
        order = {"order_type": "LIMIT", "price": "70.00", "transaction_type": "BUY"}
        made = self.api.create_smart_order(
            "GTT", product_type="CNC", trigger_price="71.00", trigger_direction="DOWN", order=order, **facts
        )
        number = made["smart_order_id"]
        self.see("GTT", made["status"] == "ACTIVE", number)
        changed = self.api.modify_smart_order(number, "GTT", "CASH", trigger_price="70.50")
        self.see("GTT changed", changed["trigger_price"] == "70.50", "70.50")
        rows = self.api.get_smart_order_list("GTT", "CASH", "ACTIVE")["orders"]
        self.see("GTT listed", number in {row["smart_order_id"] for row in rows}, len(rows))
        self.api.cancel_smart_order("CASH", "GTT", number)
        kept = self.api.get_smart_order("CASH", "GTT", number)
        self.see("GTT cancelled", kept["status"] == "CANCELLED", number)
        legs = {
            "target": {"trigger_price": "99.00", "order_type": "LIMIT", "price": "99.00"},
            "stop_loss": {"trigger_price": "60.00", "order_type": "SL_M", "price": None},
        }
        oco = self.api.create_smart_order(
            "OCO", product_type="MIS", net_position_quantity=1, transaction_type="SELL", **legs, **facts
        )
        self.see("OCO", oco["smart_order_id"].startswith("oco_"), oco["smart_order_id"])

    # --- the feed -----------------------------------------------------------------------------------------

    def feed(self) -> None:
        """Last price, depth, an index, and an order from its start to its fill."""
        row = self.api.get_instrument_by_exchange_and_trading_symbol("NSE", SHARE)
        share = {"exchange": "NSE", "segment": "CASH", "exchange_token": row["exchange_token"]}
        index = share | {"exchange_token": "NIFTY"}
        feed, told = sdk.GrowwFeed(self.api), queue.Queue[Any]()
        feed.subscribe_ltp([share], on_data_received=lambda meta: told.put(("ltp", meta)))
        feed.subscribe_market_depth([share], on_data_received=lambda meta: told.put(("depth", meta)))
        feed.subscribe_index_value([index], on_data_received=lambda meta: told.put(("index", meta)))
        feed.subscribe_equity_order_updates(
            on_data_received=lambda _: told.put(("order", feed.get_equity_order_update()))
        )
        self._prices(feed, told, share["exchange_token"])
        self._order(told)
        network = feed._nats_client  # noqa: SLF001 - the SDK has no way to end a feed
        asyncio.run_coroutine_threadsafe(network._socket.close(), network._loop).result(10)  # noqa: SLF001

    def _prices(self, feed: Any, told: "queue.Queue[Any]", token: str) -> None:
        heard, price = set[str](), self.last()
        while not {"ltp", "depth", "index"} <= heard:
            price = round(price + 0.01 if price < 85 else price - 1, 2)
            self.control("prices", {"symbol": SHARE, "to": str(price)})  # moves it on, whatever the walk does
            heard.add(told.get(timeout=WAIT_S)[0])
        self.control("prices", {"symbol": SHARE, "to": "walks"})
        last = feed.get_ltp()["NSE"]["CASH"][token]["ltp"]
        self.see("price", abs(last / self.last() - 1) < 0.2 or abs(last / self.last() / 100 - 1) < 0.2, last)
        book = feed.get_market_depth()["NSE"]["CASH"][token]
        self.see("depth", book["buyBook"]["1"]["price"] > 0, book["buyBook"]["1"])
        self.see("index", feed.get_index_value()["NSE"]["CASH"]["NIFTY"]["value"] > 0, "NIFTY")

    def _order(self, told: "queue.Queue[Any]") -> None:
        bought, statuses = self.place(self.last() * 1.01), list[str]()
        while not statuses or statuses[-1] not in FILLED:
            kind, update = told.get(timeout=WAIT_S)
            if kind == "order" and update["growwOrderId"] == bought:
                statuses.append(update["orderStatus"])
        self.see("order updates", True, " > ".join(dict.fromkeys(statuses)))


def at(local: str) -> None:
    """Have every request and the feed leave for the local server instead of the real hosts."""
    sent = requests.Session.request

    def request(session: Any, method: str, url: str, **more: Any) -> Any:
        for real in REAL:
            url = url.replace(real, local)
        return sent(session, method, url, **more)

    requests.Session.request = request
    sdk.GrowwFeed._GROWW_SOCKET_URL = local.replace("http", "ws", 1)  # noqa: SLF001 - the SDK has it as a literal


def main(url: str, switches: list[list[Any]]) -> None:
    """Go through a morning, then through its orders and feed in every other position of each switch."""
    at(url)
    morning = Morning(url)
    print("as it starts")
    morning.both_keys()
    morning.account()
    morning.orders()
    morning.refusals()
    morning.books()
    morning.smart()
    morning.feed()
    for switch, before, position in switches:
        morning.control("switches", {switch: position})
        print(f"{switch} is {position}")
        morning.sign_in()
        morning.orders()
        morning.feed()
        morning.control("switches", {switch: before})
    print(f"{morning.seen} things seen as they were to be")


main(sys.argv[1], json.loads(sys.argv[2]))

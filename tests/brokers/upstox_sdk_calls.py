"""A morning at the local Upstox by the official SDK, which is not changed: run by `tests.brokers.upstox_sdk`.

It runs in the SDK's own environment and imports nothing of this project. Only hosts are others than the real
ones: both of `Configuration`, and the addresses of sockets, which the SDK has as literals. It is given the
server's address, the switches to go through as JSON, and prints a line for each thing seen.
"""

import json
import queue
import sys
import urllib.parse
import urllib.request
from importlib import import_module
from typing import Any

sdk: Any = import_module("upstox_client")
websocket: Any = import_module("websocket")

NHPC = "NSE_EQ|INE848E01016"
"""A share of the demonstration's market, whose tick is a paisa."""

NIFTY = "NSE_INDEX|Nifty 50"
USER, APP, SECRET = "CK6443", "localupstox", "localupstox-secret"
REAL = "wss://api.upstox.com"
WAIT_S = 20.0


class Morning:
    """What one client does through the SDK at one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen = 0
        self.client: Any = None

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

    def sign_in(self) -> None:
        """Through the dialog to a token, and what it is good for."""
        back = f"{self.url}/finished"
        query = {"response_type": "code", "client_id": APP, "redirect_uri": back, "user_id": USER}
        dialog = f"{self.url}/v2/login/authorization/dialog?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(dialog, timeout=10) as page:  # it is led back to the server's own page
            led = urllib.parse.urlsplit(page.url)
        code = urllib.parse.parse_qs(led.query)["code"][0]
        told = sdk.LoginApi(self.api("")).token(
            "2.0",
            code=code,
            client_id=APP,
            client_secret=SECRET,
            redirect_uri=back,
            grant_type="authorization_code",
        )
        self.see("token", told.user_id == USER and told.access_token, (told.user_id, told.broker))
        self.client = self.api(told.access_token)

    def api(self, token: str) -> Any:
        """An `ApiClient` with both hosts at the server."""
        configuration = sdk.Configuration()
        configuration.host = configuration.order_host = self.url
        configuration.access_token = token
        return sdk.ApiClient(configuration)

    def account(self) -> None:
        """Profile, money, addresses, kill switch."""
        user = sdk.UserApi(self.client)
        profile = user.get_profile("2.0").data
        self.see("profile", profile.user_id == USER and "D" in profile.products, profile.user_id)
        self.see("funds v3", self.money() > 0, f"{self.money()} available to trade")
        funds = user.get_user_fund_margin("2.0").data["equity"]
        self.see("funds v2", funds.available_margin == self.money(), f"{funds.available_margin} available")
        self.see("kill switch", user.get_kill_switch().data, "every segment off")
        self.see("addresses", user.get_user_ips().data is not None, "none registered")

    def money(self) -> float:
        """What the client may trade with."""
        data = sdk.UserApi(self.client).get_user_fund_margin_v3().data
        told = data if isinstance(data, dict) else data.to_dict()
        return float(told["available_to_trade"]["total"])

    def order(self, **more: Any) -> Any:
        """A request for one share, at a price that rests."""
        facts = {
            "quantity": 1,
            "product": "D",
            "validity": "DAY",
            "price": self.last() * 0.95,
            "instrument_token": NHPC,
            "order_type": "LIMIT",
            "transaction_type": "BUY",
            "disclosed_quantity": 0,
            "trigger_price": 0,
            "is_amo": False,
        }
        facts |= more
        facts["price"] = round(facts["price"], 2)
        return sdk.PlaceOrderV3Request(**facts)

    def last(self) -> float:
        """The share's last price."""
        (row,) = sdk.MarketQuoteV3Api(self.client).get_ltp(instrument_key=NHPC).data.values()
        return float(row.last_price)

    def orders(self, tag: str) -> None:
        """Place, modify, cancel, the book, one order, its history, its trades."""
        writes, books = sdk.OrderApiV3(self.client), sdk.OrderApi(self.client)
        (resting,) = writes.place_order(self.order(tag=tag)).data.order_ids
        self.until(lambda: self.status(resting) == "open")
        self.see("placed", True, f"{resting} is open")
        price = round(self.last() * 0.96, 2)
        change = sdk.ModifyOrderRequest(
            order_id=resting, order_type="LIMIT", price=price, trigger_price=0, validity="DAY", quantity=2
        )
        self.see("modified", writes.modify_order(change).data.order_id == resting, resting)
        self.until(lambda: self.row(resting).price == price and self.status(resting) == "open")
        self.see("order book", self.row(resting).quantity == 2, f"quantity 2 at {price}")
        self.see("cancelled", writes.cancel_order(resting).data.order_id == resting, resting)
        self.until(lambda: self.status(resting) == "cancelled")
        one = books.get_order_status(order_id=resting).data
        self.see("one order", one.status.lower() == "cancelled", one.status)
        states = [row.status for row in books.get_order_details("2.0", order_id=resting, tag=tag).data]
        self.see("history by tag", len(states) > 5, " > ".join(dict.fromkeys(states)))
        before = self.money()
        (bought,) = writes.place_order(self.order(tag=tag, price=self.last() * 1.01)).data.order_ids
        self.until(lambda: self.status(bought) == "complete")
        (trade,) = books.get_trades_by_order(bought, "2.0").data
        self.see("trade", trade.quantity == 1, f"1 at {trade.average_price}")
        self.see("trades of the day", books.get_trade_history("2.0").data, "found")
        self.see("money taken", before > self.money(), f"{before - self.money():.2f}")

    def row(self, order_id: str) -> Any:
        """An order's row in the book."""
        return next(
            row for row in sdk.OrderApi(self.client).get_order_book("2.0").data if row.order_id == order_id
        )

    def status(self, order_id: str) -> str:
        """An order's status in the book, in small letters."""
        return str(self.row(order_id).status).lower()

    def until(self, happened: Any) -> None:
        """Ask again until something has happened; the stand-in's own steps take a tenth of a second."""
        for _ in range(400):
            if happened():
                return
        raise AssertionError("it did not happen")

    def refusals(self) -> None:
        """What the SDK makes of errors."""
        writes = sdk.OrderApiV3(self.client)
        for more, code in (
            ({"order_type": "MARKET", "price": 0}, "UDAPI1158"),
            ({"instrument_token": "NSE_EQ|INE000000000"}, "UDAPI100011"),
        ):
            try:
                writes.place_order(self.order(**more))
                raise AssertionError(f"{more} was taken")
            except sdk.rest.ApiException as problem:
                told = json.loads(problem.body)["errors"][0]
                self.see("refused", problem.status == 400 and told["error_code"] == code, told["message"])

    def books(self) -> None:
        """Shares, positions, quotes, costs, hours."""
        shares, quotes = sdk.PortfolioApi(self.client), sdk.MarketQuoteV3Api(self.client)
        self.see("holdings", shares.get_holdings("2.0").status == "success", "read")
        net = {row.instrument_token: row.quantity for row in shares.get_positions("2.0").data}
        self.see("positions", net.get(NHPC, 0) > 0, f"{net}")
        self.see("MTF positions", shares.get_mtf_positions().status == "success", "read")
        candle = next(iter(quotes.get_market_quote_ohlc("1d", instrument_key=NHPC).data.values()))
        self.see("ohlc v3", candle.live_ohlc.high >= candle.live_ohlc.low, candle.live_ohlc.to_dict())
        full = next(iter(quotes.get_full_market_quote_v3(instrument_key=NHPC).data.values()))
        self.see("full quote v3", full.depth.buy[0].price < full.depth.sell[0].price, full.symbol)
        older = next(iter(sdk.MarketQuoteApi(self.client).get_full_market_quote(NHPC, "2.0").data.values()))
        self.see("full quote v2", older.last_price > 0, older.last_price)
        bars = sdk.HistoryV3Api(self.client)
        days = bars.get_historical_candle_data1(NHPC, "days", "1", "2026-11-17", "2026-11-02").data.candles
        self.see("candles", len(days) > 5 and days[0][0] > days[-1][0], days[0])
        minutes = bars.get_intra_day_candle_data(NHPC, "minutes", "5").data.candles
        self.see("today's candles", minutes[0][2] >= minutes[0][3] > 0, minutes[0])
        charges = sdk.ChargeApi(self.client).get_brokerage(NHPC, 10, "D", "BUY", 100.0, "2.0").data.charges
        self.see("brokerage", charges.total > 0, charges.total)
        one = sdk.Instrument(
            instrument_key=NHPC, quantity=10, product="D", transaction_type="BUY", price=100.0
        )
        margin = sdk.ChargeApi(self.client).post_margin(sdk.MarginRequest(instruments=[one])).data
        self.see("margin", margin.required_margin == 1_000.0, margin.required_margin)
        clock = sdk.MarketHolidaysAndTimingsApi(self.client)
        self.see("market", clock.get_market_status("NSE").data.status == "NORMAL_OPEN", "NORMAL_OPEN")
        self.see("holidays", clock.get_holidays().data, f"{len(clock.get_holidays().data)} in the year")
        self.see("timings", len(clock.get_exchange_timings("2026-11-18").data) == 2, "NSE and BSE")

    def rest(self) -> None:
        """A GTT order, a conversion, and the kill switch on and locked, last of all."""
        writes = sdk.OrderApiV3(self.client)
        rule = sdk.GttRule(strategy="ENTRY", trigger_type="BELOW", trigger_price=70.0)
        facts = {"type": "SINGLE", "quantity": 1, "product": "D", "instrument_token": NHPC}
        gtt = sdk.GttPlaceOrderRequest(**facts, rules=[rule], transaction_type="BUY")
        (number,) = writes.place_gtt_order(gtt).data.gtt_order_ids
        (kept,) = writes.get_gtt_order_details(gtt_order_id=number).data
        self.see("GTT order", kept.trading_symbol == "NHPC", number)
        cancelled = writes.cancel_gtt_order(sdk.GttCancelOrderRequest(gtt_order_id=number))
        self.see("GTT order cancelled", cancelled.data.gtt_order_ids == [number], number)
        intraday = self.order(price=self.last() * 1.01, product="I")
        (bought,) = writes.place_order(intraday).data.order_ids
        self.until(lambda: self.status(bought) == "complete")
        facts = {"instrument_token": NHPC, "old_product": "I", "new_product": "D", "quantity": 1}
        wanted = sdk.ConvertPositionRequest(**facts, transaction_type="BUY")
        done = sdk.PortfolioApi(self.client).convert_positions(wanted, "2.0").data
        self.see("converted", done.status == "complete", "intraday to delivery")
        self.control("clock", {"to": "16:00"})  # the next day begins, with nothing open
        self.sign_in()
        switch = sdk.KillSwitchSegmentUpdateRequest(segment="NSE_EQ", action="ENABLE")
        rows = sdk.UserApi(self.client).update_kill_switch([switch]).data
        self.see("kill switch", "NSE_EQ" in str(rows), "NSE_EQ is on")
        try:
            sdk.OrderApiV3(self.client).place_order(self.order())
            raise AssertionError("an order was taken")
        except sdk.rest.ApiException as problem:
            self.see("barred by it", problem.status == 403, json.loads(problem.body)["errors"][0]["message"])

    # --- streams ------------------------------------------------------------------------------------------

    def streams(self, tag: str) -> None:
        """Prices by the SDK's streamer, and an order by the portfolio streamer."""
        prices, orders = queue.Queue[Any](), queue.Queue[Any]()
        market = sdk.MarketDataStreamerV3(self.client, [NHPC, NIFTY], "full")
        portfolio = sdk.PortfolioDataStreamer(self.client, position_update=True)
        for streamer, said in ((market, prices), (portfolio, orders)):
            streamer.auto_reconnect(False)
            streamer.on("message", said.put)
            streamer.on("error", said.put)
            streamer.connect()
        try:
            self._prices(prices)
            self._order(orders, tag)
        finally:
            market.disconnect()
            portfolio.disconnect()

    def _prices(self, said: "queue.Queue[Any]") -> None:
        seen = dict[str, Any]()
        while not {NHPC, NIFTY} <= set(seen):
            message = said.get(timeout=WAIT_S)
            if not isinstance(message, dict):
                raise AssertionError(message)
            seen |= message.get("feeds", {})
        share, index = seen[NHPC]["fullFeed"]["marketFF"], seen[NIFTY]["fullFeed"]["indexFF"]
        levels = len(share["marketLevel"]["bidAskQuote"])
        self.see("market stream", share["ltpc"]["ltp"] > 0, f"{share['ltpc']['ltp']}, {levels} levels")
        self.see("index", index["ltpc"]["ltp"] > 0, index["ltpc"]["ltp"])

    def _order(self, said: "queue.Queue[Any]", tag: str) -> None:
        (bought,) = (
            sdk.OrderApiV3(self.client)
            .place_order(self.order(tag=tag, price=self.last() * 1.01))
            .data.order_ids
        )
        heard = list[str]()
        while not heard or heard[-1].lower() != "complete":
            row = json.loads(said.get(timeout=WAIT_S))
            if row["update_type"] == "order" and row["order_id"] == bought:
                heard.append(row["status"])
        self.see("portfolio stream", True, " > ".join(heard))


def main(url: str, switches: list[list[Any]]) -> None:
    """Go through a morning, then through its orders and streams in every other position of each switch."""
    made = websocket.WebSocketApp
    websocket.WebSocketApp = lambda at, **more: made(at.replace(REAL, url.replace("http", "ws", 1)), **more)
    morning = Morning(url)
    print("as it starts")
    morning.sign_in()
    morning.account()
    morning.orders("first")
    morning.refusals()
    morning.books()
    morning.streams("streamed")
    for number, (switch, before, position) in enumerate(switches):
        morning.control("switches", {switch: position})
        print(f"{switch} is {position}")
        morning.sign_in()
        morning.orders(f"round {number}")
        morning.streams(f"stream {number}")
        morning.control("switches", {switch: before})
    print("at the end")
    morning.sign_in()
    morning.rest()
    print(f"{morning.seen} things seen as they were to be")


main(sys.argv[1], json.loads(sys.argv[2]))

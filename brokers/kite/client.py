"""One typed face over the official Kite Connect client, which has no types and tells failures ambiguously.

The official client imports Twisted, so it is loaded at the first call and never with this module.
"""

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from brokers.kite.access import KiteRoots
from brokers.kite.outcomes import Failure
from brokers.wire.access import AccountRoute
from brokers.wire.rows import plain

if TYPE_CHECKING:
    from requests import Response, Session

T = TypeVar("T")

AUTHORISE_PAGE = "https://kite.zerodha.com/connect/portfolio/authorise/holdings"
"""Where a client authorises sales at the depository (Kite Connect documentation, holdings authorisation)."""


class _Official(Protocol):
    """What is used of `kiteconnect.KiteConnect`. Two of its parts are private: the client has no public way
    to the raw instruments file and to the authorisation of holdings.
    """

    reqsession: "Session"
    timeout: tuple[float, float]
    _default_login_uri: str
    _routes: dict[str, str]

    def login_url(self) -> str: ...
    def generate_session(self, request_token: str, api_secret: str) -> object: ...
    def profile(self) -> object: ...
    def margins(self, segment: str) -> object: ...
    def holdings(self) -> object: ...
    def positions(self) -> object: ...
    def orders(self) -> object: ...
    def trades(self) -> object: ...
    def quote(self, instruments: list[str]) -> object: ...
    def historical_data(
        self, instrument_token: int, from_date: datetime, to_date: datetime, interval: str
    ) -> object: ...
    def order_margins(self, params: list[Mapping[str, object]]) -> object: ...
    def get_virtual_contract_note(self, params: list[Mapping[str, object]]) -> object: ...
    def place_order(self, **params: object) -> object: ...
    def modify_order(self, variety: str, order_id: str, **params: object) -> object: ...
    def cancel_order(self, variety: str, order_id: str) -> object: ...
    def convert_position(self, **params: object) -> object: ...
    def get_gtts(self) -> object: ...
    def delete_gtt(self, trigger_id: int) -> object: ...
    def _get(self, route: str) -> object: ...
    def _delete(self, route: str, *, params: Mapping[str, str]) -> object: ...
    def _post(self, route: str) -> object: ...


@dataclass(slots=True)
class _Answer:
    """What the last response really was; the official client tells neither its status nor its type."""

    status: int = 0
    error_type: str = ""
    message: str = ""


class KiteClient:
    """One official client with its HTTP session. Not thread-safe: one call at a time."""

    def __init__(self, roots: KiteRoots, route: AccountRoute, token: str | None) -> None:
        self.route = route
        self.token = token
        self._answer = _Answer()
        self._hidden: tuple[str, ...] = ()
        proxies = {"http": route.proxy, "https": route.proxy} if route.proxy else None
        self._kite = load()(route.api_key, access_token=token, root=roots.rest, proxies=proxies)
        self._kite._default_login_uri = roots.login  # pyright: ignore[reportPrivateUsage]
        # They import what the official client does, and so cannot be loaded with this module.
        from brokers.kite.session import KiteSession
        from brokers.kite.transport import KiteTransport

        self._kite.reqsession = KiteSession(KiteTransport(route.local_address), self._note)

    def call(self, ask: "Callable[[KiteClient], T]", time_out: tuple[float, float]) -> T | Failure:
        """Make one call with seconds to connect and seconds to wait for each part of the answer.

        Never raises: a failure carries what is proven of it, and neither an address nor a secret.
        """
        self._answer = _Answer()
        self._kite.timeout = time_out
        try:
            result = ask(self)
        except Exception as error:  # the official client raises KeyError, TypeError and more on odd answers
            return self._failure(error)
        if self._answer.status >= 400:
            return self._failure(None)
        return result

    def close(self) -> None:
        """Close its connections."""
        self._kite.reqsession.close()

    # --- calls, each from inside `call` -------------------------------------------------------------------

    def login_url(self) -> str:
        """Where the client signs in."""
        return self._kite.login_url()

    def generate_session(self, request_token: str, secret: str) -> object:
        """Exchange a request token; the answer carries the access token."""
        self._hidden = (request_token, secret)
        return self._kite.generate_session(request_token, secret)

    def profile(self) -> object:
        """Whose session it is."""
        return self._kite.profile()

    def margins(self) -> object:
        """The equity segment's funds."""
        return self._kite.margins("equity")

    def holdings(self) -> object:
        """Shares carried overnight."""
        return self._kite.holdings()

    def positions(self) -> object:
        """Today's trading."""
        return self._kite.positions()

    def orders(self) -> object:
        """The order book."""
        return self._kite.orders()

    def trades(self) -> object:
        """The trade book."""
        return self._kite.trades()

    def instruments(self) -> bytes:
        """The instruments dump, as the file it is."""
        dump = self._kite._get("market.instruments.all")  # pyright: ignore[reportPrivateUsage]
        if not isinstance(dump, bytes):
            raise TypeError("the instruments dump must be a file")
        return dump

    def quotes(self, keys: Sequence[str]) -> object:
        """Full quotes of up to 500 instruments."""
        return self._kite.quote(list(keys))

    def history(self, token: int, interval: str, since: datetime, until: datetime) -> object:
        """Bars of one instrument that begin in a stretch of time in India."""
        return self._kite.historical_data(token, since, until, interval)

    def gtts(self) -> object:
        """The orders that wait for a price."""
        return self._kite.get_gtts()

    def alerts(self) -> object:
        """The alerts, which the official client does not know."""
        return self._by_route("/alerts", lambda: self._kite._get("by_route"))  # pyright: ignore[reportPrivateUsage]

    def delete_gtt(self, trigger_id: str) -> str:
        """Delete a GTT; returns its id."""
        self._kite.delete_gtt(int(trigger_id))
        return trigger_id

    def delete_alert(self, uuid: str) -> str:
        """Delete an alert; returns its id."""
        named = {"uuid": uuid}
        self._by_route("/alerts", lambda: self._kite._delete("by_route", params=named))  # pyright: ignore[reportPrivateUsage]
        return uuid

    def _by_route(self, path: str, ask: Callable[[], object]) -> object:
        """Call a route that the official client has no name for, as `by_route`."""
        self._kite._routes = {"by_route": path}  # pyright: ignore[reportPrivateUsage]
        try:
            return ask()
        finally:
            del self._kite._routes  # pyright: ignore[reportPrivateUsage] # the class has the others

    def order_margins(self, orders: Sequence[Mapping[str, object]]) -> object:
        """What each of these orders would take of the client's own money."""
        return self._kite.order_margins(list(orders))

    def order_charges(self, orders: Sequence[Mapping[str, object]]) -> object:
        """What each of these orders costs, in their order."""
        return self._kite.get_virtual_contract_note(list(orders))

    def authorise_holdings(self) -> str:
        """Begin the authorisation of sales; returns the address that the client must open."""
        self._kite._routes = {"authorise": "/portfolio/holdings/authorise"}  # pyright: ignore[reportPrivateUsage]
        try:
            answer = self._kite._post("authorise")  # pyright: ignore[reportPrivateUsage]
        finally:
            del self._kite._routes  # pyright: ignore[reportPrivateUsage] # the class has the others
        request = cast("Mapping[str, object]", answer)["request_id"]
        return f"{AUTHORISE_PAGE}/{self.route.api_key}/{request}"

    def place(self, params: Mapping[str, object], last_look: Callable[[], str]) -> str | Failure:
        """Place an order, unless its last look keeps it back once the connection stands; returns its id."""
        return self._send(lambda: self._kite.place_order(**params), last_look)

    def modify(
        self, variety: str, order_id: str, params: Mapping[str, object], last_look: Callable[[], str]
    ) -> str | Failure:
        """Modify an order, unless its last look keeps the change back as `place` does; returns the id."""
        return self._send(lambda: self._kite.modify_order(variety, order_id, **params), last_look)

    def convert(self, params: Mapping[str, object], last_look: Callable[[], str]) -> str | Failure:
        """Convert a position, unless its last look keeps it back; returns a word, as Kite names nothing."""
        return self._send(lambda: "converted" if self._kite.convert_position(**params) else "", last_look)

    def _send(self, ask: Callable[[], object], last_look: Callable[[], str]) -> str | Failure:
        """The order's id, or how the call failed.

        What failed before the look was taken, such as a TLS handshake, has proven not to have left.
        """
        from brokers.kite.transport import KeptBack, looking

        looked = False

        def look() -> str:
            nonlocal looked
            looked = True
            return last_look()

        try:
            with looking(look):
                return _order_id(ask())
        except KeptBack as kept:
            return Failure(kept.why, sent=False, kept_back=True)
        except Exception as error:
            failure = self._failure(error)
            if looked or not failure.sent:
                return failure
            return Failure("no connection to Kite came to stand", sent=False)

    def cancel(self, variety: str, order_id: str) -> str:
        """Cancel an order; returns its id."""
        return _order_id(self._kite.cancel_order(variety, order_id))

    # --- what came back -----------------------------------------------------------------------------------

    def _note(self, response: "Response") -> None:
        self._answer = _Answer(response.status_code)
        as_json = "json" in response.headers.get("content-type", "")
        if response.status_code < 300 or not as_json:
            return
        try:
            body: object = response.json()
        except ValueError:
            return
        if isinstance(body, dict):
            envelope = cast("dict[str, object]", body)
            self._answer.error_type = _text(envelope.get("error_type"))
            self._answer.message = _text(envelope.get("message"))

    def _failure(self, error: Exception | None) -> Failure:
        answer = self._answer
        if not answer.status:
            assert error is not None
            return _unanswered(error)
        kind = "" if error is None else f" ({type(error).__name__})"
        why = f"Kite answered with HTTP {answer.status} and nothing that can be used{kind}"
        words = plain(answer.message, (self.token, *self._hidden))
        return Failure(why, True, answer.status, plain(answer.error_type), words)


def load() -> "Callable[..., _Official]":
    """The official client's class; the first call takes about a quarter of a second."""
    # Its requests to end a session carry the token in the address, which urllib3 logs when asked for detail.
    logging.getLogger("urllib3").setLevel(logging.INFO)
    module: Any = importlib.import_module("kiteconnect")
    return cast("Callable[..., _Official]", module.KiteConnect)


def _unanswered(error: Exception) -> Failure:
    """What is proven of a call that got no answer, from how its connection failed.

    A proxy's error alone proves nothing: urllib3 reports one as well where the connection broke after the
    request was sent. Only what failed while the first connection was made proves that nothing left.
    """
    from requests.exceptions import ConnectionError as ConnectionFailed
    from requests.exceptions import Timeout
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

    reason: object = getattr(error.args[0], "reason", None) if error.args else None
    by_proxy = isinstance(reason, ProxyError)
    if by_proxy:
        reason = reason.original_error
        if type(reason) is OSError and str(reason).startswith("Tunnel connection failed"):
            return Failure("the proxy of this route did not connect to Kite", sent=False)
    if isinstance(error, ConnectionFailed) and isinstance(reason, NewConnectionError | ConnectTimeoutError):
        where = "the proxy of this route" if by_proxy else "Kite"
        return Failure(f"no connection to {where}", sent=False)
    if isinstance(error, Timeout):
        return Failure("no answer from Kite in time")
    if isinstance(error, ConnectionFailed):
        return Failure("the connection to Kite broke")
    return Failure(f"no usable answer from Kite ({type(error).__name__})")


def _order_id(answer: object) -> str:
    if not isinstance(answer, str) or not answer.strip():
        raise ValueError("the answer names no order")
    return answer


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

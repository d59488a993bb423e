"""The HTTP session of the official client: what all its calls have in common is worked out once.

A session of requests asks its environment, merges settings and takes addresses apart for each call, which
costs more than the call itself, and a thousand clients' calls share one interpreter.
"""

from collections.abc import Callable
from typing import Any

from requests import PreparedRequest, Response, Session
from requests.exceptions import TooManyRedirects
from requests.utils import default_headers

from brokers.kite.transport import KiteTransport


class KiteSession(Session):
    """Calls one Kite by one way out, and tells `note` of each answer.

    Neither a proxy nor a .netrc of this machine redirects a call, no cookie is kept (Zerodha's own client
    for Go keeps none), and no redirect is followed: an order would be sent again as something else.
    """

    def __init__(self, transport: KiteTransport, note: Callable[[Response], None]) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("http://", transport)
        self.mount("https://", transport)
        self._transport = transport
        self._note = note
        self._common = dict(default_headers())

    def request(self, method: Any, url: Any, *_: Any, **call: Any) -> Response:
        """Send one request, certificates checked, and return its answer, read to the end.

        `call` is what the official client asks requests for by name. Raises what requests raises.
        """
        asked: Any = PreparedRequest()
        asked.method, asked.url, asked.headers = method, url, {**self._common, **call["headers"]}
        if call["params"]:
            asked.prepare_url(url, call["params"])
        if method != "GET":
            asked.prepare_body(call["data"] or {}, None, call["json"])
        answer = self._transport.send(asked, timeout=call["timeout"], proxies=call["proxies"])
        self._note(answer)
        if answer.is_redirect:
            raise TooManyRedirects("Kite answered with a redirect", request=asked, response=answer)
        return _read(answer)


def _read(answer: Response) -> Response:
    """The answer, read to its end, so that its line is free for the next call."""
    _ = answer.content
    return answer

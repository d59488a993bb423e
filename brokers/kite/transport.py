"""How a client's calls reach Kite: from which address of this machine, and with a last look.

Resolving the name, connecting, a proxy's tunnel and the TLS handshake can take seconds, in which a halt or a
price's move may come. So that look is taken when the connection stands and nothing of the request
has been written. The classes are those of one HTTP session; nothing of the libraries is changed for others.
"""

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from ssl import PROTOCOL_TLS_CLIENT, SSLContext, SSLSocket, SSLWantReadError, TLSVersion
from typing import Any

from requests import utils
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import EmptyPoolError

from brokers.contract import nothing_keeps_it_back

_LAST_LOOK: ContextVar[Callable[[], str]] = ContextVar("last_look", default=nothing_keeps_it_back)


@contextmanager
def looking(last_look: Callable[[], str]) -> Generator[None]:
    """Take this last look at each request that this thread makes inside.

    Where it returns words, the request ends in `KeptBack`.
    """
    token = _LAST_LOOK.set(last_look)
    try:
        yield
    finally:
        _LAST_LOOK.reset(token)


class KeptBack(EmptyPoolError):  # noqa: N818 - what became of the call
    """A request of which nothing was written, as its last look did not let it leave.

    It is of the kind at which urllib3's pool leaves a connection open: this one stands and is unused.
    """

    def __init__(self, connection: HTTPConnection, why: str) -> None:
        super().__init__(None, why)  # pyright: ignore[reportArgumentType] # the pool is only shown
        self.connection: Any = connection
        self.why = why


class _Trust(SSLContext):
    """What all connections verify Kite's certificate by, from any thread."""

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        """Changes nothing: they are set when it is made.

        urllib3 sets them before each handshake, and OpenSSL forbids it while another thread begins one.
        """


_trusting = threading.Lock()


def trust(bundle: str) -> SSLContext:
    """Trust in whom this file of certificates names, for connections of names that their certificates bear.

    One for all connections: a thousand readings of the file would take 24 seconds of a core, and a
    gigabyte. Raises `OSError` where it cannot be read.
    """
    with _trusting:
        return _trust(bundle)


@cache
def _trust(bundle: str) -> SSLContext:
    context = _Trust(PROTOCOL_TLS_CLIENT)
    context.minimum_version = TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False
    SSLContext.set_alpn_protocols(context, ["http/1.1"])
    context.load_verify_locations(bundle)
    return context


class _Connection(HTTPConnection):
    def request(self, method: str, url: str, *args: Any, **options: Any) -> None:
        if self.is_closed:
            self.connect()
        if kept_back := _LAST_LOOK.get()():
            raise KeptBack(self, kept_back)
        super().request(method, url, *args, **options)


class _SecureConnection(_Connection, HTTPSConnection):
    @property
    def is_connected(self) -> bool:
        """Whether the line stands, as the pool asks before it uses one again.

        A server sends tickets behind the handshake of TLS 1.3. Where no answer was read they still lie there,
        and the pool would take a line with anything to read for one that has ended.
        """
        if isinstance(self.sock, SSLSocket):
            self.sock.settimeout(0)  # a request that uses the line again sets its own
            try:
                self.sock.recv(1)
                return False  # it has ended, or says what nobody has asked
            except SSLWantReadError:
                pass  # nothing but tickets, which are read now
            except OSError:
                return False
        return super().is_connected


class _Pool(HTTPConnectionPool):
    ConnectionCls: Any = _Connection

    def urlopen(self, *args: Any, **options: Any) -> Any:
        try:
            return super().urlopen(*args, **options)
        except KeptBack as kept:
            # The order's next try finds it standing: where connecting takes longer than a claim may be old,
            # it would never leave otherwise.
            self._put_conn(kept.connection)
            raise


class _SecurePool(_Pool, HTTPSConnectionPool):
    ConnectionCls: Any = _SecureConnection


class KiteTransport(HTTPAdapter):
    """Connects from one address of this machine, to a proxy too; from any for "".

    An address of Kite of the other kind (IPv4, IPv6) is passed over.
    """

    def __init__(self, local_address: str) -> None:
        self._source: dict[str, Any] = {"source_address": (local_address, 0)} if local_address else {}
        self._line: HTTPConnectionPool | None = None
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        """The pool of connections, the same for each call: a client's calls go to one place by one way."""
        if self._line is None:
            self._line = super().get_connection_with_tls_context(*args, **options)
        return self._line

    def build_connection_pool_key_attributes(self, *args: Any, **options: Any) -> Any:
        """Where connections go, and what they trust there."""
        place, _ = super().build_connection_pool_key_attributes(*args, **options)
        secure = place["scheme"] == "https"
        return place, {"ssl_context": trust(utils.DEFAULT_CA_BUNDLE_PATH)} if secure else {}

    def cert_verify(self, *args: Any, **options: Any) -> None:
        """Changes nothing: connections verify by the context that they were given."""

    def request_url(self, request: Any, proxies: Any) -> str:
        """What the first line of a request names: the path alone, unless it goes to a proxy."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of connections that go straight out."""
        super().init_poolmanager(*args, **self._source, **options)
        _take_looks(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools of connections by a proxy."""
        manager = super().proxy_manager_for(proxy, **self._source, **options)
        _take_looks(manager)
        return manager


def _take_looks(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

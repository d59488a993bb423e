"""How a client's calls reach Kite: from which address of this machine, and with a last look.

Resolving the name, connecting, a proxy's tunnel and the TLS handshake can take seconds, in which a halt or a
price's move may come. So that look is taken when the connection stands and nothing of the request
has been written. The classes are those of one HTTP session; nothing of the libraries is changed for others.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from ssl import SSLSocket, SSLWantReadError
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import EmptyPoolError

from brokers.contract import nothing_keeps_it_back

_LAST_LOOK: ContextVar[Callable[[], str]] = ContextVar("last_look", default=nothing_keeps_it_back)


@contextmanager
def looking(last_look: Callable[[], str]) -> Generator[None]:
    """Take this last look at each request that this thread makes inside.

    Where it gives words, the request ends in `KeptBack`.
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
        super().__init__()

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

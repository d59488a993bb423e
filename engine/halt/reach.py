"""What one halt is of: its clients, the orders it met, those that join them, and what of them still lives."""

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import TypeAlias

from brokers.contract import BrokerOrder, PassedOver
from data.reference.emergency import emergency_paths
from data.vocabulary import HaltScope, OrderState, SessionState
from engine.book.halt_scope import HaltView, covers
from engine.book.kept import Kept
from engine.book.views import ClientView, OrderView
from engine.execution.watching.book_reads import Watcher
from engine.execution.workers import Workers
from engine.halt.certificate import CertificateExternal, CertificatePassedOver, CertificateUnread
from engine.halt.sweep import Before
from engine.market.venues import Venues
from engine.timing import Timing

CALLS = 2
"""Reads that a look at one client takes: orders and trades."""

ETA_MARGIN_S = 15.0
"""How long after the brokers' budgets have let every read through a round still waits."""


Met: TypeAlias = dict[tuple[int, str], BrokerOrder]
"""Live orders met that this desk had not sent, by client and the broker's id."""


class HaltReach:
    """The clients and orders of a halt, by this desk's books and by what the brokers' have shown.

    A client is of it who had a session or anything live or in doubt at the halt, whatever its status. Orders
    of this desk that come to live while the halt stands, such as one that its broker had called cancelled,
    join those of `before`; but not those that were made under a halt of strength `reduce`, and left since
    they do.
    """

    def __init__(
        self, kept: Kept, timing: Timing, venues: Venues, workers: Workers, halt: HaltView, before: Before
    ) -> None:
        self._timing = timing
        self._connections = venues.connections
        self._market_data = venues.market_data
        self.book = kept.book
        self.canceller = workers.canceller
        self.watcher: Watcher = workers.watcher
        self.halt = halt
        self.before = before
        self.began = timing.wall.monotonic()
        self.met: Met = {}
        self.late: dict[int, int] = {}
        """Blocked paise of the orders that have joined those of `before`."""
        self.of_client = defaultdict[int, list[int]](list)
        """Orders of the halt by client."""
        for order_id in before.orders.keys() & self.book.orders.keys():
            self.of_client[self.book.orders[order_id].client_id].append(order_id)
        inside = [c for c in self.book.clients.values() if self._is_of_it(c)]
        known = self.of_client.keys() & self.book.clients.keys()
        asked = {client.id for client in inside if self._may_have_orders(client)} | known
        self.clients = sorted(asked)
        self.not_signed_in = tuple(sorted(client.code for client in inside if client.id not in asked))

    def _is_of_it(self, client: ClientView) -> bool:
        return self.halt.scope is HaltScope.SYMBOL or covers(self.halt, client, "")

    def _may_have_orders(self, client: ClientView) -> bool:
        signed_in = client.session is SessionState.OK and self._connections.serves(client.id)
        return signed_in or bool(self.book.external_orders.get(client.id))

    def deadline_s(self) -> float:
        """How long its reads are waited for, by the time that they take within the brokers' budgets."""
        connections = self._connections
        pairs = [connections.broker_of(one) for one in self.clients if connections.serves(one)]
        accounts = {id(broker): [a for b, a in pairs if b is broker] for broker, _ in pairs}
        brokers = {id(broker): broker for broker, _ in pairs}
        eta = max((brokers[key].read_eta_s(accounts[key], CALLS) for key in brokers), default=0.0)
        return max(self._timing.waits.halt_deadline_s, eta + ETA_MARGIN_S if eta else 0.0)

    @property
    def stands(self) -> bool:
        """Whether nobody has resumed it."""
        return any(halt.number == self.halt.number for halt in self.book.halts)

    @property
    def tried(self) -> Collection[int]:
        """Orders of it of which no cancel has left this machine."""
        return self.before.orders.keys() & self.canceller.tried

    # --- orders that join it ---

    def available(self, client_id: int) -> int:
        """What a client may spend now, in paise."""
        funds = self.book.funds.get(client_id)
        return 0 if funds is None else funds.available_paise

    def count(self, order: OrderView) -> None:
        """Take an order in among those of the halt."""
        if order.id in self.before.orders:
            return
        self.late[order.id] = self.before.orders[order.id] = order.blocked_paise
        self.before.available.setdefault(order.client_id, self.available(order.client_id))
        self.of_client[order.client_id].append(order.id)

    # --- what lives ---

    def live_here(self, client_id: int) -> list[OrderView]:
        """The client's orders that live by this desk's books: the halt's, and others while it stands."""
        book = self.book
        client = book.clients.get(client_id)
        stands = self.stands
        live = [book.orders[i] for i in sorted(book.orders_of_client.get(client_id, set()) & book.live)]
        return [
            order
            for order in live
            if order.id in self.before.orders
            or (stands and client is not None and self._is_over(client, order))
        ]

    def _is_over(self, client: ClientView, order: OrderView) -> bool:
        """Whether an order is the halt's to end: in its scope, and not one that left under it.

        A flatten that is confirmed under a halt passes it, whatever its strength.
        """
        may_leave = order.flatten_number is not None or (self.halt.reduces and order.sent_here)
        left_under_it = may_leave and order.created_at >= self.halt.at
        return covers(self.halt, client, order.key) and not left_under_it

    def live_there(self, client_id: int) -> list[OrderView]:
        """The client's orders that have ended by this desk's books, and live by the broker's as last read.

        Either is behind the other: which, the next reads tell.
        """
        book = self.book
        client = book.clients.get(client_id)
        known = (book.known_as(client_id, name) for name in self.watcher.live_rows(client_id))
        ours = [book.orders[number] for number in known if number is not None]
        return [
            order
            for order in ours
            if not order.live
            and order.state is not OrderState.FILLED
            and client is not None
            and self._is_over(client, order)
        ]

    def lost(self) -> bool:
        """Whether orders may live of which nobody can be asked: their or their clients' rows are missing."""
        found = (self.book.orders.get(order_id) for order_id in self.before.orders)
        return any(
            order is None or (order.live and order.client_id not in self.book.clients) for order in found
        )

    def covers_theirs(self, client_id: int, order: BrokerOrder) -> bool:
        """Whether an order of a broker's book is in its scope, by what the instrument is called now."""
        key = self._market_data.index.key_now(f"{order.exchange}:{order.tradingsymbol}")
        return covers(self.halt, self.book.clients[client_id], key)

    # --- what its certificate says of it ---

    def code(self, client_id: int) -> str:
        """A client's code."""
        return self.book.clients[client_id].code

    def tried_of(self) -> Counter[int]:
        """By client how many orders cancels were tried for of which none has left this machine.

        One whose client another desk has by now is that one's.
        """
        orders = self.book.orders
        return Counter(orders[one].client_id for one in self.tried if one in orders)

    def unread(self, client_id: int, tried: int, final: bool) -> CertificateUnread:
        """A client who was not read, with the broker's words; a final word leaves none without."""
        client = self.book.clients[client_id]
        why = self.watcher.why_unread(client_id) or ("not read in time" if final else "")
        paths = emergency_paths(client.broker, self._timing.market.trading_day)
        return CertificateUnread(client_id, client.code, client.name, why, tried, paths)

    def passed_over(self, client_id: int, one: PassedOver) -> CertificatePassedOver:
        """A live order that the desk does not trade and no cancel here touches."""
        return CertificatePassedOver(
            client_id,
            self.code(client_id),
            one.broker_order_id,
            one.what,
            one.tradingsymbol,
            one.side,
            one.quantity,
        )


def external(one: tuple[int, str], order: BrokerOrder, lives: bool) -> CertificateExternal:
    """What has become of an order met that this desk had not sent."""
    client_id, name = one
    key = f"{order.exchange}:{order.tradingsymbol}"
    return CertificateExternal(
        client_id, name, key, order.side.value, order.quantity, "live" if lives else "ended"
    )

"""Views of flattens, made of their rows and of the orders in the book."""

from collections.abc import Collection, Iterable, Sequence

from data.repositories.trading.flattens import StoredFlatten, StoredLine
from data.vocabulary import ClientStatus, HaltScope, SessionState
from engine.book.book import Book
from engine.book.views import ClientView, OrderView
from engine.flatten.views import FlattenLineView, FlattenView


def flatten_view(
    book: Book,
    stored: StoredFlatten,
    lines: Sequence[StoredLine],
    cancelled: Collection[int],
    carried: bool,
) -> FlattenView:
    """A flatten as its rows and its orders say; `cancelled` are the orders that it had cancelled."""
    return FlattenView(
        number=stored.number,
        scope=stored.scope,
        value=stored.value,
        what=stored.what,
        by=stored.by,
        at=stored.at,
        trading_date=stored.trading_date,
        state=stored.state,
        passes=tuple(stored.passes),
        stopped_by=stored.stopped_by,
        ended_at=stored.ended_at,
        lines=tuple(_line(book, line, set(cancelled)) for line in lines),
        not_signed_in=absent(in_scope(book, stored.scope, stored.value), {line.client_id for line in lines}),
        carried=carried,
    )


def absent(clients: Iterable[ClientView], named: Collection[int]) -> tuple[str, ...]:
    """Codes of active clients without a session, who have no line."""
    return tuple(
        sorted(
            client.code
            for client in clients
            if client.id not in named
            and client.status is ClientStatus.ACTIVE
            and client.session is not SessionState.OK
        )
    )


def in_scope(book: Book, scope: HaltScope, value: str) -> list[ClientView]:
    """The clients of the whole desk, of a group, or one by its number."""
    clients = book.clients.values()
    match scope:
        case HaltScope.EVERYTHING:
            return list(clients)
        case HaltScope.GROUP:
            return [client for client in clients if value in client.groups]
        case HaltScope.CLIENT:
            return [client for client in clients if str(client.id) == value]
        case _:
            return []


def _line(book: Book, line: StoredLine, cancelled: Collection[int]) -> FlattenLineView:
    client = book.clients.get(line.client_id)
    ids = sorted(book.orders_of_client.get(line.client_id, ()))
    of_share = [one for i in ids if _is_of(one := book.orders[i], line)]
    own = [one for one in of_share if one.flatten_number == line.flatten_number]
    return FlattenLineView(
        client_id=line.client_id,
        code="" if client is None else client.code,
        name="" if client is None else client.name,
        security=line.security,
        key=line.key,
        tradingsymbol=line.tradingsymbol,
        product=line.product,
        net_before=line.net_before,
        net=line.net,
        state=line.state,
        reason=line.reason,
        detail=line.detail,
        side=own[-1].side if own else None,
        sent=sum(one.quantity for one in own),
        filled=sum(one.filled_quantity for one in own),
        notional_paise=sum(one.filled_notional_paise for one in own),
        limit_paise=own[-1].limit_paise if own else None,
        orders=tuple(one.id for one in own),
        cancelled=tuple(one.id for one in of_share if one.id in cancelled and one not in own),
    )


def _is_of(order: OrderView, line: StoredLine) -> bool:
    return order.key == line.key and order.product is line.product

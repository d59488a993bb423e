"""Clients as screens and plans see them, made of what is stored and what is against them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from data.roster import InGroup, StoredClient
from engine.book.access_views import Admission
from engine.book.views import ClientView


def in_groups(found: Iterable[InGroup]) -> dict[int, list[str]]:
    """The groups that each client is in; of one that is in none, nothing."""
    groups: dict[int, list[str]] = defaultdict(list)
    for one in found:
        groups[one.client_id].append(one.name)
    return dict(groups)


def client_view(client: StoredClient, admitted: Admission, groups: Collection[str]) -> ClientView:
    """One client, its capital that of the day where that is frozen."""
    return ClientView(
        id=client.id,
        code=client.code,
        name=client.name,
        broker=client.broker,
        broker_user_id=client.broker_user_id,
        status=client.status,
        status_reason=client.status_reason,
        status_since=client.status_since,
        session=admitted.session,
        route=admitted.route,
        capital_paise=client.capital_paise if client.base_paise is None else client.base_paise,
        mtf_limit_paise=client.mtf_limit_paise or 0,
        groups=tuple(sorted(groups)),
        fixed_groups=tuple(sorted(groups)),
        phone=client.phone,
        route_verdict=admitted.route_verdict,
        consent_verdict=admitted.consent_verdict,
        consents_lacking=admitted.consents_lacking,
        authorised=admitted.authorised,
        connection=client.connection,
        discretionary=client.discretionary,
        multiplier_bps=client.multiplier_bps,
        next_capital_paise=client.capital_paise,
        pause_reason=client.pause_reason,
        paused_at=client.paused_at,
        paused_until=client.paused_until,
    )


def found_among(clients: Sequence[ClientView], text: str) -> list[ClientView]:
    """Clients whose code begins with, or whose name holds, the text."""
    wanted = text.strip().upper()
    starts = [client for client in clients if client.code.upper().startswith(wanted)]
    return starts + [client for client in clients if wanted in client.name.upper() and client not in starts]

"""How the audit's chain stands: how far it was found good, when and by whom, and what stands against it."""

from data.repositories.audit import who_verified
from data.repositories.base import Reader
from data.writing.audit_writer import last_row, standing_stop
from engine.book.audit_views import ChainState


def chain_state(reader: Reader) -> ChainState:
    """How the chain stands, without recomputing any of it."""
    newest, good = last_row(reader), who_verified(reader)
    against = standing_stop(reader)
    if good is None:
        return ChainState(newest.seq, newest.hash, 0, None, "", against)
    return ChainState(newest.seq, newest.hash, int(good.seq), good.at, good.actor, against)

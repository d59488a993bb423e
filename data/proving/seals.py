"""Seals of the audit: rows of its first chain that name the newest row of every other, about once a minute.

The owner of a server can cut the newest rows of a chain with the head beside it. Only what a seal names is
missed then; of what came after the newest seal it is not.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from data.audit import Head
from data.proving.stored_audit import StoredRow

MOST_APART = timedelta(minutes=3)
"""How long others write at most between two seals where nothing is slow; a longer gap is told."""


class Seals:
    """The rows of other chains along the way, and what the seals on it say of them."""

    def __init__(self, verified: Mapping[int, Head]) -> None:
        self._verified = verified
        self._passed = {chain: {head.seq: head.hash} for chain, head in verified.items() if chain}
        """Rows by chain and number that the next seal may name."""
        self._unsealed_since: datetime | None = None
        self._written_at: datetime | None = None

    def passed(self, row: StoredRow) -> Iterator[str]:
        """A row of another chain was met; that nobody sealed such rows for long, in words."""
        self._passed.setdefault(row.chain, {})[row.seq] = row.hash
        if row.at is None:
            return
        began, before = self._unsealed_since, self._written_at
        self._written_at = row.at
        if began is None or before is None or row.at - before > MOST_APART:  # nobody wrote meanwhile
            self._unsealed_since = row.at
        elif row.at - began > MOST_APART:
            self._unsealed_since = row.at
            yield f"chain {row.chain} was written for over 3 minutes without a seal, until row {row.seq}"

    def sealed(self, row: StoredRow) -> Iterator[str]:
        """A seal was met; what it names and does not stand, in words."""
        self._unsealed_since = None
        values = row.values()
        try:
            heads = [(int(chain), int(seq), str(digest)) for chain, seq, digest in values["heads"]]
        except (TypeError, LookupError, ValueError):
            yield f"row {row.seq} is a seal that cannot be read"
            return
        for chain, seq, digest in heads:
            passed = self._passed.get(chain, {})
            if seq in passed:
                if passed[seq] != digest:
                    yield f"row {seq} of chain {chain} is not the one that row {row.seq} seals"
            elif chain not in self._verified or seq > self._verified[chain].seq:
                yield f"row {seq} of chain {chain} is missing, which row {row.seq} seals"
            self._passed[chain] = {number: one for number, one in passed.items() if number >= seq}

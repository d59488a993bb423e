"""The audit as it lies in the books: its rows chain by chain, with nothing that a tamperer could end."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from data.audit import COLUMNS, Head, row_hash
from data.engines.dialect import Phrases
from data.engines.driver import fetch, words
from data.proving.proofs import bytes_of


class StoredRow(Struct, frozen=True):
    """A row as it lies in the file, words as text; `at` is None where no time can be read from it."""

    seq: int
    at: datetime | None
    actor: str
    action: str
    client_id: int | None
    order_id: int | None
    plan_number: int | None
    run_number: int | None
    details: str
    via: str
    proof: str
    previous: str
    hash: str
    chain: int = 0

    def computed(self) -> str:
        """The hash of what the row says; empty without a readable time."""
        subjects = (self.client_id, self.order_id, self.plan_number, self.run_number)
        if self.at is None:
            return ""
        return row_hash(
            self.previous,
            self.seq,
            self.at,
            self.actor,
            self.action,
            subjects,
            self.details,
            self.proof,
            self.via,
            self.chain,
        )

    def values(self) -> Any:
        """Its details as values; None where they cannot be read."""
        try:
            return json.loads(self.details)
        except ValueError:
            return None


@cache
def _stored(words: Phrases, of_chain: bool) -> str:
    """Rows as bytes: a damaged time or text must be found at its row, not end the reading."""
    cells = ", ".join(bytes_of("audit", name, words) for name in (*COLUMNS[1:], "chain"))
    where = f"seq >= ? AND {words.is_number.format('seq')}{' AND chain = ?' if of_chain else ''}"
    return f"SELECT seq, {cells} FROM audit WHERE {where}"


def stored_rows(connection: Connection, since: int = 0) -> Iterator[StoredRow]:
    """The audit rows of all chains from number `since` on, as stored, for `verify`.

    Nothing that a tamperer may have written makes it fail.
    """
    return _rows(connection, f"{_stored(words(connection), False)} ORDER BY seq", (since,))


def rows_from(connection: Connection, heads: Mapping[int, Head]) -> Iterator[StoredRow]:
    """The same from each chain's own row on, for `verify_tail`; of a chain that is not named, all rows."""
    chains = chains_standing(connection)
    if chains == [0]:
        return stored_rows(connection, heads[0].seq if 0 in heads else 0)
    query = " UNION ALL ".join([_stored(words(connection), True)] * len(chains))
    cells = [(heads[chain].seq if chain in heads else 0, chain) for chain in chains]
    return _rows(connection, f"{query} ORDER BY seq", [one for pair in cells for one in pair])


_CHAINS = (
    "WITH RECURSIVE c(chain) AS (SELECT min(chain) FROM audit WHERE chain != 0 UNION ALL"
    " SELECT (SELECT min(chain) FROM audit WHERE chain != 0 AND chain > c.chain) FROM c"
    " WHERE c.chain IS NOT NULL) SELECT chain FROM c WHERE chain IS NOT NULL"
)
"""From one to the next by the index of all chains but the first, which a lone desk's is."""


def chains_standing(connection: Connection) -> list[int]:
    """The chains that the audit has rows of, the first whether it has any or not."""
    return [0, *(chain for (chain,) in fetch(connection, _CHAINS))]


def _rows(connection: Connection, query: str, cells: Sequence[int]) -> Iterator[StoredRow]:
    for row in connection.exec_driver_sql(query, tuple(cells)).yield_per(1000):
        seq, at, actor, action, client, order, plan, run, details, via, proof, previous, digest, chain = row
        yield StoredRow(
            seq,
            _moment(word(at)),
            word(actor),
            word(action),
            _number(client),
            _number(order),
            _number(plan),
            _number(run),
            word(details),
            word(via),
            word(proof),
            word(previous),
            word(digest),
            int(chain) if (chain or b"").isdigit() else -1,
        )


def word(stored: bytes | None) -> str:
    """A cell as text, whatever it holds."""
    return "" if stored is None else stored.decode("utf-8", "replace")


def _number(stored: bytes | None) -> int | None:
    """A subject's number; -1, which is nobody's, for what is none."""
    if stored is None:
        return None
    return int(stored) if stored.isdigit() else -1


def _moment(stored: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stored)
    except ValueError:
        return None
    written = at.isoformat(" ", "microseconds")
    return at.replace(tzinfo=UTC) if written == stored else None


def heads_before(connection: Connection, moment: datetime) -> dict[int, Head]:
    """The last row of each chain that is dated before a moment, and its hash; none of one begun later."""
    digest = words(connection).bytes_of("hash")
    query = f"SELECT seq, {digest} FROM audit WHERE chain = ? AND at < ? ORDER BY seq DESC LIMIT 1"
    found = dict[int, Head]()
    stamp = _stamp(moment)
    for chain in chains_standing(connection):
        for seq, hashed in fetch(connection, query, (chain, stamp)):
            found[chain] = Head(int(seq), word(hashed))
    return found


def first_since(connection: Connection, moment: datetime) -> int:
    """The lowest number of a row that is dated at a moment or later; where there is none, the next."""
    (found,) = fetch(
        connection, "SELECT min(seq + 0) FROM audit WHERE at >= ?", (_stamp(moment),)
    )  # by the days' index
    if found[0] is not None:
        return int(found[0])
    return 1 + int(fetch(connection, "SELECT coalesce(max(seq), 0) FROM audit")[0][0])


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def books_mark(connection: Connection) -> str:
    """What tells these books from any others, short: of the first row of their audit; empty before it."""
    found = fetch(connection, "SELECT hash FROM audit WHERE chain = 0 ORDER BY seq LIMIT 1")
    return str(found[0][0])[:12] if found else ""

"""What the audit tells of rows: their newest proofs, against which each is held before it changes or is sent.

A proof is renewed only over a row that was as the old one said: else the old one stands, the row is named.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from sqlalchemy import Connection

from data.audit import Head
from data.engines.driver import words
from data.proving.noted import ACCEPTED, Changes, Noted
from data.proving.proofs import OF_ORDERS, Proofs, newest_layout
from data.tables.books import APPEND_ONLY

MOST = 200_000
"""How many proofs are kept in memory; beyond that they are met again in the audit."""

MOST_OF_OTHERS = 20_000
"""How many rows of others' chains are met at a time; whoever is further behind forgets what it knew."""

MOST_OF_ORDERS = 6_000
"""How many proofs of a table of orders' rows are kept. Beyond that the older half is forgotten: most of its
orders have ended, and the others' are met again in the audit's rows about them.
"""

PIECE = 500
"""How many orders are asked for at a time."""


class LatestProofs:
    """The newest proofs of rows that may change, as far as this connection wrote or met them.

    What others wrote to its own chain is met at once. What they wrote to theirs is looked for only where a
    row is not as it is known; until then a proof that fits is renewed with what the row was before.
    """

    def __init__(self, chain: int, head: Head, heads: Mapping[int, Head]) -> None:
        self._chain, self._head = chain, head
        self._met = dict(heads)
        """How far each chain has been met; what came into being later begins behind all of them."""
        self._first = max([head.seq, *(one.seq for one in heads.values())])
        self._behind: dict[int, Head] = {}
        """The ends of others' chains that were not met yet."""
        self._known: dict[str, dict[str, str]] = {}
        self._differing: set[tuple[str, str]] = set()

    def catch_up(self, connection: Connection, head: Head, heads: Mapping[int, Head]) -> None:
        """Meet what others wrote since; forget all where what this connection wrote was not kept.

        `heads` are the ends of all chains.
        """
        others = (chain for chain in heads if chain != self._chain)
        self._behind = {one: heads[one] for one in others if heads[one] != self._met.get(one)}
        if head == self._head:
            return
        said = words(connection)
        query = f"SELECT {said.bytes_of('hash')} FROM audit WHERE seq = ?"
        last = connection.exec_driver_sql(query, (self._head.seq,)).scalar()
        if (last or b"").decode("utf-8", "replace") != self._head.hash:
            self._known.clear()
        else:
            proofs = said.bytes_of("proof")
            query = f"SELECT {proofs} FROM audit WHERE chain = ? AND seq > ? AND proof != '' ORDER BY seq"
            for proof in connection.exec_driver_sql(query, (self._chain, self._head.seq)).scalars():
                self._meet(carried(proof))
        self._head = head

    def _meet_others(self, connection: Connection) -> None:
        """Meet what others wrote to their chains since, between what it wrote itself."""
        query = (
            f"SELECT {words(connection).bytes_of('proof')} FROM audit WHERE seq > ? AND proof != ''"
            f" ORDER BY seq LIMIT {MOST_OF_OTHERS + 1}"
        )
        found = connection.exec_driver_sql(query, (self._unmet(),)).scalars().all()
        if len(found) > MOST_OF_OTHERS:
            self._known.clear()
        for proof in found[:MOST_OF_OTHERS]:
            self._meet(carried(proof))
        self._met |= self._behind
        self._behind.clear()

    def _unmet(self) -> int:
        """The row behind which others have written what was not met."""
        return min(self._met[one].seq if one in self._met else self._first for one in self._behind)

    def wrote(self, head: Head, proofs: Proofs) -> None:
        """Keep what goes into the audit with this batch; should it not be kept, it is forgotten again."""
        self._meet(proofs)
        self._head = head

    def accept(self) -> None:
        """Name rows that differ anew."""
        self._differing.clear()

    def _meet(self, proofs: Proofs) -> None:
        if sum(map(len, self._known.values())) > MOST:
            self._known.clear()
        for name, found in proofs.items():
            if name not in APPEND_ONLY:
                known = self._known.setdefault(name, {})
                known.update(found)
                known.update((key, proof.partition("<")[0]) for key, proof in found.items() if "<" in proof)
                if name in OF_ORDERS and len(known) > MOST_OF_ORDERS:
                    for key in list(islice(known, len(known) - MOST_OF_ORDERS // 2)):
                        del known[key]

    def differing(self, connection: Connection, noted: Noted, name: str, ids: Sequence[int]) -> list[int]:
        """Which of these rows are not as the audit left them, or have no proof that could say so.

        What this transaction wrote itself is as it should be.
        """
        found: list[int] = []
        for start in range(0, len(ids), PIECE):
            before = noted.before(connection, name, ids[start : start + PIECE])
            asked = {key: was for key, was in before.items() if was}
            holds = self._held(connection, name, asked)
            for key in () if name in OF_ORDERS else asked:
                if holds[key] is None:  # a connection that was made anew has met none of them
                    holds[key] = self._looked_up(connection, name, key, asked[key])
            found += [int(key) for key in asked if not holds[key]]
        return found

    def renewed(self, connection: Connection, changes: Changes) -> tuple[Proofs, list[str]]:
        """The proofs that changes leave, and the rows that were changed though they differed, in words."""
        proofs, found = Proofs(), list[str]()
        for name, rows in changes.items():
            known = self._known.setdefault(name, {})
            if {was for was, _ in rows.values()} == {""} and known.keys().isdisjoint(rows):  # all are new
                if fresh := {key: now for key, (_, now) in rows.items() if now}:
                    proofs[name] = fresh
                continue
            asked = {
                key: was
                for key, (was, _) in rows.items()
                if was and was != ACCEPTED and known.get(key) != was
            }
            holds = self._held(connection, name, asked) if asked else {}
            renewed: dict[str, str] = {}
            for key, (was, now) in rows.items():
                if was == now:  # only held against its proof
                    continue
                told, proof, held = known.get(key), now, None
                if not was:
                    held = not told or self._is_gone(
                        connection, name, key
                    )  # a row that is written anew was gone before
                elif was != ACCEPTED:
                    held = holds.get(key, True)
                    sure = held is not None and not (self._behind and key not in holds)
                    proof = now if sure else f"{now}<{was}"
                if held is False:
                    if (name, key) not in self._differing:
                        self._differing.add((name, key))
                        found.append(f"{name} {key} is not as the audit left it (it was {was[:8] or 'gone'})")
                elif proof != told:
                    renewed[key] = proof
            if renewed:
                proofs[name] = renewed
        return proofs, found

    def _is_gone(self, connection: Connection, name: str, key: str) -> bool:
        """Whether a row that was known to stand has been deleted by others, as they tell."""
        if not self._behind:
            return False
        self._meet_others(connection)
        return not self._known.get(name, {}).get(key)

    def _held(self, connection: Connection, name: str, asked: Mapping[str, str]) -> dict[str, bool | None]:
        """Whether each row is as the audit tells; None where that was not looked for or cannot be told."""
        known = self._known.setdefault(name, {})
        if name in OF_ORDERS:
            unknown = sorted({int(key.partition("|")[0]) for key in asked if key not in known})
            for start in range(0, len(unknown), PIECE):
                known |= _of_orders(connection, name, unknown[start : start + PIECE])
            others = sorted({int(key.partition("|")[0]) for key in asked if self._behind} - set(unknown))
            for start in range(0, len(others), PIECE):
                known |= _of_orders(connection, name, others[start : start + PIECE], self._unmet())
        holds: dict[str, bool | None] = {}
        for key, stands in asked.items():
            told = known.get(key)
            if told not in (None, stands) and self._behind:
                self._meet_others(connection)
                known = self._known.setdefault(name, {})
                told = known.get(key)
            holds[key] = None if told is None else told == stands
            if holds[key] is False:  # what tells of it may be no row about its order
                holds[key] = self._looked_up(connection, name, key, stands)
        return holds

    def _looked_up(self, connection: Connection, name: str, key: str, stands: str) -> bool | None:
        """The same by a look at every row of the audit that speaks of such a key."""
        found = _newest(connection, name, key)
        if found is None:
            return None
        seq, told = found
        self._known[name][key] = told
        if told == stands:
            return True
        return None if seq < _laid_out(connection) else False


def carried(proof: bytes | None) -> dict[str, Any]:
    """The proofs that a row of the audit carries; none where they cannot be read."""
    try:
        found = json.loads(proof or b"{}")
    except ValueError:
        return {}
    return cast(dict[str, Any], found) if isinstance(found, dict) else {}


def _of_orders(
    connection: Connection, name: str, order_ids: Iterable[int], behind: int = 0
) -> dict[str, str]:
    """The newest proofs of a table's rows in the audit's rows about these orders, behind a row of it."""
    wanted = tuple(order_ids)
    query = (
        f"SELECT {words(connection).bytes_of('proof')} FROM audit WHERE proof != '' AND order_id IN"
        f" ({', '.join('?' * len(wanted))}) AND seq > ? ORDER BY seq"
    )
    found: dict[str, str] = {}
    for proof in connection.exec_driver_sql(query, (*wanted, behind)).scalars():
        rows = carried(proof).get(name, {})
        found.update((key, one.partition("<")[0]) for key, one in rows.items())
    return found


def _newest(connection: Connection, name: str, key: str) -> tuple[int, str] | None:
    said = words(connection)
    found = said.found.format("proof")
    query = f"SELECT seq, {said.bytes_of('proof')} FROM audit WHERE {found} ORDER BY seq DESC"
    for seq, proof in connection.exec_driver_sql(query, (f"{json.dumps(key)}:",)):
        if (found := carried(proof).get(name, {}).get(key)) is not None:
            return int(seq), str(found).partition("<")[0]
    return None


def _laid_out(connection: Connection) -> int:
    """The row of the audit from which on proofs cover the columns that they do now."""
    number, _ = newest_layout(connection)
    found = _newest(connection, "proof_layout", str(number))
    return 0 if found is None else found[0]

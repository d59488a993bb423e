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

MOST_OF_ORDERS = 6_000
"""How many proofs of a table of orders' rows are kept. Beyond that the older half is forgotten: most of its
orders have ended, and the others' are met again in the audit's rows about them.
"""

PIECE = 500
"""How many orders are asked for at a time."""


class LatestProofs:
    """The newest proofs of rows that may change, as far as this connection wrote or met them."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._known: dict[str, dict[str, str]] = {}
        self._differing: set[tuple[str, str]] = set()

    def catch_up(self, connection: Connection, head: Head) -> None:
        """Meet what others wrote since; forget all where what this connection wrote was not kept."""
        if head == self._head:
            return
        said = words(connection)
        query = f"SELECT {said.bytes_of('hash')} FROM audit WHERE seq = ?"
        last = connection.exec_driver_sql(query, (self._head.seq,)).scalar()
        if (last or b"").decode("utf-8", "replace") != self._head.hash:
            self._known.clear()
        else:
            proofs = said.bytes_of("proof")
            query = f"SELECT {proofs} FROM audit WHERE seq > ? AND proof != '' ORDER BY seq"
            for proof in connection.exec_driver_sql(query, (self._head.seq,)).scalars():
                self._meet(carried(proof))
        self._head = head

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
                    held = not told  # a row that is written anew was gone before
                elif was != ACCEPTED:
                    held = holds.get(key, True)
                    proof = now if held is not None else f"{now}<{was}"
                if held is False:
                    if (name, key) not in self._differing:
                        self._differing.add((name, key))
                        found.append(f"{name} {key} is not as the audit left it (it was {was[:8] or 'gone'})")
                elif proof != told:
                    renewed[key] = proof
            if renewed:
                proofs[name] = renewed
        return proofs, found

    def _held(self, connection: Connection, name: str, asked: Mapping[str, str]) -> dict[str, bool | None]:
        """Whether each row is as the audit tells; None where that was not looked for or cannot be told."""
        known = self._known.setdefault(name, {})
        if name in OF_ORDERS:
            unknown = sorted({int(key.partition("|")[0]) for key in asked if key not in known})
            for start in range(0, len(unknown), PIECE):
                known |= _of_orders(connection, name, unknown[start : start + PIECE])
        holds: dict[str, bool | None] = {}
        for key, stands in asked.items():
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


def _of_orders(connection: Connection, name: str, order_ids: Iterable[int]) -> dict[str, str]:
    """The newest proofs of a table's rows in the audit's rows about these orders."""
    wanted = tuple(order_ids)
    query = (
        f"SELECT {words(connection).bytes_of('proof')} FROM audit WHERE proof != '' AND order_id IN"
        f" ({', '.join('?' * len(wanted))}) ORDER BY seq"
    )
    found: dict[str, str] = {}
    for proof in connection.exec_driver_sql(query, wanted).scalars():
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

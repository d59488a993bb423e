"""Evidence on one order as a folder that a stranger verifies without this program."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from data.audit import AuditAction, AuditEntry
from data.errors import BadInput
from data.home import exports_folder
from data.proving import verify_pack
from data.proving.packing import OrderProof, order_proof
from data.proving.stored_audit import StoredRow
from data.records import values_of
from data.store import Unit
from data.writing.whole_folder import SUMS, put_new_folder
from engine.book.kept import Kept
from engine.instances import ThisEngine
from engine.planning.plan_record import from_json
from engine.timing import Timing
from engine.words.trading.evidence import guard_lines, read_me, shown_lines

VERIFIER = "verify.py"


class EvidencePack(Struct, frozen=True):
    """A folder that was written: its files, and the SHA-256 of the list of their hashes, which seals them."""

    order_id: int
    folder: Path
    files: tuple[str, ...]
    seal: str
    rows: int
    """Of the audit."""


class Evidence:
    """Writes what proves an order; each such folder's seal is kept in the audit."""

    def __init__(self, kept: Kept, timing: Timing, engine: ThisEngine) -> None:
        self._kept = kept
        self._timing = timing
        self._engine = engine

    async def write(self, order_id: int, folder: Path | None = None) -> EvidencePack:
        """Write the evidence on an order into a folder that is not there yet, whole or not at all.

        Without one it is a folder of the home's exports. Raises `BadInput`, `StoreError`.
        """
        proof = await self._kept.store.read_aside(lambda reader: order_proof(reader, order_id))
        if proof is None:
            raise BadInput("order", order_id, "the books hold no such order")
        now = self._timing.wall.now()
        name = f"order-{order_id}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
        to = (folder or exports_folder(self._kept.home) / "evidence" / name).expanduser().absolute()
        order = proof.named
        client = self._kept.book.clients.get(order.client_id)
        files = files_of(proof, client.code if client else "", now)
        seal = await asyncio.to_thread(write_folder, to, files)
        entry = AuditEntry(
            AuditAction.EVIDENCE_WRITTEN,
            self._engine.actor,
            order.client_id,
            order_id,
            order.plan_number,
            order.run_number,
            details={"folder": str(to), "seal": seal},
        )

        def unit_of_work(unit: Unit) -> None:
            unit.audit(entry)

        await self._engine.write_signed_on(unit_of_work)
        return EvidencePack(order_id, to, tuple(sorted([*files, SUMS])), seal, len(proof.chain))


def files_of(proof: OrderProof, code: str, now: datetime) -> dict[str, bytes]:
    """The files of a folder by name, but for the list of their hashes."""
    order = proof.named
    told = [_plain(row) for row in proof.chain if row.order_id == order.id and row.actor == "broker"]
    shown, instruction = list[str](), ""
    if proof.plan is not None:
        plan = from_json(proof.plan)
        shown, instruction = shown_lines(plan, order.leg, order.client_id, code), plan.intent.ref
    guard = None
    if proof.guard is not None:
        shown = guard_lines(proof.guard)
        guard = {**values_of(proof.guard), "told": [_plain(row) for row in proof.guard.told]}
    consent = {
        "covering": list(proof.covering),
        "told": [_plain(row) for row in proof.consents],
        "waived": list(proof.waivers),
        "instruction": instruction,
    }
    return {
        "READ-ME.txt": read_me(order.id, code, now, bool(proof.plan)).encode(),
        "shown.txt": "".join(f"{line}\n" for line in shown).encode(),
        "order.json": _json(proof.order),
        "plan.json": _json(proof.plan),
        "guard.json": _json(guard),
        "consent.json": _json(consent),
        "attempts.json": _json({"attempts": list(proof.attempts), "requests": list(proof.requests)}),
        "broker.json": _json(told),
        "fills.json": _json(proof.fills),
        "postings.json": _json(proof.postings),
        "share_postings.json": _json(proof.share_postings),
        "chain.json": _json([_plain(row) for row in proof.chain]),
        VERIFIER: Path(verify_pack.__file__).read_bytes(),
    }


def write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    """Write files and the list of their hashes into a folder, whole or not at all; returns the seal.

    Raises `BadInput` where something stands there, or it cannot be written.
    """
    try:
        if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
            raise BadInput("out", str(folder), "name a folder that is not there yet, or an empty one")
        put_new_folder(folder, files.items())
        return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    except OSError as problem:
        raise BadInput("out", str(folder), f"it cannot be written: {problem.strerror}") from problem


def _plain(row: StoredRow) -> Mapping[str, object]:
    return {**values_of(row), "at": None if row.at is None else row.at.isoformat()}


def _json(value: Sequence[object] | Mapping[str, object] | None) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n").encode()

"""Verify a folder of evidence on an order, with Python 3.9 or later alone: python3 verify.py [SEAL]."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LIST = "SHA256SUMS"


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _row_hash(row: dict[str, Any]) -> str:
    about = ",".join(str(row[k]) for k in ("client_id", "order_id", "plan_number", "run_number"))
    told = (row["previous"], str(row["seq"]), row["at"], row["actor"], row["action"], about, row["details"])
    more = (("\x1e", row["via"]), ("\x1f", row["proof"]), ("\x1d", row.get("chain")))
    return _sha(("\x1f".join(told) + "".join(f"{mark}{said}" for mark, said in more if said)).encode())


def faults(folder: Path, seal: str) -> Iterator[str]:
    """What is wrong in a folder: a changed byte, a broken chain, rows that do not go together."""
    sums = (folder / _LIST).read_bytes()
    files = {one.name: one.read_bytes() for one in folder.iterdir() if one.name != _LIST}
    if sums != "".join(f"{_sha(files[name])}  {name}\n" for name in sorted(files)).encode():
        listed = {f"{_sha(data)}  {name}" for name, data in files.items()}
        other = listed ^ set(sums.decode("utf-8", "replace").splitlines())
        yield f"changed, added or missing: {sorted(other) or _LIST}"
        return
    if seal and seal != _sha(sums):
        yield f"the seal is not that of this folder, which is {_sha(sums)}"
    read = {name: json.loads(data) for name, data in files.items() if name.endswith(".json")}
    plan, chain, ends = read["plan.json"], read["chain.json"], dict[int, str]()
    for row in chain:
        if _row_hash(row) != row["hash"] or ends.get(row.get("chain", 0), row["previous"]) != row["previous"]:
            yield f"row {row['seq']} of the audit does not follow"
        ends[row.get("chain", 0)] = row["hash"]
    if plan:
        content = {key: value for key, value in plan.items() if key != "digest"}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        frozen = [json.loads(row["details"])["digest"] for row in chain if row["action"] == "PLAN_FROZEN"]
        if _sha(text.encode()) != plan["digest"] or plan["digest"] not in frozen:
            yield "the plan is not the one that was frozen"
    sum_of: dict[int, int] = {}
    for line in read["postings.json"]:
        sum_of[line["txn_id"]] = sum_of.get(line["txn_id"], 0) + line["amount_paise"]
    told = [row for row in chain if row["order_id"] == read["order.json"]["id"]]
    trades = [json.loads(row["details"]) for row in told if row["action"] == "FILL_APPLIED"]
    sides = ([one for one in read["fills.json"] if one["quantity"]], trades)
    ours, theirs = (sorted((t["trade_id"], t["quantity"], t["price_paise"]) for t in one) for one in sides)
    if any(sum_of.values()) or ours != theirs:
        yield "a transfer does not sum to zero, or a trade is not as the audit tells it"


if __name__ == "__main__":
    found = list(faults(Path(__file__).resolve().parent, "".join(sys.argv[1:])))
    sys.exit("\n".join(["NOT VERIFIED", *found]) if found else print("verified"))

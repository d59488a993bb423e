"""Words of evidence on an order: what the trader was shown, and what the files of the folder are."""

from datetime import UTC, datetime

from data.proving.packing import GuardProof
from engine.planning.plan import Plan
from engine.words import formats
from engine.words.trading.plans import figures_line, intent_line, outcome_words, report_verdict


def shown_lines(plan: Plan, leg: int, client_id: int, code: str) -> list[str]:
    """What stood on the screen of whoever confirmed a plan, as far as one client's order goes."""
    frozen = f"{plan.frozen_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    told = [f"plan {plan.number}  frozen {frozen}  digest {plan.digest}", outcome_words(plan)]
    for part in plan.parts:
        if part.leg != leg:
            continue
        intent = part.intent
        told += [
            f"{intent.side.value} {part.instrument.key} │ {intent_line(part, brief=False)}",
            f"last {formats.price(part.last_paise)} · {figures_line(part, brief=False)}",
        ]
        told += [
            f"{code}: {formats.quantity(line.quantity)} at {formats.price(line.price_paise)}, "
            f"reserve {formats.amount(line.reserve_paise)}, charges {formats.amount(line.charges_paise)}, "
            f"available {formats.amount(line.available_before_paise)} before and "
            f"{formats.amount(line.available_after_paise)} after: {report_verdict(line, intent.side)}"
            for line in part.lines
            if line.client_id == client_id
        ]
    return told


def guard_lines(proof: GuardProof) -> list[str]:
    """What had a guard send an order that nobody confirmed: its terms as they were set, and its trip."""
    guard, trip = proof.guard, proof.trip
    limits = [
        f"{name} {formats.percent(guard[f'{name}_bps'])} %"
        if f"{name}_bps" in guard
        else f"{name} {formats.amount(guard[f'{name}_paise'])}"
        for name in ("loss", "target")
        if f"{name}_bps" in guard or f"{name}_paise" in guard
    ]
    net, limit = trip["net_paise"], trip["limit_paise"]
    return [
        f"guard {guard['number']} of {guard.get('of', '')}, {guard.get('what', '')}: {' '.join(limits)}, "
        f"{guard.get('action', '')}; set by {guard.get('set_by', '')} at {guard.get('set_at', '')}",
        f"tripped at {trip['at']} UTC by its {trip['kind']} limit: net {formats.amount(net)} against "
        f"{formats.amount(limit)}; halt {trip['halt_number']}, flatten {trip['flatten_number']}",
    ]


def read_me(order_id: int, code: str, now: datetime, planned: bool) -> str:
    """The page that tells a stranger what the folder holds, how it is verified, and what that proves."""
    plan = "the plan as it was frozen, with its digest" if planned else "null: the order is of no plan"
    at = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"""\
Evidence on order {order_id} of client {code or "(unknown)"}, written {at}.

  python3 verify.py [SEAL]

needs Python 3.9 or later and nothing else; it is short: read it first. It ends with 0 and "verified", or
with 1 and what is wrong. SEAL is the SHA-256 of SHA256SUMS, as the desk printed it when it wrote this folder
and keeps it in its audit (EVIDENCE_WRITTEN): with it, a folder that was made anew as a whole is found too.

shown.txt            what whoever confirmed the plan was shown; of a guard's order what the guard had found
order.json           the order as the books hold it
plan.json            {plan}
guard.json           the guard that had it sent, its trip with the figures that broke it; null of other orders
consent.json         the consents that covered it, as its reservation names them in the audit; what the audit
                     tells of the client's consents; the client's instruction; what was waived that day
attempts.json        each try to send it with its tag, each wish to change or cancel it
broker.json          what the broker told of it
fills.json           its trades
postings.json        the money that it moved; share_postings.json the shares. Each transfer sums to zero
chain.json           the rows of the audit from the plan, the flatten or the guard's trip to the order's end,
                     without a gap: each hash is made of the row and of the hash before it
SHA256SUMS           the SHA-256 of every other file

The plan and the chain tell of other clients too: give the folder to whoever may read of them. That its last
row is still in the desk's chain is asked there, by that row's hash: tradedesk audit verify --head HASH.
All stamps are UTC, money is in paise.
"""

"""The look for the same intent in other runs: at planning, and again in the transaction that reserves."""

from collections.abc import Collection
from datetime import timedelta

from data.clock import Clock
from data.reference.instruments import Instrument
from data.repositories.base import On
from data.repositories.trading.plans import legs_of_intent, served_by
from engine.instances import ThisEngine
from engine.planning.intent import Intent
from engine.rules import Rules


def same_intent(
    on: On,
    intent: Intent,
    instrument: Instrument,
    clock: Clock,
    engine: ThisEngine,
    rules: Rules,
    but_for_run: int | None = None,
) -> dict[int, int]:
    """Clients whom another run served with the same side, instrument and sizing, with the newest such run.

    The intent is of one leg, and so is what it is compared with.

    The instrument is the same by its security and exchange, whatever either run calls it.
    It counts when it began within the duplicate window by either clock, since the wall's may be set forward,
    or still has orders that may yet leave. An order that was refused, never received, or cancelled before a
    byte left does not count, unless shares traded under it. A run that
    looks on its own behalf names itself as `but_for_run`. Inside a `Unit` it is a lock: nothing else reserves
    until that transaction has ended.
    """
    window_s = rules.duplicate_window_s
    since, steady = clock.now() - timedelta(seconds=window_s), clock.monotonic() - window_s
    begun = [number for number, moment in list(engine.begun.items()) if moment > steady]
    sizing = intent.sizing
    legs = legs_of_intent(on, intent.side, sizing.kind, sizing.value, since, begun)
    others = {(run, leg) for run, leg in legs if run != but_for_run}
    found = served_by(on, others, instrument.security, instrument.exchange)
    return {one.client_id: one.run_number for one in found}


def run_words(numbers: Collection[int]) -> str:
    """Runs as a sentence's subject: `run 7`, or `runs 7, 9`."""
    noun = "run" if len(numbers) == 1 else "runs"
    return f"{noun} {', '.join(str(number) for number in sorted(numbers))}"

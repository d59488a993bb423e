"""What the desk says where it will not do something."""

from engine.refusals import EngineFrozen, MarketTakesNone, NoneMayGo
from engine.words.reasons import counts_words
from engine.words.runs import frozen_words
from engine.words.why import all_words


def refusal_words(problem: BaseException) -> str:
    """A refusal in a trader's words; of any other problem, its own."""
    match problem:
        case EngineFrozen(run=run, kind=kind, pid=pid, silent_s=silent_s):
            return f"run {run}: {frozen_words(kind, pid, silent_s)}; end that process, then go on here"
        case MarketTakesNone(run=run, why=why):
            return f"run {run} cannot go on now: {all_words(why)}"
        case NoneMayGo(run=run, unsent=unsent, barred=barred):
            return f"none of the {unsent} unsent of run {run} may go: {counts_words(barred)}; stop it"
        case _:
            return str(problem)

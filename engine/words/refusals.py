"""What the desk says where it will not do something."""

from engine.refusals import NoneMayGo
from engine.words.reasons import counts_words


def refusal_words(problem: BaseException) -> str:
    """A refusal in a trader's words; of any other problem, its own."""
    match problem:
        case NoneMayGo(run=run, unsent=unsent, barred=barred):
            return f"none of the {unsent} unsent of run {run} may go: {counts_words(barred)}; stop it"
        case _:
            return str(problem)

"""What it takes to go on with what a call returned: a queue of sign-ins, a search of the audit."""

from data.vocabulary import Right
from engine.people.guard import Rule, Rules

QUEUE_RULES: Rules = {
    **dict.fromkeys(
        ("current", "following", "entries", "red", "progress", "awaits", "field"), Rule(Right.READ_CLIENTS)
    ),
    **dict.fromkeys(("link", "submit", "skip", "retry", "settled"), Rule(Right.SIGN_CLIENTS_IN)),
}
"""A queue of sign-ins, whose clients were of the scope as it was made."""

SEARCH_RULES: Rules = dict.fromkeys(("newest", "older", "newer", "page", "pages"), Rule(Right.READ_AUDIT))

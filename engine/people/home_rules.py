"""What it takes to use the services of the home itself: who works on it, and what is kept of it."""

from collections.abc import Mapping

from data.vocabulary import Right
from engine.people.guard import Rule, Rules
from engine.people.leaving import kept_people
from engine.people.scoping import of_everybody, of_order, of_person, of_person_named

_LOOK, _AUDIT = Rule(Right.LOOK), Right.READ_AUDIT
_SET_UP = Rule(Right.SET_UP, of_everybody)

OF_THE_HOME: Mapping[str, Rules] = {
    "people": {
        "all": Rule(_AUDIT, keep=kept_people),
        "find": Rule(_AUDIT, result_of=of_person),
        "scope_codes": Rule(_AUDIT, of_person),
        "sign_ins_of": Rule(_AUDIT, of_person_named),
        "limit": _LOOK,
        **dict.fromkeys(
            ("add", "set_role", "set_scope", "disable", "enable", "set_password", "set_limit"),
            Rule(Right.PEOPLE),
        ),
        "change_password": _LOOK,
        "recover": Rule(None),
    },
    "signing": {
        **dict.fromkeys(
            ("sign_in", "read", "actor", "is_half_over", "renewed", "sign_out", "by_service"), Rule(None)
        ),
        **dict.fromkeys(("standing", "revoke"), Rule(Right.PEOPLE)),
        "is_password_of": _LOOK,
        "make_ready": Rule(Right.PEOPLE),
    },
    "leases": {
        **dict.fromkeys(("shared", "elsewhere", "line"), _LOOK),
        "rows": Rule(Right.READ_FIRM, of_everybody),
        **dict.fromkeys(("take", "release"), Rule(Right.HAND_OVER, of_everybody)),
    },
    "recorded": {
        **dict.fromkeys(("played", "so_far"), Rule(Right.READ_CLIENTS, of_everybody)),
        "play": _SET_UP,
    },
    "evidence": {"write": Rule(_AUDIT, of_order)},
    "keeping": {
        **dict.fromkeys(("back_up", "find_old", "remove"), _SET_UP),
        "check_backup": Rule(_AUDIT, of_everybody),
    },
    "firm_wide": {
        "begin": Rule(Right.READ_FIRM, of_everybody),  # and the right to send, which it asks itself
        "get": Rule(Right.READ_CLIENTS, of_everybody),
        "reserve": Rule(Right.READ_FIRM, of_everybody),  # its job asks who asked for it
    },
    "firm_orders": {},
    "jobs": {
        # What each job takes, and of which clients it is, `Jobs` asks by its kind.
        **dict.fromkeys(("all", "get", "ask", "retry", "cancel", "finished", "works_here"), _LOOK),
        **dict.fromkeys(("work", "look", "keep_looking"), Rule(Right.SET_UP)),
    },
}
"""By service and part what it takes to use it."""

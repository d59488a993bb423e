"""What it takes to stop trading, to take positions flat and to set guards."""

from collections.abc import Mapping

from data.vocabulary import Right
from engine.people.guard import Rule, Rules
from engine.people.leaving import certificate, exposure, kept_flattens, kept_guards, kept_halts, none_of
from engine.people.of_desks import fired_now_over_firm, fired_over_firm, resumed_over_firm
from engine.people.scoping import of_client, of_flatten, of_guard, of_halt, of_halt_scope, viewed

_READ = Right.READ_CLIENTS
_READ_ONE = Rule(_READ, of_client)
_ANYBODY = Rule(None)
"""What a stop needs that nobody who is signed in gives: halts that stand, and a certificate's sums."""

STOPS: Mapping[str, Rules] = {
    "halt": {
        **dict.fromkeys(("firing", "check_scope", "unwritten", "shared", "own_scope"), _ANYBODY),
        "active": Rule(None, keep=kept_halts),
        "exposure": Rule(None, instead=exposure),
        "fire_now": Rule(Right.HALT, signs=0, also=fired_now_over_firm),
        "fire": Rule(Right.HALT, keep=certificate, signs=0, also=fired_over_firm),
        "follow": Rule(Right.HALT, keep=certificate),
        **dict.fromkeys(("certificate", "latest"), Rule(None, keep=certificate)),
        "resume": Rule(Right.RESUME, of_halt, signs=2, also=resumed_over_firm),
    },
    "flatten": {
        "prospect": Rule(_READ, of_halt_scope),
        "start": Rule(Right.FLATTEN, of_halt_scope),
        "carry_on": Rule(Right.FLATTEN, result_of=of_flatten, first=viewed),
        "follow": Rule(
            Right.FLATTEN, result_of=of_flatten, first=viewed
        ),  # it may carry on what another began
        "view": Rule(_READ, result_of=of_flatten),
        "all": Rule(_READ, keep=kept_flattens),
        "stop": Rule(Right.CANCEL, result_of=of_flatten, first=viewed),
        "going": Rule(Right.LOOK, keep=none_of),
    },
    "guards": {
        **dict.fromkeys(("all", "asking"), Rule(_READ, keep=kept_guards)),
        "of": _READ_ONE,
        "get": Rule(_READ, of_halt_scope),
        "read": Rule(_READ),
        **dict.fromkeys(("prospect", "answer", "set"), Rule(Right.GUARD, of_guard)),
        **dict.fromkeys(("remove", "arm"), Rule(Right.GUARD, of_halt_scope)),
    },
}

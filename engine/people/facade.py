"""What it takes to use each part of a desk: the right, and how a scope of clients bears on it.

A test holds the table to the services: whatever they offer is named here, or is the desk's own in `OWN`.
"""

from collections.abc import Collection, Mapping

from data.vocabulary import Right
from engine.access.gate import counts_of
from engine.people.guard import Rule, Rules
from engine.people.leaving import (
    audit_chapter,
    audit_search,
    books_counts,
    certificate,
    connections,
    course,
    exposure,
    external_count,
    heard,
    kept_alert,
    kept_alerts,
    kept_clients,
    kept_flattens,
    kept_groups,
    kept_halts,
    kept_ids,
    kept_members,
    kept_orders,
    kept_people,
    kept_presets,
    kept_rows,
    kept_runs,
    members,
    none_of,
    nothing,
    ready,
)
from engine.people.scoping import (
    alert_now,
    intent,
    of_alert,
    of_approved,
    of_asked,
    of_chases,
    of_client,
    of_client_or_none,
    of_clients,
    of_clients_second,
    of_everybody,
    of_flatten,
    of_found_client,
    of_halt,
    of_halt_scope,
    of_intent,
    of_modifies,
    of_noted,
    of_order,
    of_orders_named,
    of_part,
    of_person,
    of_person_named,
    of_plan,
    of_preset,
    of_result,
    of_row,
    of_rows,
    of_run_named,
    of_story,
    viewed,
    whole,
)

_LOOK, _READ, _AUDIT = Rule(Right.LOOK), Right.READ_CLIENTS, Right.READ_AUDIT
_READ_ONE, _READ_MANY = Rule(_READ, of_client), Rule(_READ, of_clients)
_READ_ROWS, _READ_ORDER = Rule(_READ, keep=kept_rows), Rule(_READ, of_order)
_READ_RUN, _READ_RUNS = Rule(_READ, of_run_named), Rule(_READ, keep=kept_runs)
_SIGN_ONE = Rule(Right.SIGN_CLIENTS_IN, of_client)
_GATE_COUNTS = Rule(
    _READ,
    instead=lambda service, scope, book: counts_of([row for row in service.rows() if row.client_id in scope]),
)
_ANYBODY = Rule(None)
"""What a stop needs that nobody who is signed in gives: halts that stand, and a certificate's sums."""
_LISTS = Rule(Right.KEEP_LISTS)
_SET_UP = Rule(Right.SET_UP, of_everybody)
_CHANGE_ONE, _CHANGE_ALL = Rule(Right.CLIENTS, of_client), Rule(Right.CLIENTS, of_everybody)

_QUEUE: Rules = {
    **dict.fromkeys(("current", "following", "entries", "red", "progress", "awaits", "field"), Rule(_READ)),
    **dict.fromkeys(("link", "submit", "skip", "retry", "settled"), Rule(Right.SIGN_CLIENTS_IN)),
}
"""What it takes to go on with a queue of sign-ins, whose clients were of the scope as it was made."""

_SEARCH: Rules = dict.fromkeys(("newest", "older", "newer", "page", "pages"), Rule(_AUDIT))

FACADE: Mapping[str, Rules] = {
    "sessions": {
        **dict.fromkeys(("of", "form", "needs_sign_in"), _READ_ONE),
        "due": Rule(_READ, keep=kept_clients),
        "redirects": _LOOK,
        **dict.fromkeys(("login_url", "sign_in", "expire", "check"), _SIGN_ONE),
        "queue": Rule(Right.SIGN_CLIENTS_IN, of_clients, narrow=whole, goes_on_by=_QUEUE),
        "expire_all": Rule(Right.SIGN_CLIENTS_IN, of_clients),
    },
    "reconcile": {
        "breaks": _READ_ROWS,
        **dict.fromkeys(("compared_at", "is_compared", "readiness"), _READ_ONE),
        "counts": Rule(_READ, instead=books_counts),
        "eta_s": _READ_MANY,
        "ensure": _READ_MANY,
        "check": _SIGN_ONE,
        "adopt": Rule(Right.SETTLE, of_client),
    },
    "market": {
        **dict.fromkeys(
            (
                *("index", "now", "phase", "phase_of", "intraday_end", "quote", "age", "stale", "feed_stale"),
                *("change_bps", "distance_bps", "day_line", "minute_bars", "keep_courses", "feed_age"),
                *("fetch", "follow", "followed_by", "follow_again", "take_dirty", "take_turned", "any_stale"),
                *("read_names", "search", "find", "detail", "listings", "listed_otherwise", "renames"),
                *("classes", "read_classes"),
            ),
            _LOOK,
        ),
        **dict.fromkeys(("store_instruments", "store_listings", "accept"), _SET_UP),
    },
    "index_lists": {"take": _SET_UP},
    "charts": dict.fromkeys(("tells_history", "chart", "is_due", "look_back"), _LOOK),
    "instruments": {"refresh": Rule(Right.SIGN_CLIENTS_IN)},
    "watchlists": {
        **dict.fromkeys(("names", "keys", "find", "or_first", "columns"), _LOOK),
        **dict.fromkeys(
            (
                *("choose_columns", "make", "rename", "delete", "move", "add", "add_all", "remove"),
                *("remove_all", "replace", "move_row"),
            ),
            _LISTS,
        ),
    },
    "baskets": {
        **dict.fromkeys(("all", "get"), Rule(_AUDIT)),
        **dict.fromkeys(("save", "rename", "remove"), _LISTS),
    },
    "presets": {
        "all": Rule(Right.PLAN, keep=kept_presets),
        "get": Rule(Right.PLAN, result_of=of_preset),
        **dict.fromkeys(("save", "remove"), _LISTS),
    },
    "clients": {
        **dict.fromkeys(("all", "closed", "search"), Rule(_READ, keep=kept_clients)),
        "get": _READ_ONE,
        "code_of": Rule(_READ, of_client_or_none),
        **dict.fromkeys(("find", "by_code"), Rule(_READ, result_of=of_found_client)),
        "ready_count": Rule(_READ, keep=ready),
        "total": _READ_MANY,
        "groups": Rule(_READ, keep=kept_groups),
        "add": _CHANGE_ALL,
        "standing": _READ_ONE,
        **dict.fromkeys(("edit", "set_status", "pause", "unpause"), _CHANGE_ONE),
    },
    "groups": {
        "all": Rule(_READ, keep=kept_members),
        "find": Rule(_READ, keep=members),
        "members_of_rule": Rule(_READ, keep=kept_ids),
        **dict.fromkeys(("add", "remove"), Rule(Right.CLIENTS, of_clients_second)),
        **dict.fromkeys(("set_rule", "rename", "delete"), _CHANGE_ALL),
    },
    "importing": {
        **dict.fromkeys(("look", "take", "carry_out", "maps", "forget_map"), _CHANGE_ALL),
        "write": Rule(_READ, of_everybody),
    },
    "statements": dict.fromkeys(("lines", "lots", "earned"), _READ_ONE),
    "notes": {
        "on_client": Rule(Right.PLAN, of_client),
        "on_order": Rule(Right.PLAN, of_order),
        "on_run": Rule(Right.PLAN, of_run_named),
        "of": Rule(_AUDIT, of_noted),
        "count": Rule(_READ, of_noted),
        "look": _LOOK,
    },
    "connecting": {
        "all": Rule(_READ, keep=connections),
        "word_for": _SET_UP,
        "add": _SET_UP,
        "carry": Rule(Right.SET_UP, of_client),
    },
    "routes": {
        "all": _READ_ROWS,
        "of": _READ_ONE,
        "retry": _SIGN_ONE,
        "set": _CHANGE_ONE,
        **dict.fromkeys(("import_csv", "read_file"), _CHANGE_ALL),
    },
    "gate": {"rows": _READ_ROWS, "of": _READ_ONE, "counts": _GATE_COUNTS, "waive": _CHANGE_ONE},
    "funds": {**dict.fromkeys(("of", "holds"), _READ_ONE), "all": _READ_ROWS, "total": _READ_MANY},
    "holdings": {
        "of": _READ_ONE,
        "all": _READ_ROWS,
        "holders": Rule(_READ, keep=kept_ids),
        "free_to_sell": Rule(_READ, of_row),
        "intraday_ending": Rule(_READ, keep=nothing),
        "transactions": _READ_ROWS,
    },
    "valuation": {
        **dict.fromkeys(("refresh", "total", "unpriced", "keys_of"), _READ_MANY),
        **dict.fromkeys(("revalue", "holders"), Rule(_READ, keep=kept_ids)),
        "take_in": Rule(_READ),
        **dict.fromkeys(("client", "weight_bps"), _READ_ONE),
        "holding": Rule(_READ, of_row),
        "together": Rule(_READ, of_rows),
        "desk_total": Rule(_READ, instead=lambda service, scope, book: service.total(scope)),
        "keys": Rule(_READ, instead=lambda service, scope, book: service.keys_of(scope)),
    },
    "plans": {
        **dict.fromkeys(("preview", "freeze"), Rule(Right.PLAN, of_intent, narrow=intent)),
        **dict.fromkeys(("get", "by_digest"), Rule(_READ, result_of=of_plan)),
        "is_as_stored": Rule(_READ, of_plan),
        "what_if": Rule(Right.PLAN, of_part),
        "instruction": _READ_ONE,
        **dict.fromkeys(("drift_bps", "drifted", "expired", "left_s"), Rule(_READ, of_plan)),
        "select": Rule(_READ, keep=kept_clients),
        "prepare": Rule(Right.PLAN, of_clients_second),
    },
    "runs": {
        "start": Rule(Right.SEND, of_plan),
        "get": _READ_RUN,
        **dict.fromkeys(("all", "of_today", "need_trader"), _READ_RUNS),
        "of_day": Rule(_READ, keep=kept_runs),
        **dict.fromkeys(("settled", "prospect", "intent"), _READ_RUN),
        **dict.fromkeys(("pause", "stop", "cancel"), Rule(Right.CANCEL, of_run_named)),
        "go_on": Rule(Right.SEND, of_run_named),
        **dict.fromkeys(("repair_intent", "reverse_intent"), Rule(Right.PLAN, of_run_named)),
    },
    "orders": {
        **dict.fromkeys(("all", "needs_attention"), _READ_ROWS),
        **dict.fromkeys(("get", "life", "doubt", "change_ended"), _READ_ORDER),
        "external": _READ_ONE,
        "elsewhere": _READ_ROWS,
        "external_count": Rule(_READ, instead=external_count),
        "change_needs": Rule(Right.PLAN, of_order),
        "modify": Rule(Right.SEND, of_order),
        **dict.fromkeys(("adopt", "declare_absent"), Rule(Right.SETTLE, of_order)),
        "cancel": Rule(Right.CANCEL, of_orders_named),
    },
    "modifies": {
        "look": Rule(Right.PLAN, of_orders_named),
        **dict.fromkeys(("confirm", "start"), Rule(Right.SEND, of_modifies)),
        "ended": Rule(_READ, of_asked),
    },
    "chases": {
        "start": Rule(Right.SEND, of_modifies),
        "of": _READ_ORDER,
        "going": Rule(_READ, keep=kept_orders),
        "stop": Rule(Right.CANCEL, of_orders_named),
        "ended": Rule(_READ, of_chases),
    },
    "halt": {
        **dict.fromkeys(("firing", "check_scope", "unwritten"), _ANYBODY),
        "active": Rule(None, keep=kept_halts),
        "exposure": Rule(None, instead=exposure),
        "fire_now": Rule(Right.HALT, signs=0),
        "fire": Rule(Right.HALT, keep=certificate, signs=0),
        **dict.fromkeys(("follow", "certificate", "latest"), Rule(None, keep=certificate)),
        "resume": Rule(Right.RESUME, of_halt, signs=2),
    },
    "flatten": {
        "prospect": Rule(_READ, of_halt_scope),
        "start": Rule(Right.FLATTEN, of_halt_scope),
        "carry_on": Rule(Right.FLATTEN, result_of=of_flatten, first=viewed),
        **dict.fromkeys(("follow", "view"), Rule(_READ, result_of=of_flatten)),
        "all": Rule(_READ, keep=kept_flattens),
        "stop": Rule(Right.CANCEL, result_of=of_flatten, first=viewed),
        "going": Rule(Right.LOOK, keep=none_of),
    },
    "conversions": {
        "prospect": _READ_ONE,
        "convert": Rule(Right.SEND, of_client),
        "open": _READ_ROWS,
        "settle": Rule(Right.SETTLE, result_of=of_result, first=viewed),
        "view": Rule(_READ, result_of=of_result),
    },
    "several_conversions": {"prospects": _READ_MANY, "convert": Rule(Right.SEND, of_rows)},
    "lost_chases": {},
    "alerts": {
        "read": Rule(_READ),
        "standing": Rule(_READ, keep=kept_alerts),
        "of_kind": Rule(_READ, keep=kept_alert),
        **dict.fromkeys(
            ("done", "put_off"),
            Rule(Right.PLAN, result_of=of_alert, first=alert_now),
        ),
    },
    "audit": {
        "rows": Rule(_AUDIT, keep=kept_rows),
        "search": Rule(_AUDIT, narrow=audit_search, goes_on_by=_SEARCH),
        "story": Rule(_AUDIT, result_of=of_story),
        "chapter": Rule(_AUDIT, keep=audit_chapter),
        "chain_state": Rule(_AUDIT),
        "note_look": _LOOK,
        "commands": Rule(_AUDIT, keep=lambda result, scope, book: []),
        **dict.fromkeys(("verify", "verify_tail", "examine", "wrong", "last_judged"), Rule(_AUDIT)),
        "accept": _SET_UP,
    },
    "doctor": {"run": Rule(_AUDIT, of_everybody)},
    "equity": {"course": _READ_ONE, "desk_course": Rule(_READ, instead=course), "began": _LOOK},
    "day_tape": {"lines": Rule(_READ, keep=heard)},
    "at_brokers": {"orders": _READ_MANY, "trades": _READ_MANY},
    "approvals": {"of": Rule(_READ, result_of=of_approved), "approve": Rule(Right.APPROVE)},
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
        **dict.fromkeys(("sign_in", "read", "actor", "is_half_over", "renewed", "sign_out"), Rule(None)),
        "is_password_of": _LOOK,
    },
}
"""By service and part what it takes to use it."""

OWN: Mapping[str, Collection[str]] = {
    "sessions": ("expire_due",),
    "clients": ("end_pauses", "against", "store"),
    "reconcile": ("borrow", "run", "forget", "close"),
    "market": ("load",),
    "watchlists": ("renamed", "load"),
    "connecting": ("keep",),
    "plans": ("inputs_now",),
    "runs": ("look_frozen", "pause_dead"),
    "chases": ("close",),
    "halt": ("book_left", "take_up", "load", "load_certificates", "close"),
    "flatten": ("close", "keep_counted"),
    "alerts": ("keep", "look_again"),
    "lost_chases": ("end",),
    "audit": ("keep_outside",),
    "approvals": ("require",),
    "equity": ("keep", "look"),
    "day_tape": ("keep", "retell", "done_by_others"),
}
"""What of each service is the desk's own doing, and is not there for people."""

"""What of a desk's services is its own doing, and is there for nobody."""

from collections.abc import Collection, Mapping

OWN: Mapping[str, Collection[str]] = {
    "sessions": ("expire_due", "after_sign_in"),
    "instruments": ("catch_up",),
    "clients": ("end_pauses", "against", "store"),
    "reconcile": ("borrow", "run", "forget", "close"),
    "market": ("load",),
    "calendar": ("read_again", "keep"),
    "market_halts": ("keep", "look"),
    "watchlists": ("renamed", "load"),
    "connecting": ("keep",),
    "plans": ("inputs_now",),
    "runs": ("look_frozen", "pause_dead", "advance"),
    "chases": ("close",),
    "halt": ("book_left", "take_up", "load", "load_certificates", "close"),
    "flatten": ("close", "keep_counted", "start_alone"),
    "guards": ("keep", "look"),
    "hand_over": ("keep",),
    "probes": ("keep",),
    "alerts": ("keep", "look_again", "heard", "view_of"),
    "alert_rules": ("heard", "take_fired"),
    "rule_watch": ("keep", "look", "heard"),
    "outbox": ("keep", "heard"),
    "jobs": ("keep",),
    "lost_chases": ("end",),
    "mtf_alerts": ("keep", "look"),
    "audit": ("keep_outside",),
    "approvals": ("require",),
    "close": ("keep",),
    "risk": ("at_close", "of_held"),
    "dispersion": ("at_close", "costs"),
    "history": ("client_of_flow",),
    "equity": ("keep", "look"),
    "day_tape": ("keep", "retell", "done_by_others"),
}
"""What of each service is the desk's own doing, and is not there for people."""

"""What it takes to use what ends a day, tells of the days before, and keeps what clients have agreed to."""

from collections.abc import Mapping

from data.vocabulary import Right
from engine.people.guard import Rule, Rules
from engine.people.leaving import course, kept_dispersion, kept_report, kept_rows
from engine.people.scoping import of_client, of_clients, of_everybody, of_run_named

DAY: Mapping[str, Rules] = {
    "equity": {
        "course": Rule(Right.READ_CLIENTS, of_client),
        "desk_course": Rule(Right.READ_CLIENTS, instead=course),
        "began": Rule(Right.LOOK),
    },
    "close": {
        **dict.fromkeys(("preview", "report"), Rule(Right.READ_CLIENTS, keep=kept_report)),
        **dict.fromkeys(("prospect", "due_day"), Rule(Right.READ_CLIENTS, of_everybody)),
        "tomorrow": Rule(Right.READ_CLIENTS, of_everybody),
        **dict.fromkeys(("look", "close"), Rule(Right.CLOSE, of_everybody)),
        "note_before": Rule(Right.LOOK),
    },
    "console_files": {
        **dict.fromkeys(("tradebook", "ledger"), Rule(Right.READ_CLIENTS, of_client)),
        "take": Rule(Right.CLIENTS, of_client),
    },
    "contract_notes": {
        "corrections": Rule(Right.READ_CLIENTS, of_clients),
        "note": Rule(Right.CLOSE, of_client),
        **dict.fromkeys(("take", "take_file"), Rule(Right.CLOSE, of_everybody)),
    },
    "risk": {"of": Rule(Right.READ_CLIENTS, of_clients)},
    "dispersion": {
        "of_run": Rule(Right.READ_CLIENTS, of_run_named),
        "of_day": Rule(Right.READ_CLIENTS, keep=kept_dispersion),
    },
    "consents": {
        "all": Rule(Right.READ_CLIENTS, keep=kept_rows),
        "of": Rule(Right.READ_CLIENTS, of_client),
        **dict.fromkeys(("give", "end"), Rule(Right.CLIENTS, of_client)),
        **dict.fromkeys(("import_csv", "read_file"), Rule(Right.CLIENTS, of_everybody)),
    },
    "history": {
        **dict.fromkeys(("of", "flows", "trades", "drawdown_paise"), Rule(Right.READ_CLIENTS, of_clients)),
        "classify": Rule(Right.SETTLE, of_everybody),
        **dict.fromkeys(("take", "lay"), Rule(Right.CLIENTS, of_everybody)),
    },
}
"""By service and part what it takes to use it."""

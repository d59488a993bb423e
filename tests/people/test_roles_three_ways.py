"""The table of roles by the command line: each cell asked of a command, with the engine's own answers."""

from collections.abc import Sequence

import pytest

from data.vocabulary import Right, Role
from engine.people.rights import may
from tests.books import SQLITE, engine_now
from tests.further import case, further
from tests.people.home_of_many import OF_ROLE, password

FIRST = "AM1042"
COMMANDS: dict[Right, Sequence[str]] = {
    Right.LOOK: ("detail", "TCS"),
    Right.READ_CLIENTS: ("funds", "--client", FIRST),
    Right.READ_FIRM: ("leases",),
    Right.READ_AUDIT: ("audit", "show"),
    Right.KEEP_LISTS: ("watchlist", "make", "Tried"),
    Right.PLAN: ("plan", "buy", "TCS", "--quantity", "1", "--clients", FIRST),
    Right.SIGN_CLIENTS_IN: ("routes", "retry", FIRST),
    Right.SEND: ("order", FIRST, "buy", "INFY", "1", "--yes"),
    Right.CANCEL: ("cancel", "1", "--yes"),
    Right.FLATTEN: ("flatten", "client", FIRST, "--yes"),
    Right.GUARD: ("guards", "set", FIRST, "--loss", "5%"),
    Right.APPROVE: ("approve", "1", "--digest", "0" * 64),
    Right.CLOSE: ("eod", "--yes"),
    Right.SETTLE: ("reconcile", FIRST, "--adopt", "--reason", "tried"),
    Right.CLIENTS: ("clients", "pause", FIRST, "--reason", "tried"),
    Right.HAND_OVER: ("leases", "take", "free"),
    Right.SET_UP: ("config", "set", "plan_valid_s", "60"),
    Right.PEOPLE: ("people", "limit", "--off"),
    Right.GUARD: ("guards", "set", FIRST, "--loss", "50%"),
    Right.HALT: ("cancel-all", "--yes"),
    Right.RESUME: ("resume", "1", "--yes"),
}
"""A command that each right is needed for; what halts comes last, and then what resumes."""


OF_SEVERAL_DESKS = {Right.HALT_FIRM}
"""What is asked only where several desks share a database."""


def test_every_right_is_asked_by_some_command():
    assert set(COMMANDS) | OF_SEVERAL_DESKS == set(Right)


@pytest.mark.parametrize("role", further(Role, 2))
def test_the_command_line_refuses_what_the_table_says_and_nothing_else(home, role):
    name = OF_ROLE[role]
    assert home.run("sign-in", name, "--password-stdin", stdin=password(name)).code == 0
    refused = set[Right]()
    for right, words in COMMANDS.items():
        printed = home.run(*words, "--json")
        error = (
            printed.document.get("error") if printed.out and printed.out.lstrip().startswith("{") else None
        )
        if error is not None and error["reason"] == "forbidden":
            assert printed.code == 3
            told = error["message"]
            assert told.startswith((f"{name} is a", f"{name} may not see clients for all")), told
            refused.add(right)
    assert refused == {right for right in COMMANDS if not may(role, right)}


def test_what_stands_by_takes_nobody_signed_in(home):
    home.run("sign-out")
    assert "are one desk's alone" in home.run("keep").err


def test_nobody_signed_in_is_told_how_and_may_stop_everything(home):
    home.run("sign-out")
    for right, words in COMMANDS.items():
        printed = home.run(*words, "--json")
        if right is Right.HALT:
            assert printed.code in (0, 6)
            assert printed.document["cancelled"] == 1
        else:
            assert (printed.code, printed.error["reason"]) == (3, "forbidden"), words
            assert "tradedesk sign-in NAME" in printed.err


OF_ANOTHER = [
    ("funds", "--client", "PS1015"),
    ("orders", "--client", "PS1015"),
    ("transactions", "--client", "PS1015"),
    ("positions", "--client", "PS1015"),
    ("client", "PS1015"),
    ("order", "PS1015", "buy", "TCS", "1", "--yes"),
    ("plan", "buy", "TCS", "--quantity", "1", "--clients", "PS1015"),
    ("bulk", "buy", "TCS", "--quantity", "1", "--clients", "PS1015", "--yes"),
    ("flatten", "client", "PS1015", "--yes"),
    ("flatten", "desk", "--yes"),
    ("guards", "set", "PS1015", "--loss", "2%"),
    ("guards", "set", "desk", "--loss", "5000"),
    ("clients", "edit", "PS1015", "--multiplier", "2"),
    ("clients", "pause", "PS1015", "--reason", "tried"),
    ("gate", "waive", "PS1015", "consent", "--reason", "tried"),
    ("routes", "retry", "PS1015"),
    ("reconcile", "PS1015"),
    ("orders", "--follow"),
    ("doctor",),
]


def test_a_client_of_another_trader_is_refused_in_every_command(home):
    assert home.run("sign-in", "ravi", "--password-stdin", stdin=password("ravi")).code == 0
    refused = [words for words in OF_ANOTHER if engine_now() == SQLITE or "--follow" not in words]
    for words in refused:  # books on a server are followed by nobody's command
        with case(words):
            printed = home.run(*words, "--json")
            assert (printed.code, printed.error["reason"]) == (3, "forbidden"), printed
            assert "out of scope" in printed.err
    home.run("sign-in", "asha", "--password-stdin", stdin=password("asha"))
    rows = home.done("audit", "show", "--action", "REFUSED")
    assert [row["actor"] for row in rows] == ["ravi"] * len(refused), (
        "once each, and nothing else was written"
    )


def test_a_short_read_is_for_whoever_may_see_everybody(home):
    for name, count in (("tara", 50), ("ravi", 2), ("uma", 50), ("aarav", 1)):
        assert home.run("sign-in", name, "--password-stdin", stdin=password(name)).code == 0
        assert len(home.done("funds")) == count


@pytest.mark.parametrize("option", [(), ("--password",)])
def test_a_password_is_never_an_argument(home, option):
    printed = home.run("sign-in", "tara", *option, password("tara"))
    assert printed.code == 2
    assert home.done("whoami")["name"] == "asha"


def test_a_session_of_a_terminal_of_its_own_leaves_the_homes_alone(home, tmp_path, monkeypatch):
    assert home.done("whoami")["name"] == "asha"
    monkeypatch.setenv("TRADEDESK_SESSION", str(tmp_path / "tara"))
    assert home.run("whoami", "--json").error["reason"] == "forbidden"
    home.run("sign-in", "tara", "--password-stdin", stdin=password("tara"))
    assert home.done("whoami")["name"] == "tara"
    monkeypatch.delenv("TRADEDESK_SESSION")
    assert home.done("whoami")["name"] == "asha"
    assert (tmp_path / "tara").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoilt", ["", "x", "a.b.c", "[b]x[/]" * 500, "\x00\x01"])
def test_a_spoilt_session_is_nobodys(home, spoilt):
    (home.home / "session").write_text(spoilt)
    assert home.run("whoami", "--json").error["reason"] == "forbidden"


def test_a_session_that_others_may_read_is_nobodys(home):
    (home.home / "session").chmod(0o644)
    assert home.run("whoami", "--json").error["reason"] == "forbidden"


def test_maker_and_checker_by_two_terminals(home, tmp_path, monkeypatch):
    assert home.done("people", "limit", "1000")["needed"] == 1
    home.run("sign-in", "tara", "--password-stdin", stdin=password("tara"))
    refused = home.run("bulk", "buy", "TCS", "--quantity", "2", "--clients", FIRST, "--yes", "--json")
    assert (refused.code, refused.error["reason"]) == (3, "needs_approval")
    plan = refused.document["plan"]
    number, digest = str(plan["number"]), plan["digest"]
    assert home.run("approve", number, "--digest", digest, "--json").error["reason"] == "needs_approval"
    monkeypatch.setenv("TRADEDESK_SESSION", str(tmp_path / "checker"))
    home.run("sign-in", "asha", "--password-stdin", stdin=password("asha"))
    state = home.done("approve", number, "--digest", digest[:8])
    assert (state["maker"], state["missing"], state["confirmed"][0]["person"]) == ("tara", 0, "asha")
    monkeypatch.delenv("TRADEDESK_SESSION")
    sent = home.done("bulk", "--confirm", digest[:8])
    assert sent["run"]["counts"]["filled"] == 1

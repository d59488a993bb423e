"""Asking the open app, with an attacker's eye: nothing is done twice, by nobody's leave, or after a no."""

import json
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cli_desk import Terminal
from open_app import Beside, open_app

from data.clock import ManualClock
from tests.books import change_by_hand, copied_home, rows_of
from tests.desks import START
from tradedesk.socket.protocol import LONGEST_LINE, PROGRAM, PROTOCOL, decoded, effect_of, encoded, hello
from tradedesk.socket.server import MOST_WORDS, bound

BUY = ("bulk", "buy", "TCS", "--quantity", "1", "--clients", "AM1042", "--yes", "--wait", "1")
ID = "0123456789abcdef0123456789abcdef"
PATIENCE_S = 60.0


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRADEDESK_PAPER_LATENCY_MS", "[0, 0]")
    monkeypatch.setenv("TRADEDESK_TRADER", "tester")


class Raw:
    """A connection whose lines are written by hand."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(str(home / "desk.sock"))
        self.came = self.socket.makefile("rb")

    def send(self, **line: Any) -> None:
        self.socket.sendall(encoded(line))

    def line(self) -> dict[str, Any] | None:
        """The next line; None where the other end has closed."""
        try:
            data = self.came.readline()
        except ConnectionError:
            return None
        return decoded(data) if data else None

    def greet(self, **other: Any) -> dict[str, Any] | None:
        self.send(hello={**hello(self.home), "actor": "tester", **other})
        return self.line()

    def taken(self, *words: str, request_id: str = ID) -> dict[str, Any] | None:
        self.greet()
        self.send(request=request_id, words=list(words), terminal={})
        return self.line()

    def rest(self) -> list[dict[str, Any]]:
        return list(iter(self.line, None))

    def close(self) -> None:
        self.came.close()
        self.socket.close()


def raw(home: Path) -> "closing[Raw]":
    return closing(Raw(home))


def count(home: Path, table: str) -> int:
    return int(rows_of(home, f"SELECT count(*) FROM {table}")[0][0])


# --- the app's end -----------------------------------------------------------------------------------------


def test_the_socket_is_its_users_alone_and_goes_with_the_app(demo: Terminal) -> None:
    place = demo.home / "desk.sock"
    with open_app(demo.home):
        found = os.lstat(place)
        assert stat.S_ISSOCK(found.st_mode)
        assert stat.S_IMODE(found.st_mode) == 0o600
        assert Beside(demo.home).done("orders") == []
    assert not place.exists()


def test_whatever_comes_in_ends_its_own_connection_and_nothing_else(demo: Terminal) -> None:
    with open_app(demo.home):
        for data in (
            b"\n",
            b"no json\n",
            b"[1, 2]\n",
            b'{"hello": 1}\n',
            b'{"hello": ' + b"[" * 20_000 + b"\n",
            b"\xff\xfe\n",
            b"x" * (10 * 2**20),
            json.dumps({"hello": "y" * LONGEST_LINE}).encode() + b"\n",
        ):
            with raw(demo.home) as one:
                try:
                    one.socket.sendall(data)
                    one.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                assert [line for line in one.rest() if "hello" not in line] == []
        with raw(demo.home) as slow:  # a line that never ends holds nobody up
            slow.socket.sendall(b'{"hel')
            beside = Beside(demo.home)
            assert beside.done("orders") == []
            assert beside.own_way == []


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": PROTOCOL + 1},
        {"program": "9"},
        {"schema": "0001"},
        {"home": "1:2"},
        {"settings": ""},
        {"actor": "x" * 41},
    ],
    ids=lambda other: next(iter(other)),
)
def test_who_differs_is_not_answered(demo: Terminal, other: dict[str, Any]) -> None:
    with open_app(demo.home), raw(demo.home) as one:
        one.greet(**other)
        with suppress(BrokenPipeError):
            one.send(request=ID, words=list(BUY), terminal={})
        assert one.rest() == []


@pytest.mark.parametrize(
    "request_line",
    [
        {"request": "short", "words": ["orders"]},
        {"request": ID, "words": "orders"},
        {"request": ID, "words": [1]},
        {"request": ID, "words": []},
        {"request": ID, "words": ["secrets", "set-key", "abcd1234"]},
        {"request": ID, "words": ["login", "next"]},
        {"request": ID, "words": ["clients", "import", "/etc/passwd"]},
        {"request": ID, "words": ["orders", "--help"]},
        {"go": ID},
    ],
    ids=str,
)
def test_what_no_app_does_for_others_is_not_taken(demo: Terminal, request_line: dict[str, Any]) -> None:
    with open_app(demo.home), raw(demo.home) as one:
        one.greet()
        one.send(**request_line, terminal={})
        assert one.rest() == []


def test_more_words_than_a_loop_can_parse_in_a_blink_are_left_to_the_command(demo: Terminal) -> None:
    with open_app(demo.home):
        for count_of_words, taken in ((MOST_WORDS, True), (MOST_WORDS + 1, False)):
            with raw(demo.home) as one:
                assert (one.taken("cancel", *["1"] * (count_of_words - 1)) is not None) is taken


def test_another_user_is_not_answered_and_answers_nobody(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_app(demo.home):
        ours = os.getuid()
        monkeypatch.setattr(os, "getuid", lambda: ours + 1)
        with raw(demo.home) as one, suppress(OSError):
            assert one.greet() is None
        beside = Beside(demo.home)
        assert beside.done("orders") == []
        assert beside.own_way == ["orders --json"]


def test_nothing_is_done_before_go_and_nothing_after_a_connection_that_closed(demo: Terminal) -> None:
    with open_app(demo.home):
        with raw(demo.home) as one:
            assert one.taken(*BUY) == {"taken": ID}
            assert count(demo.home, "plan") == 0
        with raw(demo.home) as other:  # the first has been read to its end before this one is answered
            assert other.taken(*BUY, request_id=ID[::-1]) == {"taken": ID[::-1]}
            other.send(go=ID)
            assert other.rest() == []
        assert Beside(demo.home).done("orders") == []
    assert count(demo.home, "plan") == count(demo.home, "asked_command") == 0


def test_a_go_read_by_an_app_that_slept_is_refused(demo: Terminal) -> None:
    clock = ManualClock(START)
    with open_app(demo.home, clock=clock), raw(demo.home) as one:
        assert one.taken(*BUY) == {"taken": ID}
        clock.shift(5.1)
        one.send(go=ID)
        assert ["refused" in line for line in one.rest()] == [True]
    assert count(demo.home, "plan") == 0


def test_the_same_id_does_nothing_twice_from_whichever_process(demo: Terminal) -> None:
    with open_app(demo.home):
        for times in range(2):
            with raw(demo.home) as one:
                assert one.taken(*BUY) == {"taken": ID}
                one.send(go=ID)
                lines = one.rest()
                assert lines[-1]["done"] == (0, 3)[times], lines
        with raw(demo.home) as first, raw(demo.home) as second:
            assert first.taken(*BUY, "--again", request_id=ID[::-1]) == {"taken": ID[::-1]}
            assert second.taken(*BUY, "--again", request_id=ID[::-1]) is None
            first.send(go=ID[::-1])
            assert first.rest()[-1] == {"done": 0}
    assert count(demo.home, "run") == 2
    assert count(demo.home, "plan") == 2


@pytest.mark.parametrize("ended", [True, False], ids=["it ended", "its app died first"])
@pytest.mark.parametrize(
    "words",
    [
        BUY,
        ("order", "RG1008", "buy", "INFY", "1", "--yes"),
        ("clients", "pause", "RG1008", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_an_id_of_before_does_nothing_for_somebody_else_and_tells_the_first_outcome(
    demo: Terminal, words: tuple[str, ...], ended: bool
) -> None:
    with open_app(demo.home):
        with raw(demo.home) as one:
            assert one.taken(*BUY) == {"taken": ID}
            one.send(go=ID)
            assert one.rest()[-1] == {"done": 0}
        if not ended:
            change_by_hand(demo.home, "UPDATE asked_command SET ended_at = NULL, exit_code = NULL")
        before = {table: count(demo.home, table) for table in ("plan", "run", "orders", "request")}
        first = demo.run("--request", ID, "--json").document if ended else None
        with raw(demo.home) as other:
            other.greet(actor="somebody else")
            other.send(request=ID, words=list(words), terminal={})
            assert other.line() == {"taken": ID}
            other.send(go=ID)
            lines = other.rest()
        assert lines[-1]["done"] == 3, lines
        assert "asked for before" in json.dumps(lines)
        assert {table: count(demo.home, table) for table in before} == before
        assert demo.run("clients", "--json").code == 0
        (row,) = rows_of(demo.home, "SELECT command, actor, exit_code FROM asked_command")
        assert row == ("bulk", "tester", 0 if ended else None), "the second is not taken for the first"
        assert first is None or demo.run("--request", ID, "--json").document == first


def test_two_commands_at_once_are_both_done_once(demo: Terminal) -> None:
    with open_app(demo.home), raw(demo.home) as one, raw(demo.home) as other:
        assert one.taken(*BUY) == {"taken": ID}
        assert other.taken("order", "RG1008", "buy", "INFY", "1", "--yes", request_id=ID[::-1])
        one.send(go=ID)
        other.send(go=ID[::-1])
        assert one.rest()[-1] == other.rest()[-1] == {"done": 0}
    assert count(demo.home, "run") == 2


def test_what_was_done_is_found_and_what_was_not_never_is(demo: Terminal) -> None:
    with open_app(demo.home):
        with raw(demo.home) as one:
            one.taken(*BUY)
            one.send(go=ID)
            one.rest()
        found = demo.run("--request", ID, "--json")
        assert found.code == 0
        assert {name: found.document[name] for name in ("command", "actor", "exit", "runs", "closed")} == {
            "command": "bulk",
            "actor": "tester",
            "exit": 0,
            "runs": [1],
            "closed": False,
        }
        nothing = demo.run("--request", ID[::-1], "--json")
        assert (nothing.code, nothing.document["closed"], nothing.document["runs"]) == (3, True, [])
        with raw(demo.home) as late:  # an app that thaws with such a request before it
            late.taken(*BUY, "--again", request_id=ID[::-1])
            late.send(go=ID[::-1])
            assert late.rest()[-1] == {"done": 3}
    assert (count(demo.home, "run"), count(demo.home, "plan")) == (1, 1)
    assert demo.run("--request", "x", "--json").error["field"] == "request"


def test_the_app_acts_as_who_asks_and_never_as_its_own_trader(demo: Terminal) -> None:
    with open_app(demo.home), raw(demo.home) as one:
        one.greet(actor="somebody else")
        one.send(request=ID, words=list(BUY), terminal={})
        assert one.line() == {"taken": ID}
        one.send(go=ID)
        assert one.rest()[-1] == {"done": 0}
        rows = demo.done("audit", "show", "--action", "RUN_STARTED")
        assert [(row["actor"], row["via"]) for row in rows] == [("somebody else", "socket")]


def test_a_locked_app_takes_cancels_and_halts_alone_and_a_live_one_no_orders(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def takes(*words: str) -> bool:
        with raw(demo.home) as one:
            return one.taken(*words) is not None

    with open_app(demo.home, lambda: True):
        assert [takes(*BUY), takes("orders"), takes("cancel", "1"), takes("cancel-all", "--yes")] == [
            False,
            False,
            True,
            True,
        ]
    with open_app(demo.home) as desk:
        monkeypatch.setattr(type(desk), "market_is_simulated", False)
        assert [takes(*BUY), takes("resume", "1"), takes("run", "1", "resume")] == [False] * 3
        assert [takes("orders"), takes("cancel", "1"), takes("cancel-all"), takes("run", "1", "stop")] == [
            True
        ] * 4


@pytest.mark.parametrize("name", ["", "x" * 41, "a\nb", "a\x00b", "\x85", "\ud800", 7, None])
def test_who_has_no_name_for_the_audit_is_not_taken(demo: Terminal, name: object) -> None:
    with open_app(demo.home), raw(demo.home) as one:
        one.greet(actor=name)
        with suppress(OSError):
            one.send(request=ID, words=list(BUY), terminal={})
        assert one.line() is None
    assert count(demo.home, "asked_command") == 0


def test_an_app_that_closes_ends_its_requests_and_what_was_committed_stands(demo: Terminal) -> None:
    clock = ManualClock(START)
    with open_app(demo.home, clock=clock):
        one = Raw(demo.home)
        assert one.taken(*BUY) == {"taken": ID}
        one.send(go=ID)
        while "started" not in str(one.line()):
            pass
    with closing(one):
        assert "done" not in str(one.rest())
    found = demo.run("--request", ID, "--json")
    assert (found.code, found.document["runs"], found.document["exit"]) == (5, [1], None)


# --- the place ---------------------------------------------------------------------------------------------


def test_a_stale_socket_is_replaced_and_what_is_none_is_left_alone(tmp_path: Path) -> None:
    place, other = tmp_path / "desk.sock", tmp_path / "other"
    bound(place).close()
    bound(place).close()
    place.unlink()
    other.write_text("kept")
    place.symlink_to(other)
    with pytest.raises(FileExistsError):
        bound(place)
    assert place.is_symlink()
    place.unlink()
    place.write_text("kept")
    with pytest.raises(FileExistsError):
        bound(place)
    assert place.read_text() == other.read_text() == "kept"


def test_an_app_whose_home_takes_no_socket_says_so_and_works(
    demo: Terminal, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / ("long" * 25)
    with copied_home(demo.home, home), open_app(home):
        beside = Beside(home)
        assert beside.done("orders") == []
        assert beside.own_way == ["orders --json"]
    assert "commands are not answered by this app" in caplog.text


# --- the command's end -------------------------------------------------------------------------------------


Answer = Callable[[dict[str, Any]], list[dict[str, Any]]]
"""What a pretended app says to a line."""


@contextmanager
def pretended(home: Path, *answers: Answer, holds: bool = True) -> Iterator[list[dict[str, Any]]]:
    """Something that listens where an app would; returns the lines that came in.

    After its answers it hears all that comes and says nothing; it closes unless it `holds`.
    """
    listener, came = bound(home / "desk.sock"), list[dict[str, Any]]()
    listener.setblocking(True)

    def listen() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            for answer in answers:
                came.append(decoded(lines.readline()))
                connection.sendall(b"".join(map(encoded, answer(came[-1]))))
            if holds:
                came.extend(map(decoded, lines))

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield came
    finally:
        thread.join(PATIENCE_S)
        listener.close()
        (home / "desk.sock").unlink()


def taking(line: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"taken": line["request"]}]


def silent(line: dict[str, Any]) -> list[dict[str, Any]]:
    return []


def test_a_command_goes_its_own_way_while_nobody_said_taken(demo: Terminal) -> None:
    def greeting(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": hello(demo.home)}]

    def other(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": {**hello(demo.home), "schema": "9999"}}]

    def another(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"taken": "another"}]

    for answers, heard in (
        ((silent,), ["hello"]),
        ((greeting, silent), ["hello", "request"]),
        ((greeting, another), ["hello", "request"]),
        ((other,), ["hello"]),
    ):
        with pretended(demo.home, *answers) as came:
            beside = Beside(demo.home)
            assert beside.done("orders") == []
            assert beside.own_way == ["orders --json"]
        assert [next(iter(line)) for line in came] == heard


def test_after_go_no_command_goes_another_way(demo: Terminal) -> None:
    def greeting(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": hello(demo.home)}]

    def refusing(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"refused": "it slept"}]

    for last, code in ((silent, 5), (refusing, 3)):
        with pretended(demo.home, greeting, taking, last, holds=False) as came:
            beside = Beside(demo.home)
            printed = beside.run(*BUY, "--json")
        assert (printed.code, beside.own_way) == (code, [])
        request_id = came[1]["request"]
        assert came[2] == {"go": request_id}
        if code == 5:
            assert printed.error["reason"] == "connection_lost"
            assert printed.error["request_id"] == request_id
            assert f"--request {request_id}" in printed.err
    assert count(demo.home, "run") == 0


@pytest.mark.parametrize(
    "line",
    [
        {"done": "well"},
        {"done": None},
        {"question": "sure?"},
        {"question": {"what": "buy", "words": "buy 1", "then": "bulk"}},
        {"question": {"what": "buy", "words": 1, "then": []}},
    ],
)
def test_what_is_no_line_of_the_protocol_behind_go_is_a_lost_connection(
    demo: Terminal, line: dict[str, Any]
) -> None:
    def greeting(_: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": hello(demo.home)}]

    with pretended(demo.home, greeting, taking, lambda _: [line, {"done": 0}]) as came:
        beside = Beside(demo.home)
        printed = beside.run(*BUY, "--json")
    assert (printed.code, beside.own_way) == (5, [])
    assert printed.error["request_id"] == came[1]["request"]


def test_who_is_interrupted_as_go_leaves_is_not_told_that_nothing_was_asked(
    demo: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greeting(_: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": hello(demo.home)}]

    def interrupted(line: dict[str, Any]) -> bytes:
        if "go" in line:
            raise KeyboardInterrupt
        return encoded(line)

    monkeypatch.setattr("tradedesk.socket.connection.encoded", interrupted)
    with pretended(demo.home, greeting, taking) as came:
        printed = Beside(demo.home).run(*BUY)
    assert printed.code == 130
    assert f"--request {came[1]['request']}" in printed.err


def test_a_question_is_put_by_the_command_and_its_yes_is_another_request(demo: Terminal) -> None:
    words = ("bulk", "buy", "TCS", "--quantity", "1", "--clients", "AM1042", "--wait", "5")
    with open_app(demo.home):
        no = demo.at_keyboard([*words, "--json"], "leaves it: ", "no\n")
        assert (no.code, json.loads(no.out)["run"]) == (3, None)
        yes = demo.at_keyboard(words, "leaves it: ", "buy 1\n")
        assert yes.code == 0, yes
        assert "run 1 finished" in yes.out
    assert count(demo.home, "asked_command") == 3


# --- cancel-all ------------------------------------------------------------------------------------------


def test_cancel_all_goes_its_own_way_past_an_app_that_is_silent_and_halts_once(demo: Terminal) -> None:
    def greeting(line: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"hello": hello(demo.home)}]

    with pretended(demo.home, greeting, taking, silent) as came:
        beside = Beside(demo.home)
        printed = beside.run("cancel-all", "--yes", "--json")
    assert printed.code == 0
    assert came[2] == {"go": came[1]["request"]}
    assert (printed.document["number"], printed.document["ended"]) == (1, True)
    assert count(demo.home, "halt") == 1
    assert demo.run("--request", came[1]["request"], "--json").document["halts"] == [1]


def test_cancel_all_takes_up_the_halt_of_an_app_that_fell_silent_behind_its_commit(demo: Terminal) -> None:
    """The command's words reach the app, whose halt is committed; none of its own come back."""
    with open_app(demo.home):
        resting = Beside(demo.home).order("AM1042", "buy", "INFY", "1", "--limit", "1350")
        (demo.home / "desk.sock").rename(demo.home / "real.sock")
        with _one_way(demo.home):
            beside = Beside(demo.home)
            printed = beside.run("cancel-all", "--yes", "--json")
        assert beside.own_way == ["cancel-all --yes --json"]
    assert resting["state"] == "OPEN"
    assert (printed.code, printed.document["number"], printed.document["cancelled"]) == (0, 1, 1)
    assert count(demo.home, "halt") == 1


@contextmanager
def _one_way(home: Path) -> Iterator[None]:
    """Between a command and the app: hello and taken pass, and nothing of the app's after go."""
    listener = bound(home / "desk.sock")
    listener.setblocking(True)

    def listen() -> None:
        connection, _ = listener.accept()
        app = socket.socket(socket.AF_UNIX)
        app.connect(str(home / "real.sock"))
        with connection, app, connection.makefile("rb") as asked, app.makefile("rb") as told:
            for _ in range(2):
                app.sendall(asked.readline())
                connection.sendall(told.readline())
            app.sendall(asked.readline())
            while "halt" not in decoded(told.readline()):
                pass
            asked.readline()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        listener.close()
        (home / "desk.sock").unlink()


# --- what is said ------------------------------------------------------------------------------------------


def test_the_program_names_its_own_version() -> None:
    assert version("tradedesk-workstation") == PROGRAM


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("orders --live", "read"),
        ("orders --client show", None),
        ("orders show 1", "read"),
        ("clients --json set X", None),
        ("clients set X --status active", "act"),
        ("watch --add INFY", "act"),
        ("watch", "read"),
        ("run 1 stop", "cancel"),
        ("run 1 resume --send 2", "act"),
        ("run 1 repair", "act"),
        ("run 1 reverse --yes", "act"),
        ("basket buy TCS:1 --yes", "act"),
        ("baskets", "read"),
        ("leases --json", "read"),
        ("leases release g:MEHTA", "act"),
        ("keep", None),
        ("baskets save Mine buy TCS:1", "act"),
        ("doctor", None),
        ("audit verify", None),
        ("init", None),
        ("--version", None),
        ("", None),
    ],
)
def test_which_commands_may_be_asked_is_known_without_parsing_them(words: str, kind: str | None) -> None:
    assert effect_of(words.split()) == kind

"""Rows of the audit that somebody has changed, as commands print them: marked, never obeyed."""

import pytest

from data.home import books_file
from tests.further import further
from tests.tampering import tamper
from tests.tradedesk.cli_desk import Terminal

ESCAPES = "\x1b]0;owned\x07\x1b[31m[red]\u202e"
CHANGES = {
    "actor": ("UPDATE audit SET actor = ? WHERE seq = ?", ESCAPES),
    "action": ("UPDATE audit SET action = ? WHERE seq = ?", ESCAPES),
    "details": ("UPDATE audit SET details = ? WHERE seq = ?", f'{{"{ESCAPES}": "{ESCAPES}"}}'),
    "details that are no JSON": ("UPDATE audit SET details = ? WHERE seq = ?", ESCAPES),
    "client": ("UPDATE audit SET client_id = ? WHERE seq = ?", 987_654),
    "hash": ("UPDATE audit SET hash = ? WHERE seq = ?", ESCAPES),
}


@pytest.mark.parametrize("change", further(CHANGES.values(), 2), ids=CHANGES)
def test_a_changed_row_is_marked_and_no_sign_of_it_reaches_the_terminal(
    demo: Terminal, change: tuple[str, object]
) -> None:
    seq = demo.done("audit", "search", "action:client_added", "AM1042")["rows"][0]["seq"]
    statement, value = change
    tamper(books_file(demo.home), (statement, (value, seq)))
    assert demo.run("audit", "verify").code == 8
    assert demo.run("audit", "state").code == 8
    page = demo.done("audit", "search", "action:all", "--limit", "1000")
    assert [row["seq"] for row in page["rows"] if not row["holds"]] == [seq]
    for words in (("search", "action:all", "--limit", "1000"), ("story", str(seq)), ("verify",), ("state",)):
        printed = demo.run("audit", *words)
        for text in (printed.out, printed.err):
            assert not {"\x1b", "\x07", "\u202e"} & set(text)
        if words[0] in ("search", "story"):
            assert "NOT AS WRITTEN" in printed.out

"""The page about people says what runs."""

from data.vocabulary import Right, Role
from engine.people.role_page import PAGE, page, table
from engine.people.signer import LONGEST_WAIT_S, SIGN_IN_LIFE, TOKEN_LIFE


def test_the_table_of_roles_is_made_of_what_runs():
    written = PAGE.read_text(encoding="utf-8")
    assert page(written) == written, "`python -m engine.people.role_page` writes it anew"
    assert len(table().splitlines()) == len(Right) + 2
    assert all(f" {role.value} " in table() for role in Role)


def test_the_page_names_the_times_that_hold():
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"stands for {SIGN_IN_LIFE.total_seconds() / 3600:.0f} hours" in text
    assert f"lasts {TOKEN_LIFE.total_seconds() / 60:.0f} minutes" in text
    assert f"at most {LONGEST_WAIT_S // 60} minutes" in text

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.text import clip, fit, plain, wrapped


def test_outside_text_loses_what_could_move_or_hide_other_text() -> None:
    assert plain("RMS:\x1b[31m margin\n\u202eexceeds\u2066 \u200blimit\ud800\x00") == (
        "RMS:[31m margin exceeds limit"
    )
    name = "ക്\u200dഷ രാജൻ"
    assert plain(name) == name


@pytest.mark.proof
@given(st.text(), st.integers(0, 30), st.sampled_from(["left", "right"]))
def test_a_fitted_text_takes_exactly_its_cells(text: str, width: int, align: str) -> None:
    fitted = fit(text, width, align)
    assert cell_len(fitted) == width
    assert plain(fitted) == fitted


def test_a_cut_text_says_so_and_counts_cells() -> None:
    assert clip("日本語テキスト", 7) == "日本語…"
    assert clip("RELIANCE", 8) == "RELIANCE"
    assert clip("RELIANCE", 5) == "RELI…"


def test_a_figure_that_does_not_fit_is_not_shown_as_a_smaller_one() -> None:
    assert fit("12,34,567", 6, "right") == "     …"


def test_words_break_at_blanks_and_only_what_has_no_room_at_all_is_cut() -> None:
    assert wrapped("no model yet: :models import FILE", 20, 4) == ["no model yet:", ":models import FILE"]
    assert wrapped("nothing is held: B buys", 9, 2) == ["nothing", "is held:…"]
    assert wrapped("one", 9, 2) == ["one"]
    assert wrapped("", 9, 2) == []

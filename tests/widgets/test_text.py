from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from widgets.text import clip, fit, plain


def test_outside_text_loses_what_could_move_or_hide_other_text() -> None:
    assert plain("RMS:\x1b[31m margin\n\u202eexceeds\u2066 \u200blimit\ud800\x00") == (
        "RMS:[31m margin exceeds limit"
    )
    name = "ക്\u200dഷ രാജൻ"
    assert plain(name) == name


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

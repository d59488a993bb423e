"""`guards` from a terminal: set with the words that it asks for, shown, taken away."""

from cli_desk import Terminal


def test_a_guard_is_set_shown_and_taken_away(demo: Terminal) -> None:
    demo.order("PS1015", "buy", "TCS", "10", "--product", "MIS")
    assert demo.done("guards") == []
    (made,) = demo.done("guards", "set", "PS1015", "--loss", "2%", "--target", "5000")
    assert (made["client_id"], made["set"], made["action"], made["state"]) == (15, "mis", "block", "armed")
    assert (made["loss_limit_paise"], made["target_limit_paise"]) == (10_000_00, 5_000_00)
    assert made["net_paise"] == (
        made["realised_paise"]
        + made["open_paise"]
        - made["charges_paise"]
        - made["interest_paise"]
        - made["exit_paise"]
    )
    terms = ("guards", "set", "PS1015", "all", "--loss", "2%")
    printed = demo.run(*terms, "--action", "flat")
    assert (printed.code, "--answer 'PS1015 flat'" in printed.err) == (3, True)
    assert len(demo.done("guards")) == 1
    wrong = demo.run(*terms, "--answer", "flat", "--json")
    assert (wrong.code, wrong.error["field"]) == (2, "answer")
    every = demo.done(*terms, "--action", "flat", "--answer", "PS1015 flat")
    assert {one["set"] for one in every} == {"mis", "all"}
    not_tripped = demo.run("guards", "arm", "PS1015", "--answer", "arm PS1015", "--json")
    assert "it has not tripped" in not_tripped.error["message"]
    assert [one["set"] for one in demo.done("guards", "off", "PS1015", "all")] == ["mis"]
    assert "PS1015" in demo.run("guards").out


def test_a_guard_whose_limit_stands_broken_says_so_and_is_set_by_a_word(demo: Terminal) -> None:
    demo.order("PS1015", "buy", "TCS", "10", "--product", "MIS")
    demo.done("simulate", "price", "TCS", "-6%")
    terms = ("guards", "set", "PS1015", "--loss", "500")
    asked = demo.run(*terms)
    assert (asked.code, "--answer 'now'" in asked.err) == (3, True)
    assert "trips at once: now -" in asked.err
    (made,) = demo.done(*terms, "--answer", "now")
    assert made["loss_limit_paise"] == 500_00

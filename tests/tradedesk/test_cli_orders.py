"""Orders through the command line: plan, confirm, send, cancel, halt; JSON, exit codes and the books."""

import pytest
from cli_desk import Terminal

from brokers.simulators.exchange.exchange import PaperExchange
from data.clock import SystemClock
from data.home import paper_exchange_file
from data.reference.phases import load_calendar
from data.vocabulary import LIVE_STATES


def test_a_bulk_buy_sends_for_ready_clients_and_names_every_skip(demo: Terminal) -> None:
    clients = {row["client_id"]: row for row in demo.done("clients")}
    made = demo.done("bulk", "buy", "RELIANCE", "--percent", "25", "--yes")

    plan, run = made["plan"], made["run"]
    lines = plan["lines"]
    assert len(lines) == len(clients) == 50
    assert plan["orders"] == sum(row["verdict"] == "ok" for row in lines) == len(run["orders"])
    assert plan["answer"] == f"buy {plan['orders']}"
    assert [row["verdict"] for row in lines[:5]] == ["skipped"] * 5, "problems stand first"
    skipped = {row["code"]: row["reason"] for row in lines if row["verdict"] == "skipped"}
    gates = {row["code"]: row["reason"] for row in clients.values() if row["reason"]}
    assert gates.items() <= skipped.items()
    assert set(skipped.values()) == {
        "insufficient_funds",
        "session_expired",
        "client_inactive",
        "client_pending",
    }
    for row in lines:
        base = clients[row["client_id"]]["capital_paise"]
        assert row["allocation_paise"] in (0, base * 25 // 100)
        if row["verdict"] == "ok":
            assert row["quantity"] == base * 25 // 100 // plan["last_paise"]
    assert run["status"] == "finished"
    assert run["counts"]["filled"] == run["counts"]["sent"] == plan["orders"]
    assert run["counts"]["skipped"] == 5
    assert all(order["tag"] and order["broker_order_id"] for order in run["orders"])

    orders = demo.done("orders", "--run", str(run["number"]))
    assert sorted(order["order_id"] for order in orders) == sorted(o["order_id"] for o in run["orders"])
    assert {order["state"] for order in orders} == {"FILLED"}
    funds = {row["client_id"]: row for row in demo.done("funds")}
    for order in orders:
        before, after = clients[order["client_id"]], funds[order["client_id"]]
        spent = before["available_paise"] - after["available_paise"]
        cost = order["average_paise"] * order["filled_quantity"]
        assert after["blocked_paise"] == before["blocked_paise"], "nothing stays blocked"
        assert cost <= spent <= cost + cost // 100, "the shares and their charges"
    assert demo.done("doctor")["ok"]


def test_the_plan_that_was_shown_is_the_one_that_is_sent_and_only_once(demo: Terminal) -> None:
    plan = demo.done("plan", "buy", "TCS", "--amount", "10000", "--clients", "AM1042,48")["plan"]
    assert demo.done("orders") == []
    assert {row["client_id"] for row in plan["lines"]} == {42, 48}

    sent = demo.done("bulk", "--confirm", plan["digest"][:8])
    assert sent["plan"]["digest"] == plan["digest"]
    assert {o["client_id"]: o["quantity"] for o in sent["run"]["orders"]} == {
        row["client_id"]: row["quantity"] for row in plan["lines"]
    }
    again = demo.run("bulk", "--confirm", plan["digest"][:8], "--json")
    assert (again.code, again.error["reason"]) == (3, "already_run")
    assert len(demo.done("orders")) == 2


def test_a_plan_without_a_price_limit_says_so_and_another_word_is_refused(demo: Terminal) -> None:
    few = ("buy", "TCS", "--quantity", "1", "--clients", "48")
    made = demo.done("plan", *few, "--drift", "none")["plan"]
    assert [leg["drift_limit_bps"] for leg in made["legs"]] == [None]
    assert ", no drift limit  hash" in demo.run("plan", *few, "--drift", "NONE").out
    assert [leg["drift_limit_bps"] for leg in demo.done("plan", *few)["plan"]["legs"]] == [50]
    sent = demo.done("bulk", "--confirm", made["digest"][:8])
    assert sent["run"]["counts"]["filled"] == 1
    refused = demo.run("plan", *few, "--drift", "2", "--json")
    expected = "drift: '2' is not valid; give none for no drift limit, or desk for that of the settings"
    assert (refused.code, refused.error["reason"], refused.error["message"]) == (2, "bad_input", expected)


def test_without_a_word_away_from_a_terminal_nothing_is_sent(demo: Terminal) -> None:
    printed = demo.run("bulk", "buy", "TCS", "--percent", "5", "--json")

    assert printed.code == 3
    assert printed.document["run"] is None
    digest = printed.document["plan"]["digest"]
    assert f"tradedesk bulk --confirm {digest[:8]}`" in printed.err
    assert demo.done("orders") == []


@pytest.mark.parametrize(
    ("typed", "code", "orders"),
    [
        ("BUY 1\n", 0, 1),
        pytest.param("yes\n", 3, 0, marks=pytest.mark.proof),
        pytest.param("\n", 3, 0, marks=pytest.mark.proof),
    ],
)
def test_at_a_terminal_side_and_count_are_typed(demo: Terminal, typed: str, code: int, orders: int) -> None:
    args = ("bulk", "buy", "TCS", "--quantity", "1", "--clients", "AM1042")

    printed = demo.at_keyboard(args, "type  buy 1", typed)

    assert printed.code == code
    assert "1 order" in printed.out
    assert len(demo.done("orders")) == orders


def test_the_same_intent_within_a_minute_needs_again(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "2")

    second = demo.run("order", "AM1042", "buy", "TCS", "2", "--yes", "--json")
    assert second.code == 3
    assert second.document["plan"]["lines"][0]["reason"] == "duplicate_intent"
    assert demo.order("AM1042", "buy", "TCS", "2", "--again")["state"] == "FILLED"


def test_a_plan_frozen_before_the_same_was_sent_is_refused_when_it_is_confirmed(demo: Terminal) -> None:
    args = ("plan", "buy", "SBIN", "--quantity", "3", "--clients", "AM1042")
    first, second, said = (demo.done(*args, *more)["plan"]["digest"] for more in ((), (), ("--again",)))
    demo.done("bulk", "--confirm", first)

    late = demo.run("bulk", "--confirm", second, "--yes", "--json")
    assert (late.code, late.error["reason"]) == (3, "duplicate_intent")
    assert late.document["run"] is None
    assert "plan that says again" in late.err
    assert len(demo.done("orders")) == 1
    demo.done("bulk", "--confirm", said)
    assert len(demo.done("orders")) == 2


def test_a_plan_that_skips_everyone_sends_nothing(demo: Terminal) -> None:
    printed = demo.run("bulk", "sell", "TCS", "--percent", "50", "--yes", "--json")

    assert printed.code == 3
    assert printed.document["run"] is None
    assert "insufficient_holding" in printed.document["plan"]["skipped_by_reason"]


def test_a_sell_halves_the_position_and_books_the_round_trip(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "TCS", "10")

    sold = demo.done("bulk", "sell", "TCS", "--percent", "50", "--clients", "AM1042", "--yes")

    assert [order["quantity"] for order in sold["run"]["orders"]] == [5]
    (position,) = demo.done("positions", "--client", "AM1042")
    assert (position["symbol"], position["quantity"], position["sellable"]) == ("TCS", 5, 5)
    (trip,) = demo.done("transactions", "--client", "AM1042")
    assert trip["pnl_paise"] == trip["proceeds_paise"] - trip["cost_paise"]
    assert trip["net_paise"] == trip["pnl_paise"] - trip["charges_paise"]


def test_a_resting_order_blocks_its_money_until_it_is_cancelled(demo: Terminal) -> None:
    order = demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")
    (before,) = demo.done("funds", "--client", "AM1042")
    assert order["state"] == "OPEN"
    assert before["blocked_paise"] == order["blocked_paise"] > 280000

    unconfirmed = demo.run("cancel", str(order["order_id"]), "--json")
    assert unconfirmed.code == 3
    assert unconfirmed.document["orders"][0]["state"] == "OPEN"
    (cancelled,) = demo.done("cancel", "--client", "am1042".upper(), "--yes")["orders"]
    assert cancelled["state"] == "CANCELLED"
    (after,) = demo.done("funds", "--client", "AM1042")
    assert after["available_paise"] == before["available_paise"] + order["blocked_paise"]
    assert demo.run("cancel", str(order["order_id"]), "--yes").code == 3, "nothing is live there"

    life = demo.done("orders", "show", str(order["order_id"]))
    assert [row["kind"] for row in life["requests"]] == ["cancel"]
    assert sum(row["amount_paise"] for row in life["postings"]) == 0
    assert life["audit"][0]["action"] == "ORDER_RESERVED"


def test_cancel_all_halts_first_and_only_resume_lets_orders_go_again(demo: Terminal) -> None:
    for client in ("AM1042", "ZM1048"):
        demo.order(client, "buy", "INFY", "2", "--limit", "1400")
    blocked = sum(row["blocked_paise"] for row in demo.done("orders", "--live"))

    asked = demo.run("cancel-all", "--json")
    assert (asked.code, asked.document["exposure"]["live"]) == (3, 2)
    assert len(demo.done("orders", "--live")) == 2

    made = demo.done("cancel-all", "--yes", "--by", "rajesh")
    assert (made["cancelled"], made["refused"], made["unknown"], made["ended"]) == (2, 0, 0, True)
    assert made["released_paise"] == blocked
    assert {(row["code"], row["cancelled"]) for row in made["clients"]} == {("AM1042", 1), ("ZM1048", 1)}
    assert made["by"] == "rajesh"
    assert (demo.home / "HALT").exists()
    assert demo.done("orders", "--live") == []
    assert demo.done("certificate") == made

    refused = demo.run("order", "AM1042", "buy", "SBIN", "1", "--yes", "--json")
    assert (refused.code, refused.error["reason"], refused.document["run"]) == (6, "halted", None)
    assert demo.run("resume", "--word", "go on").code == 2
    assert demo.run("resume").code == 3, "the word is not typed away from a terminal"
    assert demo.run("resume", "99", "--yes").code == 2
    assert demo.done("resume", "--word", "resume")["resumed"] == made["number"]
    assert not (demo.home / "HALT").exists()
    assert demo.order("AM1042", "buy", "SBIN", "1")["state"] == "FILLED"


def test_under_a_halt_that_reduces_only_a_sale_leaves(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "SBIN", "5")
    demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")

    asked = demo.run("cancel-all", "--reduce-only")
    assert (asked.code, "halt everything, reduce only, and cancel 1 order" in asked.err) == (3, True)
    made = demo.done("cancel-all", "--reduce-only", "--yes")
    assert (made["strength"], made["cancelled"], made["ended"]) == ("reduce", 1, True)
    assert not (demo.home / "HALT").exists()
    assert demo.done("certificate") == made
    assert "everything, reduce only, by" in demo.run("certificate").out

    refused = demo.run("order", "AM1042", "buy", "SBIN", "1", "--yes", "--json")
    assert (refused.code, refused.document["run"]) == (6, None)
    sold = demo.order("AM1042", "sell", "SBIN", "3")
    assert (sold["state"], sold["filled_quantity"]) == ("FILLED", 3)
    (fired,) = [row for row in demo.done("audit", "show") if row["action"] == "HALT_FIRED"]
    assert fired["details"]["strength"] == "reduce"
    (halts,) = [check for check in demo.done("doctor")["checks"] if check["name"] == "halts"]
    assert (halts["ok"], "reduce only" in halts["detail"]) == (True, True)

    assert demo.done("resume", "--yes")["resumed"] == made["number"]
    assert demo.order("AM1042", "buy", "SBIN", "1")["state"] == "FILLED"


def test_a_halt_of_one_client_leaves_the_others(demo: Terminal) -> None:
    for client in ("AM1042", "ZM1048"):
        demo.order(client, "buy", "INFY", "2", "--limit", "1400")

    made = demo.done("cancel-all", "--scope", "client", "--value", "AM1042", "--yes")

    assert [row["code"] for row in made["clients"]] == ["AM1042"]
    assert [order["code"] for order in demo.done("orders", "--live")] == ["ZM1048"]
    assert demo.run("order", "AM1042", "buy", "SBIN", "1", "--yes").code == 6
    assert demo.order("ZM1048", "buy", "SBIN", "1")["state"] == "FILLED"


def test_every_state_word_of_the_orders_document_is_known(demo: Terminal) -> None:
    demo.order("AM1042", "buy", "INFY", "2", "--limit", "1400")

    (live,) = demo.done("orders", "--live", "--client", "42")

    assert live["state"] in set(LIVE_STATES)
    assert live["limit_paise"] == 140000
    assert live["created_at"].endswith("+00:00")
    assert demo.done("orders", "--needs-me") == []


def test_many_limits_are_modified_by_one_list_with_its_hash(demo: Terminal) -> None:
    bulk = ("bulk", "buy", "INFY", "--quantity", "2", "--limit", "1400", "--clients", "AM1042,RG1008")
    demo.done(*bulk, "--yes")
    shown = demo.run("modify", "--run", "1", "--ticks", "-3")
    assert (shown.code, "2 orders by -3 ticks" in shown.out) == (3, True)
    listed = demo.run("modify", "--run", "1", "--ticks", "-3", "--json").document["plan"]
    assert [line["new_limit_paise"] for line in listed["lines"]] == [139970] * 2
    assert demo.run("modify", "--run", "1", "--ticks", "-2", "--confirm", listed["digest"]).code == 3
    done = demo.done("modify", "--run", "1", "--ticks", "-3", "--confirm", listed["digest"][:8])
    assert [row["result"] for row in done["results"]] == ["CONFIRMED"] * 2
    assert {row["limit_paise"] for row in demo.done("orders", "--live")} == {139970}

    chased = demo.run("modify", "1", "--chase", "1401", "--yes", "--json")
    (chase,) = chased.document["chases"]
    assert (chased.code, chase["ended"], chase["limit_paise"]) == (4, "at_bound", 140100)
    for wrong in (
        ("modify", "--run", "1"),
        ("modify", "1", "2", "--limit", "1400"),
        ("modify", "1", "--to", "1400", "--limit", "1400"),
        ("modify", "1", "--to", "1400", "--ticks", "1"),
        ("modify", "--client", "AM1042", "--run", "1", "--to-last"),
        ("modify", "--run", "9", "--to-last"),
    ):
        assert demo.run(*wrong).code == 2, wrong
    assert demo.done("doctor")["ok"]


def test_a_chase_that_waits_for_a_word_ends_with_the_command_that_began_it(demo: Terminal) -> None:
    (order,) = demo.run("order", "AM1042", "buy", "TCS", "1", "--limit", "2400", "--yes", "--json").document[
        "run"
    ]["orders"]
    demo.done("market", "halted")
    chased = demo.run("modify", str(order["order_id"]), "--chase", "2450", "--yes", "--json")
    (chase,) = chased.document["chases"]
    assert (chased.code, chase["ended"], chase["waits"], chase["moved"]) == (4, "stopped", "market_halted", 0)
    told = demo.run("modify", str(order["order_id"]), "--chase", "2450", "--yes")
    assert "market halted: chase it again after that" in told.out


def test_clients_have_a_multiplier_and_some_are_traded_for_on_their_word_alone(demo: Terminal) -> None:
    made = demo.done("clients", "set", "AM1042", "--multiplier", "2", "--discretionary", "no")
    assert (made["multiplier_bps"], made["discretionary"]) == (20_000, False)
    assert "×2 · on instruction only" in demo.run("clients", "set", "AM1042", "--multiplier", "2").out
    for wrong in (("--multiplier", "0"), ("--discretionary", "maybe"), (), ("--reason", "why")):
        assert demo.run("clients", "set", "AM1042", *wrong).code == 2, wrong
    bulk = ("bulk", "buy", "TCS", "--quantity", "2", "--clients", "AM1042,RG1008")
    left = demo.done(*bulk, "--yes")["plan"]["lines"]
    assert (left[0]["code"], left[0]["reason"]) == ("AM1042", "instruction_missing")
    done = demo.done(*bulk, "--again", "--ref", "mail 09:10", "--yes")["plan"]
    assert done["ref"] == "mail 09:10"
    lines = {line["code"]: line for line in done["lines"]}
    assert (lines["AM1042"]["quantity"], lines["AM1042"]["ref"]) == (4, "mail 09:10")
    assert (lines["RG1008"]["quantity"], lines["RG1008"]["multiplier_bps"]) == (2, 10_000)
    assert "×2 · ref mail 09:10" in demo.run("plan", *bulk[1:], "--again").out, "kept for the client"
    one = demo.done("order", "AM1042", "buy", "INFY", "2", "--yes")["plan"]["lines"][0]
    assert (one["quantity"], one["ref"]) == (2, "mail 09:10"), "a ticket's quantity is the client's own"
    to = demo.done("plan", "buy", "TCS", "--to-weight", "10", "--clients", "RG1008")["plan"]
    assert "to 10 % of portfolio" in to["title"]
    shown = demo.run("order", "RG1008", "buy", "INFY", "30", "--limit", "1400", "--disclosed", "2", "--yes")
    assert (shown.code, "shows 3 at least" in shown.out) == (3, True)
    assert demo.done("doctor")["ok"]


def test_a_wish_is_planned_again_by_its_name_and_a_plan_says_what_it_would_leave(demo: Terminal) -> None:
    wish = ("plan", "buy", "TCS", "--percent", "5", "--clients", "AM1042,RG1008")
    made = demo.done(*wish, "--save", "Small", "--what-if")
    before = {line["code"]: line for line in made["plan"]["lines"]}
    for one in made["what_if"]:
        line = before[one["code"]]
        assert one["cash_after_paise"] == line["available_after_paise"]
        assert one["shares_after"] - one["shares_before"] == line["quantity"] > 0
        assert one["weight_after_bps"] > one["weight_before_bps"]
    assert "weight" in demo.run(*wish, "--what-if").out
    again = demo.done("plan", "--preset", "small", "--ref", "mail")["plan"]
    assert (again["title"], again["ref"], again["orders"]) == (made["plan"]["title"], "mail", 2)
    assert [one["name"] for one in demo.done("presets")] == ["Small"]
    for wrong in (
        ("plan", "--preset", "none"),
        ("plan", "buy", "TCS", "--preset", "Small"),
        ("plan", "--preset", "Small", "--percent", "9"),
        ("plan",),
    ):
        assert demo.run(*wrong).code == 2, wrong
    assert demo.done("presets", "remove", "small")["name"] == "Small"
    assert demo.done("presets") == []
    assert demo.done("orders") == []


def test_what_a_client_owns_is_told_at_the_prices_of_now(demo: Terminal) -> None:
    demo.order("RG1008", "buy", "TCS", "20")
    exchange = PaperExchange(paper_exchange_file(demo.home), SystemClock(), load_calendar())
    exchange.pin("TCS", 2_510_00)
    exchange.close()
    page = demo.done("client", "RG1008")
    (held,) = (one["holding"] for one in page["holdings"])
    assert held["value_paise"] == 20 * 2_510_00 != held["cost_paise"]
    assert page["shares_paise"] == held["value_paise"]
    assert page["portfolio_paise"] == page["cash_paise"] + held["value_paise"]
    assert page["day_pnl_paise"] == held["day_pnl_paise"] == demo.done("status")["day_pnl_paise"]
    matrix = next(row for row in demo.done("matrix")["rows"] if row["code"] == "RG1008")
    assert matrix["portfolio_paise"] == page["portfolio_paise"]

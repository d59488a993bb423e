"""Rules of alerts: what is typed, when it comes true, what it tells, and how it leaves by a webhook."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from data.errors import BadInput
from data.secrets import PASSPHRASE_FILE
from data.vocabulary import AlertKind, DeliveryState, DeskKind, RuleState, SizingKind
from engine.alerts.outbox import LOOK_S
from engine.colon.alert_lines import alert_rule_from
from engine.colon.alert_rules import AlertRule
from engine.colon.splitting import words_of
from engine.desk import Desk
from engine.rules import Rules
from engine.words.alerts import alert_words
from tests.desks import books_are_sound, buy, carry_out, manual_clock, on_tape, paper_desk, until
from tests.further import case
from tradedesk.compose.brokers.paper import exchange_of

QTY = SizingKind.FIXED_QUANTITY
PRIYA, ROHAN = 15, 8


def rule(desk: Desk, line: str) -> AlertRule:
    return alert_rule_from(words_of(line), desk.known())


async def add(desk: Desk, line: str) -> int:
    (number,) = await desk.alert_rules.add(rule(desk, line))
    return number


async def later(desk: Desk, seconds: float = 1.0) -> None:
    await manual_clock(desk).advance(seconds)


def pin(desk: Desk, symbol: str, last: int, previous: int) -> None:
    exchange_of(desk).pin(symbol, last, previous)


@pytest.fixture
def passphrase(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "passphrase"
    file.write_text("a long enough passphrase\n")
    file.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE_FILE, str(file))


class Webhook:
    """A web server on loopback that takes what is sent, and fails as often as it is told to."""

    def __init__(self) -> None:
        self.came: list[Any] = []
        self.fails = 0
        self.port = 0

    async def take(self, request: web.Request) -> web.Response:
        self.came.append(json.loads(await request.text()))
        if self.fails:
            self.fails -= 1
            return web.Response(status=500)
        return web.Response(text="{}")

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}/hidden-way"


@asynccontextmanager
async def webhook() -> AsyncIterator[Webhook]:
    hook, app = Webhook(), web.Application()
    app.router.add_post("/{way:.*}", hook.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.port = runner.addresses[0][1]
    try:
        yield hook
    finally:
        await runner.cleanup()


async def test_a_price_that_comes_is_told_once_on_the_tape_in_the_panel_and_by_a_webhook(
    tmp_path, passphrase
):
    async with webhook() as hook, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", hook.address)
        number = await add(desk, "RELIANCE price >= 2500 note sell half")
        await later(desk)
        assert desk.alerts.standing == []
        pin(desk, "RELIANCE", 2_500_50, 2_395_20)
        await until(desk, lambda: desk.alerts.standing)
        (alert,) = desk.alerts.standing
        assert alert.kind is AlertKind.RULE
        assert alert_words(alert) == "sell half: RELIANCE price 2,500.50, at or above 2,500.00"
        assert on_tape(desk, "sell half: RELIANCE price")
        (one,) = desk.alert_rules.all()
        assert (one.number, one.state, one.fired) == (number, RuleState.SPENT, 1)
        await sent(desk)
        (message,) = hook.came
        assert message["title"] == "tradedesk: sell half: RELIANCE price 2,500.50, at or above 2,500.00"
        pin(desk, "RELIANCE", 2_400_00, 2_395_20)
        await later(desk)
        pin(desk, "RELIANCE", 2_600_00, 2_395_20)
        await later(desk)
        assert len(desk.alerts.standing) == 1, "it was for once"
        actions = [row.action for row in await desk.audit.rows() if row.action.startswith("ALERT")]
        assert sorted(actions) == [
            "ALERT_CHANNEL_ADDED",
            "ALERT_DELIVERED",
            "ALERT_RAISED",
            "ALERT_RULE_ADDED",
        ]
        kept = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
        assert b"hidden-way" not in kept, "a channel's address is a secret of the vault"
        await books_are_sound(desk)


async def sent(desk: Desk, count: int = 1) -> None:
    """Have so many deliveries have ended."""
    for _ in range(400):
        found = await desk.outbox.deliveries()
        if sum(one.state is not DeliveryState.QUEUED for one in found) >= count:
            return
        await later(desk, 0.5)
    raise AssertionError(await desk.outbox.deliveries())


async def test_a_channel_that_fails_is_tried_again_later_and_given_up_at_last(tmp_path, passphrase):
    async with webhook() as hook, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", hook.address)
        hook.fails = 2
        await desk.alerts.test()
        await sent(desk)
        (one,) = await desk.outbox.deliveries()
        assert (one.state, one.tries, one.problem) == (DeliveryState.SENT, 3, "")
        assert len(hook.came) == 3
        hook.fails = 100
        await desk.alerts.test()
        while (queued := (await desk.outbox.deliveries())[0]).state is DeliveryState.QUEUED:
            clock = manual_clock(desk)
            clock.shift(max(0.0, (queued.next_at - clock.now()).total_seconds()))
            await later(desk, LOOK_S)
            for _ in range(3):
                await later(desk, 0.1)
        failed = (await desk.outbox.deliveries())[0]
        assert (failed.state, failed.tries) == (DeliveryState.FAILED, 8)
        assert "hidden-way" not in failed.problem
        assert len(await desk.audit.rows(action="ALERT_NOT_DELIVERED")) == 1
        assert hook.address not in str(failed)
        await desk.outbox.remove_channel("phone")
        assert await desk.outbox.channels() == []


async def test_a_rule_that_repeats_comes_each_time_anew_and_not_sooner_than_it_says(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await add(desk, "TCS change below -2% repeat 1m")
        for last in (2_400_00, 2_490_00, 2_400_00):
            pin(desk, "TCS", last, 2_490_00)
            await later(desk)
            await later(desk)
        await until(desk, lambda: desk.alerts.standing)
        assert len(desk.alerts.standing) == 1, "it came again within the minute"
        await later(desk, 61)
        await until(desk, lambda: len(desk.alerts.standing) == 2)
        await later(desk, 61)
        await later(desk)
        assert len(desk.alerts.standing) == 2, "it has not gone since"


async def test_all_conditions_of_a_part_must_hold_and_one_part_is_enough(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await add(desk, "TCS price above 2600 and INFY price above 1600 or HDFCBANK price below 1500")
        pin(desk, "TCS", 2_600_00, 2_490_00)
        await later(desk)
        assert desk.alerts.standing == []
        pin(desk, "HDFCBANK", 1_499_90, 1_590_00)
        await until(desk, lambda: desk.alerts.standing)
        (alert,) = desk.alerts.standing
        assert "HDFCBANK price 1,499.90" in alert_words(alert)


async def test_a_condition_without_a_symbol_is_of_the_one_before(tmp_path):
    async with paper_desk(tmp_path) as desk:
        await add(desk, "RELIANCE price above 2500 and volume above 2m or TCS change above 2% repeat 10m")
        (rule,) = desk.alert_rules.all()
        kept = "RELIANCE price above 2500 and RELIANCE volume above 2m or TCS change above 2% repeat 10m"
        assert rule.line == kept
        with pytest.raises(BadInput, match="name one symbol before price"):
            await add(desk, "PS1015 cash below 5000 and price above 2500")


async def test_clients_low_on_cash_are_named_and_each_is_told_once(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        cash = desk.funds.of(PRIYA).available_paise
        await add(desk, f"PS1015 RG1008 cash below {(cash - 1_000_00) // 100}")
        await later(desk)
        before = {one.client_id for alert in desk.alerts.standing for one in alert.figures}
        assert PRIYA not in before
        await carry_out(desk, buy("TCS", QTY, 4, PRIYA))
        await until(
            desk, lambda: any(PRIYA in [f.client_id for f in a.figures] for a in desk.alerts.standing)
        )
        newest = desk.alerts.standing[0]
        (figure,) = newest.figures
        assert (figure.client_id, figure.value) == (PRIYA, desk.funds.of(PRIYA).available_paise)
        await carry_out(desk, buy("TCS", QTY, 1, PRIYA))
        await later(desk, 5)
        assert desk.alerts.standing[0] == newest, "she was told of already"


async def test_no_rule_comes_true_by_a_price_that_is_too_old(tmp_path):
    stale = Rules(price_age_limit_s=-1.0)
    async with paper_desk(tmp_path, kind=DeskKind.APP, rules=stale) as desk:
        await add(desk, "TCS price below 9000")
        await later(desk, 5)
        assert desk.market.quote("NSE:TCS") is not None
        assert desk.alerts.standing == []
        (one,) = desk.alert_rules.all()
        assert [dict(figures) for _, figures in one.readings] == [{0: None}]


async def test_a_restart_tells_nothing_again_and_another_engine_tells_it_once(tmp_path):
    async with paper_desk(tmp_path, kind=DeskKind.APP) as desk:
        await add(desk, "TCS price above 2400 repeat 10s")
        await until(desk, lambda: len(desk.alerts.standing) == 1)
    async with paper_desk(tmp_path, kind=DeskKind.APP, demo=False) as desk:
        await later(desk, 120)
        assert len(await desk.audit.rows(action="ALERT_RAISED")) == 1


NO_RULES = [
    ("", "say what you want to be told of"),
    ("RELIANCE", "name what is looked at"),
    ("RELIANCE prise above 3", "did you mean price"),
    ("RELIANCE price", "say above or below"),
    ("RELIANCE price above", "say above or below"),
    ("RELIANCE price above 2,5", "a comma groups"),
    ("RELIANCE price above -5", "never below zero"),
    ("RELIANCE price above 5%", "give a price"),
    ("RELIANCE TCS price above 5", "no such word"),
    ("price above 5", "name one symbol"),
    ("PS1015 price above 5", "name one symbol"),
    ("feed above 10 parsecs", "say above or below"),
    ("TCS feed above 10s", "of the whole desk"),
    ("RELIANCE circuit above 3", "it is so or not"),
    ("XX9999 cash below 5", "takes no such word"),
    ("marked cash below 5", "name codes or groups"),
    ("RELIANCE price above 5 and", "stands on both its sides"),
    ("RELIANCE price above 5 repeat 3d", "give the least time"),
    ("RELIANCE price above 5 note", "characters behind note"),
    ("NOWHERE latency above 2s", "name one of"),
]


async def test_what_is_no_rule_is_refused_by_its_word(tmp_path):
    async with paper_desk(tmp_path) as desk:
        for line, wrong in NO_RULES:
            with case(line, wrong):
                with pytest.raises((BadInput, LookupError)) as refused:
                    rule(desk, line)
                assert wrong in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("reliance price > 2500", "reliance price above 2500"),
        ("g:hni pnl <= -2%", "g:hni pnl below -2%"),
        ("all cash below 5k repeat", "all cash below 5k repeat"),
        ("feed above 10s once", "feed above 10s once"),
        (
            "all portfolio below 70% repeat 1h note margin call",
            "all portfolio below 70% repeat 1h note margin call",
        ),
    ],
)
async def test_a_rule_is_kept_as_a_line_that_reads_the_same(tmp_path, typed, kept):
    async with paper_desk(tmp_path) as desk:
        made = rule(desk, typed)
        assert made.line == kept
        assert rule(desk, made.line) == made

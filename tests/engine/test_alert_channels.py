"""How alerts leave: by a Telegram bot that refuses and that asks to wait, and from behind locked secrets."""

import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from apprise.plugins.telegram import NotifyTelegram

from data.secrets import PASSPHRASE_FILE
from data.vocabulary import DeliveryState, DeskKind
from engine.alerts import outbox
from engine.alerts.outbox import LOOK_S
from engine.desk import Desk
from tests.desks import manual_clock, paper_desk
from tests.resting import quiet
from tradedesk.compose import foundation

TOKEN, CHAT = "123456789:AAHfGq8_stand-in-of-a-token-0000000", "987654321"
ADDRESS = f"tgram://{TOKEN}/{CHAT}"


class Bot:
    """Telegram's HTTP API on loopback, as far as a bot that writes to a chat uses it."""

    def __init__(self) -> None:
        self.came: list[tuple[str, Any]] = []
        self.answers: list[tuple[int, str, int]] = []
        """What it answers next: status, description, seconds to wait; after these it takes all."""

    async def take(self, request: web.Request) -> web.Response:
        self.came.append((request.match_info["way"], json.loads(await request.text())))
        if not self.answers:
            return web.json_response({"ok": True, "result": {"message_id": len(self.came)}})
        status, description, wait_s = self.answers.pop(0)
        told: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if wait_s:
            told["parameters"] = {"retry_after": wait_s}
        return web.json_response(told, status=status)


@asynccontextmanager
async def telegram(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bot]:
    bot, app = Bot(), web.Application()
    app.router.add_post("/bot{way:.*}", bot.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(NotifyTelegram, "notify_url", f"http://127.0.0.1:{runner.addresses[0][1]}/bot")
    monkeypatch.setattr(NotifyTelegram, "request_rate_per_sec", 0)
    try:
        yield bot
    finally:
        await runner.cleanup()


@pytest.fixture
def passphrase(tmp_path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "passphrase"
    file.write_text("a long enough passphrase\n")
    file.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE_FILE, str(file))
    return file


async def looks(desk: Desk, until: Any) -> None:
    """Go from look to look until what is asked for has come of the deliveries."""
    for _ in range(200):
        if until(await desk.outbox.deliveries()):
            return
        await manual_clock(desk).advance(LOOK_S / 10)
        await quiet()  # vaults open on threads
    raise AssertionError(await desk.outbox.deliveries())


def ended(count: int) -> Any:
    return lambda rows: sum(one.state is not DeliveryState.QUEUED for one in rows) >= count


async def test_a_telegram_bot_is_given_an_alert_and_nobody_reads_its_token(
    tmp_path, passphrase, monkeypatch, caplog
):
    async with telegram(monkeypatch) as bot, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        made = await desk.outbox.add_channel("phone", ADDRESS)
        assert made.service == "tgram"
        await desk.alerts.test()
        await looks(desk, ended(1))
        ((way, message),) = bot.came
        assert way == f"{TOKEN}/sendMessage"
        assert message["chat_id"] == int(CHAT)
        assert "tradedesk" in message["text"]
        (one,) = await desk.outbox.deliveries()
        assert (one.state, one.tries) == (DeliveryState.SENT, 1)
    assert TOKEN not in caplog.text
    files = [path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert TOKEN.encode() not in b"".join(files)


@pytest.mark.parametrize(
    ("status", "description", "said"),
    [
        (401, "Unauthorized", "(401 Unauthorized): is its key or token right?"),
        (403, "Forbidden: bot was blocked by the user", "(403 Forbidden): it may not write there"),
        (400, "Bad Request: chat not found", "(400 Bad Request): is the chat or address right?"),
    ],
)
async def test_a_bot_that_refuses_is_told_by_what_it_answered(
    tmp_path, passphrase, monkeypatch, status, description, said
):
    async with telegram(monkeypatch) as bot, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", ADDRESS)
        bot.answers = [(status, description, 0)]
        await desk.alerts.test()
        await looks(desk, lambda rows: rows and rows[0].problem)
        (one,) = await desk.outbox.deliveries()
        assert one.problem == f"the service refused it {said}"
        assert one.tries == 1
        await looks(desk, ended(1))
        (one,) = await desk.outbox.deliveries()
        assert (one.state, one.tries) == (DeliveryState.SENT, 2)


async def test_a_bot_that_asks_to_wait_is_left_alone_so_long_and_no_try_counts(
    tmp_path, passphrase, monkeypatch
):
    async with telegram(monkeypatch) as bot, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        clock = manual_clock(desk)
        await desk.outbox.add_channel("phone", ADDRESS)
        bot.answers = [(429, "Too Many Requests: retry after 35", 35)] * 10
        await desk.alerts.test()
        await looks(desk, lambda rows: rows and rows[0].problem)
        (one,) = await desk.outbox.deliveries()
        assert one.problem == "the service takes no more for 35 s: too many messages"
        assert one.tries == 0
        assert one.next_at - clock.now() > timedelta(seconds=30)
        await desk.alerts.test()  # another one meets the same wait without a call
        for _ in range(20):
            await clock.advance(1)
        assert len(bot.came) == 1
        for _ in range(12):
            clock.shift(36)
            await looks(desk, lambda rows: all(row.next_at > clock.now() or row.sent_at for row in rows))
        await looks(desk, ended(2))
        rows = await desk.outbox.deliveries()
        assert [(row.state, row.tries) for row in rows] == [(DeliveryState.SENT, 1)] * 2


@pytest.mark.parametrize(("asked_s", "waits_s"), [(0, 5), (90_000, 3600)])
async def test_a_wait_that_is_not_named_or_endless_has_bounds(
    tmp_path, passphrase, monkeypatch, asked_s, waits_s
):
    async with telegram(monkeypatch) as bot, paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", ADDRESS)
        bot.answers = [(429, "Too Many Requests", asked_s)]
        await desk.alerts.test()
        await looks(desk, lambda rows: rows and rows[0].problem)
        (one,) = await desk.outbox.deliveries()
        assert one.problem == f"the service takes no more for {waits_s} s: too many messages"


async def test_tries_at_locked_secrets_do_not_count_and_an_alert_leaves_once_they_open(
    tmp_path, passphrase, monkeypatch
):
    async with telegram(monkeypatch) as bot:
        async with paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
            await desk.outbox.add_channel("phone", ADDRESS)
        monkeypatch.delenv(PASSPHRASE_FILE)
        async with paper_desk(tmp_path / "home", kind=DeskKind.APP, demo=False) as desk:
            clock = manual_clock(desk)
            await desk.alerts.test()
            await looks(desk, lambda rows: rows and rows[0].problem)
            for _ in range(12):
                clock.shift(61)
                await looks(desk, lambda rows: rows[0].next_at > clock.now())
            (one,) = await desk.outbox.deliveries()
            assert (one.state, one.tries) == (DeliveryState.QUEUED, 0)
            assert one.problem.startswith("the secrets do not open: ")
            monkeypatch.setenv(PASSPHRASE_FILE, str(passphrase))
            clock.shift(61)
            await looks(desk, ended(1))
            (one,) = await desk.outbox.deliveries()
            assert (one.state, one.tries, len(bot.came)) == (DeliveryState.SENT, 1, 1)


class _SilentVault:
    """A vault whose backend does not answer until it is told to."""

    def __init__(self) -> None:
        self.answers = threading.Event()

    def get(self, key: str) -> None:
        self.answers.wait()


async def test_a_vault_that_does_not_answer_holds_a_delivery_no_longer_than_a_try(
    tmp_path, passphrase, monkeypatch
):
    silent = _SilentVault()
    async with paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", ADDRESS)
    monkeypatch.setattr(foundation, "vault_at", lambda *_given: silent)
    monkeypatch.setattr(outbox, "TRY_S", 0.01)  # it is real time, whatever the clock
    async with paper_desk(tmp_path / "home", kind=DeskKind.APP, demo=False) as desk:
        try:
            await desk.alerts.test()
            await looks(desk, lambda rows: rows and rows[0].problem)
            (one,) = await desk.outbox.deliveries()
            assert (one.state, one.tries) == (DeliveryState.QUEUED, 1)
            assert one.problem.startswith("no answer within")
        finally:
            silent.answers.set()


async def test_an_alert_that_waited_a_day_for_its_secrets_is_given_up(tmp_path, passphrase, monkeypatch):
    async with paper_desk(tmp_path / "home", kind=DeskKind.APP) as desk:
        await desk.outbox.add_channel("phone", ADDRESS)
    monkeypatch.delenv(PASSPHRASE_FILE)
    async with paper_desk(tmp_path / "home", kind=DeskKind.APP, demo=False) as desk:
        await desk.alerts.test()
        await looks(desk, lambda rows: rows and rows[0].problem)
        manual_clock(desk).shift(24 * 3600)
        await looks(desk, ended(1))
        (one,) = await desk.outbox.deliveries()
        assert (one.state, one.tries) == (DeliveryState.FAILED, 0)
        assert len(await desk.audit.rows(action="ALERT_NOT_DELIVERED")) == 1

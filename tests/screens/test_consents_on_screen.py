"""Consents on the screen: one entered by a line, seen in the card, ended by the line that its key begins."""

from pathlib import Path

from data.vocabulary import GateItem
from screens.clients.page import ClientScreen
from screens.clients.waive import open_item
from screens.consents.card import ConsentsCard
from screens.frame.cards.commandline import CommandLineCard
from tests.screens.papers import opened_on_paper


async def test_a_consent_is_entered_seen_and_ended_by_its_keys(tmp_path: Path) -> None:
    async with opened_on_paper(tmp_path, size=(80, 24)) as bench:
        desk, client = bench.desk, bench.client("PS1015")
        await bench.keys("colon")
        await bench.type("consent PS1015 phone tape 12 until:2027-03-31")
        await bench.keys("enter")
        await bench.until(lambda: len(desk.consents.of(client)) == 1)
        await bench.keys("colon")
        await bench.type("consents PS1015")
        await bench.keys("enter")
        assert isinstance(bench.card, ConsentsCard)
        await bench.until(lambda: "tape 12" in bench.text)
        await bench.keys("delete")
        assert isinstance(bench.card, CommandLineCard)
        await bench.type("withdrawn by mail")
        await bench.keys("enter")
        await bench.until(lambda: not desk.consents.of(client)[0].stands)
        assert desk.consents.of(client)[0].ended_why == "withdrawn by mail"
        bench.app.open_client(client)
        await bench.settle()
        page = bench.screen
        assert isinstance(page, ClientScreen)
        open_item(page, desk.gate.of(client), GateItem.CONSENT)
        await bench.settle()
        assert isinstance(bench.card, ConsentsCard), "green has nothing to waive: what is on record opens"

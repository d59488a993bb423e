"""Cancel-all at Kite goes where the books belong, with whatever of the home can still be read."""

import random
from contextlib import nullcontext

import pytest

from brokers.kite.access import KiteRoots
from data.clock import SystemClock
from data.errors import BadInput
from data.reference.phases import load_calendar
from data.vaults.file_vault import FileVault
from engine.rules import Rules, Waits
from screens.frame.routes import WorkspaceName
from tests.books import books_of, change_by_hand, empty_books
from tradedesk.app.application import TradedeskApp
from tradedesk.compose.foundation import Foundation
from tradedesk.compose.settings import Settings
from tradedesk.compose.signing import vault_of
from tradedesk.compose.wiring import connections_of


def base_at(home, owned, kite_url):
    empty_books(home)
    kind = "sim" if "127.0.0.1" in owned else "live"
    change_by_hand(home, f"INSERT INTO connection VALUES ('kite', '{kind}', 'zerodha', '{owned}', '')")
    settings = Settings(market="kite", kite_url=kite_url, vault="file")
    return Foundation(
        home,
        books_of(home),
        settings,
        SystemClock(),
        load_calendar(),
        Rules(),
        Waits(),
        random.Random(1),
    )


@pytest.mark.parametrize("owned", ["http://127.0.0.1:8100", KiteRoots().rest])
def test_an_emergency_goes_to_the_kite_of_the_books_whatever_the_settings_say(tmp_path, owned):
    base = base_at(tmp_path, owned, "http://127.0.0.1:8199")
    assert [row.address for row in connections_of(base, emergency=True)] == [owned]
    with pytest.raises(BadInput, match="use another home"):
        connections_of(base)


async def test_an_emergency_goes_on_without_secrets_that_cannot_be_read(tmp_path):
    base = base_at(tmp_path, "http://127.0.0.1:8100", "http://127.0.0.1:8100")
    FileVault(tmp_path / "secrets.enc", lambda: "the right one").put("kite/token/AB1234", "secret")
    with pytest.raises(BadInput, match="does not open"):
        await vault_of(base, lambda: "another one", emergency=False)
    vault, why = await vault_of(base, lambda: "another one", emergency=True)
    assert vault.get("kite/token/AB1234") is None
    assert "does not open" in why


def test_a_workspace_is_absent_while_the_desk_is_not_open():
    app = TradedeskApp(nullcontext)
    assert app.check_action("workspace", ("clients",)) is False
    app.open_workspace(WorkspaceName.CLIENTS)
    assert app.check_action("quit", ()) is True

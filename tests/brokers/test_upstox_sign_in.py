"""What signing in at Upstox takes: a code, alone or in the address that the browser was led to."""

import aiohttp
import pytest

from brokers.upstox.sign_in import FORM, code_of
from brokers.wire.listener import RedirectListener
from brokers.wire.redirects import state_of
from data.errors import BadInput

CODE = "mk404x-XjYz._~1"


@pytest.mark.parametrize(
    "given",
    [
        CODE,
        f" '{CODE}' ",
        f"http://127.0.0.1:8765/?code={CODE}&state=s1",
        f"https://a.example/cb?x=1&code={CODE}",
    ],
)
def test_a_code_is_read_wherever_it_stands(given: str) -> None:
    assert code_of(given) == FORM.read({"code": given}) == CODE


@pytest.mark.parametrize(
    "given",
    [
        "",
        "   ",
        "http://127.0.0.1/?state=s1",
        "http://127.0.0.1/?error=access_denied&error_description=Denied",
        f"http://127.0.0.1/?code={CODE}&code=another1",
        "http://127.0.0.1/?code=a%20secret",
        "two words of a secret",
        f"http://[127/?code={CODE}",
    ],
)
def test_what_holds_no_code_is_refused_without_showing_what_was_typed(given: str) -> None:
    with pytest.raises(BadInput) as refused:
        code_of(given)
    assert "secret" not in str(refused.value)
    assert CODE not in str(refused.value)


def test_the_state_comes_back_with_the_address_alone() -> None:
    assert state_of(f"http://127.0.0.1/?code={CODE}&state=s1") == "s1"
    assert state_of(CODE) is None
    assert state_of("http://[127/?state=s1") is None


async def test_the_listener_takes_what_upstox_leads_a_browser_to() -> None:
    async with RedirectListener() as listener, aiohttp.ClientSession() as browser:
        for query, said in (
            (f"?code={CODE}&state=s1", "Received"),
            ("?error=access_denied&state=s1", "Not signed in"),
        ):
            async with browser.get(f"{listener.url}{query}") as page:
                assert (page.status, said in await page.text()) == (200, True)
            address = await listener.address()
            assert address == f"{listener.url}{query}"
        async with browser.get(f"{listener.url}?other=1") as page:
            assert page.status == 404

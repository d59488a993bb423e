"""A home for a rehearsal at several brokers on this machine: which, where they answer, and its settings."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from data.errors import BadInput
from data.home import books_file
from tradedesk.compose.brokers.at_brokers import CONNECTIONS
from tradedesk.compose.config_file import keep_setting
from tradedesk.compose.rehearsing.rehearsal import check_stands_for
from tradedesk.compose.rehearsing.usual_ports import USUAL_PORTS
from tradedesk.compose.settings import Settings


def asked_brokers(text: str) -> list[str]:
    """The brokers that were typed with commas between, each once. Raises `BadInput`."""
    brokers = [word.strip().casefold() for word in text.split(",") if word.strip()]
    unknown = [word for word in brokers if word not in CONNECTIONS]
    if unknown or not brokers:
        raise BadInput("brokers", text, f"give some of {','.join(CONNECTIONS)}")
    if twice := [word for word in dict.fromkeys(brokers) if brokers.count(word) > 1]:
        raise BadInput("brokers", text, f"name each once; {', '.join(twice)} is there twice")
    return brokers


def local_addresses(brokers: Iterable[str], settings: Settings) -> dict[str, str]:
    """Where each broker answers, by venue: as the settings say, or where `tradedesk simulate` serves it."""
    found: dict[str, str] = {}
    for venue in map(CONNECTIONS.__getitem__, brokers):
        given = getattr(settings, f"{venue}_url")
        found[venue] = given.rstrip("/") or f"http://127.0.0.1:{USUAL_PORTS[venue]}"
    return found


async def check_all_answer(addresses: Mapping[str, str]) -> None:
    """See that each of these local brokers answers at its address. Raises `BadInput`."""
    for venue, url in addresses.items():
        await check_stands_for(venue, url)


def begin_home(home: Path, addresses: Mapping[str, str]) -> None:
    """Keep in a home without books where its brokers are; the first brings the prices. Raises `BadInput`."""
    if books_file(home).exists():
        return
    wanted = {"market": next(iter(addresses))} | {f"{venue}_url": url for venue, url in addresses.items()}
    for key, value in wanted.items():
        keep_setting(home, key, value)

"""A simulated market's time and prices: moved on to a time or by a word for one, held where they are told."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from brokers.simulators.exchange.day_prices import price_from
from data.clock import IST
from data.errors import BadInput
from data.reference.phases import Calendar, load_calendar
from data.vocabulary import PhaseKind
from engine.colon.asked import Moment
from engine.desk import Desk
from tradedesk.compose.brokers.paper import exchange_of
from tradedesk.compose.foundation import calendar_of
from tradedesk.compose.rehearsing.rehearsal import control, local_brokers


async def market_time(desk: Desk, word: str | None = None) -> tuple[datetime, date]:
    """A simulated market's time, aware UTC, and its day, once it was moved on to what a word names, if any.

    Raises `BadInput` for a word that names no later moment, and at a market that keeps its own time.
    """
    if not desk.market_is_simulated:
        raise BadInput("clock", word, "this market keeps its own time; a simulated one alone is moved on")
    if local := [one.address for one in local_brokers(desk)]:
        return await local_time(local, word)
    exchange = exchange_of(desk)
    told = exchange.market_clock
    if word is not None:
        await desk.close.note_before()
        exchange.jump(moment_of(word, told.now(), told.trading_day, calendar_of(desk.home)))
    return told.now(), told.trading_day


async def local_time(urls: Sequence[str], word: str | None = None) -> tuple[datetime, date]:
    """The same of brokers on this machine, all moved alike, which needs no desk. Raises `BadInput`."""
    now, day = _told(await control(urls[0], "clock"))
    if word is None:
        return now, day
    moment = moment_of(word, now, day, load_calendar())
    wanted = {"to": f"{moment.astimezone(IST):%H:%M:%S}", "day": f"{day}"}
    told = [await control(url, "clock", wanted) for url in urls]
    return _told(told[0])


def _told(told: Mapping[str, object]) -> tuple[datetime, date]:
    return datetime.fromisoformat(str(told["market_time"])), date.fromisoformat(str(told["trading_day"]))


def moment_of(word: str, now: datetime, day: date, calendar: Calendar) -> datetime:
    """The moment that a word names on a market's `day`, aware UTC: `15:20`, or a `Moment`.

    `auction` is the end of continuous trading in shares with derivatives, `close` the day's last minute,
    `tomorrow` its end, at which the next day begins. Raises `BadInput` for one that is no later than `now`.
    """
    found = _named(word.strip().casefold(), day, calendar)
    if found is None or found <= now:
        after = f"{now.astimezone(IST):%H:%M:%S}"
        raise BadInput(
            "to", word, f"give a time of the day after {after}, such as 15:20, or {', '.join(Moment)}"
        )
    return found


def _named(word: str, day: date, calendar: Calendar) -> datetime | None:
    match word:
        case Moment.AUCTION:
            return _continuous_ends(day, calendar)
        case Moment.CLOSE:
            return calendar.session_close(day) - timedelta(minutes=1)
        case Moment.TOMORROW:
            return calendar.session_close(day)
        case _:
            return _time(word, day)


def _continuous_ends(day: date, calendar: Calendar) -> datetime | None:
    phase = calendar.phase(calendar.session_open(day), fno=True)
    return phase.ends_at if phase.kind is PhaseKind.CONTINUOUS else None


def _time(word: str, day: date) -> datetime | None:
    try:
        found = time.fromisoformat(word)
    except ValueError:
        return None
    return None if found.tzinfo is not None else datetime.combine(day, found, IST)


async def hold_price(desk: Desk, symbol: str, word: str) -> tuple[str, int]:
    """Have a price of the paper exchange stand where a word says (`price_from`), or walk again.

    Returns its key and what it is then, in paise. Raises `BadInput`.
    """
    exchange = exchange_of(desk)
    listing = exchange.market.listing(symbol)
    key, price = listing.instrument.key, price_from(word, listing)
    if price is None:
        exchange.unpin(key)
    else:
        exchange.pin(key, price)
    return key, exchange.quotes([key])[key].last_paise


async def hold_local_price(urls: Sequence[str], symbol: str, word: str) -> tuple[str, int]:
    """The same at brokers on this machine, all alike, which needs no desk. Raises `BadInput`."""
    told = [await control(url, "prices", {"symbol": symbol, "to": word}) for url in urls]
    return str(told[0]["symbol"]), int(str(told[0]["ltp_paise"]))

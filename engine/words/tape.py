"""The lines of the tape."""

from data.vocabulary import RunCount
from engine.execution.changes.chase_news import ChaseNews, ChasesLost, ChaseWaits
from engine.guards.news import GuardNews
from engine.market_news import (
    BrokerAnswers,
    BrokerDown,
    HandOverNear,
    LegHeld,
    MarketHalted,
    MarketMoved,
    MarketOpened,
    PricesDiffer,
    PricesFrom,
)
from engine.news import (
    AlertNews,
    BookReadAgain,
    BooksAgree,
    BooksBeingRead,
    BooksDiffer,
    BookUnread,
    BrokerSaid,
    CertificateLeftOut,
    ChangeNotSent,
    ClientNews,
    DematNotKnown,
    ExternalBooked,
    ExternalOrder,
    FactUnbooked,
    FeedMoved,
    FlattenBegan,
    FlattenEnded,
    FlattenInterrupted,
    FlattenNews,
    HaltFired,
    HaltNews,
    HaltResumed,
    InstrumentsRead,
    News,
    PauseEnded,
    PlanConfirmed,
    PlanMade,
    RecordedNews,
    RouteRefused,
    RunBegan,
    RunEnded,
    RunGoesOn,
    RunNews,
    RunPaused,
    SecurityDoubted,
    SecurityRenamed,
    SquareOffNear,
    TradingDisabled,
)
from engine.rules import SHOWN_DIGITS
from engine.words import formats
from engine.words.alerts import hand_over_words, square_off_words, told_words
from engine.words.breaks import book_unread_words
from engine.words.gate import down_words
from engine.words.market import halt_until_words, moved_words, why_halted_words
from engine.words.trading.guards import news_of_guard
from engine.words.trading.modify_words import chase_end_words, lost_words, wait_words
from engine.words.trading.plans import title_of
from engine.words.trading.runs import held_words, pause_words

MOST_NAMED = 5
"""Orders that a line names by number; the alert names all."""


def news_words(news: News) -> str:
    """What the tape says of it, without the time."""
    match news:
        case RunNews():
            return f"run {news.number} {_run_words(news)}"
        case HaltNews():
            return _halt_words(news)
        case ClientNews():
            return f"{news.code}: {_client_words(news)}"
        case PlanConfirmed():
            return f"plan {news.number} {news.title}: confirmed by {news.by}"
        case PlanMade():
            lines = news.orders + news.skipped
            counts = f"{news.orders} of {lines}, " if lines != 1 or news.skipped else ""
            title = title_of(news.title, lines)
            return f"plan {news.number} made: {title}, {counts}{news.digest[:SHOWN_DIGITS]}"
        case InstrumentsRead():
            return _instruments_words(news)
        case BrokerDown():
            who = formats.counted(news.clients, "client")
            return f"{down_words(news.broker, news.since)}: {who} red; sales and cancels are tried"
        case BrokerAnswers():
            return f"{news.broker.capitalize()} answers again"
        case _:
            return _desk_words(news)


def _run_words(news: RunNews) -> str:
    match news:
        case RunBegan(by_another=by) if by:
            return f"{news.title}, by {by} in another process"
        case RunBegan(orders=None) | RunBegan(skipped=None):
            return news.title
        case RunBegan(orders=int(orders), skipped=int(skipped)):
            left_out = f", {skipped} skipped" if skipped else ""
            return f"{title_of(news.title, orders + skipped)}: {formats.counted(orders, 'order')}{left_out}"
        case RunEnded():
            return f"finished: {_ended_words(news)}"
        case RunPaused():
            blocked = f" keep ₹{formats.amount(news.blocked_paise)} blocked" if news.blocked_paise else ""
            title = f": {news.title}" if news.title else ""
            on = " · p in it goes on" if news.pause.phase_now is not None else ""
            return f"PAUSED: {pause_words(news.pause)}; {news.unsent} unsent{blocked}{title}{on}"
        case LegHeld():
            words = held_words(news.reason, news.phase, news.until)
            return f"keeps what waits of {news.key.partition(':')[2]} back: {words}; the rest goes on"
        case RunGoesOn():
            return f"goes on: {news.going} unsent" + (f", {news.denied} denied" if news.denied else "")
        case _:
            raise TypeError(f"no words for {news!r}")


def _ended_words(news: RunEnded) -> str:
    """What became of a run's orders, in counts; of a single one its state."""
    alone = news.counts.get(RunCount.TOTAL) == 1 and not news.counts.get(RunCount.SKIPPED)
    told = {one: count for one, count in news.counts.items() if count and one is not RunCount.TOTAL}
    if alone and len(told) > 1:
        told.pop(RunCount.SENT, None)
    words = ", ".join(one.words if alone else f"{count} {one.words}" for one, count in told.items())
    return f"{title_of(news.title, 1 if alone else 2)}: {words}"


def _halt_words(news: HaltNews) -> str:
    match news:
        case HaltFired():
            met = f": {formats.counted(news.orders, 'order')}" if news.orders is not None else ""
            what = f"HALT {news.number}{', REDUCE ONLY,' if news.reduces else ''}"
            return f"{what} by {news.by}{met}{', in another process' if news.by_another else ''}"
        case HaltResumed():
            return f"halt {news.number} resumed {f'by {news.by}' if news.by else 'in another process'}"
        case _:
            raise TypeError(f"no words for {news!r}")


def _client_words(news: ClientNews) -> str:
    match news:
        case FactUnbooked():
            said = f"what the broker says of {news.order} could not be booked ({news.problem})"
            return f"{said}; it may only sell"
        case BookUnread():
            return f"{book_unread_words(news.book, news.rows, news.detail)}; it may only sell"
        case BookReadAgain():
            return f"its {news.book} can be read in full again"
        case BooksDiffer():
            return f"our {news.what} and the broker's differ; it may only sell"
        case BooksAgree():
            return "our books and the broker's agree again"
        case ExternalOrder():
            what = f"{news.side.value} {news.quantity} {news.symbol} {news.product.value}"
            return f"{what} {'traded' if news.traded else 'is live'}, not from this desk"
        case ExternalBooked():
            price = f" at ₹{formats.amount(news.average_paise)}" if news.average_paise else ""
            return f"{news.order}{price} booked, not from this desk"
        case _:
            return _way_words(news)


def _way_words(news: ClientNews) -> str:
    """News of whether and how a client's orders leave."""
    match news:
        case PauseEnded():
            return f"its pause has ended ({news.told}): it is traded for again"
        case RouteRefused():
            return f"its route is refused: {news.why}"
        case DematNotKnown():
            return f"its broker knows of no DDPI, its route says {news.demat.upper()}: ask the client"
        case FeedMoved():
            then = "no other client's key does: plans are refused by the age of prices"
            if news.by:
                then = f"they come by {news.by} now"
            return f"its api key has no stream for prices; {then}"
        case _:
            raise TypeError(f"no words for {news!r}")


def _instruments_words(news: InstrumentsRead) -> str:
    whose = f"instruments of {news.broker.capitalize()}"
    if news.problem:
        kept = f"those of {news.day:%d %b} stay" if news.day else "there are none from before"
        return f"today's {whose} could not be read ({news.problem}); {kept}"
    odd = f", {len(news.unread)} unread: {news.unread[0]}" if news.unread else ""
    renamed = f", {news.renamed} renamed" if news.renamed else ""
    return f"{whose}: {news.count:,}, {news.added} new, {news.gone} gone{renamed}{odd}"


def _flatten_words(news: FlattenNews) -> str:
    match news:
        case FlattenBegan():
            what = news.what.value.upper()
            return f"FLATTEN {news.number} {what} by {news.by}: {formats.counted(news.positions, 'position')}"
        case FlattenEnded():
            left = f", {news.left} left" if news.left else ""
            return f"flatten {news.number} certified: {news.flat} flat{left}"
        case FlattenInterrupted():
            stands = f"flatten {news.number} STANDS STILL at {news.flat} of {news.positions} flat"
            return f"{stands}: its program ended, Enter and typed words go on"
        case _:
            raise ValueError(news)


def _market_words(news: MarketHalted | MarketOpened | MarketMoved) -> str:
    match news:
        case MarketHalted(by, move, index_key, index_bps, until, reopens):
            why = why_halted_words(by, move, index_key, index_bps)
            return f"THE MARKET IS HALTED {halt_until_words(until, reopens, move)}: {why}"
        case MarketOpened(by):
            return f"the market is open, by {by}"
        case MarketMoved(key, moved, level):
            return f"{moved_words(key, moved)}: at {level // 100} % the whole market is halted"


def _alert_words(news: AlertNews | SquareOffNear | ChasesLost) -> str:
    match news:
        case AlertNews():
            whose = f"{', '.join(news.codes[:MOST_NAMED])}: " if news.codes else ""
            return f"! {whose}{told_words(news.kind, news.told)}"
        case SquareOffNear():
            return square_off_words(news.positions, news.clients, news.ends)
        case ChasesLost():
            which = ", ".join(map(str, news.order_ids[:MOST_NAMED]))
            more = len(news.order_ids) - MOST_NAMED
            return f"{lost_words(len(news.order_ids))}: {which}{f' and {more} more' if more > 0 else ''} · !"


def _price_words(news: PricesFrom | PricesDiffer) -> str:
    match news:
        case PricesFrom(broker, _, instead_of=""):
            return f"all prices are {broker.capitalize()}'s again"
        case PricesFrom(broker, count, instead):
            verb = "is" if count == 1 else "are"
            whose = f"{formats.counted(count, 'price')} {verb} {broker.capitalize()}'s"
            return f"{whose}: {instead.capitalize()}'s {verb} too old"
        case PricesDiffer(key, broker, last, other, theirs, apart):
            told = (
                f"{broker.capitalize()} {formats.price(last)}, {other.capitalize()} {formats.price(theirs)}"
            )
            return f"{key.partition(':')[2]}: {told}, {apart / 100:.2f} % apart: neither counts"


def _desk_words(news: News) -> str:
    match news:
        case GuardNews():
            return news_of_guard(news)
        case HandOverNear():
            return f"{hand_over_words(news.orders, news.clients, news.begins)} · !"
        case MarketHalted() | MarketOpened() | MarketMoved():
            return _market_words(news)
        case PricesFrom() | PricesDiffer():
            return _price_words(news)
        case _:
            return _other_words(news)


def _chase_words(news: ChaseWaits) -> str:
    of = f"the chase of order {news.order_id}"
    if news.why is None:
        return f"{of} goes on{f', by {news.by}' if news.by else ''}"
    words = f"{of} waits: {wait_words(news.why, news.phase, news.until, news.detail)}"
    return f"{words}; it goes on by your word · !" if news.asks else words


def _other_words(news: News) -> str:
    match news:
        case CertificateLeftOut():
            told = "a cancel-all's certificate could not be taken up"
            return f"{told}, see certificates/{news.file}: {news.why}"
        case FlattenNews():
            return _flatten_words(news)
        case AlertNews() | SquareOffNear() | ChasesLost():
            return _alert_words(news)
        case ChangeNotSent():
            return f"a change of order {news.order_id} was not sent: {news.why}"
        case ChaseNews():
            at = f"at {formats.price(news.limit_paise)} after {formats.counted(news.moved, 'change')}"
            return f"the chase of order {news.order_id} ended {at}: {chase_end_words(news.why, news.detail)}"
        case ChaseWaits():
            return _chase_words(news)
        case BooksBeingRead():
            return f"reading the books of {formats.counted(news.clients, 'client')}, about {news.eta_s:.0f} s"
        case SecurityRenamed() | BrokerSaid():
            return news.words
        case RecordedNews():
            return f"then: {news.words}"
        case SecurityDoubted():
            how = " and ".join(f"`tradedesk instruments accept {key}`" for key in news.keys)
            return f"{news.words}; no buys of either until {how}"
        case TradingDisabled():
            return f"trading is stopped: {news.found}"
        case _:
            raise TypeError(f"no words for {news!r}")

"""Names of securities: which instrument of a file is one known under another name, and which is not.

A security is fixed at first sight and outlives its names. Kite's dump tells no ISIN; a symbol may change
while its token stands, and a change of series (`-BE`) changes both (Kite Connect documentation, instruments).
Tokens and symbols are given out again, so an ISIN that contradicts ends the match.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from data.records import replace
from data.reference.instruments import USUAL_BAND_BPS, BrokerInstrument, Instrument

WHOLE = 0.9
"""A file with fewer than this part of what is known proves nothing gone."""

_SAME_SHARE = frozenset({"EQ", "BE", "BZ", "SM", "ST", "SZ"})
"""Series of NSE between which one share moves; warrants and partly paid are others."""

_SUFFIX = re.compile(r"-[A-Z][A-Z0-9]$")


class Rename(Struct, frozen=True):
    """A security's name on one exchange before and now, and the token by which it goes there."""

    security: str
    exchange: str
    before: str
    now: str
    token: str

    @property
    def key_before(self) -> str:
        """`EXCHANGE:SYMBOL` before."""
        return f"{self.exchange}:{self.before}"

    @property
    def key(self) -> str:
        """`EXCHANGE:SYMBOL` now."""
        return f"{self.exchange}:{self.now}"

    @property
    def words(self) -> str:
        """One line for the tape and the audit."""
        return f"{self.key_before} is now {self.key}, token {self.token}"


@dataclass(slots=True)
class Matched:
    """What a file comes to: the rows to keep, what was renamed, and what the trader has to look at.

    `doubts` are words by key. `kept` are known instruments to keep as they are but for their token and doubt.
    """

    rows: list[BrokerInstrument] = field(default_factory=list[BrokerInstrument])
    renames: list[Rename] = field(default_factory=list[Rename])
    doubts: dict[str, str] = field(default_factory=dict[str, str])
    kept: list[BrokerInstrument] = field(default_factory=list[BrokerInstrument])


def match(
    known: Collection[BrokerInstrument],
    told: Sequence[BrokerInstrument],
    claimed: Collection[str],
    first_sight: Callable[[BrokerInstrument], str],
    whole: bool = True,
) -> Matched:
    """Match the instruments of one broker's file with those known, under the tokens known of that broker.

    `claimed` are the securities that a client holds or has orders of: nothing else may take their name.
    `first_sight` returns the security of an instrument that is not known. A file that is not `whole` proves
    no instrument gone.
    """
    pairs = _Pairs(known, told)
    pairs.take_tokens()
    pairs.take_names()
    if whole:
        pairs.take_isins_and_shares()
    before, out = pairs.before, Matched()
    here = {one.key: one for one in known}
    went_on = {one.key: now for now, one in before.items()}
    owners = _Owners(_by_token(known), {one.key for one in told}, went_on, claimed)
    for one in told:
        was, named = before.get(one.key), here.get(one.key)
        if named is not None and named.key not in went_on and named.security in claimed:
            _keep_both(out, one, named, was)
            continue
        doubt = owners.token_taken(out, one, was) or ("" if was is None else was.doubt)
        security = first_sight(one) if was is None else was.security
        out.rows.append(replace(merged(one, was), security_id=security, doubt=doubt))
        if was is not None and was.key != one.key:
            out.renames.append(
                Rename(security, one.exchange, was.tradingsymbol, one.tradingsymbol, one.token)
            )
    doubts = out.doubts
    out.rows = [replace(one, doubt=doubts[one.key]) if one.key in doubts else one for one in out.rows]
    return out


class _Pairs:
    """By key of a file the known instrument that each row is; `before` grows with each way of finding one."""

    def __init__(self, known: Collection[BrokerInstrument], told: Sequence[BrokerInstrument]) -> None:
        self._known = known
        self._told = told
        self._by_key, self._by_token = {one.key: one for one in known}, _by_token(known)
        self._told_keys = {one.key: one for one in told}
        self.before: dict[str, BrokerInstrument] = {}
        self._used: set[str] = set()

    def _pair(self, one: BrokerInstrument, was: BrokerInstrument | None) -> None:
        if was is not None and one.key not in self.before and was.key not in self._used:
            self.before[one.key] = was
            self._used.add(was.key)

    def take_tokens(self) -> None:
        """Pair those that have one token, unless ISINs contradict or the old name goes on under its own."""
        for one in _by_token(self._told).values():
            was = self._by_token.get((one.exchange, one.token))
            if was is None or (was.key != one.key and is_other(was, one)):
                continue
            # The old name is told with a token never seen: it has the name that goes on, unless ISINs say.
            heir = self._told_keys.get(was.key)
            newcomer = heir is not None and (heir.exchange, heir.token) not in self._by_token
            if heir is None or not newcomer or is_other(was, heir) or _same(was, one):
                self._pair(one, was)

    def take_names(self) -> None:
        """Pair those that have one name, unless ISINs contradict."""
        for one in self._told:
            was = self._by_key.get(one.key)
            if was is not None and not is_other(was, one):
                self._pair(one, was)

    def take_isins_and_shares(self) -> None:
        """Pair names never seen with known ones that the file leaves out: by ISIN, or by NSE's own symbol."""
        by_isin: dict[tuple[str, str], list[BrokerInstrument]] = defaultdict(list)
        by_share: dict[str, list[BrokerInstrument]] = defaultdict(list)
        for was in self._known:
            if was.key not in self._used and was.key not in self._told_keys:
                by_isin[was.exchange, was.isin].append(was)
                by_share[share_of(was)].append(was)
        shares = Counter(share_of(one) for one in self._told)
        for one in self._told:
            if one.key in self.before or one.key in self._by_key:
                continue
            if one.isin and len(found := by_isin[one.exchange, one.isin]) == 1:
                self._pair(one, found[0])
            share = share_of(one)
            alone = by_share[share] if share and shares[share] == 1 else []
            if len(alone) == 1 and not is_other(alone[0], one):
                self._pair(one, alone[0])


class _Owners(Struct, frozen=True):
    """Who had which token before a file: `went_on` are keys of the file by those known before."""

    by_token: Mapping[tuple[str, str], BrokerInstrument]
    told: Collection[str]
    went_on: Mapping[str, str]
    claimed: Collection[str]

    def token_taken(self, out: Matched, one: BrokerInstrument, was: BrokerInstrument | None) -> str:
        """Take a token from who had it that is another security; returns the doubt where that is claimed."""
        owner, doubt = self.by_token.get((one.exchange, one.token)), ""
        if owner is None or owner is was or self.went_on.get(owner.key, owner.key) == one.key:
            return ""
        if owner.security in self.claimed:
            doubt = out.doubts[one.key] = out.doubts[owner.key] = (
                f"token {one.token} was {_named(owner)} and is {_named(one)} now: "
                "this is no rename, nothing is carried over"
            )
        if owner.key not in self.told:
            out.kept.append(replace(owner, token="", doubt=out.doubts.get(owner.key, owner.doubt)))
        return doubt


def _keep_both(
    out: Matched, one: BrokerInstrument, here: BrokerInstrument, was: BrokerInstrument | None
) -> None:
    """Leave a claimed instrument in its place, which a row of the file would take."""
    words = (
        f"{_named(one)}, token {one.token}, has taken the name of {_named(here)}, "
        f"token {here.token}, which is held"
    )
    for stays in (here,) if was is None else (here, was):
        out.doubts[stays.key] = words
        out.kept.append(replace(stays, token="" if stays is here else stays.token, doubt=words))


def merged(new: BrokerInstrument, known: BrokerInstrument | None) -> BrokerInstrument:
    """A file's instrument with what it does not tell (ISIN, sector, margins, F&O, band) as it was known."""
    if known is None:
        return new
    return replace(
        new,
        isin=new.isin or known.isin,
        sector=new.sector or known.sector,
        mtf_margin_bps=known.mtf_margin_bps if new.mtf_margin_bps is None else new.mtf_margin_bps,
        mis_margin_bps=known.mis_margin_bps if new.mis_margin_bps is None else new.mis_margin_bps,
        fno=new.fno or known.fno,
        band_bps=known.band_bps if new.band_bps == USUAL_BAND_BPS else new.band_bps,
        prev_close_paise=new.prev_close_paise or known.prev_close_paise,
    )


def _by_token(instruments: Iterable[BrokerInstrument]) -> Mapping[tuple[str, str], BrokerInstrument]:
    """By exchange and token; one that stands twice names nothing."""
    found: dict[tuple[str, str], BrokerInstrument] = {}
    count = Counter[tuple[str, str]]()
    for one in instruments:
        if one.token:
            found[one.exchange, one.token] = one
            count[one.exchange, one.token] += 1
    return {place: one for place, one in found.items() if count[place] == 1}


def share_of(one: Instrument) -> str:
    """NSE's own symbol of a share, without its series; empty for what does not move between series."""
    if one.exchange != "NSE" or not one.tradable or one.series not in _SAME_SHARE:
        return ""
    return one.tradingsymbol if one.series == "EQ" else _SUFFIX.sub("", one.tradingsymbol)


def is_other(one: Instrument, two: Instrument) -> bool:
    """Whether ISINs say that these are two securities."""
    return bool(one.isin and two.isin and one.isin != two.isin)


def _same(one: Instrument, two: Instrument) -> bool:
    """Whether ISINs say that these are one security."""
    return bool(one.isin) and one.isin == two.isin


def _named(one: Instrument) -> str:
    return f"{one.key} ({one.isin or one.name})"

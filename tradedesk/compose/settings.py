"""What a trader may set: environment over `config.toml` over these defaults."""

import ast
import difflib
import inspect
import re
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from data.errors import BadInput
from data.home import settings_file
from data.vocabulary import Policy, WatchColumn
from engine.access.consent_needs import needs_from
from screens.frame.routes import WorkspaceName

SCREEN_SETTINGS = (
    *("theme", "keys", "keymap", "flash", "density", "workspace", "refresh_hz"),
    *("watch_columns", "strip_indices"),
)
"""Settings of the screen alone, which take effect at once where they are changed on it."""


def _as_plain(profile: object) -> object:
    """The profile by its name of today; homes of earlier versions have `default`."""
    return "plain" if profile == "default" else profile


def _asked(consents: str) -> str:
    """The consents as they were typed. Raises `ValueError` where they say nothing."""
    needs_from(consents)
    return consents


class Settings(BaseSettings):
    """One desk's settings; each field's text says what it does."""

    model_config = SettingsConfigDict(env_prefix="TRADEDESK_", env_ignore_empty=True, extra="forbid")

    trader: str = Field(default="trader", min_length=1, max_length=40)
    """Name under which this desk's actions stand in the audit."""

    policy: Policy = Policy.WORST
    """How much a reservation takes: `worst` price with charges, or `exact` last price."""

    protection_percent: float = Field(default=2.0, gt=0, le=20)
    """Market protection, in percent of the price, that is sent and reserved for."""

    price_age_limit_s: float = Field(default=3.0, gt=0, le=60)
    """A price older than this many seconds is refused as an input."""

    drift_percent: float = Field(default=0.5, gt=0, le=20)
    """How far the price may move, in percent, between a frozen plan and its start."""

    plan_valid_s: float = Field(default=60.0, ge=5, le=600)
    """For how many seconds a frozen plan may be confirmed."""

    mtf_most_stocks: int = Field(default=10, ge=1, le=1000)
    """With more stocks on margin than these a client is warned of."""

    consents: Annotated[str, AfterValidator(_asked)] = "trading hard"
    """Consents asked of clients: `trading hard, mtf hard, phone soft instructed`; a soft one only warns."""

    consents_on_paper: bool = False
    """Whether clients of the paper exchange are asked for their consents as those of a broker are."""

    halt_deletes_conditionals: bool = False
    """Whether a cancel-all also deletes GTTs and alerts that place orders; it lists them in any case."""

    refresh_hz: float = Field(default=5.0, ge=1, le=10)
    """How often the screen is painted at most."""

    theme: str = Field(default="dark", min_length=1, max_length=40)
    """Colours: dark, light, high-contrast, colour-blind, or a file of the home's folder `themes`."""

    keys: Annotated[Literal["", "plain", "kite", "odin"], BeforeValidator(_as_plain)] = ""
    """Key profile: plain, kite or odin; the first start asks where none is set."""

    keymap: Annotated[Any, NoDecode] = Field(default_factory=dict)
    """Keys of your own by command id, as `"freeze" = "z,f12"`; `tradedesk keys` lists the ids."""

    flash: bool = True
    """Whether changed figures flash once."""

    density: Literal["roomy", "compact"] = "roomy"
    """How close things stand: roomy has whole frames around panes, compact has more rows."""

    lock_after_min: int = Field(default=15, ge=0, le=600)
    """Minutes of nothing after which the screen locks, where people sign in; 0 never does."""

    alert_bell: bool = True
    """Whether an alert rings the terminal's bell."""

    alert_desktop: Literal["off", "osc9", "osc777"] = "off"
    """How the terminal is asked to show an alert beside it: osc9 (iTerm2, kitty, WezTerm), osc777 (rxvt)."""

    quiet_hours: str = Field(default="", pattern=r"^$|^([01]?\d|2[0-3]):[0-5]\d-([01]?\d|2[0-3]):[0-5]\d$")
    """Hours of India, such as 20:00-08:30, in which alerts that are not urgent ring nothing and wait."""

    metrics_port: int = Field(default=0, ge=0, le=65535)
    """Port of 127.0.0.1 where Prometheus reads the figures of `tradedesk health`; 0 opens none."""

    workspace: WorkspaceName = WorkspaceName.DESK
    """The workspace that the screen opens with: desk, bulk, orders, positions, matrix or clients."""

    watch_columns: tuple[WatchColumn, ...] = ()
    """Columns of the watchlist in their order, such as ["ltp", "chg", "bid"], until others are chosen."""

    strip_indices: tuple[str, ...] = Field(default=("NIFTY 50", "NIFTY BANK"), max_length=4)
    """Indices on the strip, where there is room, such as ["NIFTY 50", "SENSEX"]; [] shows none."""

    market: Literal["paper", "kite", "upstox", "groww"] = "paper"
    """Where orders go: the built-in paper exchange, Zerodha's Kite, Upstox or Groww; the first of a home."""

    database_url: str = ""
    """A PostgreSQL for the books, as postgresql+psycopg://user@host/name; empty keeps them in the home."""

    desk_clients: str = ""
    """Clients of this desk where several share one database: free, or CODE g:GROUP; empty shares none."""

    redis_url: str = Field(default="", pattern=r"^$|^rediss?://\S+$|^redis\+socket:///\S+$")
    """A Redis that carries jobs to workers and hints between desks, as redis://user:password@host:6379/0."""

    quotes: Literal["own", "feed"] = "own"
    """Whose prices a desk of several takes: its own stream's, or those of `tradedesk feed` through Redis."""

    mode: Literal["trade", "look"] = "trade"
    """What a desk at Kite may do: `trade`, or `look`, in which nothing that sends or cancels is built."""

    kite_url: str = ""
    """A local Kite to rehearse against, such as http://127.0.0.1:8100; empty means Zerodha's own."""

    kite_feed: str = ""
    """Code of the client whose session carries the prices; empty takes those that are signed in."""

    upstox_url: str = ""
    """A local Upstox to rehearse against, such as http://127.0.0.1:8200; empty means Upstox's own."""

    upstox_feed: str = ""
    """Code of the client whose session at Upstox carries the prices; empty takes who is signed in."""

    upstox_redirect: str = Field(default="", pattern=r"^$|^https?://\S+$")
    """Redirect URL of the apps at Upstox, to the letter; empty is sign_in_port's, or http://127.0.0.1/."""

    upstox_algos: dict[str, str] = Field(default_factory=dict)
    """Apps registered as algos at Upstox: `"API_KEY" = "NAME"`; an empty name keeps their clients out."""

    groww_url: str = ""
    """A local Groww to rehearse against, such as http://127.0.0.1:8120; empty means Groww's own."""

    groww_feed: str = ""
    """Code of the client whose session at Groww carries the prices; empty takes who is signed in."""

    sign_in_port: int = Field(default=0, ge=0, le=65535)
    """Port of 127.0.0.1 where sign-ins end, if the apps' redirect URL is http://127.0.0.1:PORT/; else 0."""

    echo_url: str = Field(
        default="", pattern=r"^$|^https://\S+$|^http://(127\.0\.0\.1|localhost)(:\d+)?(/\S*)?$"
    )
    """A service that answers with the address a call came from: each client's route is probed by it."""

    vault: Literal["auto", "keyring", "file", "rows"] = "auto"
    """Where secrets are kept: the system's keyring, an encrypted file, or whichever can be used; or sealed
    rows of the server that has the books, which its desks share."""

    wrapping_key_file: Path | None = None
    """The file with the key that seals those rows (`secrets make-key`); no database and no backup has it."""

    auth_socket: Path | None = None
    """The socket of the service that signs a firm's people in (`tradedesk auth`); else the desk does."""

    auth_key_file: Path | None = None
    """Where that service keeps the key that signs; empty is the file `signing.key` of its own home."""

    files_folder: Path | None = None
    """The one folder of files that lines typed in the app may name; without it they may be anywhere."""

    audit_heads: Path | None = None
    """A file outside the home, best on another machine, to which heads of the audit are written."""

    record_prices_mb: int = Field(default=0, ge=0, le=100_000)
    """Megabytes that the recording of a day may come to (`replay` plays it); 0 records none."""

    keep_recordings_days: int = Field(default=30, ge=0, le=36_500)
    """Days for which recordings are kept before `prune` removes them; 0 is for ever."""

    keep_replays_days: int = Field(default=30, ge=0, le=36_500)
    """The same of the homes in which recorded days were played again."""

    keep_exports_days: int = Field(default=0, ge=0, le=36_500)
    """Days for which files in the home's exports are kept before `prune` removes them; 0 is for ever."""

    keep_backups_days: int = Field(default=90, ge=0, le=36_500)
    """The same of backups in the home's own folder; the three newest stay in any case."""

    keep_copies_days: int = Field(default=90, ge=0, le=36_500)
    """The same of copies of the books that upgrades have laid beside them."""

    keep_logs_days: int = Field(default=90, ge=0, le=36_500)
    """The same of the program's rotated logs."""

    keep_deliveries_days: int = Field(default=90, ge=0, le=36_500)
    """The same of the outbox: how alerts left this machine. The alerts stay."""

    paper_latency_ms: tuple[int, int] = (20, 80)
    """Round trip of a call to the paper exchange, from and to, in milliseconds."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then what was read from the file."""
        return (env_settings, init_settings)


WITH_SECRETS = ("database_url", "redis_url")
"""Settings that may hold a password, which is shown nowhere."""


def shown(key: str, value: object) -> object:
    """The value of a setting as it may be shown: an address without the password in it."""
    if key not in WITH_SECRETS or not isinstance(value, str):
        return value
    return re.sub(r"://([^/@]*?):[^/]*@", r"://\1:***@", value)


@cache
def what_settings_do() -> dict[str, str]:
    """The text of each setting, read from the source: pydantic would read it at every start."""
    (body,) = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in pairwise(body.body):
        match field, text:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(words))),
            ):
                found[name] = " ".join(words.split())
            case _:
                pass
    return found


def load_settings(home: Path) -> Settings:
    """Settings of a home. Raises `BadInput` naming the file, the key and what would be right."""
    return settings_of(given_in(settings_file(home)), settings_file(home))


def given_in(path: Path) -> dict[str, Any]:
    """What a file of settings says, by key in small letters. Raises `BadInput` where it cannot be read."""
    if not path.exists():
        return {}
    try:
        # Editors of Windows put a byte order mark before the text, which TOML does not know.
        given = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise BadInput("config.toml", str(path), f"it must be TOML in UTF-8: {problem}") from problem
    except OSError as problem:
        raise BadInput("config.toml", str(path), f"it must be a file to be read: {problem}") from problem
    return {key.lower(): value for key, value in given.items()}


def settings_of(values: dict[str, Any], path: Path) -> Settings:
    """Settings of what a file at `path` says. Raises `BadInput` naming the key and what would be right."""
    for key in values:
        if key not in Settings.model_fields:
            close = difflib.get_close_matches(key, Settings.model_fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(Settings.model_fields)}"
            raise BadInput(f"{path}: {key}", values[key], hint)
    try:
        return Settings(**values)
    except ValidationError as problem:
        first = problem.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"setting {name}", first.get("input"), first["msg"]) from problem

"""A guard as screens and commands see it: its limits, its bar, how it stands, and what its trip did."""

from datetime import date, datetime

from msgspec import Struct

from data.vocabulary import FlattenWhat, GuardAction, GuardState, GuardWait, HaltScope, TripKind


class GuardTrip(Struct, frozen=True):
    """A trip that stands: why and at what, which halt came with it and which flatten it began.

    `net_paise` and `limit_paise` are None where nothing could be seen. `flattens` says that its set is to be
    taken flat; of that flatten `flat` positions are, of `left` something is left, `going` go on.
    """

    kind: TripKind
    at: datetime
    trading_date: date
    net_paise: int | None
    limit_paise: int | None
    halt_number: int
    halted: bool
    flattens: bool
    flatten_number: int | None = None
    flat: int = 0
    left: int = 0
    going: int = 0
    locked: tuple[str, ...] = ()
    """What was left at its circuit, by its symbol with the net: `RIIL -100`."""
    held_back: bool = False
    """A halt of everything stands, so that nothing is taken flat by itself."""


class GuardView(Struct, frozen=True):
    """One guard. `of` is the client's code, the group's name, or `desk`; `client_id` is None for several.

    `net_paise` is what its set has brought today, None while that cannot be seen (`wait`, by `unseen`);
    it is what is realised and open, less charges, interest and what getting out would cost. A limit is in
    paise of the day, None where there is none; `base_paise` is what a percentage is of. `locked` are symbols
    that cannot be traded away at their circuit now. `age_s` is how long ago it was looked at, None before
    that was ever done here.
    """

    number: int
    scope: HaltScope
    value: str
    of: str
    client_id: int | None
    what: FlattenWhat
    action: GuardAction
    state: GuardState
    wait: GuardWait
    unseen: tuple[str, ...]
    net_paise: int | None
    realised_paise: int
    open_paise: int
    charges_paise: int
    interest_paise: int
    exit_paise: int
    positions: int
    base_paise: int
    loss_bps: int | None
    loss_limit_paise: int | None
    target_bps: int | None
    target_limit_paise: int | None
    locked: tuple[str, ...]
    trip: GuardTrip | None
    set_at: datetime
    set_by: str
    age_s: float | None = None
    alarmed: bool = False
    """Whether its wait is something that the trader must know."""

    @property
    def stands_broken(self) -> bool:
        """Whether what can be seen of its set is at a limit or beyond it."""
        net, loss, target = self.net_paise, self.loss_limit_paise, self.target_limit_paise
        if net is None:
            return False
        return (loss is not None and net <= -loss) or (target is not None and net >= target)

    @property
    def asks(self) -> bool:
        """Whether the trader must look at it."""
        return self.trip is not None or self.alarmed or self.state is GuardState.NEAR

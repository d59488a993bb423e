"""The one table of what a broker takes and how fast it may be driven."""

from msgspec import Struct, field

from brokers.contract.sign_in import SignInForm
from data.vocabulary import Product, Validity


class Capabilities(Struct, frozen=True):
    """What an adapter can do and how fast it may be driven, per client account.

    `orders_per_second` and `orders_per_minute` are shared by placements, modifies and cancels; of them
    `cancels_per_second` and `cancels_per_minute` are kept for cancels alone. `key_orders_per_second`
    limits all accounts behind one api key together, None where the broker does not. With
    `orders_per_half_hour` the broker counts the last second, minute and half hour instead of those of the
    calendar. What is larger than one order may be goes as `most_slices` orders at most, and one order
    takes `most_changes` modifies.

    `validities` say how long orders may stand. `conversions` are the products from and to which positions
    may be converted. `after_market` says whether orders may wait at the broker for the next session,
    `disclosed_quantity` whether limit orders may show a part of themselves. `sign_in` is the form by
    which clients sign in, None where they need not. `needs_route` says whether a client's calls leave by
    a way of its own, under its own key and consent. `history` says that bars of before now may be asked
    for (`TellsHistory`), though an api key may lack them, `order_charges` that it tells what orders cost
    (`TellsCharges`). A `simulated` venue may be made to fail on purpose. `lists_all` is of one that
    trades whatever the desk knows, under the desk's names.
    """

    tag_length: int
    orders_per_second: int
    orders_per_minute: int
    orders_per_day: int
    max_order_quantity: int
    max_order_value_paise: int
    key_orders_per_second: int | None = None
    orders_per_half_hour: int | None = None
    cancels_per_second: int = 2
    cancels_per_minute: int = 100
    most_slices: int = 10
    most_changes: int = 25
    products: frozenset[Product] = field(default_factory=lambda: frozenset(Product))
    validities: frozenset[Validity] = frozenset(Validity)
    conversions: frozenset[tuple[Product, Product]] = frozenset()
    after_market: bool = False
    disclosed_quantity: bool = False
    sign_in: SignInForm | None = None
    needs_route: bool = False
    history: bool = False
    order_charges: bool = False
    simulated: bool = False
    lists_all: bool = False

    @property
    def needs_sign_in(self) -> bool:
        """Whether the broker takes calls only of clients that have signed in."""
        return self.sign_in is not None

"""Closed round trips: their charges as booked, and by the contract notes of both days."""

from datetime import UTC, date, datetime

from data.closed_sales import ClosedSale, NotedDay
from data.vocabulary import Product
from engine.accounts.round_trips import round_trips

MON, TUE = date(2026, 11, 16), date(2026, 11, 17)


def sale(quantity: int, bought: int, sold: int, opened: date = MON, order: int = 9) -> ClosedSale:
    at = datetime(2026, 11, 17, 5, tzinfo=UTC)
    return ClosedSale(
        1, order, "TCS", Product.CNC, quantity, 100_00, 120_00, bought + sold, bought, opened, TUE, at
    )


def test_a_notes_difference_is_shared_out_over_what_was_booked_on_its_day() -> None:
    noted = [NotedDay(1, MON, 40_00, -8_00), NotedDay(1, TUE, 30_00, 3_00), NotedDay(2, TUE, 1, 99_00)]
    (trip,) = round_trips([sale(4, 10_00, 15_00), sale(6, 10_00, 15_00)], noted)
    assert (trip.quantity, trip.charges_paise) == (10, 50_00)
    assert trip.note_charges_paise == 20_00 - 4_00 + 30_00 + 3_00
    assert trip.net_paise == trip.pnl_paise - trip.note_charges_paise


def test_without_a_note_the_booked_charges_stand() -> None:
    (trip,) = round_trips([sale(1, 5_00, 7_00)], [])
    assert trip.charges_paise == trip.note_charges_paise == 12_00
    (free,) = round_trips([sale(1, 0, 0)], [NotedDay(1, MON, 0, 5_00)])
    assert free.note_charges_paise == 0, "a day on which nothing was booked has nothing to share by"


def test_a_trip_within_a_day_bears_that_days_difference_on_both_sides() -> None:
    (trip,) = round_trips([sale(1, 10_00, 20_00, TUE)], [NotedDay(1, TUE, 30_00, -6_01)])
    assert trip.note_charges_paise == 30_00 - 2_00 - 4_01

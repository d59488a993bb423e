"""Commands of the market: its phases and halts, the calendar, watchlists."""

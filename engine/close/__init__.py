"""The day's close: every client's day in figures, and the steps that end it."""

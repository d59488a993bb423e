"""Commands of the day's end: its report, its close, what is known of it later."""

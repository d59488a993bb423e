"""The desk's day: its equity, what it holds by sector, and what each client's day has brought."""

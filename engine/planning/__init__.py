"""From an intent to a frozen plan: sizes, checks, the need for money, the record under its digest."""

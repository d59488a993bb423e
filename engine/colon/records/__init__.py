"""Lines about what is on record: consents, days past, risk, what runs cost, and copies of the home."""

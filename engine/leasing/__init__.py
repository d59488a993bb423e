"""Which clients a desk has of those that several desks on one database share, and how they change hands."""

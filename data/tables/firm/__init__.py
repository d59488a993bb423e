"""Tables of a firm: who has which client, the work left to workers, and runs over all desks."""

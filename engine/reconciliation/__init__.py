"""Our figures beside the broker's: what differs, and how its figures are adopted."""

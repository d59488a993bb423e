"""Risk: what positions of now could lose, and what runs cost clients beside the runs' own averages."""

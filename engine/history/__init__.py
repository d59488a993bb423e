"""History: what days have brought clients, groups and the desk, and what money came in and went out."""

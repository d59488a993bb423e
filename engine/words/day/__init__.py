"""What a trader reads of days: as the calendar has them, as they were closed, and what they brought."""

"""From an intent to a finished order: plans, runs, dispatch, life cycle, halt."""

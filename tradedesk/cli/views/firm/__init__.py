"""The shapes of what desks share: who has whom, and the jobs that are done beside them."""

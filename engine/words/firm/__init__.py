"""What is said of desks beside this one: who has whom, and the work that is left to workers."""

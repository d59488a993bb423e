"""Workspace 2: one symbol for many clients, from the form over the plan to its run."""

"""Workspace 6: models, how far each client is from one, and the plan that brings all of them to it."""

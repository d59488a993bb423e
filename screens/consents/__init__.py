"""The card of what clients have agreed to."""

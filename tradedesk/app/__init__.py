"""The terminal app: keys, palette, themes, workspaces."""

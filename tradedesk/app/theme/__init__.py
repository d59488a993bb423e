"""How the app looks: its themes, those that a trader writes, and whether each can be read."""

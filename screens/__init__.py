"""One room a workspace: keys become calls on the Desk, events become widget updates."""

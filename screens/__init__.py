"""One file a workspace or modal: keys become calls on the Desk, events become widget updates."""

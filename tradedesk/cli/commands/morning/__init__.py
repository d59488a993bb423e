"""The morning's commands: secrets, routes, signing clients in, and the gate that says who may trade."""

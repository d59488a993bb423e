"""Forms and questions of the dock that belong to no workspace."""

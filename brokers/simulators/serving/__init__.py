"""What every simulated broker is made of: books over the exchange, mishaps, control, sockets and pages."""

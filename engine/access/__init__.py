"""May this client trade: sessions, routes, the sign-in queue, the gate, and one pure judgement."""

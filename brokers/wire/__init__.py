"""What adapters of brokers have alike: calls over HTTP, rows of answers, sockets, ways out, redirects."""

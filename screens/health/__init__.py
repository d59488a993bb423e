"""How the desk fares: brokers' calls, queues, commits, room."""

"""What is traded, as stored: plans, runs, orders, their requests and fills, and halts."""

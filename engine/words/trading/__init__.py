"""What a trader reads of intents, plans, orders, runs and what ends them."""

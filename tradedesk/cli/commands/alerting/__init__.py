"""Commands about what the trader is told: alerts with their rules and channels, and how the desk fares."""

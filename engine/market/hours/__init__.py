"""When the market trades: its calendar as a home has it, and halts of the whole market."""

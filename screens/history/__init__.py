"""What days have brought: equity day by day, returns, risk, and the months, of a client or the desk."""
